/* SPDX-License-Identifier: Apache-2.0 */
/* A token in a folder of its own, at the lowest cost of a PIN, for the tests of the keystore. */
#ifndef TESTS_UNIT_KEYSTORE_STAGE_H
#define TESTS_UNIT_KEYSTORE_STAGE_H

#include "remote/base/call.h"
#include "remote/keystore/keystore.h"
#include "remote/keystore/tokenfile.h"

#define SO_PIN   "so-secret"
#define USER_PIN "123456"
enum { STAGE_COST = 10, STAGE_TEXT_SIZE = 512 };

struct keystore_stage {
    char dir[32];
    char name[KEYSTORE_NAME_SIZE];
    struct keystore keystore;
    struct call call;
    struct pin_memory memory[2]; /* by enum keystore_user */
    struct secret *master_key;   /* of the last right PIN */
};

/* Setup and teardown: a token with SO_PIN and USER_PIN, nobody logged in, no objects. */
int keystore_stage_begin(void **state);
int keystore_stage_end(void **state);

/* The same without a token. */
int keystore_stage_begin_empty(void **state);

enum sca_status keystore_stage_create(struct keystore_stage *stage);
enum sca_status keystore_stage_login(struct keystore_stage *stage, enum keystore_user user,
                                     const char *pin);
enum sca_status keystore_stage_init_pin(struct keystore_stage *stage, const char *pin);
enum sca_status keystore_stage_set_pin(struct keystore_stage *stage, enum keystore_user user,
                                       const char *old_pin, const char *new_pin);
enum sca_status keystore_stage_reset(struct keystore_stage *stage, const char *so_pin);

/* A new object. key NULL: a public one. Its number, or 0 after a failure with the status in
 * ret_status (may be NULL). */
uint32_t keystore_stage_add(struct keystore_stage *stage, const char *body, const char *key,
                            enum sca_status *ret_status);
enum sca_status keystore_stage_change(struct keystore_stage *stage, uint32_t number,
                                      const char *body, const char *key, bool is_private);
enum sca_status keystore_stage_remove(struct keystore_stage *stage, uint32_t number);

/* "number:body number:body/key" of all that is readable, with the master key if there is one. */
enum sca_status keystore_stage_read(const struct keystore_stage *stage,
                                    char out[static STAGE_TEXT_SIZE]);
void keystore_stage_holds(const struct keystore_stage *stage, const char *expected);

/* Fails the test if there is no token. */
struct keystore_info keystore_stage_info(const struct keystore_stage *stage);

/* Files of the token: "token", "token.old", "pins" ... */
void keystore_stage_path(const struct keystore_stage *stage, const char *extension,
                         char out[static 128]);
void keystore_stage_load(const struct keystore_stage *stage, const char *extension,
                         struct buf *ret_bytes);
void keystore_stage_put(const struct keystore_stage *stage, const char *extension,
                        struct span bytes);
bool keystore_stage_has(const struct keystore_stage *stage, const char *extension);

/* The digests of a token file put right after its bytes were changed. */
void keystore_stage_put_right(struct buf *file);

#endif
