/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/emulator/reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

void reply_json(struct exchange *x, unsigned http_status, cJSON *take_json)
{
    cJSON_Delete(x->reply);
    x->reply = take_json;
    x->http_status = http_status;
}

static cJSON *envelope(bool has_code, int code, const char *message, cJSON *take_data)
{
    cJSON *json = cJSON_CreateObject();
    if (has_code)
        (void)cJSON_AddNumberToObject(json, "status_code", code);
    (void)cJSON_AddStringToObject(json, "message", message);
    if (!take_data)
        take_data = cJSON_CreateNull();
    if (!cJSON_AddItemToObject(json, "data", take_data))
        cJSON_Delete(take_data);
    return json;
}

static unsigned http_of(int code)
{
    if (code == 0)
        return MHD_HTTP_OK;
    return code >= 200 && code <= 599 ? (unsigned)code : MHD_HTTP_BAD_REQUEST;
}

void reply_service(struct exchange *x, int code, const char *message, cJSON *take_data)
{
    char text[BEHAVIOUR_TEXT_MAX];
    unsigned http_status = http_of(code);
    bool is_error = http_status != MHD_HTTP_OK;
    bool has_code = !(is_error && x->behaviour.errors == ERRORS_HTTP);
    (void)snprintf(text, sizeof(text), "%s", message);
    for (char *c = text; x->behaviour.is_uppercase && *c; c++)
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A'); /* not toupper: the rest is UTF-8 */
    if (x->behaviour.errors == ERRORS_BODY)
        http_status = MHD_HTTP_OK;
    reply_json(x, http_status, envelope(has_code, code, text, take_data));
}

void reply_econtract(struct exchange *x, unsigned http_status, int code, const char *message,
                     cJSON *take_data)
{
    cJSON *json = cJSON_CreateObject();
    if (!take_data)
        take_data = cJSON_CreateNull();
    if (!cJSON_AddItemToObject(json, "data", take_data))
        cJSON_Delete(take_data);
    (void)cJSON_AddBoolToObject(json, "success", !message);
    (void)cJSON_AddNumberToObject(json, "code", code);
    cJSON *messages = cJSON_AddArrayToObject(json, "messages");
    if (message)
        (void)cJSON_AddItemToArray(messages, cJSON_CreateString(message));
    reply_json(x, http_status, json);
}

void reply_bad_request(struct exchange *x, const char *message)
{
    char text[BEHAVIOUR_TEXT_MAX];
    (void)snprintf(text, sizeof(text), "BAD_REQUEST: %s", message);
    if (x->entry.endpoint == ENDPOINT_CONTROL)
        reply_refusal(x, MHD_HTTP_BAD_REQUEST, message);
    else if (x->entry.endpoint == ENDPOINT_ECONTRACT)
        reply_econtract(x, MHD_HTTP_BAD_REQUEST, 0, text, NULL);
    else
        reply_service(x, MHD_HTTP_BAD_REQUEST, text, NULL);
}

void reply_http(struct exchange *x, unsigned http_status, const char *message)
{
    if (x->entry.endpoint == ENDPOINT_ECONTRACT) {
        reply_econtract(x, http_status, (int)http_status, message, NULL);
        return;
    }
    reply_json(x, http_status, envelope(true, (int)http_status, message, NULL));
}

void reply_refusal(struct exchange *x, unsigned http_status, const char *message)
{
    cJSON *json = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(json, "error", message);
    reply_json(x, http_status, json);
}

/* What goes before everything, after each line and after everything. */
static const struct disorder {
    const char *head;
    const char *line_end;
    const char *tail;
    size_t line;
} disorders[] = {
    [BASE64_PLAIN] = {"", "", "", 0},
    [BASE64_CRLF] = {"", "\r\n", "\r\n", 76},
    [BASE64_SPACES] = {" ", " ", " ", 60},
    [BASE64_PEM] = {"-----BEGIN CERTIFICATE-----\n", "\n", "\n-----END CERTIFICATE-----\n", 64},
};

static char *append(char *end, const char *text, size_t len)
{
    memcpy(end, text, len);
    return end + len;
}

/* plain with the disorder in it, into out, which is large enough. */
static void disarrange(const char *plain, size_t plain_len, const struct disorder *disorder,
                       char *out)
{
    char *end = append(out, disorder->head, strlen(disorder->head));
    size_t line = disorder->line ? disorder->line : plain_len;
    for (size_t done = 0; done < plain_len; done += line) {
        size_t len = plain_len - done < line ? plain_len - done : line;
        if (done > 0)
            end = append(end, disorder->line_end, strlen(disorder->line_end));
        end = append(end, plain + done, len);
    }
    end = append(end, disorder->tail, strlen(disorder->tail));
    *end = '\0';
}

char *reply_base64(struct span bytes, enum base64_form form)
{
    size_t plain_len = (bytes.len + 2) / 3 * 4;
    char *plain = malloc(plain_len + 1);
    char *out = malloc(plain_len * 2 + 128); /* line ends are far less than another half */
    if (!plain || !out) {
        free(plain);
        free(out);
        return NULL;
    }
    (void)EVP_EncodeBlock((unsigned char *)plain, bytes.ptr, (int)bytes.len);
    disarrange(plain, plain_len, &disorders[form], out);
    free(plain);
    return out;
}
