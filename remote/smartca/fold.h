/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of the service made comparable: they come in Vietnamese or English, in any case. */
#ifndef REMOTE_SMARTCA_FOLD_H
#define REMOTE_SMARTCA_FOLD_H

#include <stdbool.h>
#include <stddef.h>

enum { FOLD_WORDS_SIZE = 264 };

/*
 * Lower-cases and strips Vietnamese accents (precomposed and combining, and the letter d with
 * stroke) of UTF-8 text; every other non-ASCII character becomes one '?'. Always terminates out,
 * cut to size (at least 1).
 */
void fold_text(const char *text, char *out, size_t size);

/* Folded text with each run of anything but letters and digits made one space, and one at both
 * ends. */
void fold_words(const char *text, char out[static FOLD_WORDS_SIZE]);

/*
 * Is one of stems, a list that ends with NULL, somewhere in words? A space in a stem stands for
 * the edge of a word; a number in a stem is not found inside a longer number.
 */
bool fold_has(const char *words, const char *const *stems);

#endif
