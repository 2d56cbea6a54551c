/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/keystore_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "tests/lib/folder.h"

static struct secret *secret_of(const char *text)
{
    struct secret *secret = NULL;
    assert_int_equal(secret_new(span_text(text), &secret), SCA_OK);
    return secret;
}

int keystore_stage_begin_empty(void **state)
{
    struct keystore_stage *stage = calloc(1, sizeof(*stage));

    assert_non_null(stage);
    (void)strcpy(stage->dir, "/tmp/keystore.XXXXXX");
    assert_non_null(mkdtemp(stage->dir));
    assert_int_equal(keystore_new_name(stage->name), SCA_OK);
    stage->keystore = (struct keystore){.state_dir = stage->dir, .name = stage->name};
    call_init(&stage->call, &clock_system, 30000);
    *state = stage;
    return 0;
}

int keystore_stage_begin(void **state)
{
    (void)keystore_stage_begin_empty(state);
    struct keystore_stage *stage = *state;
    assert_int_equal(keystore_stage_create(stage), SCA_OK);
    assert_int_equal(keystore_stage_login(stage, KEYSTORE_SO, SO_PIN), SCA_OK);
    assert_int_equal(keystore_stage_init_pin(stage, USER_PIN), SCA_OK);
    secret_freep(&stage->master_key);
    return 0;
}

int keystore_stage_end(void **state)
{
    struct keystore_stage *stage = *state;

    secret_free(stage->master_key);
    call_fini(&stage->call);
    assert_int_equal(folder_remove(stage->dir), 0);
    free(stage);
    return 0;
}

enum sca_status keystore_stage_create(struct keystore_stage *stage)
{
    AUTO(secret_freep) struct secret *pin = secret_of(SO_PIN);
    return keystore_create(&stage->keystore, &stage->call, pin, span_text("label"), 7, STAGE_COST);
}

enum sca_status keystore_stage_login(struct keystore_stage *stage, enum keystore_user user,
                                     const char *pin)
{
    AUTO(secret_freep) struct secret *secret = secret_of(pin);
    struct secret *master_key = NULL;

    enum sca_status st = keystore_login(&stage->keystore, &stage->call, user, secret,
                                        &stage->memory[user], &master_key);
    assert_int_equal(master_key != NULL, st == SCA_OK);
    if (st == SCA_OK) {
        secret_free(stage->master_key);
        stage->master_key = master_key;
    }
    return st;
}

enum sca_status keystore_stage_init_pin(struct keystore_stage *stage, const char *pin)
{
    AUTO(secret_freep) struct secret *secret = secret_of(pin);
    return keystore_init_pin(&stage->keystore, &stage->call, stage->master_key, secret, STAGE_COST);
}

enum sca_status keystore_stage_set_pin(struct keystore_stage *stage, enum keystore_user user,
                                       const char *old_pin, const char *new_pin)
{
    AUTO(secret_freep) struct secret *old = secret_of(old_pin);
    AUTO(secret_freep) struct secret *new = secret_of(new_pin);
    return keystore_set_pin(&stage->keystore, &stage->call, user, old, new, &stage->memory[user],
                            STAGE_COST);
}

enum sca_status keystore_stage_reset(struct keystore_stage *stage, const char *so_pin)
{
    AUTO(secret_freep) struct secret *secret = secret_of(so_pin);
    return keystore_reset(&stage->keystore, &stage->call, secret, span_text("again"), STAGE_COST);
}

static enum sca_status write_one(struct keystore_stage *stage, struct keystore_change *change)
{
    return keystore_write(&stage->keystore, &stage->call, stage->master_key, change, 1);
}

uint32_t keystore_stage_add(struct keystore_stage *stage, const char *body, const char *key,
                            enum sca_status *ret_status)
{
    struct keystore_change change = {
        .object = {.is_private = key != NULL, .body = span_text(body), .key = span_text(key)}};

