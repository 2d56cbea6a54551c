/* SPDX-License-Identifier: Apache-2.0 */
/* The requests of codec.h. Members come in the order of the service's document. */
#include "remote/smartca/codec.h"

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"

#include <stdlib.h>
#include <string.h>

/*
 * The kind of document is unknown to a PKCS#11 module, which sees a digest only; the service wants
 * the member, and this is the value of its samples.
 */
static const char file_type[] = "pdf";
static const char sign_type[] = "hash"; /* the only one supported */

enum { DIGEST_MAX = 64, FIRST_ROOM = 2048, ROOM_PER_FILE = 512 };

/* value NULL: the member is left out. */
struct member {
    const char *name;
    const char *value;
};

/* By reference: the tree holds no copy of a value, so that there is none of sp_password to wipe. */
static bool add_members(cJSON *object, const struct member *members, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!members[i].value)
            continue;
        cJSON *text = cJSON_CreateStringReference(members[i].value);
        if (!cJSON_AddItemToObjectCS(object, members[i].name, text)) {
            cJSON_Delete(text);
            return false;
        }
    }
    return true;
}

/* What cJSON would cut short or print as bytes that are no JSON. */
static bool are_printable(const struct member *members, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (members[i].value && !utf8_is_valid(span_text(members[i].value)))
            return false;
    return true;
}

/* A secret that fits a JSON text. */
static bool is_text(const struct secret *secret)
{
    if (!secret)
        return false;
    struct span bytes = secret_get(secret);
    return bytes.len > 0 && !memchr(bytes.ptr, 0, bytes.len);
}

static const char *text_of(const struct secret *secret)
{
    return secret ? (const char *)secret_get(secret).ptr : NULL;
}

static bool is_identity(const struct codec_identity *who)
{
    return who->sp_id && *who->sp_id && who->user_id && *who->user_id && is_text(who->sp_password);
}

static bool is_digest_len(size_t len)
{
    return crypto_hash_of_len(len) != CRYPTO_NO_HASH;
}

static enum sca_status add_file(cJSON *files, const struct codec_sign_file *file)
{
    char hex[2 * DIGEST_MAX + 1];

    if (!is_digest_len(file->digest.len) || !file->doc_id || !*file->doc_id ||
        strlen(file->doc_id) >= CODEC_DOC_ID_SIZE)
        return SCA_INVALID;
    hex_encode(file->digest, hex);

    const struct member rest[] = {
        {"doc_id", file->doc_id}, {"file_type", file_type}, {"sign_type", sign_type}};
    if (!are_printable(rest, ARRAY_LEN(rest)))
        return SCA_INVALID;

    cJSON *object = cJSON_CreateObject();
    if (!object || !cJSON_AddItemToArray(files, object)) {
        cJSON_Delete(object);
        return SCA_NOMEM;
    }
    return cJSON_AddStringToObject(object, "data_to_be_signed", hex) &&
                   add_members(object, rest, ARRAY_LEN(rest))
               ? SCA_OK
               : SCA_NOMEM;
}

static enum sca_status add_files(cJSON *root, const struct codec_sign_request *request)
{
    cJSON *files = cJSON_AddArrayToObject(root, "sign_files");
    enum sca_status st = files ? SCA_OK : SCA_NOMEM;

    for (size_t i = 0; st == SCA_OK && i < request->file_count; i++)
        st = add_file(files, &request->files[i]);
    return st;
}

/* Into memory of ours: cJSON's own printing leaves copies in what it reallocates. */
static enum sca_status print_into(cJSON *root, size_t room, struct buf *body)
{
    char *text = malloc(room);
    if (!text)
        return SCA_NOMEM;

    enum sca_status st = SCA_PROTOCOL;
    if (cJSON_PrintPreallocated(root, text, (int)room, false))
        st = buf_append(body, span_text(text));
    secret_wipe(text, room);
    free(text);
    return st;
}

