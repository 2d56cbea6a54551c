/* SPDX-License-Identifier: Apache-2.0 */
/* The form "Generate self-signed certificate": its fields, where they come from, what they may be.
 */
#ifndef REMOTE_CLI_FORM_H
#define REMOTE_CLI_FORM_H

#include <stdbool.h>
#include <stdint.h>

#include "remote/cli/key_spec.h"
#include "remote/cli/trouble.h"
#include "remote/config/config.h"

enum { FORM_LABEL_SIZE = 33, FORM_PIN_MIN = 6, FORM_PIN_MAX = 64 };

/* What the form says. Texts are borrowed; NULL or empty: not said. */
struct form {
    const char *text[FORM_FIELD_COUNT];
};

/* A form that is in order. Texts borrow from the form. */
struct order {
    const char *text[FORM_FIELD_COUNT]; /* never empty: NULL instead */
    char country[3];                    /* upper case; text[FORM_COUNTRY] points elsewhere */
    char label[FORM_LABEL_SIZE];        /* of the user's token: the name cut to what fits */
    bool is_self_issued;
    int64_t not_before;
    int64_t not_after;
    const struct key_spec *key;
};

/* "organizational_unit" ...: the name of the column; messages use it as well. */
const char *form_field_name(enum form_field field);

/* The field of a column, '-' as good as '_', capitals as good as small letters; FORM_FIELD_COUNT if
 * there is none. */
enum form_field form_field_of(const char *name);

enum { FORM_YEARS_SIZE = 12 };

/* The company's defaults. years: room for their text, which ret_form borrows. */
void form_from_config(const struct selfsigned_config *config, char years[static FORM_YEARS_SIZE],
                      struct form *ret_form);

/* Puts what over says above what form says; an empty text takes a default away. */
void form_overlay(struct form *form, const struct form *over);

/* now: seconds, where the form does not say from when. Trouble names the first field that is wrong.
 */
bool form_check(const struct form *form, int64_t now, struct order *ret_order,
                struct trouble *trouble);

/* The same of user and PIN alone, where the rest is known later: order has those, label and now. */
bool form_check_user(const struct form *form, int64_t now, struct order *ret_order,
                     struct trouble *trouble);

/* Name of the user or issuer, cut at a character to the 32 bytes of a token's label. */
void form_label(const char *name, char out[static FORM_LABEL_SIZE]);

#endif
