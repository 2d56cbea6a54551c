/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/output.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "remote/base/bytes.h"
#include "remote/base/cleanup.h"

static const char *const codes[SCA_STATUS_COUNT] = {
    [SCA_OK] = "ok",
    [SCA_NOMEM] = "out_of_memory",
    [SCA_INVALID] = "invalid",
    [SCA_NOT_FOUND] = "not_found",
    [SCA_IO] = "io",
    [SCA_NETWORK] = "network",
    [SCA_PROTOCOL] = "protocol",
    [SCA_SERVICE_AUTH] = "service_auth",
    [SCA_USER_AUTH] = "user_auth",
    [SCA_REJECTED] = "rejected",
    [SCA_CANCELLED] = "cancelled",
    [SCA_UNCONFIRMED] = "unconfirmed",
    [SCA_NOT_PERMITTED] = "not_permitted",
    [SCA_EXHAUSTED] = "exhausted",
    [SCA_MISMATCH] = "mismatch",
    [SCA_UNSUPPORTED] = "unsupported",
    [SCA_PIN_LOCKED] = "pin_locked",
    [SCA_NO_SPACE] = "no_space",
    [SCA_GONE] = "gone",
    [SCA_BUSY] = "busy",
};

enum { MESSAGE_SIZE = 1024, NEXT_STEP_SIZE = 64 };

const char *output_code(enum sca_status status)
{
    return status < SCA_STATUS_COUNT ? codes[status] : "unknown";
}

const char *output_time(int64_t seconds, char out[static OUTPUT_TIME_SIZE])
{
    time_t time = (time_t)seconds;
    char rest[sizeof("-01-31T23:59:60Z")];
    struct tm parts;

    out[0] = 0;
    /* The year by itself: strftime writes the year 0 of a broken certificate as one digit. */
    if (gmtime_r(&time, &parts) && strftime(rest, sizeof(rest), "-%m-%dT%H:%M:%SZ", &parts) > 0)
        (void)snprintf(out, OUTPUT_TIME_SIZE, "%04d%s", parts.tm_year + 1900, rest);
    return out;
}

int output_columns(const char *text)
{
    int columns = 0;

    for (; *text; text++)
        columns += ((uint8_t)*text & 0xc0) != 0x80; /* what goes on with a letter has no column */
    return columns;
}

int output_pad(const char *text, int columns)
{
    return columns + (int)strlen(text) - output_columns(text);
}

static bool has_lost_line;

bool output_is_whole(void)
{
    return !has_lost_line;
}

/* The service's words are in many of them. Without the line feed at the end; NULL: no memory. The
 * caller frees. */
static char *format_line(const char *format, va_list args) __attribute__((format(printf, 1, 0)));
static char *format_line(const char *format, va_list args)
{
    char *line = NULL;

    if (vasprintf(&line, format, args) < 0) {
        has_lost_line = true;
        return NULL;
    }
    size_t len = strlen(line);
    if (len > 0 && line[len - 1] == '\n')
        line[len - 1] = 0;
    text_make_printable(line);
    return line;
}

bool output_quote(const char *text, char *out, size_t size)
{
    bool is_same = true;
    size_t len = 0;

    out[len++] = '\'';
    for (; *text; text++) {
        /* The end of the word, a quoted mark, and the word goes on: nothing else quotes one. */
        const char *part = *text == '\'' ? "'\\''" : (const char[]){*text, 0};
        if (len + strlen(part) + sizeof("'") > size) {
            is_same = false;
            break;
        }
        len += (size_t)snprintf(out + len, size - len, "%s", part);
    }
    out[len++] = '\'';
    out[len] = 0;
    AUTO(freep) char *shown = strdup(out);
    if (shown)
        text_make_printable(shown);
    return is_same && shown && strcmp(shown, out) == 0;
}

/* What is advised may be a line with names that others chose. */
static void print_error(const struct cli *cli, const char *code, const char *advice,
                        const char *message)
{
    char next_step[MESSAGE_SIZE];

    (void)snprintf(next_step, sizeof(next_step), "%s", advice);
    text_make_printable(next_step);
    if (!cli->is_json) {
        (void)fprintf(stderr, "smartca: %s\n", message);
        if (*next_step)
            (void)fprintf(stderr, _("  next: %s\n"), next_step);
        return;
    }
    cJSON *whole = cJSON_CreateObject();
    cJSON *error = cJSON_AddObjectToObject(whole, "error");
    bool is_whole = cJSON_AddStringToObject(error, "code", code) &&
                    cJSON_AddStringToObject(error, "message", message) &&
                    cJSON_AddStringToObject(error, "next_step", next_step);
    char *text = is_whole ? cJSON_Print(whole) : NULL;
    if (text)
        (void)fprintf(stderr, "%s\n", text);
    else
        (void)fprintf(stderr,
                      "{\"error\": {\"code\": \"%s\", \"message\": \"%s\", \"next_step\": \"\"}}\n",
                      code, _("no memory is left to say more"));
    cJSON_free(text);
    cJSON_Delete(whole);
}

enum cli_exit output_fail(const struct cli *cli, const char *code, const char *next_step,
                          const char *format, ...)
{
    char message[MESSAGE_SIZE];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    size_t len = strlen(message);
    if (cli->done_before)
        (void)snprintf(message + len, sizeof(message) - len, " (%s)", cli->done_before);
    text_make_printable(message);
    print_error(cli, code, next_step, message);
    return CLI_FAILED;
}

enum cli_exit output_usage(const struct cli *cli, const char *format, ...)
{
    char message[MESSAGE_SIZE];
    char next_step[NEXT_STEP_SIZE];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    text_make_printable(message);
    (void)snprintf(next_step, sizeof(next_step), "smartca %s%s--help", cli->verb ? cli->verb : "",
                   cli->verb ? " " : "");
    print_error(cli, "usage", next_step, message);
    return CLI_USAGE;
}

void output_remark(const struct cli *cli, const char *format, ...)
{
    va_list args;

    if (cli->is_json)
        return;
    va_start(args, format);
    AUTO(freep) char *line = format_line(format, args);
    va_end(args);
    if (line)
        (void)fprintf(stderr, "smartca: %s\n", line);
}

void output_line(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    AUTO(freep) char *line = format_line(format, args);
    va_end(args);
    if (line)
        (void)puts(line);
}
