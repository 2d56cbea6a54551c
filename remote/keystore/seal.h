/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private objects under the master key of a token. Each is bound to its token, epoch, number,
 * generation and lengths; all of them together to the manifest. So one that was exchanged, brought
 * back from an older file, or removed is found as soon as somebody logs in. A whole file of an
 * earlier day put in place of today's is not: nothing outside the file remembers.
 */
#ifndef REMOTE_KEYSTORE_SEAL_H
#define REMOTE_KEYSTORE_SEAL_H

#include "remote/base/secret.h"
#include "remote/base/status.h"
#include "remote/keystore/tokenfile.h"

/* The keys derived from a master key. One thread at a time. */
struct seal;

/* What a head's key_check is for this master key. */
enum sca_status seal_key_check(const struct tokenfile_head *head, const struct secret *master_key,
                               uint8_t ret_check[static TOKENFILE_CHECK_SIZE]);

/* SCA_GONE when the head is of another master key. */
enum sca_status seal_new(const struct tokenfile_head *head, const struct secret *master_key,
                         struct seal **ret_seal);
void seal_free(struct seal *seal);
void seal_freep(struct seal **seal);

/* Body and key, the two parts, into out, and the mark into record; its other fields are set. */
enum sca_status seal_put(struct seal *seal, struct tokenfile_record *record,
                         const struct span parts[2], uint8_t *out);

/* Into out, as many bytes as the item has; the caller wipes them. SCA_INVALID with the reason in
 * why (static text). */
enum sca_status seal_get(struct seal *seal, const struct tokenfile_item *item, uint8_t *out,
                         const char **why);

/* The manifest of the private ones among records. */
enum sca_status seal_manifest(const struct seal *seal, struct span records,
                              uint8_t ret_manifest[static CRYPT_DIGEST_SIZE]);

/* Does the file's manifest fit its records? SCA_INVALID as above. */
enum sca_status seal_verify(const struct seal *seal, const struct tokenfile *file,
                            const char **why);

#endif
