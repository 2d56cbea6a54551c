/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/sign_prepare.h"

#include <string.h>
#include <time.h>

#include "remote/cli/meter.h"

/* All of it is borrowed. */
struct preparation {
    const struct sign_slot *slot;
    const struct sign_memory *memory;
    int64_t now;
};

static bool digest_all(const struct sign_slot *slot, struct sign_files *files,
                       struct trouble *trouble)
{
    const EVP_MD *md = crypto_md(slot->scheme->digest);
    bool is_whole = true;

    meter_begin();
    for (size_t i = 0; is_whole && i < files->count; i++) {
        struct sign_file *file = &files->items[i];
        is_whole = sign_file_digest(file, md, file->document, trouble);
        file->document_len = crypto_hash_len(slot->scheme->digest);
        meter_show(i + 1, files->count);
    }
    meter_end();
    return is_whole;
}

/* Its draft with that time, and what would be sent of it. */
static bool draft(const struct preparation *preparation, int64_t signing_time,
                  struct sign_file *file)
{
    const struct sign_slot *slot = preparation->slot;
    const struct cms_plan plan = {.signer = slot->signer,
                                  .chain = slot->chain,
                                  .scheme = slot->scheme,
                                  .signing_time = signing_time};
    unsigned len = 0;

    cms_draft_free(file->draft);
    file->draft = NULL;
    file->signing_time = signing_time;
    if (cms_draft_new(&plan, span_of(file->document, file->document_len), &file->draft) != SCA_OK)
        return false;
    struct span attributes = cms_draft_attributes(file->draft);
    return EVP_Digest(attributes.ptr, attributes.len, file->digest, &len, crypto_md(CRYPTO_SHA256),
                      NULL) == 1;
}

/* As it was asked for before, if it was. */
static bool draft_again(const struct preparation *preparation, struct sign_file *file)
{
    struct span document = span_of(file->document, file->document_len);
    const struct sign_entry *entry = NULL;
    size_t at = 0;

    while ((entry = sign_memory_next(preparation->memory, document, &at)))
        if (draft(preparation, entry->signing_time, file) && /* not every number is a time */
            memcmp(file->digest, entry->digest, sizeof(file->digest)) == 0)
            return true;
    return false;
}

static bool prepare_one(const struct preparation *preparation, struct sign_file *file)
{
    const struct sign_slot *slot = preparation->slot;

    if ((!draft_again(preparation, file) && !draft(preparation, preparation->now, file)) ||
        cms_scheme_input(slot->scheme, slot->input, cms_draft_attributes(file->draft),
                         &file->input) != SCA_OK)
        return false;
    confirm_code(span_of(file->digest, sizeof(file->digest)), file->code);
    return true;
}

bool sign_prepare(const struct sign_slot *slot, const char *state_dir, struct sign_files *files,
                  struct sign_memory *ret_memory, struct trouble *trouble)
{
    if (!digest_all(slot, files, trouble) ||
        (slot->is_cloud && !sign_memory_read(state_dir, slot->account, files, ret_memory, trouble)))
        return false;
    const struct preparation preparation = {
        .slot = slot, .memory = ret_memory, .now = (int64_t)time(NULL)};
    for (size_t i = 0; i < files->count; i++)
        if (!prepare_one(&preparation, &files->items[i]))
            return trouble_no_memory(trouble);
    return true;
}
