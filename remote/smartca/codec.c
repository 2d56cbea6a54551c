/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/codec.h"

#include "remote/base/cleanup.h"
#include "remote/base/wording.h"
#include "remote/catalogue/certificate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    EXPIRED_IN_MAX = 24 * 3600
}; /* no hint is worth more, and milliseconds of it fit anywhere */

/* A number, or text that is nothing but a number: clients have seen status_code as both. */
static bool number_of(const cJSON *object, const char *name, long *ret_value)
{
    const char *text = json_text(object, name);
    char *end = NULL;

    if (!text)
        return json_integer(object, name, ret_value);
    if (strspn(text, "0123456789") == 0)
        return false;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (*end || errno)
        return false;
    *ret_value = value;
    return true;
}

/* Half an id asks for the wrong thing: one that does not fit is as good as none. */
static void copy_id(const cJSON *data, const char *name, char out[static CODEC_ID_SIZE])
{
    const char *text = json_text(data, name);
    if (text && strlen(text) < CODEC_ID_SIZE)
        memcpy(out, text, strlen(text) + 1);
}

static void copy_message(const cJSON *envelope, char out[static CODEC_MESSAGE_SIZE])
{
    const char *text = json_text(envelope, "message");
    if (text)
        memcpy(out, text, utf8_cut(text, CODEC_MESSAGE_SIZE - 1));
}

static void add_signature(struct codec_reply *reply, const char *doc_id, const char *value)
{
    if (value && *value)
        reply->signatures[reply->signature_count++] =
            (struct codec_signature){.doc_id = doc_id, .value = value};
}

/* The status answer has signatures, what is posted to a web hook signed_files: the same items. */
static enum sca_status read_signatures(const cJSON *data, struct codec_reply *reply,
                                       const char **why)
{
    const cJSON *lists[] = {json_array(data, "signatures"), json_array(data, "signed_files")};
    size_t room = 1;

    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        room += (size_t)cJSON_GetArraySize(lists[i]);
    if (room > CODEC_SIGNATURES_MAX + 1) {
        *why = wording("too many signatures");
        return SCA_PROTOCOL;
    }
    reply->signatures = calloc(room, sizeof(*reply->signatures));
    if (!reply->signatures)
        return SCA_NOMEM;

    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        const cJSON *item = NULL;
        cJSON_ArrayForEach(item, lists[i])
            add_signature(reply, json_text(item, "doc_id"), json_text(item, "signature_value"));
    }
    add_signature(reply, NULL, json_text(data, "signature_value"));
    return SCA_OK;
}

/* What would let anybody sign is moved out of the JSON, which is not wiped when it is freed. */
static enum sca_status take_sad(const cJSON *data, struct codec_reply *reply)
{
    cJSON *item = cJSON_GetObjectItemCaseSensitive(data, "sad");
    char *text = cJSON_GetStringValue(item);
    size_t len = text ? strlen(text) : 0;

    if (len == 0)
        return SCA_OK;
    enum sca_status st =
        len <= SECRET_MAX ? secret_new(span_of(text, len), &reply->sad) : SCA_PROTOCOL;
    secret_wipe(text, len);
    return st;
}

enum sca_status codec_parse_reply(struct span body, struct codec_reply *ret_reply, const char **why)
{
    AUTO(json_deletep) cJSON *json = NULL;
    struct codec_reply reply = {.status_code = CODEC_NO_STATUS};
    long seconds = 0;

    enum sca_status st = json_parse(body, &json, why);
    if (st != SCA_OK)
        return st;
    if (!cJSON_IsObject(json)) {
        *why = wording("not an object");
        return SCA_PROTOCOL;
    }

    const cJSON *data = json_object(json, "data");
    (void)number_of(json, "status_code", &reply.status_code); /* stays CODEC_NO_STATUS */
    copy_message(json, reply.message);
    copy_id(data, "transaction_id", reply.transaction_id);
    copy_id(data, "tran_code", reply.tran_code);
    if (number_of(data, "expired_in", &seconds) && seconds > 0)
        reply.expired_in = seconds < EXPIRED_IN_MAX ? seconds : EXPIRED_IN_MAX;
    st = read_signatures(data, &reply, why);
    if (st == SCA_OK) {
        st = take_sad(data, &reply);
        *why = st == SCA_PROTOCOL ? wording("sad is too long") : *why;
    }
    if (st != SCA_OK) {
        free(reply.signatures);
        return st;
    }

    reply.json = TAKE(json);
    *ret_reply = reply;
    return SCA_OK;
}

void codec_reply_fini(struct codec_reply *reply)
{
    json_deletep(&reply->json); /* a permission to sign may be where none was looked for */
    free(reply->signatures);
    secret_free(reply->sad);
    *reply = (struct codec_reply){.status_code = CODEC_NO_STATUS};
}

