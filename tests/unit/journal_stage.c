/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/journal_stage.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "tests/lib/folder.h"

static int64_t fake_wall_s(const struct clock *clock)
{
    return ((const struct stage *)(uintptr_t)clock)->now_s; /* clock is the first member */
}

int stage_begin(void **state)
{
    struct stage *stage = calloc(1, sizeof(*stage));

    stage->clock = (struct clock){
        .now_ms = clock_system.now_ms, .wall_s = fake_wall_s, .wait = clock_system.wait};
    stage->now_s = NOW;
    (void)strcpy(stage->dir, "/tmp/journal.XXXXXX");
    assert_non_null(mkdtemp(stage->dir));
    (void)snprintf(stage->path, sizeof(stage->path), "%s/journal/transactions", stage->dir);
    assert_int_equal(journal_new(stage->dir, &stage->journal), SCA_OK);
    call_init(&stage->call, &stage->clock, 10000);
    *state = stage;
    return 0;
}

int stage_end(void **state)
{
    struct stage *stage = *state;

    journal_free(stage->journal);
    call_fini(&stage->call);
    (void)folder_remove(stage->dir);
    free(stage);
    return 0;
}

struct journal_transaction stage_draft(const char *id, uint8_t seed, size_t count)
{
    struct journal_transaction made = {.begun_at = NOW, .document_count = count};

    (void)snprintf(made.id, sizeof(made.id), "%s", id);
    (void)strcpy(made.url, "https://service.test");
    (void)strcpy(made.user_id, "012345678901");
    (void)strcpy(made.serial, "54010101");
    (void)strcpy(made.confirm, "app");
    (void)strcpy(made.description, "soffice on máy tính \"1\"\\ signs");
    made.documents = calloc(count, sizeof(*made.documents));
    for (size_t i = 0; i < count; i++) {
        memset(made.documents[i].digest, (int)(seed + i), 32);
        made.documents[i].digest_len = 32;
        (void)snprintf(made.documents[i].doc_id, sizeof(made.documents[i].doc_id), "doc-%zu", i);
    }
    return made;
}

enum sca_status stage_begin_one(struct stage *stage, struct journal_transaction *one,
                                bool *ret_joined)
{
    return journal_begin(stage->journal, &stage->call, one, ret_joined);
}

enum sca_status stage_put(struct stage *stage, const char *id, uint8_t seed, bool *ret_joined)
{
    struct journal_transaction one = stage_draft(id, seed, 1);
    enum sca_status st = stage_begin_one(stage, &one, ret_joined);

    journal_transaction_fini(&one);
    return st;
}

bool stage_is_live(struct stage *stage, uint8_t seed, const char *id)
{
    struct journal_transaction one = stage_draft("probe", seed, 1);
    bool is_joined = false;

    assert_int_equal(stage_begin_one(stage, &one, &is_joined), SCA_OK);
    bool is_it = is_joined && strcmp(one.id, id) == 0;
    if (!is_joined)
        journal_end(stage->journal, "probe");
    journal_transaction_fini(&one);
    return is_it;
}

size_t stage_read(const struct stage *stage, char *out, size_t size)
{
    AUTO(fd_closep) int fd = open(stage->path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? 0 : read(fd, out, size - 1);

    assert_true(got >= 0 && (size_t)got < size - 1);
    while (got > 1 && out[got - 1] == '\n' && out[got - 2] == '\n')
        got--;
    if (got == 1 && out[0] == '\n')
        got = 0;
    out[got] = 0;
    return (size_t)got;
}

size_t stage_size(const struct stage *stage)
{
    char bytes[64 * 1024];

    return stage_read(stage, bytes, sizeof(bytes));
}

size_t stage_file_size(const struct stage *stage)
{
    struct stat info;

    return stat(stage->path, &info) == 0 ? (size_t)info.st_size : 0;
}
