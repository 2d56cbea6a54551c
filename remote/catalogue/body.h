/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bodies of image.h: numbers in native byte order, texts as length, bytes and NUL. Of a
 * certificate the DER is stored once; what is a part of it is stored as a place in it.
 */
#ifndef REMOTE_CATALOGUE_BODY_H
#define REMOTE_CATALOGUE_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "remote/base/bytes.h"
#include "remote/base/status.h"
#include "remote/catalogue/catalogue.h"

/* Append to bytes. SCA_NOMEM, or SCA_INVALID for what is too large. */
enum sca_status body_put_certificate(struct buf *bytes, const struct certificate *certificate);
enum sca_status body_put_entry(struct buf *bytes, const struct catalogue_entry *entry,
                               const uint32_t shared[static CATALOGUE_CHAIN_MAX]);

/*
 * The reverse; results borrow from body. SCA_INVALID unless body is exactly one of the kind, with
 * every length within bounds. Of the chain only chain_len is set.
 */
enum sca_status body_get_certificate(struct span body, struct certificate *ret_certificate);
enum sca_status body_get_entry(struct span body, struct catalogue_entry *ret_entry,
                               uint32_t ret_shared[static CATALOGUE_CHAIN_MAX]);

/* The same for a body that was written before there were views: it has none. */
enum sca_status body_get_plain_entry(struct span body, struct catalogue_entry *ret_entry,
                                     uint32_t ret_shared[static CATALOGUE_CHAIN_MAX]);

/* Is the view within the limits of catalogue.h, its texts UTF-8? NULL texts count as "". */
bool body_view_is_valid(const struct catalogue_view *view);

#endif