    enum sca_status st = write_one(stage, &change);
    assert_int_equal(change.object.number != 0, st == SCA_OK);
    if (ret_status)
        *ret_status = st;
    else
        assert_int_equal(st, SCA_OK);
    return change.object.number;
}

enum sca_status keystore_stage_change(struct keystore_stage *stage, uint32_t number,
                                      const char *body, const char *key, bool is_private)
{
    struct keystore_change change = {.object = {.number = number,
                                                .is_private = is_private,
                                                .body = span_text(body),
                                                .key = span_text(key)}};
    return write_one(stage, &change);
}

enum sca_status keystore_stage_remove(struct keystore_stage *stage, uint32_t number)
{
    struct keystore_change change = {.is_removed = true, .object = {.number = number}};
    return write_one(stage, &change);
}

static enum sca_status append_one(void *arg, const struct keystore_object *object)
{
    char *out = arg;
    size_t len = strlen(out);

    (void)snprintf(out + len, STAGE_TEXT_SIZE - len, "%s%u:%.*s", len ? " " : "", object->number,
                   (int)object->body.len, (const char *)object->body.ptr);
    len = strlen(out);
    if (object->is_private)
        (void)snprintf(out + len, STAGE_TEXT_SIZE - len, "/%.*s", (int)object->key.len,
                       (const char *)object->key.ptr);
    return SCA_OK;
}

enum sca_status keystore_stage_read(const struct keystore_stage *stage,
                                    char out[static STAGE_TEXT_SIZE])
{
    const char *why = NULL;

    out[0] = 0;
    enum sca_status st =
        keystore_read(&stage->keystore, stage->master_key, 0, append_one, out, &why);
    assert_int_equal(why != NULL, st == SCA_INVALID || st == SCA_IO || st == SCA_NOT_FOUND);
    return st;
}

void keystore_stage_holds(const struct keystore_stage *stage, const char *expected)
{
    char found[STAGE_TEXT_SIZE];
    assert_int_equal(keystore_stage_read(stage, found), SCA_OK);
    assert_string_equal(found, expected);
}

struct keystore_info keystore_stage_info(const struct keystore_stage *stage)
{
    struct keystore_info info;
    const char *why = NULL;
    assert_int_equal(keystore_info(&stage->keystore, &info, &why), SCA_OK);
    assert_null(why);
    return info;
}

void keystore_stage_path(const struct keystore_stage *stage, const char *extension,
                         char out[static 128])
{
    (void)snprintf(out, 128, "%s/tokens/%s.%s", stage->dir, stage->name, extension);
}

void keystore_stage_load(const struct keystore_stage *stage, const char *extension,
                         struct buf *ret_bytes)
{
    char path[128];
    const char *why = NULL;
    keystore_stage_path(stage, extension, path);
    assert_int_equal(file_read_trusted(path, FILE_ANY, TOKENFILE_MAX, false, ret_bytes, &why),
                     SCA_OK);
}

void keystore_stage_put(const struct keystore_stage *stage, const char *extension,
                        struct span bytes)
{
    char path[128];
    char name[64];
    keystore_stage_path(stage, "", path);
    *strrchr(path, '/') = 0;
    (void)snprintf(name, sizeof(name), "%s.%s", stage->name, extension);
    assert_int_equal(file_replace(path, name, bytes), SCA_OK);
}

bool keystore_stage_has(const struct keystore_stage *stage, const char *extension)
{
    char path[128];
    keystore_stage_path(stage, extension, path);
    return access(path, F_OK) == 0;
}

void keystore_stage_put_right(struct buf *file)
{
    struct tokenfile_head *head = (void *)file->ptr; /* malloc aligned it */
    const struct span checked = span_of(head, offsetof(struct tokenfile_head, digest));

    assert_int_equal(crypt_digest(&checked, 1, head->digest), SCA_OK);
    const struct span all = span_of(file->ptr, file->len - CRYPT_DIGEST_SIZE);
    assert_int_equal(crypt_digest(&all, 1, file->ptr + all.len), SCA_OK);
}
