/* SPDX-License-Identifier: Apache-2.0 */
/* What can be said of [token] sections without loading anything: their modules' files. */
#include <stdio.h>

#include "remote/base/cleanup.h"
#include "remote/base/library_file.h"
#include "remote/cli/doctor.h"

enum { CHECK_SIZE = 80 };

static void check_token(struct doctor *doctor, const struct token_config *token)
{
    AUTO(library_file_fini) struct library_file file = {.path = NULL};
    char check[CHECK_SIZE];
    const char *why = NULL;

    doctor_name(doctor, check, sizeof(check), N_("token %s"), token->name);
    enum sca_status st = library_file_check(token->module, &file, &why);
    if (st == SCA_OK)
        doctor_note(doctor, FINDING_OK, check, "", _("%s is safe to load"), file.path);
    else if (st == SCA_NOT_FOUND)
        doctor_note(doctor, FINDING_FAIL, check,
                    _("install the vendor's module, or correct module ="), _("not there: %s"),
                    token->module);
    else
        doctor_note(doctor, FINDING_FAIL, check,
                    _("see to the owner and the mode of the file and of its folders"), "%s: %s",
                    token->module, why ? why : sca_status_name(st));
}

void doctor_check_tokens(struct doctor *doctor)
{
    const struct config *config = doctor->workspace->config;

    for (size_t i = 0; i < config->token_count; i++)
        check_token(doctor, &config->tokens[i]);
}
