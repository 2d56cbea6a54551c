/* SPDX-License-Identifier: Apache-2.0 */
/* Templates and keys for the tests of template rules; keys are read by OpenSSL itself. */
#ifndef TESTS_UNIT_BLUEPRINT_STAGE_H
#define TESTS_UNIT_BLUEPRINT_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "module/token/blueprint.h"
#include "module/token/object.h"

enum { STAGE_ROOM = 8192 };

/* Values are copied into room, one byte off every alignment. Not to be copied. */
struct stage_template {
    CK_ATTRIBUTE list[ATTRIBUTES_MAX + 1];
    CK_ULONG count;
    uint8_t room[STAGE_ROOM];
    size_t used;
};

void stage_template_init(struct stage_template *template);

/* One more entry, even if there is one of that type. */
void stage_add(struct stage_template *template, CK_ATTRIBUTE_TYPE type, struct span value);
void stage_add_bool(struct stage_template *template, CK_ATTRIBUTE_TYPE type, bool value);
void stage_add_ulong(struct stage_template *template, CK_ATTRIBUTE_TYPE type, CK_ULONG value);

/* In the place of what is there. */
void stage_replace(struct stage_template *template, CK_ATTRIBUTE_TYPE type, struct span value);
void stage_drop(struct stage_template *template, CK_ATTRIBUTE_TYPE type);

enum stage_key { STAGE_RSA, STAGE_OTHER_RSA, STAGE_P256, STAGE_P384, STAGE_P521, STAGE_ED25519 };

/* Made when first asked for, kept until stage_free. Lent. */
EVP_PKEY *stage_key(enum stage_key which);
int stage_free(void **state); /* cmocka group teardown */

/* A self-signed certificate of the key, CN=A B, serial number 0x80, valid 2031-02-03 to 2032-03-04.
 * Lent. */
struct span stage_certificate(enum stage_key which);
extern const uint8_t stage_name[16]; /* its subject and issuer in DER */

/* Class, type, and what of the key C_CreateObject needs. */
void stage_private(struct stage_template *template, enum stage_key which);
void stage_public(struct stage_template *template, enum stage_key which);
void stage_certificate_template(struct stage_template *template, enum stage_key which);

/* The number of the key as OpenSSL has it, big endian, in the template's room. */
struct span stage_number(struct stage_template *template, enum stage_key which, const char *name);
struct span stage_spki(struct stage_template *template, enum stage_key which);

/* blueprint_create, which must succeed; an object of it. */
void stage_create(const struct stage_template *template, struct blueprint *blueprint);
struct object *stage_object(const struct blueprint *blueprint);

/* The same on the heap: AUTO(stage_freep). */
struct blueprint *stage_created(const struct stage_template *template);
void stage_freep(struct blueprint **blueprint);

/* Templates in, blueprints out. Not to be copied. */
struct stage_pair {
    CK_MECHANISM mechanism;
    struct stage_template for_public;
    struct stage_template for_private;
    struct blueprint public_key;
    struct blueprint private_key;
};

void stage_pair_init(struct stage_pair *pair, CK_MECHANISM_TYPE mechanism);
void stage_pair_fini(struct stage_pair *pair);

/* blueprint_generate, as often as one likes. */
CK_RV stage_generate(struct stage_pair *pair);

/* blueprint_create's answer; whatever came about is released. */
CK_RV stage_answer(const struct stage_template *template);

/* The attribute is there and has that value. */
void assert_value(const struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type, struct span value);
void assert_bool(const struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type, bool value);
void assert_ulong(const struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type, CK_ULONG value);
void assert_absent(const struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type);
void assert_answer(CK_RV rv, CK_RV expected, const char *what);

/* What every object says that was not asked anything. */
void stage_assert_storage(const struct blueprint *blueprint, CK_OBJECT_CLASS class,
                          bool is_private);

/* CKA_ID is the SHA-1 of the key's bits, which follow a header of that length in the SPKI. */
void stage_assert_id(const struct blueprint *blueprint, struct span spki, size_t header_len);

/* Those lengths. */
enum { RSA_2048_HEADER = 24, P256_HEADER = 26, P384_HEADER = 23, P521_HEADER = 25, ED_HEADER = 12 };

#define BYTES(...) span_of((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))
#define NOTHING    span_of(NULL, 0)

#endif
