/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/audit_stage.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/sha.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "tests/lib/folder.h"

static int64_t fake_wall_s(const struct clock *clock)
{
    (void)clock;
    return 1780000000;
}

int audit_stage_begin(void **state)
{
    struct audit_stage *stage = calloc(1, sizeof(*stage));

    assert_non_null(stage);
    stage->clock = (struct clock){.wall_s = fake_wall_s};
    (void)strcpy(stage->parent, "/tmp/audit.XXXXXX");
    assert_non_null(mkdtemp(stage->parent));
    (void)snprintf(stage->dir, sizeof(stage->dir), "%.32s/state", stage->parent);
    (void)snprintf(stage->path, sizeof(stage->path), "%s/audit.jsonl", stage->dir);
    *state = stage;
    return 0;
}

int audit_stage_end(void **state)
{
    struct audit_stage *stage = *state;

    (void)folder_remove(stage->parent);
    free(stage->text);
    free(stage);
    return 0;
}

struct audit_entry audit_stage_entry(void)
{
    static const uint8_t digest[32] = {0xab, 0xcd, 0x01, 0x23, 0x45, 0x67, 0x89, 0xef};

    return (struct audit_entry){
        .user = AUDIT_USER,
        .account = "work",
        .program = "soffice",
        .slot = 7,
        .serial = "54010101aabbccdd",
        .mechanism = "CKM_SHA256_RSA_PKCS",
        .digest = span_of(digest, sizeof(digest)),
        .doc_id = "ABCD-0123",
        .transaction = "1b4e28ba-2fa1-41d2-883f-0016d3cca427",
        .outcome = "signed",
        .milliseconds = 12345,
    };
}

void audit_stage_append(struct audit_stage *stage, size_t count)
{
    for (size_t i = 1; i <= count; i++) {
        struct audit_entry entry = audit_stage_entry();
        entry.slot = (int64_t)i;
        assert_int_equal(audit_append(stage->dir, &stage->clock, &entry), SCA_OK);
    }
}

void audit_stage_read(struct audit_stage *stage)
{
    FILE *file = fopen(stage->path, "re");
    const size_t room = 4 * 1024 * 1024;

    assert_non_null(file);
    free(stage->text);
    stage->text = calloc(1, room);
    assert_non_null(stage->text);
    stage->len = fread(stage->text, 1, room - 1, file);
    (void)fclose(file);
    stage->line_count = 0;
    for (char *at = stage->text; *at && stage->line_count < AUDIT_LINES_MAX;) {
        size_t len = strcspn(at, "\n");
        stage->lines[stage->line_count++] = span_of(at, len);
        at += len + (at[len] == '\n');
    }
}

void audit_stage_write(const struct audit_stage *stage, struct span bytes)
{
    AUTO(fd_closep) int fd = open(stage->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, bytes), SCA_OK);
    audit_stage_behead(stage);
}

void audit_stage_behead(const struct audit_stage *stage)
{
    AUTO(freep) char *lock = path_join(stage->dir, "audit.lock");

    assert_non_null(lock);
    assert_int_equal(truncate(lock, 0), 0);
}

struct audit_report audit_stage_verify(const struct audit_stage *stage)
{
    struct audit_report report = {0};

    assert_int_equal(audit_verify(stage->dir, &report), SCA_OK);
    return report;
}

void audit_stage_sha256(struct span bytes, char out[static AUDIT_HEX_SIZE])
{
    uint8_t hash[SHA256_DIGEST_LENGTH];

    assert_non_null(SHA256(bytes.ptr, bytes.len, hash));
    for (size_t i = 0; i < sizeof(hash); i++)
        (void)sprintf(out + 2 * i, "%02x", hash[i]);
}

char *audit_stage_sealed(const char *previous, const char *object)
{
    AUTO(freep) char *hashed = NULL;
    char chain[AUDIT_HEX_SIZE];
    char *line = NULL;

    assert_true(asprintf(&hashed, "%s%s", previous, object) > 0);
    audit_stage_sha256(span_text(hashed), chain);
    assert_true(asprintf(&line, "%.*s,\"chain\":\"%s\"}", (int)strlen(object) - 1, object, chain) >
                0);
    return line;
}

const char *audit_stage_chain(const struct audit_stage *stage, size_t index,
                              char out[static AUDIT_HEX_SIZE])
{
    struct span line = stage->lines[index];

    assert_true(index < stage->line_count && line.len > AUDIT_HEX_SIZE + 1);
    memcpy(out, line.ptr + line.len - (AUDIT_HEX_SIZE - 1) - 2, AUDIT_HEX_SIZE - 1);
    out[AUDIT_HEX_SIZE - 1] = 0;
    return out;
}
