/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/module/background.h"

static void start(struct background *background, void *(*run)(void *))
{
    background->rv = CKR_GENERAL_ERROR;
    background->signature_len = SIGNATURE_LEN;
    assert_int_equal(pthread_create(&background->thread, NULL, run, background), 0);
}

static void *run_sign(void *arg)
{
    struct background *background = arg;
    background->rv = p11->C_Sign(background->session, MESSAGE, MESSAGE_LEN, background->signature,
                                 &background->signature_len);
    return NULL;
}

static void *run_login(void *arg)
{
    struct background *background = arg;
    background->rv = stage_login(background->session, FAKE_PIN_TEXT);
    return NULL;
}

static void *run_wait(void *arg)
{
    struct background *background = arg;
    background->slot = 0;
    background->rv = p11->C_WaitForSlotEvent(0, &background->slot, NULL);
    return NULL;
}

void background_sign(struct background *background, CK_SESSION_HANDLE session)
{
    background->session = session;
    start(background, run_sign);
}

void background_login(struct background *background, CK_SESSION_HANDLE session)
{
    background->session = session;
    start(background, run_login);
}

void background_wait(struct background *background)
{
    start(background, run_wait);
}

CK_RV background_join(struct background *background)
{
    assert_int_equal(pthread_join(background->thread, NULL), 0);
    return background->rv;
}
