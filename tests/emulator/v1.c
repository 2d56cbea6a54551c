/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/emulator/v1.h"

#include <stdio.h>
#include <string.h>

#include "tests/emulator/field.h"
#include "tests/emulator/reply.h"

bool v1_has_fields(struct exchange *x, const cJSON *json, const char *const *names, size_t count)
{
    char text[128];
    for (size_t i = 0; i < count; i++) {
        const char *value = field_text(json, names[i]);
        if (value && value[0] != '\0')
            continue;
        (void)snprintf(text, sizeof(text), "BAD_REQUEST: %s is required", names[i]);
        x->entry.body_ok = false;
        reply_service(x, MHD_HTTP_BAD_REQUEST, text, NULL);
        return false;
    }
    return true;
}

void v1_note_transaction(struct exchange *x, const cJSON *json)
{
    (void)snprintf(x->entry.transaction_id, sizeof(x->entry.transaction_id), "%s",
                   field_text(json, "transaction_id"));
}

bool v1_is_provider(struct exchange *x, const cJSON *json)
{
    const struct options *options = x->emulator->options;
    const char *sp_id = field_text(json, "sp_id");
    const char *sp_password = field_text(json, "sp_password");
    if (sp_id && sp_password && strcmp(sp_id, options->sp_id) == 0 &&
        strcmp(sp_password, options->sp_password) == 0)
        return true;
    reply_service(x, MHD_HTTP_UNAUTHORIZED, "SP_CREDENTIAL_INVALID", NULL);
    return false;
}
