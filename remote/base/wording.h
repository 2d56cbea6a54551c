/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REMOTE_BASE_WORDING_H
#define REMOTE_BASE_WORDING_H

/*
 * Reasons that people read are told in their language where there is one to tell them in: the tool
 * sets how texts are translated. The module sets nothing: its reasons go to the log, which is
 * English, and the host's locale is not asked.
 */

/* Marks a text of a table for translation; wording() translates it where it is used. */
#define N_(text) text

/* The text in the reader's language, else text itself. Static, never NULL. */
const char *wording(const char *text) __attribute__((format_arg(1)));

/* Before any other thread runs; translate gives back static texts. */
void wording_use(const char *(*translate)(const char *text));

#endif
