/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures that a service makes and a person confirms: once, whatever fails here. */
#include <string.h>

#include "tests/inject/campaign.h"
#include "tests/inject/guest.h"

static CK_SESSION_HANDLE session;

static struct signature *made(void)
{
    return campaign_kept();
}

static void open_v1(void)
{
    MUST(p11->C_Initialize(NULL));
    MUST(guest_open(NULL, "SmartCA", 0, &session));
}

static void open_v2(void)
{
    MUST(p11->C_Initialize(NULL));
    MUST(guest_open(NULL, "SmartCA TH", 0, &session));
}

static void open_async(void)
{
    MUST(p11->C_Initialize(NULL));
    MUST(guest_open(NULL, "SmartCA", CKF_ASYNC_SESSION, &session));
}

static CK_RV sign(void)
{
    return guest_sign(session, campaign_document(), made());
}

static CK_RV sign_from_the_start(void)
{
    TRY(p11->C_Initialize(NULL));
    TRY(guest_open(NULL, "SmartCA", 0, &session));
    return sign();
}

static CK_RV sign_async(void)
{
    CK_UTF8CHAR function[] = "C_Sign";
    CK_ASYNC_DATA data = {.ulVersion = 0};

    CK_RV rv = sign();
    while (rv == CKR_PENDING)
        rv = p11->C_AsyncComplete(session, function, &data);
    if (rv == CKR_OK)
        made()->len = data.ulValue;
    return rv;
}

static CK_RV sign_message(void)
{
    const char *text = campaign_document();
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};

    TRY(guest_find(session, CKO_PRIVATE_KEY, NULL, &key));
    TRY(p11->C_MessageSignInit(session, &mechanism, key));
    made()->len = sizeof(made()->bytes);
    CK_RV rv = p11->C_SignMessage(session, NULL, 0, (CK_BYTE *)(uintptr_t)text, strlen(text),
                                  made()->bytes, &made()->len);
    CK_RV end = p11->C_MessageSignFinal(session);
    return rv != CKR_OK ? rv : end;
}

/* What was confirmed is collected by the next who asks; the person is asked once. */
static void signed_once(CK_RV rv, void (*open)(void))
{
    if (!guest_is_on())
        open();
    if (rv != CKR_OK)
        MUST(sign());
    guest_verify(session, campaign_document(), made());
    CLAIM(campaign_count_pushes() == 1);
}

static void v1_signed_once(CK_RV rv)
{
    signed_once(rv, open_v1);
}

static void v2_signed_once(CK_RV rv)
{
    signed_once(rv, open_v2);
}

/* The session is of another kind, or perhaps there is none. */
static void signed_once_by_another(CK_RV rv)
{
    (void)p11->C_Finalize(NULL);
    signed_once(rv, open_v1);
}

const struct story smartca_stories[] = {
    {"v1 C_Sign", false, open_v1, sign, v1_signed_once},
    {"v1 C_Sign, from C_Initialize on", false, NULL, sign_from_the_start, signed_once_by_another},
    {"v2 C_Sign", false, open_v2, sign, v2_signed_once},
    {"asynchronous C_Sign", false, open_async, sign_async, signed_once_by_another},
    {"C_SignMessage", false, open_v1, sign_message, signed_once_by_another},
    {NULL, false, NULL, NULL, NULL},
};
