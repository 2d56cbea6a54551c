/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalogue: which certificates there are and which slot id each has, one file in the state
 * folder ("catalogue"). Written atomically under the lock file "lock", mapped read-only, checked
 * by checksums, indexed at load. Nothing in it is parsed as X.509 when it is read.
 */
#ifndef REMOTE_CATALOGUE_CATALOGUE_H
#define REMOTE_CATALOGUE_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "remote/base/identity.h"
#include "remote/base/status.h"
#include "remote/catalogue/certificate.h"

enum { CATALOGUE_CHAIN_MAX = 4 };

enum certificate_state {
    CERTIFICATE_ACTIVE,
    CERTIFICATE_REVOKED,
    CERTIFICATE_NOT_ACTIVATED,
    CERTIFICATE_UNUSABLE, /* the service says it is not usable, in words we do not know */
};

/* How a signature is to look (the eContract form's "Signature content"). */
enum display_mode {
    DISPLAY_TEXT_IMAGE, /* the form's default */
    DISPLAY_TEXT,
    DISPLAY_IMAGE,
};

enum {
    CATALOGUE_NAME_MAX = 128, /* bytes of UTF-8 */
    CATALOGUE_TEXT_MAX = 4096,
    CATALOGUE_IMAGE_MAX = 128 * 1024,
};

/* What a signature text may have in double braces, in the place of what the certificate says. */
#define CATALOGUE_PLACES                                                                           \
    "SubjectDN.CN", "SubjectDN.O", "SubjectDN.OU", "SubjectDN.L", "SubjectDN.ST", "SubjectDN.C",   \
        "SubjectDN.UID", "SerialNumber"

/* What the owner chose to see, kept when the certificates are fetched anew. Borrowed. */
struct catalogue_view {
    const char *display_name;   /* in place of the certificate's name as the token's label; "" */
    bool is_default;            /* listed before the others; one certificate at most */
    bool has_appearance;        /* the three below were chosen */
    const char *signature_text; /* may have {{SubjectDN.CN}} and the like; "" */
    enum display_mode display_mode;
    struct span signature_image; /* PNG or JPEG; empty: none */
};

/* One slot. Spans and strings borrow from the catalogue it came from. */
struct catalogue_entry {
    uint32_t slot_id;
    const char *url;
    const char *user_id;
    bool has_certificate;       /* false: an account that was never fetched, or has none */
    int64_t fetched_at;         /* seconds since 1970; 0: never */
    const char *service_serial; /* serial_number as the service wrote it, to be echoed verbatim */
    const char *service_status; /* cert_status as the service wrote it, "" if it did not */
    enum certificate_state state;
    struct certificate leaf;
    struct certificate chain[CATALOGUE_CHAIN_MAX]; /* issuing CA first, then root */
    size_t chain_len;
    struct catalogue_view view;
};

/* Whose it is; borrows from entry. */
struct identity catalogue_identity(const struct catalogue_entry *entry);

/* What one answer of the service says of one certificate. Borrowed by the call below. */
struct fetched_certificate {
    const char *service_serial;
    const char *service_status;
    enum certificate_state state;
    const struct certificate *leaf;
    const struct certificate *chain[CATALOGUE_CHAIN_MAX];
    size_t chain_len;
};

struct catalogue;

/*
 * Maps state_dir/catalogue. No file, or no folder: SCA_OK and an empty catalogue. A damaged file:
 * SCA_INVALID with the reason in why (static text); one that cannot be read now, is not ours or is
 * open to others: SCA_IO likewise.
 */
enum sca_status catalogue_open(const char *state_dir, struct catalogue **ret_catalogue,
                               const char **why);
void catalogue_close(struct catalogue *catalogue);
void catalogue_closep(struct catalogue **catalogue);

size_t catalogue_count(const struct catalogue *catalogue);

/* Entry number index (below catalogue_count): SCA_OK, or SCA_INVALID when its body is damaged. */
enum sca_status catalogue_get(const struct catalogue *catalogue, size_t index,
                              struct catalogue_entry *ret_entry);

/*
 * Replaces what is known of one account (url, user_id) by count certificates. A certificate known
 * before (same serial, issuer and key) keeps its slot id, a new one gets a new id; the placeholder
 * of an account without certificates gives its id to the first one. count 0 leaves a placeholder.
 * fetched_at 0 with count 0 only makes sure that there is a placeholder, and changes nothing else.
 * A damaged catalogue is set aside as "catalogue.damaged" and made anew.
 */
enum sca_status catalogue_store(const char *state_dir, const char *url, const char *user_id,
                                int64_t fetched_at, const struct fetched_certificate *certificates,
                                size_t count);

/* Which parts of a view are to be changed. */
enum catalogue_view_part {
    VIEW_NAME = 1,
    VIEW_DEFAULT = 2, /* is_default true takes it from whatever other certificate had it */
    VIEW_APPEARANCE = 4,
};

/*
 * Changes parts of the view of the account's certificates: of the one with that service_serial
 * (compared without case), or of all when it is NULL; VIEW_DEFAULT then takes the first. SCA_OK;
 * SCA_NOT_FOUND when there is no such certificate; SCA_INVALID over one of the limits, or for text
 * that is not UTF-8.
 * A certificate that catalogue_store meets for the first time gets the appearance of the account's
 * others.
 */
enum sca_status catalogue_set_view(const char *state_dir, const char *url, const char *user_id,
                                   const char *service_serial, unsigned parts,
                                   const struct catalogue_view *view);

/*
 * Tokens on this computer are entries too: url is CATALOGUE_LOCAL, user_id the keystore's name of
 * the token. The empty slot that is always on offer has an id of its own, which no certificate and
 * no token ever gets, 0 where there is no catalogue yet.
 */
#define CATALOGUE_LOCAL "local:"
uint32_t catalogue_spare_slot_id(const struct catalogue *catalogue);

/*
 * Gives the empty slot to the token called name and sets a new id aside for the next empty slot;
 * nothing when it has that slot already (somebody may have adopted it).
 * SCA_GONE when slot_id is not the empty slot's (any more), SCA_INVALID when the catalogue is
 * damaged: catalogue_adopt_local makes it anew, with all tokens.
 */
enum sca_status catalogue_add_local(const char *state_dir, const char *name, uint32_t slot_id);

/*
 * Makes entries for tokens that have none, as after the loss of a catalogue: slot_ids are what
 * they had, and are kept where they are free; a token that had the empty slot's keeps it, and the
 * empty slot gets a new one. A damaged catalogue is set aside. names and slot_ids have count
 * members.
 */
enum sca_status catalogue_adopt_local(const char *state_dir, const char *const *names,
                                      const uint32_t *slot_ids, size_t count);

/* Forgets the account and its slots. SCA_OK also if it was not there. */
enum sca_status catalogue_forget(const char *state_dir, const char *url, const char *user_id);

#endif
