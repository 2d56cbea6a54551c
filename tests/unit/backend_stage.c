/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/backend_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "tests/lib/folder.h"

void backend_stage_open(struct backend_stage *stage)
{
    assert_int_equal(backends_open(&stage->config, &stage->backends), SCA_OK);
    stage->tokens = (struct token_list){0};
    backend_stage_look(stage);
}

void backend_stage_close(struct backend_stage *stage)
{
    token_list_fini(&stage->tokens);
    backends_close(stage->backends);
    stage->backends = NULL;
}

int backend_stage_begin(void **state)
{
    struct backend_stage *stage = calloc(1, sizeof(*stage));

    assert_non_null(stage);
    (void)strcpy(stage->dir, "/tmp/local.XXXXXX");
    assert_non_null(mkdtemp(stage->dir));
    stage->config.state_dir = stage->dir;
    (void)snprintf(stage->main_file, sizeof(stage->main_file), "%s/module.conf", stage->dir);
    stage->config.main_file = stage->main_file;
    call_init(&stage->call, &clock_system, 60000);
    backend_stage_open(stage);
    *state = stage;
    return 0;
}

int backend_stage_end(void **state)
{
    struct backend_stage *stage = *state;

    backend_stage_close(stage);
    call_fini(&stage->call);
    (void)folder_remove(stage->dir);
    free(stage);
    return 0;
}

void backend_stage_other(const struct backend_stage *stage, struct backend_stage *ret_other)
{
    *ret_other = (struct backend_stage){.config = stage->config};
    call_init(&ret_other->call, &clock_system, 60000);
    backend_stage_open(ret_other);
}

void backend_stage_look(struct backend_stage *stage)
{
    struct token_list fresh = {0};

    assert_int_equal(backends_tokens(stage->backends, &stage->tokens, &fresh), SCA_OK);
    for (size_t i = 0; i < fresh.count; i++)
        assert_int_equal(token_list_add(&stage->tokens, fresh.items[i]), SCA_OK);
    free(fresh.items);
}

static int compare_ids(const void *a, const void *b)
{
    const CK_SLOT_ID *left = a;
    const CK_SLOT_ID *right = b;
    return *left < *right ? -1 : *left > *right;
}

void backend_stage_slots(const struct backend_stage *stage, const char *expected)
{
    char found[256] = "";
    size_t len = 0;
    CK_SLOT_ID ids[32];
    CK_SLOT_ID spare = CK_UNAVAILABLE_INFORMATION;
    size_t count = 0;

    for (size_t i = 0; i < stage->tokens.count; i++) {
        const struct token *token = stage->tokens.items[i];
        if (token->is_spare) {
            assert_int_equal(spare, CK_UNAVAILABLE_INFORMATION);
            spare = token->slot_id;
        } else {
            assert_in_range(count, 0, ARRAY_LEN(ids) - 1);
            ids[count++] = token->slot_id;
        }
    }
    qsort(ids, count, sizeof(*ids), compare_ids);
    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(found + len, sizeof(found) - len, "%lu ", ids[i]);
    (void)snprintf(found + len, sizeof(found) - len, "+%lu", spare);
    assert_string_equal(found, expected);
}

struct token *backend_stage_token(const struct backend_stage *stage, CK_SLOT_ID id)
{
    for (size_t i = 0; i < stage->tokens.count; i++)
        if (stage->tokens.items[i]->slot_id == id)
            return stage->tokens.items[i];
    fail_msg("no slot %lu", id);
    return NULL;
}

static struct secret *secret_of(const char *text)
{
    struct secret *secret = NULL;
    assert_int_equal(secret_new(span_text(text), &secret), SCA_OK);
    return secret;
}

/* Notes are of the last operation alone. */
static struct call *begin(struct backend_stage *stage)
{
    stage->call.note[0] = 0;
    return &stage->call;
}

enum sca_status backend_stage_init_token(struct backend_stage *stage, CK_SLOT_ID id,
                                         const char *so_pin, const char *label)
{
    AUTO(secret_freep) struct secret *secret = secret_of(so_pin);
    struct token *token = backend_stage_token(stage, id);
    return token->ops->write->init_token(token, begin(stage), secret, span_text(label));
}

enum sca_status backend_stage_login(struct backend_stage *stage, CK_SLOT_ID id,
                                    enum token_user user, const char *pin)
{
    AUTO(secret_freep) struct secret *secret = secret_of(pin);
    struct token *token = backend_stage_token(stage, id);
    return token->ops->login(token, begin(stage), user, secret);
}

enum sca_status backend_stage_init_pin(struct backend_stage *stage, CK_SLOT_ID id, const char *pin)
{
    AUTO(secret_freep) struct secret *secret = secret_of(pin);
    struct token *token = backend_stage_token(stage, id);
    return token->ops->write->init_pin(token, begin(stage), secret);
}

enum sca_status backend_stage_set_pin(struct backend_stage *stage, CK_SLOT_ID id,
                                      enum token_user user, const char *old_pin,
                                      const char *new_pin)
{
    AUTO(secret_freep) struct secret *old_secret = secret_of(old_pin);
    AUTO(secret_freep) struct secret *new_secret = secret_of(new_pin);
    struct token *token = backend_stage_token(stage, id);
    return token->ops->set_pin(token, begin(stage), user, old_secret, new_secret);
}

