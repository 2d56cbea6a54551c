/* SPDX-License-Identifier: Apache-2.0 */
/* A token file from one generation to the next, with NAME.lock held. */
#ifndef REMOTE_KEYSTORE_UPDATE_H
#define REMOTE_KEYSTORE_UPDATE_H

#include "remote/base/call.h"
#include "remote/keystore/seal.h"
#include "remote/keystore/shelf.h"

struct update {
    const struct shelf *shelf;
    int turn;
    struct shelf_file old;      /* as it is on disk; nothing in it for a new token */
    struct tokenfile_head head; /* of the next generation; the old one's otherwise */
};

enum update_old {
    UPDATE_KEEPS_OLD,    /* NAME.token.old becomes the generation before */
    UPDATE_REPLACES_OLD, /* NAME.token.old becomes the new one, too: no wrap under a PIN that was
                            changed stays behind */
};

/* AUTO(update_fini) struct update update = {.turn = -1}. SCA_NOT_FOUND; SCA_INVALID for a damaged
 * file; SCA_CANCELLED; SCA_IO when the lock is not free within five seconds. */
enum sca_status update_begin(const struct shelf *shelf, struct call *call, struct update *update);

/* The same for a token that is to be made: SCA_INVALID if there is one. head is zeros. */
enum sca_status update_begin_new(const struct shelf *shelf, struct call *call,
                                 struct update *update);

/* For a token that is to stand in place of whatever is there, a damaged one included. */
enum sca_status update_begin_over(const struct shelf *shelf, struct call *call,
                                  struct update *update);
void update_fini(struct update *update);

/* An object as it is to be, under that number, sealed if it is private; its number does not matter.
 * Its lengths have been checked. */
enum sca_status update_put(struct seal *seal, struct tokenfile_writer *writer, uint32_t number,
                           const struct keystore_object *object);

/* SCA_INVALID over a limit, SCA_NO_SPACE, SCA_IO, SCA_NOMEM: the token is as it was. */
enum sca_status update_save(const struct update *update, struct tokenfile_writer *writer,
                            enum update_old old);

#endif
