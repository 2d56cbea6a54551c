/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/econtract/complaint.h"

#include <string.h>

#include "remote/base/bytes.h"
#include "remote/base/cleanup.h"
#include "remote/base/wording.h"

enum {
    UNAUTHORISED = 401,
    SERVER_ERROR_FIRST = 500,
    SERVER_ERROR_LAST = 599, /* beyond are codes of the service's own: 65000 is no trouble of it */
    NOTE_MESSAGES_MAX = 120,
};

struct meaning {
    long code; /* of the envelope, or else of HTTP */
    enum sca_status status;
    const char *advice;
};

static const struct meaning of_login[] = {
    {ECONTRACT_OTP_NEEDED, SCA_NOT_FOUND,
     N_("run smartca econtract login and give the one-time password")},
    {UNAUTHORISED, SCA_USER_AUTH, N_("check username and password in [econtract]")},
};

static const struct meaning of_any[] = {
    {ECONTRACT_OTP_NEEDED, SCA_UNSUPPORTED,
     N_("this wants a one-time password: do it in eContract")},
    {UNAUTHORISED, SCA_USER_AUTH, N_("run smartca econtract login")},
    {403, SCA_NOT_PERMITTED, N_("the user of [econtract] lacks the right to do this")},
    {404, SCA_NOT_FOUND, N_("check the numbers with smartca econtract users, and url")},
    {429, SCA_BUSY, N_("try again in a minute")},
};

static const struct meaning unwell = {0, SCA_NETWORK,
                                      N_("the service has trouble: try again later")};
static const struct meaning refused = {0, SCA_INVALID, N_("correct what it complains of")};

static const struct meaning *find(const struct meaning *rows, size_t count,
                                  const struct econtract_verdict *verdict)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i].code == verdict->code)
            return &rows[i];
    for (size_t i = 0; i < count; i++)
        if (rows[i].code == verdict->http_status)
            return &rows[i];
    return NULL;
}

bool complaint_is_unauthorised(const struct econtract_verdict *verdict)
{
    return verdict->http_status == UNAUTHORISED || verdict->code == UNAUTHORISED;
}

static const struct meaning *meaning_of(const struct econtract_verdict *verdict,
                                        enum complaint_about what)
{
    const struct meaning *found = NULL;

    if (what == COMPLAINT_OF_LOGIN)
        found = find(of_login, ARRAY_LEN(of_login), verdict);
    if (!found)
        found = find(of_any, ARRAY_LEN(of_any), verdict);
    if (found)
        return found;
    bool is_unwell = verdict->code >= SERVER_ERROR_FIRST && verdict->code <= SERVER_ERROR_LAST;
    return is_unwell || verdict->http_status >= SERVER_ERROR_FIRST ? &unwell : &refused;
}

enum sca_status complaint_fail(const struct econtract_verdict *verdict, struct call *call,
                               enum complaint_about what)
{
    const struct meaning *meaning = meaning_of(verdict, what);
    const char *messages = verdict->messages[0] ? verdict->messages : wording("no message");
    bool is_whole =
        strlen(messages) <= NOTE_MESSAGES_MAX; /* the rest of the note is for the advice */

    /* An error page of a gateway has an HTTP status and no code. */
    bool is_http = verdict->code == ECONTRACT_OK && verdict->http_status != 200;
    return call_fail(
        call, meaning->status, "eContract: %s %ld: %.*s%s: %s", is_http ? "HTTP" : wording("code"),
        is_http ? verdict->http_status : verdict->code, (int)utf8_cut(messages, NOTE_MESSAGES_MAX),
        messages, is_whole ? "" : "...", wording(meaning->advice));
}

enum sca_status complaint_unreadable(const struct econtract_verdict *verdict, struct call *call,
                                     enum sca_status st, const char *why)
{
    if (st == SCA_NOMEM)
        return call_fail(call, st, "eContract: out of memory");
    if (verdict->http_status >= SERVER_ERROR_FIRST)
        return call_fail(call, unwell.status, "eContract: HTTP %ld: %s", verdict->http_status,
                         wording(unwell.advice));
    if (verdict->http_status == UNAUTHORISED)
        return call_fail(call, SCA_USER_AUTH,
                         "eContract: HTTP %ld: check username and password in [econtract]",
                         verdict->http_status);
    return call_fail(call, st,
                     "eContract: HTTP %ld with an answer that cannot be read (%s): check "
                     "url in [econtract]",
                     verdict->http_status, why);
}
