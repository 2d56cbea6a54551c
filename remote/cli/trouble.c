/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/trouble.h"

#include <stdarg.h>
#include <stdio.h>

#include "remote/base/cleanup.h"
#include "remote/cli/output.h"
#include "remote/cli/rv_text.h"

/* What an administrator can do about the codes that have a cure. */
static const struct {
    CK_RV rv;
    const char *code;
    const char *next_step;
} cures[] = {
    {CKR_PIN_INCORRECT, "user_auth", N_("give the right PIN; ten wrong ones lock a token")},
    {CKR_PIN_LOCKED, "user_auth", N_("smartca slots says what unlocks it")},
    {CKR_PIN_LEN_RANGE, "invalid", N_("choose a PIN of 6 to 64 bytes")},
    {CKR_PIN_INVALID, "invalid", N_("choose another PIN")},
    {CKR_TOKEN_WRITE_PROTECTED, "unsupported", N_("this token cannot be written to")},
    {CKR_DEVICE_MEMORY, "io", N_("make room on the disk or on the token")},
    {CKR_MECHANISM_INVALID, "unsupported", N_("choose another kind of key with --key")},
    {CKR_SESSION_EXISTS, "module", N_("close the programs that use this token")},
};

bool trouble_say(struct trouble *trouble, const char *code, const char *next_step,
                 const char *format, ...)
{
    va_list args;

    trouble->code = code;
    (void)snprintf(trouble->next_step, sizeof(trouble->next_step), "%s", next_step);
    va_start(args, format);
    (void)vsnprintf(trouble->text, sizeof(trouble->text), format, args);
    va_end(args);
    return false;
}

bool trouble_module(struct trouble *trouble, const char *what, CK_RV rv)
{
    for (size_t i = 0; i < ARRAY_LEN(cures); i++)
        if (cures[i].rv == rv)
            return trouble_say(trouble, cures[i].code, _(cures[i].next_step), "%s: %s", what,
                               rv_text(rv));
    return trouble_say(trouble, "module", _("smartca doctor tells more"), "%s: %s", what,
                       rv_text(rv));
}

bool trouble_no_memory(struct trouble *trouble)
{
    return trouble_say(trouble, output_code(SCA_NOMEM), "", "%s", _("out of memory"));
}

enum cli_exit trouble_print(const struct cli *cli, const struct trouble *trouble)
{
    return output_fail(cli, trouble->code, trouble->next_step, "%s", trouble->text);
}