struct token *backend_stage_make(struct backend_stage *stage, CK_SLOT_ID id, const char *label)
{
    struct token *token = backend_stage_token(stage, id);

    assert_int_equal(backend_stage_init_token(stage, id, SO_PIN, label), SCA_OK);
    assert_int_equal(backend_stage_login(stage, id, TOKEN_SO, SO_PIN), SCA_OK);
    assert_int_equal(backend_stage_init_pin(stage, id, USER_PIN), SCA_OK);
    token->ops->logout(token);
    return token;
}

enum sca_status backend_stage_write(struct backend_stage *stage, struct token *token,
                                    CK_OBJECT_CLASS class, const char *label, struct span key,
                                    unsigned *number)
{
    bool is_private = class == CKO_PRIVATE_KEY;
    struct attributes a = {.count = 0};
    struct object_change change = {
        .number = *number,
        .is_private = is_private,
        .attributes = a.list,
        .key = key,
    };

    attributes_add_storage(&a, class, is_private);
    attributes_add_text(&a, CKA_LABEL, label);
    change.count = a.count;
    enum sca_status st = token->ops->write->apply(token, begin(stage), &change, 1);
    *number = change.number;
    return st;
}

enum sca_status backend_stage_remove(struct backend_stage *stage, struct token *token,
                                     unsigned number)
{
    struct object_change change = {.number = number, .is_removed = true};
    return token->ops->write->apply(token, begin(stage), &change, 1);
}

struct listed {
    struct object_sink sink;
    char text[512];
    unsigned profiles;
    unsigned last_number;
    unsigned wanted_number;
    CK_ATTRIBUTE_TYPE wanted_type;
    char *value;
    size_t room;
    size_t value_len;
};

static const CK_ATTRIBUTE *attribute(const CK_ATTRIBUTE *attributes, CK_ULONG count,
                                     CK_ATTRIBUTE_TYPE type)
{
    for (CK_ULONG i = 0; i < count; i++)
        if (attributes[i].type == type)
            return &attributes[i];
    return NULL;
}

static enum sca_status note_object(struct object_sink *sink, unsigned number, bool is_private,
                                   const CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    struct listed *listed = (struct listed *)sink;
    CK_OBJECT_CLASS class = 0;
    const CK_ATTRIBUTE *label = attribute(attributes, count, CKA_LABEL);
    const CK_ATTRIBUTE *wanted = attribute(attributes, count, listed->wanted_type);

    assert_in_range(number, listed->last_number + 1, OBJECT_NUMBER_MAX);
    listed->last_number = number;
    assert_non_null(attribute(attributes, count, CKA_UNIQUE_ID));
    memcpy(&class, attribute(attributes, count, CKA_CLASS)->pValue, sizeof(class));
    if (number == listed->wanted_number && wanted) {
        assert_in_range(wanted->ulValueLen, 0, listed->room);
        memcpy(listed->value, wanted->pValue, wanted->ulValueLen);
        listed->value_len = wanted->ulValueLen;
    }
    if (class == CKO_PROFILE) {
        listed->profiles++;
        return SCA_OK;
    }
    size_t len = strlen(listed->text);
    (void)snprintf(listed->text + len, sizeof(listed->text) - len, "%.*s%s ",
                   (int)label->ulValueLen, (const char *)label->pValue, is_private ? "*" : "");
    return SCA_OK;
}

void backend_stage_lists(struct token *token, const char *expected)
{
    struct listed listed = {.sink.add = note_object};

    assert_int_equal(token->ops->list(token, &listed.sink), SCA_OK);
    if (listed.profiles) {
        assert_int_equal(listed.profiles, 4);
        (void)strcat(listed.text, "profiles");
    }
    assert_string_equal(listed.text, expected);
}

struct span backend_stage_value(struct token *token, unsigned number, CK_ATTRIBUTE_TYPE type,
                                char *out, size_t room)
{
    struct listed listed = {
        .sink.add = note_object,
        .wanted_number = number,
        .wanted_type = type,
        .value = out,
        .room = room,
    };
    assert_int_equal(token->ops->list(token, &listed.sink), SCA_OK);
    return span_of(out, listed.value_len);
}

enum sca_status backend_stage_decode(struct span der, EVP_PKEY **ret_key)
{
    const unsigned char *at = der.ptr;

    (void)ERR_set_mark();
    EVP_PKEY *key = d2i_AutoPrivateKey_ex(NULL, &at, (long)der.len, crypto_libctx(), NULL);
    (void)ERR_pop_to_mark();
    if (!key || at != der.ptr + der.len) {
        EVP_PKEY_free(key);
        return SCA_INVALID;
    }
    *ret_key = key;
    return SCA_OK;
}

void backend_stage_new_key(struct buf *ret_der)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(crypto_libctx(), NULL, "EC", "P-256");
    assert_non_null(key);
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    unsigned char *der = NULL;
    int len = i2d_PKCS8_PRIV_KEY_INFO(info, &der);

    assert_true(len > 0);
    buf_init(ret_der, SECRET_MAX, true);
    assert_int_equal(buf_append(ret_der, span_of(der, (size_t)len)), SCA_OK);
    OPENSSL_free(der);
    PKCS8_PRIV_KEY_INFO_free(info);
    EVP_PKEY_free(key);
}
