/* SPDX-License-Identifier: Apache-2.0 */
/* A state folder of its own, and the real backends over it, for tests of tokens on this computer.
 */
#ifndef TESTS_UNIT_BACKEND_STAGE_H
#define TESTS_UNIT_BACKEND_STAGE_H

#include "module/backend/attributes.h"
#include "module/backend/backend.h"
#include "remote/config/config.h"

#define SO_PIN   "so-pin-1"
#define USER_PIN "user-pin-1"

struct backend_stage {
    char dir[64];
    char main_file[80]; /* of the configuration; not there */
    struct config config;
    struct backends *backends;
    struct token_list tokens;
    struct call call; /* of the last operation; its note says why it failed */
};

int backend_stage_begin(void **state);
int backend_stage_end(void **state);

/* The same folder as another process sees it; ended with backend_stage_close. */
void backend_stage_other(const struct backend_stage *stage, struct backend_stage *ret_other);
void backend_stage_open(struct backend_stage *stage);
void backend_stage_close(struct backend_stage *stage);

/* Takes in what is new, as C_GetSlotList does. */
void backend_stage_look(struct backend_stage *stage);

/* Asserts "id id ... +id", the last one the empty slot's. */
void backend_stage_slots(const struct backend_stage *stage, const char *expected);
struct token *backend_stage_token(const struct backend_stage *stage, CK_SLOT_ID id);

/* Operations with PINs as texts; what the token answers. */
enum sca_status backend_stage_init_token(struct backend_stage *stage, CK_SLOT_ID id,
                                         const char *so_pin, const char *label);
enum sca_status backend_stage_login(struct backend_stage *stage, CK_SLOT_ID id,
                                    enum token_user user, const char *pin);
enum sca_status backend_stage_init_pin(struct backend_stage *stage, CK_SLOT_ID id, const char *pin);
enum sca_status backend_stage_set_pin(struct backend_stage *stage, CK_SLOT_ID id,
                                      enum token_user user, const char *old_pin,
                                      const char *new_pin);

/* Makes a token of the empty slot, with a user PIN, nobody logged in. */
struct token *backend_stage_make(struct backend_stage *stage, CK_SLOT_ID id, const char *label);

/* Writes an object with that label and, for a private key, its PKCS#8; its number in ret_number. */
enum sca_status backend_stage_write(struct backend_stage *stage, struct token *token,
                                    CK_OBJECT_CLASS class, const char *label, struct span key,
                                    unsigned *number);
enum sca_status backend_stage_remove(struct backend_stage *stage, struct token *token,
                                     unsigned number);

/* Asserts the labels of what is listed, by rising number, private ones with a star; profiles as
 * the last word "profiles". */
void backend_stage_lists(struct token *token, const char *expected);

/* A value of one listed object. */
struct span backend_stage_value(struct token *token, unsigned number, CK_ATTRIBUTE_TYPE type,
                                char *out, size_t room);

/* What a token's load_key takes to decode a key. */
enum sca_status backend_stage_decode(struct span der, EVP_PKEY **ret_key);

/* PKCS#8 of a new P-256 key; the caller buf_fini()s ret_der. */
void backend_stage_new_key(struct buf *ret_der);

#endif
