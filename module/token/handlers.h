/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rows of functions.def call: one handler per function, named after the file it is in.
 * The gate has checked that the library is initialised and the session alive, and holds a
 * reference to it. Semantics are the standard's for the function of that name, with the order of
 * checks: pointers, state of the operation, object, mechanism, login, buffer.
 */
#ifndef MODULE_TOKEN_HANDLERS_H
#define MODULE_TOKEN_HANDLERS_H

#include "module/cryptoki.h"

/* Entries of a template: more is a mistaken count, and none of them is looked at. */
enum { TEMPLATE_MAX = 1024 };

struct session;

/* library.c */
CK_RV library_initialize(void *args);
CK_RV library_finalize(void *reserved);
CK_RV library_info(CK_INFO *info);

/* slot.c, slot_info.c */
CK_RV slot_list(CK_BBOOL present, CK_SLOT_ID *ids, CK_ULONG *count);
CK_RV slot_info(CK_SLOT_ID id, CK_SLOT_INFO *info);
CK_RV slot_token_info(CK_SLOT_ID id, CK_TOKEN_INFO *info);

/* mechanism.c */
CK_RV mechanism_list(CK_SLOT_ID id, CK_MECHANISM_TYPE *types, CK_ULONG *count);
CK_RV mechanism_info(CK_SLOT_ID id, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info);

/* event.c */
CK_RV event_wait(CK_FLAGS flags, CK_SLOT_ID *slot, void *reserved);

/* session.c */
CK_RV session_open(CK_SLOT_ID id, CK_FLAGS flags, void *application, CK_NOTIFY notify,
                   CK_SESSION_HANDLE *handle);
CK_RV session_close(struct session *s);
CK_RV session_close_all(CK_SLOT_ID id);
CK_RV session_info(struct session *s, CK_SESSION_INFO *info);
CK_RV session_get_state(struct session *s, CK_BYTE *state, CK_ULONG *state_len);
CK_RV session_set_state(struct session *s, CK_BYTE *state, CK_ULONG state_len,
                        CK_OBJECT_HANDLE encryption_key, CK_OBJECT_HANDLE authentication_key);
CK_RV session_cancel(struct session *s, CK_FLAGS flags);

/* login.c, pin.c */
CK_RV login_begin(struct session *s, CK_USER_TYPE type, CK_UTF8CHAR *pin, CK_ULONG pin_len);
CK_RV login_user(struct session *s, CK_USER_TYPE type, CK_UTF8CHAR *pin, CK_ULONG pin_len,
                 CK_UTF8CHAR *name, CK_ULONG name_len);
CK_RV login_end(struct session *s);
CK_RV login_init_token(CK_SLOT_ID id, CK_UTF8CHAR *pin, CK_ULONG pin_len, CK_UTF8CHAR *label);
CK_RV login_init_pin(struct session *s, CK_UTF8CHAR *pin, CK_ULONG pin_len);
CK_RV login_set_pin(struct session *s, CK_UTF8CHAR *old_pin, CK_ULONG old_len, CK_UTF8CHAR *new_pin,
                    CK_ULONG new_len);

/* object_read.c, object_write.c */
CK_RV object_create(struct session *s, CK_ATTRIBUTE *template, CK_ULONG count,
                    CK_OBJECT_HANDLE *object);
CK_RV object_copy(struct session *s, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *template,
                  CK_ULONG count, CK_OBJECT_HANDLE *copy);
CK_RV object_destroy(struct session *s, CK_OBJECT_HANDLE object);
CK_RV object_size(struct session *s, CK_OBJECT_HANDLE object, CK_ULONG *size);
CK_RV object_get_attributes(struct session *s, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *template,
                            CK_ULONG count);
CK_RV object_set_attributes(struct session *s, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *template,
                            CK_ULONG count);

/* find.c */
CK_RV find_init(struct session *s, CK_ATTRIBUTE *template, CK_ULONG count);
CK_RV find_next(struct session *s, CK_OBJECT_HANDLE *objects, CK_ULONG max, CK_ULONG *count);
CK_RV find_final(struct session *s);

