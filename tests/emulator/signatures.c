/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/emulator/signatures.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "remote/base/cleanup.h"
#include "tests/emulator/cms.h"
#include "tests/emulator/reply.h"

static const char STRANGER[] = "stranger"; /* label of a key that belongs to no user */

static enum sca_status sign_as_stranger(struct emulator *emulator, struct span hash,
                                        uint8_t signature[HSM_SIGNATURE_LEN])
{
    struct hsm_key key;
    EVP_PKEY *public_key = NULL;
    (void)pthread_mutex_lock(&emulator->issuing);
    enum sca_status status = hsm_key_get(emulator->hsm, STRANGER, &key, &public_key);
    (void)pthread_mutex_unlock(&emulator->issuing);
    EVP_PKEY_free(public_key);
    return status == SCA_OK ? hsm_sign(emulator->hsm, key, hash, signature) : status;
}

static enum sca_status sign_other_hash(struct emulator *emulator, struct hsm_key key,
                                       struct span hash, uint8_t signature[HSM_SIGNATURE_LEN])
{
    uint8_t other[64];
    memcpy(other, hash.ptr, hash.len);
    other[0] ^= 0xff;
    return hsm_sign(emulator->hsm, key, span_of(other, hash.len), signature);
}

/* The PKCS#1 signature that goes with the document at index. */
static enum sca_status choose(struct exchange *x, const struct transaction *transaction,
                              size_t index, enum fault_kind lie,
                              uint8_t signature[HSM_SIGNATURE_LEN])
{
    const struct document *document = &transaction->documents[index];
    struct span hash = span_of(document->hash, document->hash_len);
    size_t count = transaction->document_count;
    if (lie == FAULT_OTHER_KEY)
        return sign_as_stranger(x->emulator, hash, signature);
    bool is_swapped = lie == FAULT_SWAP || (lie == FAULT_SWAP_ONE && index == 0);
    if (lie == FAULT_OTHER_HASH || (is_swapped && count == 1))
        return sign_other_hash(x->emulator, transaction->certificate->key, hash, signature);
    size_t from = is_swapped ? (index + 1) % count : index;
    memcpy(signature, transaction->documents[from].signature, HSM_SIGNATURE_LEN);
    return SCA_OK;
}

static char *encode(struct exchange *x, const struct transaction *transaction, size_t hash_len,
                    struct span signature)
{
    enum base64_form form = (enum base64_form)x->behaviour.signature_base64;
    uint8_t *der = NULL;
    size_t der_len = 0;
    if (x->behaviour.signature_type == SIGNATURE_PKCS1)
        return reply_base64(signature, form);
    if (cms_wrap(transaction->certificate->x509, hash_len, signature, &der, &der_len) != SCA_OK)
        return NULL;
    char *text = reply_base64(span_of(der, der_len), form);
    OPENSSL_free(der);
    return text;
}

static cJSON *item_json(const char *doc_id, const char *value)
{
    cJSON *item = cJSON_CreateObject();
    if (doc_id)
        (void)cJSON_AddStringToObject(item, "doc_id", doc_id);
    (void)cJSON_AddStringToObject(item, "signature_value", value);
    (void)cJSON_AddNullToObject(item, "timestamp_signature");
    return item;
}

static enum sca_status add_one(struct exchange *x, const struct transaction *transaction,
                               size_t index, enum fault_kind lie, cJSON *list)
{
    const struct document *document = &transaction->documents[index];
    uint8_t signature[HSM_SIGNATURE_LEN];
    if (lie == FAULT_MISSING_ONE && index == 0)
        return SCA_OK;
    enum sca_status status = choose(x, transaction, index, lie, signature);
    if (status != SCA_OK)
        return status;
    AUTO(freep)
    char *value = encode(x, transaction, document->hash_len, span_of(signature, sizeof(signature)));
    if (!value)
        return SCA_NOMEM;
    bool is_nameless = transaction->document_count == 1 && !x->behaviour.has_doc_id_when_single;
    const char *doc_id = is_nameless ? NULL : document->doc_id;
    (void)cJSON_AddItemToArray(list, item_json(doc_id, value));
    if (lie == FAULT_DUPLICATE)
        (void)cJSON_AddItemToArray(list, item_json(doc_id, value));
    if (lie == FAULT_UNKNOWN_DOCUMENT && index == 0)
        (void)cJSON_AddItemToArray(list, item_json("a-document-nobody-sent", value));
    return SCA_OK;
}

static enum sca_status make_list(struct exchange *x, const struct transaction *transaction,
                                 enum fault_kind lie, cJSON *list)
{
    enum sca_status status = SCA_OK;
    for (size_t i = 0; status == SCA_OK && i < transaction->document_count; i++)
        status = add_one(x, transaction, i, lie, list);
    return status;
}

static void add_direct(cJSON *data, const cJSON *list)
{
    const cJSON *first = cJSON_GetArrayItem(list, 0);
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(first, "signature_value");
    (void)cJSON_AddStringToObject(data, "signature_value", cJSON_GetStringValue(value));
}

enum sca_status signatures_add(struct exchange *x, const struct transaction *transaction,
                               enum fault_kind lie, cJSON *data)
{
    if (lie == FAULT_MISSING_SIGNATURE) {
        (void)cJSON_AddNullToObject(data, "signatures");
        return SCA_OK;
    }
    cJSON *list = cJSON_CreateArray();
    enum sca_status status = make_list(x, transaction, lie, list);
    if (status != SCA_OK) {
        cJSON_Delete(list);
        return status;
    }
    if (x->behaviour.signature_form == SIGNATURE_DIRECT) {
        add_direct(data, list);
        cJSON_Delete(list);
        return SCA_OK;
    }
    return cJSON_AddItemToObject(data, "signatures", list) ? SCA_OK : SCA_NOMEM;
}
