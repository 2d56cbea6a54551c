/* SPDX-License-Identifier: Apache-2.0 */
/* Another vendor's token behind ours. */
#include "tests/inject/campaign.h"
#include "tests/inject/guest.h"

static CK_SESSION_HANDLE session;
static struct signature signature;

static CK_RV sign(void)
{
    TRY(p11->C_Initialize(NULL));
    TRY(guest_open("usb", NULL, 0, &session));
    TRY(guest_login(session, GUEST_PIN));
    return guest_sign(session, "foreign", &signature);
}

static void is_signed(CK_RV rv)
{
    if (rv == CKR_OK)
        guest_verify(session, "foreign", &signature);
    (void)p11->C_Finalize(NULL);
    MUST(sign());
    guest_verify(session, "foreign", &signature);
}

static CK_RV look_at_all(void)
{
    TRY(p11->C_Initialize(NULL));
    CK_RV rv = guest_view(campaign_kept());
    CK_RV end = p11->C_Finalize(NULL);
    return rv != CKR_OK ? rv : end;
}

static void all_is_there(CK_RV rv)
{
    const uint64_t *seen = campaign_kept();

    (void)rv;
    MUST(look_at_all());
    CLAIM(*seen == campaign_first_view(*seen));
}

const struct story foreign_stories[] = {
    {"pass-through C_Sign", true, NULL, sign, is_signed},
    {"slots, a token passed through", true, NULL, look_at_all, all_is_there},
    {NULL, false, NULL, NULL, NULL},
};