static enum sca_status print(cJSON *root, size_t file_count, struct buf *ret_body)
{
    size_t room = FIRST_ROOM + file_count * ROOM_PER_FILE;
    enum sca_status st = SCA_PROTOCOL;
    struct buf body;

    /* cJSON asks for some bytes more than it writes, hence twice the ceiling. */
    buf_init(&body, CODEC_REQUEST_MAX, true);
    for (; st == SCA_PROTOCOL && room <= 2 * (size_t)CODEC_REQUEST_MAX; room *= 2)
        st = print_into(root, room, &body);
    if (st != SCA_OK)
        return st == SCA_PROTOCOL ? SCA_INVALID : st;
    *ret_body = body;
    return SCA_OK;
}

/* An object of members, or NULL with the reason in ret_status. */
static cJSON *object_of(const struct member *members, size_t count, enum sca_status *ret_status)
{
    AUTO(json_deletep) cJSON *root = NULL;

    *ret_status = SCA_INVALID;
    if (!are_printable(members, count))
        return NULL;
    *ret_status = SCA_NOMEM;
    root = cJSON_CreateObject();
    if (!root || !add_members(root, members, count))
        return NULL;
    *ret_status = SCA_OK;
    return TAKE(root);
}

enum sca_status codec_build_get_certificate(const struct codec_identity *who,
                                            const char *transaction_id, struct buf *ret_body)
{
    if (!is_identity(who) || !transaction_id || !*transaction_id)
        return SCA_INVALID;

    const struct member members[] = {
        {"sp_id", who->sp_id},
        {"sp_password", text_of(who->sp_password)},
        {"user_id", who->user_id},
        {"serial_number", ""}, /* all certificates */
        {"transaction_id", transaction_id},
    };
    enum sca_status st = SCA_OK;
    AUTO(json_deletep) cJSON *root = object_of(members, ARRAY_LEN(members), &st);
    return root ? print(root, 0, ret_body) : st;
}

enum sca_status codec_build_sign(const struct codec_identity *who,
                                 const struct codec_sign_request *request, struct buf *ret_body)
{
    if (!is_identity(who) || !request->transaction_id || !*request->transaction_id ||
        request->file_count == 0 || request->file_count > CODEC_SIGNATURES_MAX)
        return SCA_INVALID;
    if ((request->password || request->otp) &&
        !(is_text(request->password) && is_text(request->otp)))
        return SCA_INVALID;

    const struct member members[] = {
        {"sp_id", who->sp_id},
        {"sp_password", text_of(who->sp_password)},
        {"user_id", who->user_id},
        {"password", text_of(request->password)},
        {"otp", text_of(request->otp)},
        {"transaction_id", request->transaction_id},
        {"transaction_desc", request->transaction_desc},
        {"serial_number", request->serial_number},
        {"time_stamp", request->time_stamp},
    };
    enum sca_status st = SCA_OK;
    AUTO(json_deletep) cJSON *root = object_of(members, ARRAY_LEN(members), &st);
    if (root)
        st = add_files(root, request);
    return st == SCA_OK ? print(root, request->file_count, ret_body) : st;
}

enum sca_status codec_build_confirm(const struct codec_identity *who,
                                    const struct codec_confirm_request *request,
                                    struct buf *ret_body)
{
    if (!is_identity(who) || !request->transaction_id || !*request->transaction_id ||
        !is_text(request->password) || !is_text(request->sad))
        return SCA_INVALID;

    const struct member members[] = {
        {"sp_id", who->sp_id},          {"sp_password", text_of(who->sp_password)},
        {"user_id", who->user_id},      {"password", text_of(request->password)},
        {"sad", text_of(request->sad)}, {"transaction_id", request->transaction_id},
    };
    enum sca_status st = SCA_OK;
    AUTO(json_deletep) cJSON *root = object_of(members, ARRAY_LEN(members), &st);
    return root ? print(root, 0, ret_body) : st;
}
