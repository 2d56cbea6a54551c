/* SPDX-License-Identifier: Apache-2.0 */
/* What a refusal of the service is to the caller: a status, and a sentence with the next step. */
#include <string.h>

#include "remote/base/log.h"
#include "remote/base/wording.h"
#include "remote/smartca/service.h"

enum {
    WORDS_MAX = 100, /* of the service, in a note */
    MASKED_MIN = 6,  /* a shorter user_id would hide ordinary words */
};

/* What a verdict is to the caller, and the next step. */
static const struct {
    enum sca_status status;
    const char *advice;
} refusals[] = {
    [VERDICT_SIGNED] = {SCA_NETWORK, ""},
    [VERDICT_ACCEPTED] = {SCA_NETWORK, ""},
    [VERDICT_WAITING] = {SCA_NETWORK, ""},
    [VERDICT_REJECTED] = {SCA_REJECTED,
                          N_("rejected on the phone; sign again if that was a mistake")},
    [VERDICT_EXPIRED] = {SCA_UNCONFIRMED,
                         N_("expired at the service; sign again and confirm on the phone in time")},
    [VERDICT_UNKNOWN_ID] = {SCA_PROTOCOL, N_("the service does not know this; check url")},
    [VERDICT_EXISTS] = {SCA_NETWORK, ""},
    [VERDICT_SERVICE_AUTH] =
        {SCA_SERVICE_AUTH,
         N_("sp_id or sp_password refused; check both with the service provider")},
    [VERDICT_USER_AUTH] = {SCA_USER_AUTH, N_("the person's password refused; correct it (smartca "
                                             "account pin NAME --reset)")},
    [VERDICT_OTP_REFUSED] = {SCA_USER_AUTH, N_("one-time password refused")},
    [VERDICT_NOT_PERMITTED] =
        {SCA_NOT_PERMITTED, N_("certificate revoked, expired or not activated; see smartca slots")},
    [VERDICT_EXHAUSTED] = {SCA_EXHAUSTED, N_("signing package used up; buy or renew it at VNPT")},
    [VERDICT_BUSY] = {SCA_NETWORK, N_("the service has too many requests; try again later")},
    [VERDICT_TROUBLE] = {SCA_NETWORK, N_("the service has trouble; try again later")},
    [VERDICT_FAILED] = {SCA_PROTOCOL, N_("refused by the service; see its message")},
};

static const char user_refused[] = N_("user_id refused; check it in the account's section");

/* "CCCD:012345678901" is that number too. */
static const char *number_of(const char *user_id)
{
    const char *colon = strrchr(user_id, ':');
    return colon ? colon + 1 : user_id;
}

/* How long the number is that words begin with, as it is or in groups ("012.345.678.901"); 0: it is
 * another one. */
static size_t number_len(const char *words, const char *number)
{
    const char *at = words;

    for (; *number; number++, at++) {
        if (at > words && strchr(" .-", *at) && *at)
            at++;
        if (*at != *number)
            return 0;
    }
    return (size_t)(at - words);
}

/* The service's message with the identity number it may repeat hidden. The mask is never longer
 * than the number. */
static void quote_words(const struct smartca_client *client, const struct answer *answer,
                        char out[static CODEC_MESSAGE_SIZE])
{
    const char *from = answer->reply ? answer->reply->message : wording("no readable answer");
    const char *number = number_of(client->account->user_id);
    bool is_hidden = strlen(number) >= MASKED_MIN;
    char masked[LOG_MASK_SIZE];

    (void)log_mask(number, masked);
    while (*from) {
        size_t len = is_hidden ? number_len(from, number) : 0;
        if (len > 0)
            out = stpcpy(out, masked);
        else
            *out++ = *from;
        from += len > 0 ? len : 1;
    }
    *out = 0;
}

enum sca_status service_refusal(const struct smartca_client *client, struct call *call,
                                const struct answer *answer)
{
    char words[CODEC_MESSAGE_SIZE];
    bool is_users = answer->verdict == VERDICT_SERVICE_AUTH && answer->reply &&
                    verdict_blames_user(answer->reply);

    quote_words(client, answer, words);
    words[utf8_cut(words, WORDS_MAX)] = 0;
    return call_fail(call, refusals[answer->verdict].status, "account %s: %s (code %lu: %s)",
                     client->account->name,
                     wording(is_users ? user_refused : refusals[answer->verdict].advice),
                     call->device_error, words);
}