/* digest.c */
CK_RV digest_init(struct session *s, CK_MECHANISM *mechanism);
CK_RV digest_oneshot(struct session *s, CK_BYTE *data, CK_ULONG data_len, CK_BYTE *digest,
                     CK_ULONG *digest_len);
CK_RV digest_update(struct session *s, CK_BYTE *part, CK_ULONG part_len);
CK_RV digest_key(struct session *s, CK_OBJECT_HANDLE key);
CK_RV digest_final(struct session *s, CK_BYTE *digest, CK_ULONG *digest_len);

/* sign.c */
CK_RV sign_init(struct session *s, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key);
CK_RV sign_oneshot(struct session *s, CK_BYTE *data, CK_ULONG data_len, CK_BYTE *signature,
                   CK_ULONG *signature_len);
CK_RV sign_update(struct session *s, CK_BYTE *part, CK_ULONG part_len);
CK_RV sign_final(struct session *s, CK_BYTE *signature, CK_ULONG *signature_len);

/* verify.c */
CK_RV verify_init(struct session *s, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key);
CK_RV verify_oneshot(struct session *s, CK_BYTE *data, CK_ULONG data_len, CK_BYTE *signature,
                     CK_ULONG signature_len);
CK_RV verify_update(struct session *s, CK_BYTE *part, CK_ULONG part_len);
CK_RV verify_final(struct session *s, CK_BYTE *signature, CK_ULONG signature_len);

/* sign_recover.c, verify_recover.c */
CK_RV sign_recover_init(struct session *s, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key);
CK_RV sign_recover(struct session *s, CK_BYTE *data, CK_ULONG data_len, CK_BYTE *signature,
                   CK_ULONG *signature_len);
CK_RV verify_recover_init(struct session *s, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key);
CK_RV verify_recover(struct session *s, CK_BYTE *signature, CK_ULONG signature_len, CK_BYTE *data,
                     CK_ULONG *data_len);

/* message_sign.c, message_verify.c */
CK_RV message_sign_init(struct session *s, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key);
CK_RV message_sign(struct session *s, CK_ULONG parameter_len, CK_BYTE *data, CK_ULONG data_len,
                   CK_BYTE *signature, CK_ULONG *signature_len);
CK_RV message_sign_begin(struct session *s, CK_ULONG parameter_len);
CK_RV message_sign_next(struct session *s, CK_ULONG parameter_len, CK_BYTE *part, CK_ULONG part_len,
                        CK_BYTE *signature, CK_ULONG *signature_len);
CK_RV message_sign_final(struct session *s);
CK_RV message_verify_init(struct session *s, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key);
CK_RV message_verify(struct session *s, CK_ULONG parameter_len, CK_BYTE *data, CK_ULONG data_len,
                     CK_BYTE *signature, CK_ULONG signature_len);
CK_RV message_verify_begin(struct session *s, CK_ULONG parameter_len);
CK_RV message_verify_next(struct session *s, CK_ULONG parameter_len, CK_BYTE *part,
                          CK_ULONG part_len, CK_BYTE *signature, CK_ULONG signature_len);
CK_RV message_verify_final(struct session *s);

/* async.c, async_id.c */
CK_RV async_complete(struct session *s, CK_UTF8CHAR *function, CK_ASYNC_DATA *result);
CK_RV async_get_id(struct session *s, CK_UTF8CHAR *function, CK_ULONG *id);
CK_RV async_join(struct session *s, CK_UTF8CHAR *function, CK_ULONG id, CK_BYTE *data,
                 CK_ULONG data_len);

/* keypair.c */
CK_RV keypair_generate(struct session *s, CK_MECHANISM *mechanism, CK_ATTRIBUTE *public_template,
                       CK_ULONG public_count, CK_ATTRIBUTE *private_template,
                       CK_ULONG private_count, CK_OBJECT_HANDLE *public_key,
                       CK_OBJECT_HANDLE *private_key);

/* random.c */
CK_RV random_seed(struct session *s, CK_BYTE *seed, CK_ULONG seed_len);
CK_RV random_generate(struct session *s, CK_BYTE *data, CK_ULONG data_len);

#endif
