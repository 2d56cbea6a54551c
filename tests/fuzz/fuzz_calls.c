/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sequences of calls in any order, with handles, lengths and pointers good and bad. Input: three
 * bytes per call, which function and two choices of arguments. Nothing of one input is left for
 * the next.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "module/entry/interface.h"
#include "tests/fuzz/quiet.h"
#include "tests/module/fake_backends.h"

enum { CALLS_AT_MOST = 200, SESSIONS = 4, BUFFER = 300, CALL_BYTES = 3 };

struct play {
    CK_SESSION_HANDLE sessions[SESSIONS];
    CK_BYTE buffer[BUFFER];
    CK_ULONG len;
    uint8_t a;
    uint8_t b;
};

static const struct cryptoki_list_3_2 *const p = &list_3_2;

/* A live session most times, else a closed one or none. */
static CK_SESSION_HANDLE pick_session(const struct play *play)
{
    return (play->a & 0xf0) == 0xf0 ? play->b : play->sessions[play->a % SESSIONS];
}

static CK_SLOT_ID pick_slot(const struct play *play)
{
    return FAKE_PHONE - 1 + play->b % 8U;
}

static CK_OBJECT_HANDLE pick_object(const struct play *play)
{
    return (FAKE_PHONE + play->b / 16U % 5U) * 256 + play->b % 16U;
}

static CK_BYTE *pick_buffer(struct play *play)
{
    return play->b & 0x80 ? NULL : play->buffer;
}

static CK_ULONG *pick_len(struct play *play)
{
    play->len = play->b & 0x40 ? BUFFER : play->b;
    return (play->b & 0x3f) == 0x3f ? NULL : &play->len;
}

static CK_MECHANISM *pick_mechanism(struct play *play, CK_MECHANISM *mechanism)
{
    static const CK_MECHANISM_TYPE types[] = {CKM_RSA_PKCS,        CKM_SHA256_RSA_PKCS,
                                              CKM_SHA512_RSA_PKCS, CKM_SHA256,
                                              CKM_SHA_1,           CKM_RSA_PKCS_PSS};
    *mechanism = (CK_MECHANISM){.mechanism = types[play->a / 4U % 6U]};
    if (play->a == 0x55)
        mechanism->ulParameterLen = play->b;
    return play->a == 0xaa ? NULL : mechanism;
}

static void open_session(struct play *play)
{
    CK_SESSION_HANDLE *session = &play->sessions[play->a % SESSIONS];
    (void)p->C_OpenSession(pick_slot(play), play->a & 0x10 ? 0x6 : 0x4, NULL, NULL, session);
}

static void log_in(struct play *play)
{
    CK_UTF8CHAR pin[] = FAKE_PIN_TEXT;
    (void)p->C_Login(pick_session(play), play->b % 4U, play->b & 0x80 ? NULL : pin,
                     6U - (play->b & 1U));
}

static void begin(struct play *play)
{
    CK_MECHANISM room;
    CK_MECHANISM *mechanism = pick_mechanism(play, &room);
    switch (play->b % 3) {
    case 0:
        (void)p->C_SignInit(pick_session(play), mechanism, pick_object(play));
        break;
    case 1:
        (void)p->C_VerifyInit(pick_session(play), mechanism, pick_object(play));
        break;
    default:
        (void)p->C_DigestInit(pick_session(play), mechanism);
        break;
    }
}

static void go_on(struct play *play)
{
    CK_ULONG len = play->b & 0x7f;
    switch (play->a / SESSIONS % 3) {
    case 0:
        (void)p->C_SignUpdate(pick_session(play), pick_buffer(play), len);
        break;
    case 1:
        (void)p->C_VerifyUpdate(pick_session(play), pick_buffer(play), len);
        break;
    default:
        (void)p->C_DigestUpdate(pick_session(play), pick_buffer(play), len);
        break;
    }
}

static void finish(struct play *play)
{
    CK_BYTE input[51] =
        "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
    CK_SESSION_HANDLE session = pick_session(play);
    CK_ULONG *len = pick_len(play);
    switch (play->a / SESSIONS % 6) {
    case 0:
        (void)p->C_Sign(session, input, sizeof(input), pick_buffer(play), len);
        break;
    case 1:
        (void)p->C_SignFinal(session, pick_buffer(play), len);
        break;
    case 2:
        (void)p->C_Verify(session, input, play->b % sizeof(input), play->buffer, 256);
        break;
    case 3:
        (void)p->C_VerifyFinal(session, pick_buffer(play), 256);
        break;
    case 4:
        (void)p->C_Digest(session, input, sizeof(input), pick_buffer(play), len);
        break;
    default:
        (void)p->C_DigestFinal(session, pick_buffer(play), len);
        break;
    }
}

static void find(struct play *play)
{
    CK_OBJECT_HANDLE objects[16];
    CK_ULONG count = 0;
    CK_SESSION_HANDLE session = pick_session(play);
    switch (play->b % 3) {
    case 0:
        (void)p->C_FindObjectsInit(session, NULL, play->b & 0x80 ? 1 : 0);
        break;
    case 1:
        (void)p->C_FindObjects(session, objects, play->b % 16U, &count);
        break;
    default:
        (void)p->C_FindObjectsFinal(session);
        break;
    }
}

static void look(struct play *play)
{
    CK_SESSION_INFO session;
    CK_TOKEN_INFO token;
    CK_ATTRIBUTE one = {play->a, play->buffer, play->b};
    (void)p->C_GetSessionInfo(pick_session(play), &session);
    (void)p->C_GetTokenInfo(pick_slot(play), &token);
    (void)p->C_GetAttributeValue(pick_session(play), pick_object(play), &one, 1);
    (void)p->C_GetOperationState(pick_session(play), NULL, pick_len(play));
    (void)p->C_GenerateRandom(pick_session(play), pick_buffer(play), play->b & 0x7fU);
}

static void end(struct play *play)
{
    switch (play->b % 6) {
    case 0:
        (void)p->C_CloseSession(pick_session(play));
        break;
    case 1:
        (void)p->C_CloseAllSessions(pick_slot(play));
        break;
    case 2:
        (void)p->C_Logout(pick_session(play));
        break;
    case 3:
        (void)p->C_SessionCancel(pick_session(play), play->a * 256UL);
        break;
    case 4:
        (void)p->C_Finalize(play->a & 1 ? NULL : play);
        break;
    default:
        (void)p->C_Initialize(play->a & 1 ? NULL : &(CK_C_INITIALIZE_ARGS){.flags = play->a});
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const acts[])(struct play *) = {open_session, log_in, begin, go_on,
                                                  finish,       find,   look,  end};
    struct play play = {.a = 0};

    quiet_configuration();
    if (p->C_Initialize(NULL) != CKR_OK)
        abort();
    for (size_t i = 0; i < CALLS_AT_MOST && size >= CALL_BYTES; i++) {
        play.a = data[1];
        play.b = data[2];
        acts[data[0] % 8](&play);
        data += CALL_BYTES;
        size -= CALL_BYTES;
    }
    CK_RV rv = p->C_Finalize(NULL);
    if (rv != CKR_OK && rv != CKR_CRYPTOKI_NOT_INITIALIZED)
        abort();
    if (fake_counted().live != 0)
        abort(); /* every token was let go */
    return 0;
}
