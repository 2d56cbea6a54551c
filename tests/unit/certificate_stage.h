/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates in the making, for tests of what is made of them. */
#ifndef TESTS_UNIT_CERTIFICATE_STAGE_H
#define TESTS_UNIT_CERTIFICATE_STAGE_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "remote/catalogue/certificate.h"

#define CN "Nguy\xe1\xbb\x85n V\xc4\x83n A"

/* cmocka fixtures of a group: one key for most tests, since making them is what takes the time. */
extern EVP_PKEY *certificate_rsa;
int certificate_stage_begin(void **state);
int certificate_stage_end(void **state);

/* With serial number, dates and that key; no names yet. */
X509 *certificate_draft(EVP_PKEY *key);
void certificate_add_name(X509_NAME *name, const char *field, int type, const char *text);

/* Signs, encodes and releases it. */
struct buf certificate_finish(X509 *take_x509, EVP_PKEY *key);

/* A whole one of that key, of CN. */
struct buf certificate_plain(EVP_PKEY *key);

/* It must be taken, or refused for that reason, with OpenSSL's queue empty. */
struct parsed_certificate *certificate_stage_parse(struct span der);
void certificate_stage_refused(struct span der, const char *reason);

bool certificate_stage_has(struct span whole, struct span part);

/* Writes over a part of it, of the same length. */
void certificate_overwrite(struct buf *der, struct span old, struct span new);

#endif
