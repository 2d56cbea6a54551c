/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/emulator/misbehave.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <zlib.h>

#include "remote/base/cleanup.h"
#include "tests/emulator/routes.h"
#include "tests/emulator/tick.h"

static const char json_type[] = "application/json; charset=utf-8";

unsigned misbehave_status(const struct exchange *x)
{
    enum fault_kind kind = x->fault.kind;
    bool is_own = kind == FAULT_STATUS || kind == FAULT_BODY_TEXT || kind == FAULT_REDIRECT;
    return is_own ? x->fault.status : x->http_status;
}

static struct MHD_Response *from_text(char *take_text)
{
    if (!take_text)
        return NULL;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(take_text), take_text, MHD_RESPMEM_MUST_FREE);
    if (!response)
        free(take_text);
    return response;
}

static struct MHD_Response *from_json(const cJSON *json)
{
    return from_text(json ? cJSON_PrintUnformatted(json) : strdup(""));
}

static struct MHD_Response *plain(struct exchange *x)
{
    return from_json(x->reply);
}

static struct MHD_Response *raw_body(struct exchange *x)
{
    return from_text(strdup(x->fault.body ? x->fault.body : ""));
}

static struct MHD_Response *status_body(struct exchange *x)
{
    char text[128];
    if (x->fault.body || !x->fault.has_body)
        return raw_body(x);
    bool is_econtract = x->entry.endpoint == ENDPOINT_ECONTRACT;
    const char *tail = is_econtract ? "\"success\":false,\"messages\":[\"emulated failure\"]"
                                    : "\"message\":\"emulated failure\"";
    (void)snprintf(text, sizeof(text), "{\"%s\":%d,%s,\"data\":null}",
                   is_econtract ? "code" : "status_code", x->fault.code, tail);
    return from_text(strdup(text));
}

static struct MHD_Response *redirect(struct exchange *x)
{
    char location[REQUEST_PATH_MAX + 64];
    struct MHD_Response *response = from_text(strdup(""));
    (void)snprintf(location, sizeof(location), "http://127.0.0.1:%u%s",
                   atomic_load(&x->emulator->port), x->entry.path);
    if (response)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_LOCATION,
                                      x->fault.body ? x->fault.body : location);
    return response;
}

/* Half of the answer, with a Content-Length that is right for that half. */
static struct MHD_Response *bad_json(struct exchange *x)
{
    char *text = cJSON_PrintUnformatted(x->reply);
    if (text)
        text[strlen(text) / 2] = '\0';
    return from_text(text);
}

static struct MHD_Response *deep_json(struct exchange *x)
{
    size_t depth = x->fault.size;
    char *text = malloc(2 * depth + 1);
    if (!text)
        return NULL;
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    text[2 * depth] = '\0';
    return from_text(text);
}

/* The right answer but for its message: a stray continuation, an overlong form, a surrogate. */
static struct MHD_Response *invalid_utf8(struct exchange *x)
{
    cJSON *message = cJSON_CreateString("\xff\xc0\xaf\xed\xa0\x80 \xc3(");
    const char *name = x->entry.endpoint == ENDPOINT_ECONTRACT ? "messages" : "message";
    if (!cJSON_ReplaceItemInObjectCaseSensitive(x->reply, name, message))
        cJSON_Delete(message);
    return from_json(x->reply);
}

enum { GZIP_WINDOW = 15 + 16, CHUNK = 64 * 1024, PADDING = '0', SILENCE_MS = 120000 };

