/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"

enum { FIND_STEP = 64, WHAT_SIZE = 128 };

bool token_open(const struct module *module, CK_SLOT_ID slot, bool is_writable,
                struct token *ret_token, struct trouble *trouble)
{
    CK_FLAGS flags = CKF_SERIAL_SESSION | (is_writable ? CKF_RW_SESSION : 0);
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;

    CK_RV rv = module->p11->C_OpenSession(slot, flags, NULL, NULL, &session);
    if (rv != CKR_OK)
        return trouble_module(trouble, _("the token cannot be opened"), rv);
    *ret_token = (struct token){.p11 = module->p11, .session = session};
    return true;
}

void token_logout(struct token *token)
{
    if (token->is_logged_in)
        (void)token->p11->C_Logout(token->session); /* the session ends as well */
    token->is_logged_in = false;
}

void token_close(struct token *token)
{
    if (!token->p11)
        return;
    token_logout(token);
    (void)token->p11->C_CloseSession(token->session); /* nothing could be done about a failure */
    *token = (struct token){0};
}

/* PKCS#11 has no const; a secret's own memory is not handed out for writing. */
static CK_RV with_pin(struct token *token, const struct secret *pin, CK_USER_TYPE user, bool is_new)
{
    struct span bytes = secret_get(pin);
    CK_BYTE text[SECRET_MAX];

    memcpy(text, bytes.ptr, bytes.len);
    CK_RV rv = is_new ? token->p11->C_InitPIN(token->session, text, bytes.len)
                      : token->p11->C_Login(token->session, user, text, bytes.len);
    secret_wipe(text, sizeof(text));
    return rv;
}

/* Of the token that a session is with. */
static const char *label_of(const struct token *token, char label[static FORM_LABEL_SIZE])
{
    CK_SESSION_INFO session;
    CK_TOKEN_INFO info;

    label[0] = 0;
    if (token->p11->C_GetSessionInfo(token->session, &session) == CKR_OK &&
        token->p11->C_GetTokenInfo(session.slotID, &info) == CKR_OK)
        (void)module_text(info.label, sizeof(info.label), label);
    return label;
}

/* A run may log in to several tokens: which one, and whose PIN it was. */
static bool cannot_login(const struct token *token, CK_USER_TYPE user, CK_RV rv,
                         struct trouble *trouble)
{
    char label[FORM_LABEL_SIZE];
    char what[WHAT_SIZE];

    (void)snprintf(what, sizeof(what),
                   user == CKU_SO ? _("SO PIN of token %s") : _("PIN of token %s"),
                   label_of(token, label));
    return trouble_module(trouble, what, rv);
}

bool token_login(struct token *token, CK_USER_TYPE user, const struct secret *pin,
                 struct trouble *trouble)
{
    CK_RV rv = with_pin(token, pin, user, false);

    if (rv != CKR_OK)
        return cannot_login(token, user, rv, trouble);
    token->is_logged_in = true;
    return true;
}

bool token_set_pin(struct token *token, const struct secret *so_pin, const struct secret *pin,
                   struct trouble *trouble)
{
    if (!token_login(token, CKU_SO, so_pin, trouble))
        return false;
    CK_RV rv = with_pin(token, pin, CKU_USER, true);
    token_logout(token);
    return rv == CKR_OK || trouble_module(trouble, _("the PIN cannot be set"), rv);
}

/* The module's list of matches, in steps. */
static CK_RV collect(struct token *token, CK_OBJECT_HANDLE *found, size_t *ret_count)
{
    size_t count = 0;
    CK_ULONG got = 1;
    CK_RV rv = CKR_OK;

    while (rv == CKR_OK && got > 0 && count < TOKEN_OBJECTS_MAX) {
        CK_ULONG room = TOKEN_OBJECTS_MAX - count;
        rv = token->p11->C_FindObjects(token->session, found + count,
                                       room < FIND_STEP ? room : FIND_STEP, &got);
        count += rv == CKR_OK ? got : 0;
    }
    *ret_count = count;
    return rv;
}

bool token_find(struct token *token, const CK_ATTRIBUTE *match, CK_ULONG match_count,
                CK_OBJECT_HANDLE **ret_found, size_t *ret_count, struct trouble *trouble)
{
    AUTO(freep) CK_OBJECT_HANDLE *found = calloc(TOKEN_OBJECTS_MAX, sizeof(*found));
    CK_ATTRIBUTE copy[8];
    size_t count = 0;

    token->lacked_memory = token->lacked_memory || !found;
    if (!found || match_count > ARRAY_LEN(copy))
        return trouble_no_memory(trouble);
    memcpy(copy, match, match_count * sizeof(*match));
    CK_RV rv = token->p11->C_FindObjectsInit(token->session, copy, match_count);
    if (rv == CKR_OK) {
        rv = collect(token, found, &count);
        (void)token->p11->C_FindObjectsFinal(token->session);
    }
    token->lacked_memory = token->lacked_memory || rv == CKR_HOST_MEMORY;
    if (rv != CKR_OK)
        return trouble_module(trouble, _("the token does not list its objects"), rv);
    *ret_found = TAKE(found);
    *ret_count = count;
    return true;
}

CK_OBJECT_HANDLE token_find_one(struct token *token, CK_OBJECT_CLASS class, struct span id)
{
    AUTO(freep) CK_OBJECT_HANDLE *found = NULL;
    uint8_t bytes[TOKEN_ID_MAX];
    CK_ATTRIBUTE match[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_ID, bytes, id.len}};
    struct trouble ignored;
    size_t count = 0;

    if (id.len > sizeof(bytes))
        return CK_INVALID_HANDLE;
    memcpy(bytes, id.ptr, id.len);
    return token_find(token, match, ARRAY_LEN(match), &found, &count, &ignored) && count > 0
               ? found[0]
               : CK_INVALID_HANDLE;
}

bool token_read(struct token *token, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                struct buf *ret_value)
{
    CK_ATTRIBUTE attribute = {type, NULL, 0};

    buf_init(ret_value, TOKEN_VALUE_MAX, true);
    CK_RV rv = token->p11->C_GetAttributeValue(token->session, object, &attribute, 1);
    token->lacked_memory = token->lacked_memory || rv == CKR_HOST_MEMORY;
    if (rv != CKR_OK || attribute.ulValueLen > TOKEN_VALUE_MAX)
        return false;
    CK_ULONG len = attribute.ulValueLen;
    AUTO(freep) uint8_t *bytes = calloc(len + 1, 1);
    if (!bytes) {
        token->lacked_memory = true;
        return false;
    }
    attribute.pValue = bytes;
    rv = token->p11->C_GetAttributeValue(token->session, object, &attribute, 1);
    if (rv == CKR_OK && attribute.ulValueLen <= len &&
        buf_append(ret_value, span_of(bytes, attribute.ulValueLen)) != SCA_OK)
        rv = CKR_HOST_MEMORY; /* there is room for TOKEN_VALUE_MAX */
    secret_wipe(bytes, len);
    token->lacked_memory = token->lacked_memory || rv == CKR_HOST_MEMORY;
    return rv == CKR_OK && attribute.ulValueLen <= len;
}

bool token_create(struct token *token, CK_ATTRIBUTE *attributes, CK_ULONG count,
                  struct trouble *trouble)
{
    CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;

    CK_RV rv = token->p11->C_CreateObject(token->session, attributes, count, &object);
    return rv == CKR_OK || trouble_module(trouble, _("the token does not take an object"), rv);
}
