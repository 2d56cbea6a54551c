/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens as any PKCS#11 application manages them: which there are, sessions, objects, keys. */
#ifndef REMOTE_CLI_TOKEN_H
#define REMOTE_CLI_TOKEN_H

#include <openssl/types.h>

#include "remote/base/secret.h"
#include "remote/cli/form.h"
#include "remote/cli/key_spec.h"
#include "remote/cli/module.h"
#include "remote/cli/trouble.h"

#ifndef CK_CERTIFICATE_CATEGORY_AUTHORITY
#define CK_CERTIFICATE_CATEGORY_TOKEN_USER 1UL
#define CK_CERTIFICATE_CATEGORY_AUTHORITY  2UL
#endif

/* A token that may hold self-signed certificates. */
struct token_slot {
    CK_SLOT_ID id;
    char label[FORM_LABEL_SIZE];
    bool has_pin;     /* the user's PIN was set */
    CK_ULONG pin_min; /* bytes */
    CK_ULONG pin_max;
};

/*
 * Of a module of ours the self-signed tokens, of another one every token that can be written to;
 * and the first one that nobody initialised yet.
 */
struct tokens {
    struct token_slot *items; /* by label */
    size_t count;
    size_t room;
    bool is_own; /* our module */
    bool has_spare;
    struct token_slot spare;
};

/* The caller tokens_fini()s ret_tokens, whatever is returned. */
bool tokens_read(const struct module *module, struct tokens *ret_tokens, struct trouble *trouble);
void tokens_fini(struct tokens *tokens);

/* The one with that label, NULL if there is none. The first, where a module has several. */
const struct token_slot *tokens_find(const struct tokens *tokens, const char *label);

/*
 * Makes a token of the spare slot. The next spare slot is in tokens afterwards; items are left as
 * they were, so that what was found before stays found.
 */
bool tokens_init_spare(const struct module *module, struct tokens *tokens, const char *label,
                       const struct secret *so_pin, struct token_slot *ret_slot,
                       struct trouble *trouble);

/* A session; token_close() is safe on one that is all zeros. */
struct token {
    CK_FUNCTION_LIST *p11;
    CK_SESSION_HANDLE session;
    bool is_logged_in;
    bool lacked_memory; /* what was not found, or not read, may be there all the same */
};

bool token_open(const struct module *module, CK_SLOT_ID slot, bool is_writable,
                struct token *ret_token, struct trouble *trouble);
void token_close(struct token *token);

/* user: CKU_USER or CKU_SO. */
bool token_login(struct token *token, CK_USER_TYPE user, const struct secret *pin,
                 struct trouble *trouble);
void token_logout(struct token *token);

/* Sets the user's PIN with the SO's; the session is logged out afterwards. */
bool token_set_pin(struct token *token, const struct secret *so_pin, const struct secret *pin,
                   struct trouble *trouble);

enum { TOKEN_OBJECTS_MAX = 1024, TOKEN_ID_MAX = 64, TOKEN_VALUE_MAX = 65536 };

/* Everything that matches, at most TOKEN_OBJECTS_MAX. The caller frees ret_found. */
bool token_find(struct token *token, const CK_ATTRIBUTE *match, CK_ULONG match_count,
                CK_OBJECT_HANDLE **ret_found, size_t *ret_count, struct trouble *trouble);

/* First object of a class with that id; CK_INVALID_HANDLE if there is none. */
CK_OBJECT_HANDLE token_find_one(struct token *token, CK_OBJECT_CLASS class, struct span id);

/* One attribute; false if there is none or it may not be read. The caller buf_fini()s ret_value. */
bool token_read(struct token *token, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                struct buf *ret_value);

bool token_create(struct token *token, CK_ATTRIBUTE *attributes, CK_ULONG count,
                  struct trouble *trouble);

/* A certificate with CKA_ID and CKA_LABEL; of another authority, or of the holder. */
bool token_store_certificate(struct token *token, X509 *x509, struct span id, const char *label,
                             bool is_authority, struct trouble *trouble);

/* Objects of a key pair. */
struct token_pair {
    CK_OBJECT_HANDLE public_key;
    CK_OBJECT_HANDLE private_key;
    EVP_PKEY *key; /* its public half */
    const struct key_spec *spec;
};
void token_pair_fini(struct token_pair *pair);

/* Reads key and spec by the pair's public object; false if it is none that is issued here. */
bool token_public_read(struct token *token, struct token_pair *pair);

/* Makes a pair, CKA_ID as x509_key_id() has it. An exportable private key can be read in clear. */
bool token_generate(struct token *token, const struct key_spec *spec, const char *label,
                    bool is_exportable, struct token_pair *ret_pair, struct trouble *trouble);

/* The pair with that CKA_ID; false with what is missing in trouble. */
bool token_pair_find(struct token *token, struct span id, struct token_pair *ret_pair,
                     struct trouble *trouble);

/* A key pair, of that kind, of which there is no certificate: left by an attempt that ended early.
 * It gets the CKA_ID that token_generate would have given it. */
bool token_pair_unused(struct token *token, const struct key_spec *spec,
                       struct token_pair *ret_pair);

/* Signature of tbs in the form X.509 wants. rv says what the token did not like. */
enum sca_status token_sign(struct token *token, const struct token_pair *pair, struct span tbs,
                           struct buf *ret_signature, CK_RV *rv);

#endif
