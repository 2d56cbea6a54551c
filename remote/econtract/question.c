/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/econtract/question.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A flat object on its way into memory of ours: cJSON leaves copies of what it prints. */
struct writer {
    struct buf *body;
    enum sca_status status; /* of the first thing that failed */
    bool has_member;
};

static void put(struct writer *writer, struct span bytes)
{
    if (writer->status == SCA_OK)
        writer->status = buf_append(writer->body, bytes);
}

static void put_text(struct writer *writer, const char *text)
{
    put(writer, span_text(text));
}

static void put_name(struct writer *writer, const char *name)
{
    put_text(writer, writer->has_member ? ",\"" : "{\"");
    put_text(writer, name);
    put_text(writer, "\":");
    writer->has_member = true;
}

/* RFC 8259 section 7: quotation marks, backslashes and control characters are escaped. */
static void put_quoted(struct writer *writer, struct span text)
{
    if (!utf8_is_valid(text) || memchr(text.ptr, 0, text.len))
        writer->status = SCA_INVALID;
    put_text(writer, "\"");
    for (size_t i = 0; i < text.len; i++) {
        char escaped[sizeof("\\u001f")];
        uint8_t byte = text.ptr[i];
        if (byte >= ' ' && byte != '"' && byte != '\\') {
            put(writer, span_of(&byte, 1));
        } else {
            (void)snprintf(escaped, sizeof(escaped), "\\u%04x", byte);
            put_text(writer, escaped);
        }
    }
    put_text(writer, "\"");
}

static void add_text(struct writer *writer, const char *name, const char *text)
{
    if (!text)
        return;
    put_name(writer, name);
    put_quoted(writer, span_text(text));
}

static void add_secret(struct writer *writer, const char *name, const struct secret *secret)
{
    if (!secret)
        return;
    put_name(writer, name);
    put_quoted(writer, secret_get(secret));
}

static void add_number(struct writer *writer, const char *name, int64_t number)
{
    char digits[24];

    (void)snprintf(digits, sizeof(digits), "%" PRId64, number);
    put_name(writer, name);
    put_text(writer, digits);
}

static void add_flag(struct writer *writer, const char *name, bool flag)
{
    put_name(writer, name);
    put_text(writer, flag ? "true" : "false");
}

/* The ids of users are numbers, the type of a company's is not documented: what looks like a number
 * is sent as one, which no double rounds. */
static void add_id(struct writer *writer, const char *name, const char *id)
{
    enum { DIGITS_MAX = 15 };
    size_t len = id ? strlen(id) : 0;

    if (len == 0 || len > DIGITS_MAX || strspn(id, "0123456789") != len || id[0] == '0') {
        add_text(writer, name, id);
        return;
    }
    put_name(writer, name);
    put_text(writer, id);
}

static struct writer begin(struct buf *ret_body)
{
    buf_init(ret_body, QUESTION_MAX, true);
    return (struct writer){.body = ret_body};
}

static enum sca_status end(struct writer *writer)
{
    if (writer->status != SCA_OK)
        buf_fini(writer->body);
    return writer->status == SCA_PROTOCOL ? SCA_INVALID : writer->status; /* over the limit */
}

static enum sca_status end_object(struct writer *writer)
{
    put_text(writer, "}");
    return end(writer);
}

enum sca_status question_login(const struct question_login *login, struct buf *ret_body)
{
    struct writer writer = begin(ret_body);

    add_text(&writer, "username", login->username);
    add_secret(&writer, "password", login->password);
    add_id(&writer, "companyId", login->company_id);
    add_secret(&writer, "otp", login->otp);
    return end_object(&writer);
}

enum sca_status question_add(int64_t user_id, const char *user_name, const char *serial,
                             struct buf *ret_body)
{
    struct writer writer = begin(ret_body);

    add_number(&writer, "userId", user_id);
    add_text(&writer, "userName", user_name);
    add_text(&writer, "serialNumber", serial ? serial : "");
    return end_object(&writer);
}

enum sca_status question_update(const struct question_update *update, struct buf *ret_body)
{
    struct writer writer = begin(ret_body);

    add_number(&writer, "id", update->certificate_id);
    add_number(&writer, "userId", update->user_id);
    add_flag(&writer, "isSetDefault", update->is_default);
    add_text(&writer, "name", update->name);
    return end_object(&writer);
}

enum sca_status question_delete(int64_t certificate_id, int64_t user_id, struct buf *ret_body)
{
    struct writer writer = begin(ret_body);

    add_number(&writer, "id", certificate_id);
    add_number(&writer, "userId", user_id);
    return end_object(&writer);
}

/* RFC 3986 section 2.3: everything else is escaped. */
static void put_escaped(struct writer *writer, const char *text)
{
    static const char unreserved[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789-._~";

    if (!utf8_is_valid(span_text(text)))
        writer->status = SCA_INVALID;
    for (; *text; text++) {
        char escaped[sizeof("%ff")];
        if (strchr(unreserved, *text)) {
            put(writer, span_of(text, 1));
        } else {
            (void)snprintf(escaped, sizeof(escaped), "%%%02X", (unsigned)(uint8_t)*text);
            put_text(writer, escaped);
        }
    }
}

enum sca_status question_users(const char *url, const struct question_page *page,
                               struct buf *ret_address)
{
    struct writer writer = begin(ret_address);
    char numbers[64];

    (void)snprintf(numbers, sizeof(numbers), "/api/users?page=%u&pageSize=%u", page->page,
                   page->page_size);
    put_text(&writer, url);
    put_text(&writer, numbers);
    if (page->search && *page->search) {
        put_text(&writer, "&search=");
        put_escaped(&writer, page->search);
    }
    return end(&writer);
}
