/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/holder.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/objects.h>
#include <openssl/x509.h>

#include "remote/base/cleanup.h"

void holder_fini(struct holder *holder)
{
    for (size_t i = 0; i < holder->count; i++)
        X509_free(holder->items[i].x509);
    free(holder->items);
    *holder = (struct holder){0};
}

/* What the token says of it; a token that says nothing leaves it to the certificate. */
bool holder_is_authority(struct token *token, CK_OBJECT_HANDLE object, X509 *x509)
{
    AUTO(buf_fini) struct buf value;
    CK_ULONG category = 0;

    if (token_read(token, object, CKA_CERTIFICATE_CATEGORY, &value) &&
        value.len == sizeof(category))
        memcpy(&category, value.ptr, sizeof(category));
    /* People import self-signed certificates that call themselves authorities. */
    if (category == CK_CERTIFICATE_CATEGORY_TOKEN_USER)
        return false;
    return category == CK_CERTIFICATE_CATEGORY_AUTHORITY || x509_is_authority(x509);
}

/* What a search is for. application: of archived ones; NULL: those in use. */
struct kind {
    const char *application;
    bool is_authority;
};

static void keep(struct token *token, CK_OBJECT_HANDLE object, const struct kind *kind,
                 struct holder *holder)
{
    AUTO(buf_fini) struct buf der;
    X509 *x509 = token_read(token, object, CKA_VALUE, &der) ? x509_parse(buf_span(&der)) : NULL;

    if (!x509)
        return; /* somebody else's */
    struct holding *item = &holder->items[holder->count++];
    *item = (struct holding){.object = object,
                             .x509 = x509,
                             .is_archived = kind->application,
                             .is_authority = kind->application
                                                 ? kind->is_authority
                                                 : holder_is_authority(token, object, x509)};
    (void)x509_serial(x509, item->serial);
}

static bool read_kind(struct token *token, const struct kind *kind, struct holder *holder,
                      struct trouble *trouble)
{
    AUTO(freep) CK_OBJECT_HANDLE *found = NULL;
    CK_OBJECT_CLASS class = kind->application ? CKO_DATA : CKO_CERTIFICATE;
    char application[sizeof(HOLDER_ARCHIVE_OF_ISSUER)] = "";
    CK_ATTRIBUTE match[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_APPLICATION, application, 0}};
    size_t count = 0;

    if (kind->application) {
        match[1].ulValueLen = strlen(kind->application);
        memcpy(application, kind->application, match[1].ulValueLen);
    }
    if (!token_find(token, match, kind->application ? 2 : 1, &found, &count, trouble))
        return false;
    struct holding *items = realloc(holder->items, (holder->count + count + 1) * sizeof(*items));
    if (!items)
        return trouble_no_memory(trouble);
    holder->items = items;
    for (size_t i = 0; i < count; i++)
        keep(token, found[i], kind, holder);
    return true;
}

bool holder_read(struct token *token, struct holder *ret_holder, struct trouble *trouble)
{
    static const struct kind kinds[] = {
        {NULL, false}, {HOLDER_ARCHIVE, false}, {HOLDER_ARCHIVE_OF_ISSUER, true}};

    *ret_holder = (struct holder){0};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (!read_kind(token, &kinds[i], ret_holder, trouble))
            return false;
    return true;
}

static bool names_user(const X509 *x509, const char *user)
{
    AUTO(freep) char *text = x509_name_part(X509_get_subject_name(x509), NID_userId);
    return text && strcmp(text, user) == 0;
}

/* Of two in use: the one that names the user, then the one that begins last. */
static bool is_better(const struct holding *item, const struct holding *best, const char *user)
{
    bool is_users = names_user(item->x509, user);

    if (!best || is_users != names_user(best->x509, user))
        return !best || is_users;
    return x509_time(X509_get0_notBefore(item->x509)) >= x509_time(X509_get0_notBefore(best->x509));
}

const struct holding *holder_current(const struct holder *holder, const char *user)
{
    const struct holding *best = NULL;

    for (size_t i = 0; i < holder->count; i++) {
        const struct holding *item = &holder->items[i];
        if (!item->is_archived && !item->is_authority && is_better(item, best, user))
            best = item;
    }
    return best;
}

const struct holding *holder_authority(const struct holder *holder)
{
    const struct holding *best = NULL;

    for (size_t i = 0; i < holder->count; i++) {
        const struct holding *item = &holder->items[i];
        if (!item->is_archived && item->is_authority &&
            (!best || x509_time(X509_get0_notAfter(item->x509)) >=
                          x509_time(X509_get0_notAfter(best->x509))))
            best = item;
    }
    return best;
}

bool holder_is_of(const struct holder *holder, const char *label, const char *user)
{
    bool has_other = false;

    for (size_t i = 0; i < holder->count; i++) {
        const struct holding *item = &holder->items[i];
        AUTO(freep) char *name = x509_name_part(X509_get_subject_name(item->x509), NID_userId);
        if (item->is_authority || !name)
            continue;
        if (strcmp(name, user) == 0)
            return true;
        has_other = true;
    }
    return !has_other && (holder->count == 0 || strcmp(label, user) == 0);
}

bool holder_has(const struct holder *holder, const X509 *x509, bool is_archived)
{
    for (size_t i = 0; i < holder->count; i++)
        if (holder->items[i].is_archived == is_archived &&
            X509_cmp(holder->items[i].x509, x509) == 0)
            return true;
    return false;
}

bool holder_archive(struct token *token, const struct holder *holder, const struct holding *old,
                    struct trouble *trouble)
{
    CK_OBJECT_CLASS data = CKO_DATA;
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL no = CK_FALSE;
    char person[] = HOLDER_ARCHIVE;
    char issuer[] = HOLDER_ARCHIVE_OF_ISSUER;
    char *application = old->is_authority ? issuer : person;
    char label[CERTIFICATE_SERIAL_HEX];
    unsigned char *der = NULL;

    if (holder_has(holder, old->x509, true))
        return true;
    int len = i2d_X509(old->x509, &der);
    if (len <= 0)
        return trouble_no_memory(trouble);
    memcpy(label, old->serial, sizeof(label));
    CK_ATTRIBUTE attributes[] = {
        {CKA_CLASS, &data, sizeof(data)},  {CKA_TOKEN, &yes, sizeof(yes)},
        {CKA_PRIVATE, &no, sizeof(no)},    {CKA_APPLICATION, application, strlen(application)},
        {CKA_LABEL, label, strlen(label)}, {CKA_VALUE, der, (CK_ULONG)len},
    };
    bool is_kept = token_create(token, attributes, ARRAY_LEN(attributes), trouble);
    OPENSSL_free(der);
    return is_kept;
}

bool holder_destroy(struct token *token, CK_OBJECT_HANDLE object, struct trouble *trouble)
{
    CK_RV rv = token->p11->C_DestroyObject(token->session, object);
    return rv == CKR_OK || trouble_module(trouble, _("the old object cannot be destroyed"), rv);
}
