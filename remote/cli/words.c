/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/words.h"

#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/cli/cli.h"

static const char *const keys[] = {"kind", "state", "was", "change", "status", "result", "vault"};

static const char *const words[] = {
    /* kind */
    N_("smartca"), N_("selfsigned"), N_("token"), N_("user"), N_("issuer"),
    /* state, was */
    N_("ready"), N_("not_present"), N_("expired"), N_("revoked"), N_("not_activated"),
    N_("uninitialized"), N_("submitting"), N_("waiting"), N_("signed"),
    /* change */
    N_("unchanged"), N_("new"), N_("gone"), N_("state"),
    /* status */
    N_("active"), N_("archived"), N_("not_yet_valid"),
    /* result */
    N_("created"), N_("reissued"), N_("imported"), N_("exists"), N_("refused"), N_("failed"),
    /* vault */
    N_("no_pin"), N_("wrong_pins"), N_("locked"), N_("damaged"), N_("unreadable")};

bool words_has(const char *key)
{
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (strcmp(keys[i], key) == 0)
            return true;
    return false;
}

const char *words_find(const char *code)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(words[i], code) == 0)
            return _(words[i]);
    return code;
}
