/* SPDX-License-Identifier: Apache-2.0 */
/* What a command line makes of an appearance (the eContract form's "Signature content"). Pure. */
#ifndef REMOTE_CLI_ACCOUNT_LOOK_H
#define REMOTE_CLI_ACCOUNT_LOOK_H

#include "remote/catalogue/catalogue.h"

/* What is to change. Borrowed. NULL: stays as it is. */
struct account_look {
    const char *text; /* "": none any more */
    const enum display_mode *mode;
    const struct span *image; /* empty: none any more */
};

const char *account_look_mode_name(enum display_mode mode);

/* False: there is no such mode. */
bool account_look_read_mode(const char *name, enum display_mode *ret_mode);

/* "png", "jpeg", or NULL for anything else. */
const char *account_look_image_type(struct span image);

/* The first {{...}} in the text, without its braces, that stands for nothing (CATALOGUE_PLACES). Of
 * length 0: there is none. */
struct span account_look_unknown_place(const char *text);

/*
 * Changes the appearance of view; with neither text nor image left it has none, and the mode is the
 * form's default again. False with the reason in why (translated): a mode that shows nothing.
 */
bool account_look_apply(const struct account_look *look, struct catalogue_view *view,
                        const char **why);

#endif