/* fault.size zeros, a thousand times smaller on the wire. */
static bool compress_zeros(size_t size, struct buf *out)
{
    static const uint8_t zeros[CHUNK];
    uint8_t packed[CHUNK];
    z_stream stream = {.next_in = NULL};
    if (deflateInit2(&stream, 9, Z_DEFLATED, GZIP_WINDOW, 9, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    bool is_good = true;
    int result = Z_OK;
    while (is_good && result != Z_STREAM_END) {
        if (stream.avail_in == 0 && size > 0) {
            stream.avail_in = size < CHUNK ? (uInt)size : CHUNK;
            stream.next_in = (z_const Bytef *)(uintptr_t)zeros;
            size -= stream.avail_in;
        }
        stream.next_out = packed;
        stream.avail_out = CHUNK;
        result = deflate(&stream, size > 0 ? Z_NO_FLUSH : Z_FINISH);
        is_good =
            result >= 0 && buf_append(out, span_of(packed, CHUNK - stream.avail_out)) == SCA_OK;
    }
    (void)deflateEnd(&stream);
    return is_good;
}

static struct MHD_Response *gzip_bomb(struct exchange *x)
{
    struct buf packed;
    struct MHD_Response *response = NULL;
    buf_init(&packed, (size_t)64 * 1024 * 1024, false);
    if (compress_zeros(x->fault.size, &packed))
        response = MHD_create_response_from_buffer(packed.len, packed.ptr, MHD_RESPMEM_MUST_COPY);
    if (response)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
    buf_fini(&packed);
    return response;
}

/* An answer that is produced as the client reads it. */
struct stream {
    char *text; /* owned; beyond its end there is padding */
    size_t text_len;
    uint64_t cut_at;   /* nothing more is sent from there on */
    ssize_t at_cut;    /* how MHD is told so */
    uint64_t every_ms; /* between two steps; 0: as fast as the client reads */
    uint64_t at_once;  /* bytes before the first pause */
    size_t step;       /* bytes after each */
    int stop_fd;
    int socket_fd;
};

static void free_stream(void *context)
{
    struct stream *stream = context;
    free(stream->text);
    free(stream);
}

static ssize_t read_stream(void *context, uint64_t position, char *out, size_t room)
{
    const struct stream *stream = context;
    if (position >= stream->cut_at)
        return stream->at_cut;
    if (position < stream->at_once) {
        room = room < stream->at_once - position ? room : (size_t)(stream->at_once - position);
    } else if (stream->every_ms > 0) {
        room = room < stream->step ? room : stream->step;
        if (!tick_pause(stream->stop_fd, stream->socket_fd, stream->every_ms))
            return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    if (room > stream->cut_at - position)
        room = (size_t)(stream->cut_at - position);
    size_t copied = 0;
    if (position < stream->text_len) {
        copied = stream->text_len - (size_t)position;
        copied = copied < room ? copied : room;
        memcpy(out, stream->text + position, copied);
    }
    memset(out + copied, PADDING, room - copied);
    return (ssize_t)room;
}

/* text followed by padding up to announced bytes, of which the first cut_at are sent. A pause comes
 * before every step of the text, or, where there is padding, of that alone. */
static struct MHD_Response *from_stream(const struct exchange *x, char *take_text,
                                        uint64_t announced, uint64_t cut_at, uint64_t every_ms)
{
    struct stream *stream = calloc(1, sizeof(*stream));
    size_t len = take_text ? strlen(take_text) : 0;
    if (!take_text || !stream) {
        free(take_text);
        free(stream);
        return NULL;
    }
    *stream =
        (struct stream){.text = take_text,
                        .text_len = len,
                        .cut_at = cut_at,
                        .at_cut = announced == MHD_SIZE_UNKNOWN ? MHD_CONTENT_READER_END_OF_STREAM
                                                                : MHD_CONTENT_READER_END_WITH_ERROR,
                        .every_ms = every_ms,
                        .at_once = announced > len ? len : 0,
                        .step = x->fault.size,
                        .stop_fd = x->emulator->stop_fd,
                        .socket_fd = x->socket_fd};
    struct MHD_Response *response =
        MHD_create_response_from_callback(announced, CHUNK, read_stream, stream, free_stream);
    if (!response)
        free_stream(stream);
    return response;
}

static struct MHD_Response *trickle(struct exchange *x)
{
    char *text = cJSON_PrintUnformatted(x->reply);
    size_t len = text ? strlen(text) : 0;
    return from_stream(x, text, len, len, x->fault.every_ms);
}

static struct MHD_Response *truncated(struct exchange *x)
{
    char *text = cJSON_PrintUnformatted(x->reply);
    size_t len = text ? strlen(text) : 0;
    return from_stream(x, text, len, len / 2, 0);
}

/* The whole answer, and a length that is half of its own. A server of HTTP 1.0 adds none itself. */
static struct MHD_Response *short_length(struct exchange *x)
{
    char announced[24];
    char *text = cJSON_PrintUnformatted(x->reply);
    size_t len = text ? strlen(text) : 0;
    struct MHD_Response *response = from_stream(x, text, MHD_SIZE_UNKNOWN, len, 0);
    (void)snprintf(announced, sizeof(announced), "%zu", len / 2);
    if (response) {
        (void)MHD_set_response_options(
            response, MHD_RF_HTTP_1_0_SERVER | MHD_RF_INSANITY_HEADER_CONTENT_LENGTH, MHD_RO_END);
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_LENGTH, announced);
    }
    return response;
}

/* The whole answer, and silence where its length says that more of it will come. */
static struct MHD_Response *long_length(struct exchange *x)
{
    char *text = cJSON_PrintUnformatted(x->reply);
    size_t len = text ? strlen(text) : 0;
    return from_stream(x, text, (uint64_t)len * 2, (uint64_t)len * 2, SILENCE_MS);
}

static struct MHD_Response *huge(struct exchange *x)
{
    char *text = strdup("{\"status_code\":200,\"message\":\"");
    return from_stream(x, text, x->fault.size, x->fault.size, 0);
}

/* Kinds that are not here answer as if nothing were wrong. */
static struct MHD_Response *make_response(struct exchange *x)
{
    static const struct {
        enum fault_kind kind;
        struct MHD_Response *(*make)(struct exchange *x);
    } makers[] = {
        {FAULT_STATUS, status_body},
        {FAULT_BODY_TEXT, raw_body},
        {FAULT_TRICKLE, trickle},
        {FAULT_HUGE, huge},
        {FAULT_DEEP_JSON, deep_json},
        {FAULT_INVALID_UTF8, invalid_utf8},
        {FAULT_BAD_JSON, bad_json},
        {FAULT_TRUNCATED, truncated},
        {FAULT_GZIP, gzip_bomb},
        {FAULT_REDIRECT, redirect},
        {FAULT_SHORT_LENGTH, short_length},
        {FAULT_LONG_LENGTH, long_length},
    };
    for (size_t i = 0; i < ARRAY_LEN(makers); i++)
        if (makers[i].kind == x->fault.kind)
            return makers[i].make(x);
    return plain(x);
}

/* The service's clock may be wrong; the server's own header gives way to this one. */
static void add_date(const struct exchange *x, struct MHD_Response *response)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char text[64];
    struct tm t;
    time_t now = (time_t)behaviour_now(&x->behaviour);
    if (x->behaviour.otp_offset_s == 0 || !gmtime_r(&now, &t))
        return;
    (void)snprintf(text, sizeof(text), "%s, %02d %s %04d %02d:%02d:%02d GMT", days[t.tm_wday],
                   t.tm_mday, months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_DATE, text);
}

enum MHD_Result misbehave_queue(struct exchange *x)
{
    struct MHD_Response *response = make_response(x);
    if (!response)
        return MHD_NO;
    const char *retry_after = x->fault.retry_after[0] ? x->fault.retry_after : x->retry_after;
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, json_type);
    add_date(x, response);
    if (retry_after[0])
        (void)MHD_add_response_header(response, "Retry-After", retry_after);
    if (x->is_wrong_method)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, x->route->method);
    enum MHD_Result result = MHD_queue_response(x->connection, misbehave_status(x), response);
    MHD_destroy_response(response);
    return result;
}
