/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The little of DER (X.690 section 10) that keys are kept in. OpenSSL's own way of writing and
 * reading a private key leaves copies of it in the heap of the program.
 */
#ifndef MODULE_TOKEN_DER_H
#define MODULE_TOKEN_DER_H

#include <stdbool.h>

#include "remote/base/bytes.h"

enum der_tag {
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_SEQUENCE = 0x30,
    DER_CONTEXT_0 = 0xa0,
    DER_CONTEXT_1 = 0xa1,
};

/* Writes from the end of its room to the start: contents come before the header that counts them.
 */
struct der_writer {
    uint8_t *room;
    size_t start; /* of what was written so far; it ends where the room ends */
    bool is_full; /* something did not fit */
};

struct der_writer der_writer_of(uint8_t *room, size_t size);

/* Bytes in front of the rest. */
void der_put(struct der_writer *writer, struct span bytes);

/* A header in front of the rest up to end, an earlier value of start. */
void der_wrap(struct der_writer *writer, enum der_tag tag, size_t end);

/* An INTEGER that is not negative, big endian. */
void der_put_integer(struct der_writer *writer, struct span number);

/* Takes the first element off rest; false, with rest as it was, for another tag or no DER. */
bool der_take(struct span *rest, enum der_tag tag, struct span *ret_content);

#endif
