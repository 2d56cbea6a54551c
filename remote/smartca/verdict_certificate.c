/* SPDX-License-Identifier: Apache-2.0 */
/* The service's word on a certificate: cert_status and cert_status_code. */
#include "remote/smartca/verdict.h"

#include "remote/base/cleanup.h"
#include "remote/smartca/fold.h"

#include <string.h>

static const char *const revoked[] = {"thu hoi", "revok", NULL};
static const char *const not_activated[] = {"chua kich hoat", "chua hoat dong",
                                            "chua hieu luc",  "chua co hieu luc",
                                            "chua duoc",      "cho kich hoat",
                                            "cho duyet",      "cho cap",
                                            "inactiv",        "pending",
                                            "not activ",      "not yet",
                                            "unactivated",    NULL};
static const char *const unusable[] = {"het han",
                                       "het hieu luc",
                                       "khong hoat dong",
                                       "khong hieu luc",
                                       "khong co hieu luc",
                                       "khong con",
                                       "khong hop le",
                                       "ngung",
                                       "tam dung",
                                       "bi khoa",
                                       "da khoa",
                                       "tam khoa",
                                       " huy ",
                                       "expir",
                                       " invalid",
                                       " not valid",
                                       "suspend",
                                       " locked",
                                       "deactiv",
                                       "disabl",
                                       " hold ",
                                       NULL};
static const char *const active[] = {"hoat dong", "hieu luc", "kich hoat", " activ",
                                     " valid",    " 1 ",      NULL};

/* Negative words first: they hold the positive ones in them ("chua kich hoat", "invalid"). */
static const struct {
    const char *const *words;
    enum certificate_state state;
} states[] = {
    {revoked, CERTIFICATE_REVOKED},
    {not_activated, CERTIFICATE_NOT_ACTIVATED},
    {unusable, CERTIFICATE_UNUSABLE},
    {active, CERTIFICATE_ACTIVE},
};

static enum certificate_state state_of(const char *text, enum certificate_state otherwise)
{
    char words[FOLD_WORDS_SIZE];

    fold_words(text, words);
    for (size_t i = 0; i < ARRAY_LEN(states); i++)
        if (fold_has(words, states[i].words))
            return states[i].state;
    return otherwise;
}

static bool is_blank(const char *text)
{
    return !text || text[strspn(text, " \t\r\n")] == 0;
}

static bool is_number(const char *text)
{
    return text[strspn(text, "0123456789")] == 0;
}

/*
 * An unknown code is a no. An unknown text is not: texts are localised and undocumented, and the
 * service itself refuses to sign with a certificate that is not usable. A number is a code,
 * wherever it stands; a text known to be bad counts also beside a good code.
 */
enum certificate_state verdict_of_certificate(const char *status, const char *status_code)
{
    enum certificate_state state = CERTIFICATE_ACTIVE;

    if (!is_blank(status_code))
        state = state_of(status_code, CERTIFICATE_UNUSABLE);
    if (state != CERTIFICATE_ACTIVE || is_blank(status))
        return state;
    return state_of(status, is_number(status) ? CERTIFICATE_UNUSABLE : CERTIFICATE_ACTIVE);
}
