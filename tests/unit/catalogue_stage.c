/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/catalogue_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "tests/lib/folder.h"

enum { FILE_MAX = 8388608 };

int catalogue_stage_begin(void **state)
{
    struct catalogue_stage *stage = calloc(1, sizeof(*stage));

    assert_non_null(stage);
    (void)strcpy(stage->dir, "/tmp/catalogue.XXXXXX");
    assert_non_null(mkdtemp(stage->dir));
    (void)snprintf(stage->file, sizeof(stage->file), "%s/catalogue", stage->dir);
    *state = stage;
    return 0;
}

int catalogue_stage_end(void **state)
{
    struct catalogue_stage *stage = *state;

    (void)folder_remove(stage->dir);
    free(stage);
    return 0;
}

struct certificate catalogue_stage_certificate(const char *serial)
{
    return (struct certificate){
        .der = span_text("[subject][issuer][spki modulus 65537][signature]"),
        .subject = span_text("[subject]"),
        .issuer = span_text("[issuer]"),
        .serial = span_text(serial),
        .spki = span_text("[spki modulus 65537]"),
        .id = span_text("01234567890123456789"),
        .modulus = span_text("modulus"),
        .exponent = span_text("65537"),
        .common_name = span_text("Nguyễn Văn A"),
        .not_before = -1,
        .not_after = INT64_C(1) << 40,
    };
}

struct certificate catalogue_stage_issuer;
struct certificate catalogue_stage_root;
struct certificate catalogue_stage_leaves[8];

int catalogue_stage_certificates(void **state)
{
    static const char *const serials[] = {"s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(catalogue_stage_leaves); i++)
        catalogue_stage_leaves[i] = catalogue_stage_certificate(serials[i]);
    catalogue_stage_issuer = catalogue_stage_certificate("issuer");
    catalogue_stage_issuer.modulus = catalogue_stage_issuer.exponent = span_of(NULL, 0);
    catalogue_stage_root = catalogue_stage_certificate("root");
    return 0;
}

struct fetched_certificate catalogue_stage_fetched(size_t leaf)
{
    static const char *const names[] = {"54A0", "54a1", "54A2", "54A3",
                                        "54A4", "54A5", "54A6", "54A7"};
    return (struct fetched_certificate){
        .service_serial = names[leaf],
        .service_status = "ACTIVE",
        .state = CERTIFICATE_ACTIVE,
        .leaf = &catalogue_stage_leaves[leaf],
        .chain = {&catalogue_stage_issuer, &catalogue_stage_root},
        .chain_len = 2,
    };
}

struct catalogue *catalogue_stage_open(const struct catalogue_stage *stage)
{
    struct catalogue *catalogue = NULL;
    const char *why = "";

    assert_int_equal(catalogue_open(stage->dir, &catalogue, &why), SCA_OK);
    assert_null(why);
    return catalogue;
}

void catalogue_stage_refused(const struct catalogue_stage *stage, enum sca_status status,
                             const char *reason)
{
    struct catalogue *catalogue = NULL;
    const char *why = NULL;

    assert_int_equal(catalogue_open(stage->dir, &catalogue, &why), status);
    assert_null(catalogue);
    assert_string_equal(why, reason);
}

void catalogue_stage_store(const struct catalogue_stage *stage, const char *user_id,
                           const char *numbers)
{
    struct fetched_certificate items[16];
    size_t count = 0;

    for (; numbers[count]; count++)
        items[count] = catalogue_stage_fetched((size_t)(numbers[count] - '0'));
    assert_int_equal(catalogue_store(stage->dir, URL, user_id, NOW, items, count), SCA_OK);
}

void catalogue_stage_entries(const struct catalogue_stage *stage, const char *expected)
{
    AUTO(catalogue_closep) struct catalogue *catalogue = catalogue_stage_open(stage);
    char found[512] = "";
    size_t len = 0;

    for (size_t i = 0; i < catalogue_count(catalogue); i++) {
        struct catalogue_entry entry;
        assert_int_equal(catalogue_get(catalogue, i, &entry), SCA_OK);
        assert_string_equal(entry.url, URL);
        len += (size_t)snprintf(found + len, sizeof(found) - len, "%s%u:%s:%.*s", i ? " " : "",
                                entry.slot_id, entry.user_id + strlen(entry.user_id) - 1,
                                entry.has_certificate ? (int)entry.leaf.serial.len : 1,
                                entry.has_certificate ? (const char *)entry.leaf.serial.ptr : "-");
    }
    assert_string_equal(found, expected);
}

void catalogue_stage_same(const struct certificate *found, const struct certificate *expected)
{
    assert_true(span_equal(found->der, expected->der));
    assert_true(span_equal(found->subject, expected->subject));
    assert_true(span_equal(found->issuer, expected->issuer));
    assert_true(span_equal(found->serial, expected->serial));
    assert_true(span_equal(found->spki, expected->spki));
    assert_true(span_equal(found->id, expected->id));
    assert_true(span_equal(found->modulus, expected->modulus));
    assert_true(span_equal(found->exponent, expected->exponent));
    assert_true(span_equal(found->common_name, expected->common_name));
    assert_true(found->not_before == expected->not_before);
    assert_true(found->not_after == expected->not_after);
}

struct buf catalogue_stage_read(const char *path)
{
    struct buf bytes;
    const char *why = NULL;

    assert_int_equal(file_read_trusted(path, FILE_ANY, FILE_MAX, false, &bytes, &why), SCA_OK);
    return bytes;
}
