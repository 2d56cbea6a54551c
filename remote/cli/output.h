/* SPDX-License-Identifier: Apache-2.0 */
/* Everything the tool says: lists and things on stdout, failures on stderr, as text or JSON. */
#ifndef REMOTE_CLI_OUTPUT_H
#define REMOTE_CLI_OUTPUT_H

#include <stdint.h>

#include <cjson/cJSON.h>

#include "remote/base/status.h"
#include "remote/cli/cli.h"

/* A list while it is made. Running out of memory is remembered until rows_print. */
struct rows {
    cJSON *list;
    cJSON *row; /* the one that is being filled, part of list */
    bool is_incomplete;
};

void rows_init(struct rows *rows);
void rows_fini(struct rows *rows);
void rows_begin(struct rows *rows);

/* NULL becomes null. Bytes that are no UTF-8 become U+FFFD each. */
void rows_text(struct rows *rows, const char *key, const char *text);
void rows_number(struct rows *rows, const char *key, uint64_t number);
void rows_integer(struct rows *rows, const char *key, int64_t number); /* may be negative */
void rows_flag(struct rows *rows, const char *key, bool flag);

/* Seconds since 1970 as RFC 3339; 0 becomes null. */
void rows_time(struct rows *rows, const char *key, int64_t seconds);

/* What a table shows of a row; JSON shows all of it. */
struct column {
    const char *key;
    const char *heading;
    bool is_day; /* the day of a time is enough */
};

enum cli_exit rows_print(const struct cli *cli, const struct rows *rows,
                         const struct column *columns, size_t count);

/* One thing: every key of the first row. The text form is up to the caller. */
enum cli_exit rows_print_thing(const struct cli *cli, const struct rows *rows);

/* The code that JSON has for a status. */
const char *output_code(enum sca_status status);

/* One failure; next_step may be "". Returns CLI_FAILED. */
enum cli_exit output_fail(const struct cli *cli, const char *code, const char *next_step,
                          const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Wrong usage. Returns CLI_USAGE. */
enum cli_exit output_usage(const struct cli *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Is every line that was to be written on its way? False: one was left out, without memory. */
bool output_is_whole(void);

/* A remark beside the result: on stderr, in text form only. */
void output_remark(const struct cli *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* One line of a result in text form, with or without its line feed, in printable characters. */
void output_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * text as one word of a shell's line that is to be pasted. False: it is too long, or has characters
 * that are not printed as they are; the line would be about something else then.
 */
bool output_quote(const char *text, char *out, size_t size);

/* How wide UTF-8 is on a terminal, and the width for "%-*s" that makes it fill so many columns. */
int output_columns(const char *text);
int output_pad(const char *text, int columns);

enum { OUTPUT_TIME_SIZE = 32 };

/* RFC 3339, UTC. */
const char *output_time(int64_t seconds, char out[static OUTPUT_TIME_SIZE]);

#endif
