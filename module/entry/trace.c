/* SPDX-License-Identifier: Apache-2.0 */
#include "module/entry/trace.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "module/token/handlers.h"
#include "module/token/session.h"
#include "remote/base/bytes.h"
#include "remote/base/cleanup.h"
#include "remote/base/log.h"

/* A line that grows to its end and then stays as it is. */
struct line {
    char text[768];
    size_t len;
    bool has_outputs; /* the call wrote them; else they are the caller's memory and may be anything
                       */
};

static void line_add(struct line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void line_add(struct line *line, const char *format, ...)
{
    size_t room = sizeof(line->text) - line->len;
    va_list args;

    va_start(args, format);
    int len = vsnprintf(line->text + line->len, room, format, args);
    va_end(args);
    if (len > 0)
        line->len += (size_t)len < room ? (size_t)len : room - 1;
}

/* A value by its name, or by its number where it has none. */
static void line_add_named(struct line *line, const char *name, CK_ULONG value)
{
    if (name)
        line_add(line, "%s", name);
    else
        line_add(line, "0x%lx", value);
}

static void line_add_template(struct line *line, const CK_ATTRIBUTE *template, CK_ULONG count)
{
    enum { SHOWN_MAX = 12 };
    bool is_readable = template && count <= TEMPLATE_MAX;

    line_add(line, "{");
    for (CK_ULONG i = 0; is_readable && i < count && i < SHOWN_MAX; i++) {
        line_add(line, i ? " " : "");
        line_add_named(line, trace_attribute_name(template[i].type), template[i].type);
    }
    line_add(line, count > SHOWN_MAX ? " ...}" : "}");
}

static void line_add_mechanism(struct line *line, const CK_MECHANISM *mechanism)
{
    if (!mechanism) {
        line_add(line, "no mechanism");
        return;
    }
    line_add_named(line, trace_mechanism_name(mechanism->mechanism), mechanism->mechanism);
    if (mechanism->ulParameterLen)
        line_add(line, "+%lu", mechanism->ulParameterLen);
}

static void line_add_output(struct line *line, const void *out, const CK_ULONG *len)
{
    if (!len)
        line_add(line, "no length");
    else if (!line->has_outputs)
        line_add(line, out ? "out" : "size query");
    else
        line_add(line, out ? "out %lu" : "size query %lu", *len);
}

/* The one or two arguments that format_char stands for. */
static void line_add_argument(struct line *line, char format_char, va_list *args)
{
    const void *pointer = NULL;

    switch (format_char) {
    case 's':
        line_add(line, "session 0x%lx", session_handle(va_arg(*args, struct session *)));
        break;
    case 'b':
        line_add(line, "%d", va_arg(*args, int));
        break;
    case 'u':
    case 'f':
        line_add(line, "0x%lx", va_arg(*args, CK_ULONG));
        break;
    case 'm':
        line_add_mechanism(line, va_arg(*args, const CK_MECHANISM *));
        break;
    case 'M': {
        CK_MECHANISM_TYPE type = va_arg(*args, CK_MECHANISM_TYPE);
        line_add_named(line, trace_mechanism_name(type), type);
        break;
    }
    case 'h': {
        const CK_ULONG *handle = va_arg(*args, const CK_ULONG *);
        line_add(line, "-> 0x%lx", handle && line->has_outputs ? *handle : 0);
        break;
    }
    case 't': {
        const CK_ATTRIBUTE *template = va_arg(*args, const CK_ATTRIBUTE *);
        line_add_template(line, template, va_arg(*args, CK_ULONG));
        break;
    }
    case 'd':
        pointer = va_arg(*args, const void *);
        line_add(line, pointer ? "%lu bytes" : "NULL of %lu", va_arg(*args, CK_ULONG));
        break;
    case 'p':
        pointer = va_arg(*args, const void *);
        (void)va_arg(*args, CK_ULONG);
        line_add(line, pointer ? "PIN" : "no PIN");
        break;
    default:
        (void)va_arg(*args, const void *);
        break;
    }
}

void trace_call(const char *name, CK_RV rv, const char *format, ...)
{
    struct line line = {.has_outputs = rv == CKR_OK || rv == CKR_BUFFER_TOO_SMALL};
    va_list args;

    line_add(&line, "%s(", name);
    va_start(args, format);
    for (const char *c = format; *c; c++) {
        if (c != format && *c != '-')
            line_add(&line, ", ");
        if (c[0] == 'o' && c[1] == 'c') {
            const void *out = va_arg(args, const void *);
            line_add_output(&line, out, va_arg(args, const CK_ULONG *));
            c++;
        } else if (*c == 'c') {
            line_add_output(&line, "", va_arg(args, const CK_ULONG *));
        } else {
            line_add_argument(&line, *c, &args);
        }
    }
    va_end(args);
    line_add(&line, ") -> ");
    line_add_named(&line, trace_rv_name(rv), rv);
    log_line(LOG_LEVEL_DEBUG, "%s", line.text);
}
