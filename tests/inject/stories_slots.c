/* SPDX-License-Identifier: Apache-2.0 */
/* From C_Initialize to C_Finalize, with slots of all kinds. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "tests/inject/campaign.h"
#include "tests/inject/guest.h"

static CK_RV look_at_all(void)
{
    TRY(p11->C_Initialize(NULL));
    CK_RV rv = guest_view(campaign_kept());
    CK_RV end = p11->C_Finalize(NULL);
    return rv != CKR_OK ? rv : end;
}

/* An application that got nothing but CKR_OK has seen everything. */
static void all_is_there(CK_RV rv)
{
    const uint64_t *seen = campaign_kept();
    uint64_t before = *seen;

    MUST(look_at_all());
    CLAIM(*seen == campaign_first_view(*seen));
    CLAIM(rv != CKR_OK || before == *seen || !campaign_is_of_memory());
}

static void forget_certificates(void)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/smartca-pkcs11/catalogue", getenv("XDG_STATE_HOME"));
    CLAIM(unlink(path) == 0);
}

/* What could not be fetched is an empty slot, so success says nothing about what was seen. */
static void all_is_there_the_next_time(CK_RV rv)
{
    const uint64_t *seen = campaign_kept();

    (void)rv;
    MUST(look_at_all());
    /* A token whose file cannot be read when the catalogue is made anew gets another slot. */
    CLAIM(*seen == campaign_first_view(*seen) || !campaign_is_of_memory());
}

const struct story slot_stories[] = {
    {"slots", false, NULL, look_at_all, all_is_there},
    {"slots, first fetch", false, forget_certificates, look_at_all, all_is_there_the_next_time},
    {NULL, false, NULL, NULL, NULL},
};
