/* SPDX-License-Identifier: Apache-2.0 */
/* [token] sections: their modules' files, and what the modules show when they are loaded. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <p11-kit/p11-kit.h>

#include "remote/base/cleanup.h"
#include "remote/base/library_file.h"
#include "remote/cli/doctor.h"
#include "remote/cli/module.h"

enum { CHECK_SIZE = 80, LABELS_SIZE = 300 };

/* Slots of a vendor's module. */
struct inner {
    CK_FUNCTION_LIST *p11;
    size_t tokens;
    size_t fitting;
    char labels[LABELS_SIZE]; /* as a list */
};

static void look_at_slot(struct inner *inner, CK_SLOT_ID id, const char *wanted)
{
    char label[sizeof(((CK_TOKEN_INFO *)NULL)->label) + 1];
    CK_TOKEN_INFO info = {.flags = 0};

    if (inner->p11->C_GetTokenInfo(id, &info) != CKR_OK || !(info.flags & CKF_TOKEN_INITIALIZED))
        return;
    (void)module_text(info.label, sizeof(info.label), label);
    size_t len = strlen(inner->labels);
    (void)snprintf(inner->labels + len, sizeof(inner->labels) - len, "%s%s",
                   inner->tokens ? ", " : "", label);
    inner->tokens++;
    inner->fitting += strcmp(wanted, "all") == 0 || strcmp(wanted, label) == 0;
}

static CK_RV look_at_slots(struct inner *inner, const char *wanted)
{
    const struct module module = {.p11 = inner->p11};
    AUTO(freep) CK_SLOT_ID *slots = NULL;
    CK_ULONG count = 0;

    CK_RV rv = module_slots(&module, &slots, &count);
    for (CK_ULONG i = 0; rv == CKR_OK && i < count; i++)
        look_at_slot(inner, slots[i], wanted);
    return rv;
}

static void note_tokens(struct doctor *doctor, const struct token_config *token, const char *check,
                        const struct inner *inner)
{
    if (inner->fitting > 0)
        doctor_note(doctor, FINDING_OK, check, "", _("its tokens: %s"), inner->labels);
    else if (inner->tokens == 0)
        doctor_note(doctor, FINDING_WARN, check, _("plug the token in, and see to its driver"),
                    _("%s shows no token"), token->module);
    else
        doctor_note(doctor, FINDING_WARN, check,
                    _("plug that token in, or correct slots = to one of these, or to all"),
                    _("no token is called %s; there are: %s"), token->slots, inner->labels);
}

/* As the installed module does it, which is not loaded yet. */
static void check_inside(struct doctor *doctor, const struct token_config *token, const char *check,
                         const char *path)
{
    struct inner inner = {.p11 = p11_kit_module_load(path, P11_KIT_MODULE_UNMANAGED)};

    if (!inner.p11) {
        const char *why = p11_kit_message();
        doctor_note(doctor, FINDING_FAIL, check,
                    _("name the vendor's PKCS#11 module in module =, or install what it needs"),
                    _("%s cannot be loaded: %s"), path, why ? why : "?");
        return;
    }
    CK_RV rv = p11_kit_module_initialize(inner.p11);
    if (rv == CKR_OK) {
        rv = look_at_slots(&inner, token->slots);
        (void)p11_kit_module_finalize(inner.p11); /* nothing could be done about a failure */
    }
    p11_kit_module_release(inner.p11);
    if (rv == CKR_OK)
        note_tokens(doctor, token, check, &inner);
    else
        doctor_note(doctor, FINDING_FAIL, check, _("ask the vendor, or see the module's own log"),
                    _("%s does not work: %s"), path, p11_kit_strerror(rv));
}

static void check_token(struct doctor *doctor, const struct token_config *token)
{
    AUTO(library_file_fini) struct library_file file = {.path = NULL};
    char check[CHECK_SIZE];
    const char *why = NULL;

    doctor_name(doctor, check, sizeof(check), N_("token %s"), token->name);
    enum sca_status st = library_file_check(token->module, &file, &why);
    if (st == SCA_OK) {
        doctor_note(doctor, FINDING_OK, check, "", _("%s is safe to load"), file.path);
        check_inside(doctor, token, check, file.path);
    } else if (st == SCA_NOT_FOUND) {
        doctor_note(doctor, FINDING_FAIL, check,
                    _("install the vendor's module, or correct module ="), _("not there: %s"),
                    token->module);
    } else {
        doctor_note(doctor, FINDING_FAIL, check,
                    _("see to the owner and the mode of the file and of its folders"), "%s: %s",
                    token->module, why ? why : sca_status_name(st));
    }
}

void doctor_check_tokens(struct doctor *doctor)
{
    const struct config *config = doctor->workspace->config;

    for (size_t i = 0; i < config->token_count; i++)
        check_token(doctor, &config->tokens[i]);
}