/* What is between the armour of the first PEM certificate, or all of text where there is none. */
static struct span without_armour(const char *text)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----";
    static const char end[] = "-----END CERTIFICATE-----";

    const char *first = strstr(text, begin);
    if (!first)
        return span_text(text);
    first += sizeof(begin) - 1;
    const char *last = strstr(first, end);
    return last ? span_of(first, (size_t)(last - first)) : span_text(first);
}

/* SCA_PROTOCOL when there is none; *ret_der is good for buf_fini in any case. */
static enum sca_status decode_certificate(const char *text, struct buf *ret_der)
{
    buf_init(ret_der, CERTIFICATE_MAX, false);
    if (!text)
        return SCA_PROTOCOL;
    enum sca_status st = base64_decode(without_armour(text), CERTIFICATE_MAX, ret_der);
    return st == SCA_OK && ret_der->len == 0 ? SCA_PROTOCOL : st;
}

/* Text as it is, a number as its text; the list's JSON keeps either. NULL without memory. */
static const char *text_or_number(cJSON *item, const char *name)
{
    const char *text = json_text(item, name);
    char digits[24];
    long value = 0;

    if (text || !json_integer(item, name, &value))
        return text ? text : "";
    (void)snprintf(digits, sizeof(digits), "%ld", value);
    cJSON *replacement = cJSON_CreateString(digits);
    if (!replacement || !cJSON_ReplaceItemInObjectCaseSensitive(item, name, replacement)) {
        cJSON_Delete(replacement);
        return NULL;
    }
    return json_text(item, name);
}

static const char *text_or_empty(const cJSON *item, const char *name)
{
    const char *text = json_text(item, name);
    return text ? text : "";
}

static void certificate_fini(struct codec_certificate *certificate)
{
    buf_fini(&certificate->leaf);
    buf_fini(&certificate->ca);
    buf_fini(&certificate->root);
}

/* SCA_PROTOCOL when the item is to be skipped. The caller certificate_fini()s in any case. */
static enum sca_status read_certificate(cJSON *item, struct codec_certificate *certificate)
{
    const cJSON *chain = json_object(item, "chain_data");

    enum sca_status st = decode_certificate(json_text(item, "cert_data"), &certificate->leaf);
    if (st != SCA_OK)
        return st;
    /* A chain that is missing or damaged costs completeness, not the certificate. */
    if (decode_certificate(json_text(chain, "ca_cert"), &certificate->ca) == SCA_NOMEM ||
        decode_certificate(json_text(chain, "root_cert"), &certificate->root) == SCA_NOMEM)
        return SCA_NOMEM;

    certificate->serial_number = text_or_empty(item, "serial_number");
    certificate->service_type = text_or_empty(item, "service_type");
    certificate->status = text_or_number(item, "cert_status");
    certificate->status_code = text_or_number(item, "cert_status_code");
    return certificate->status && certificate->status_code ? SCA_OK : SCA_NOMEM;
}

static enum sca_status read_certificates(const cJSON *items, struct codec_certificates *list,
                                         size_t *ret_skipped)
{
    size_t room = (size_t)cJSON_GetArraySize(items);
    size_t skipped = 0;
    cJSON *item = NULL;

    list->items = calloc(room ? room : 1, sizeof(*list->items));
    if (!list->items)
        return SCA_NOMEM;
    cJSON_ArrayForEach(item, items)
    {
        struct codec_certificate *certificate = &list->items[list->count];
        enum sca_status st = read_certificate(item, certificate);
        if (st == SCA_OK) {
            list->count++;
            continue;
        }
        certificate_fini(certificate);
        if (st == SCA_NOMEM)
            return st;
        skipped++;
    }
    *ret_skipped = skipped;
    return SCA_OK;
}

enum sca_status codec_parse_certificates(struct span body, struct codec_certificates *ret_list,
                                         size_t *ret_skipped, const char **why)
{
    struct codec_certificates list = {0};

    enum sca_status st = codec_parse_reply(body, &list.reply, why);
    if (st != SCA_OK)
        return st;
    const cJSON *items = json_array(json_object(list.reply.json, "data"), "user_certificates");
    if (cJSON_GetArraySize(items) > CODEC_CERTIFICATES_MAX) {
        *why = wording("too many certificates");
        st = SCA_PROTOCOL;
    } else {
        st = read_certificates(items, &list, ret_skipped);
    }
    if (st != SCA_OK) {
        codec_certificates_fini(&list);
        return st;
    }
    *ret_list = list;
    return SCA_OK;
}

void codec_certificates_fini(struct codec_certificates *list)
{
    for (size_t i = 0; i < list->count; i++)
        certificate_fini(&list->items[i]);
    free(list->items);
    codec_reply_fini(&list->reply);
    list->items = NULL;
    list->count = 0;
}
