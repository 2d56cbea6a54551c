/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mechanisms and their parameters as an application might give them, with keys in this process.
 * Input: which key, which use, the mechanism, the form of its parameter (as it should be, or any
 * bytes at any address with any length), then what is signed.
 */
#include <stdlib.h>
#include <string.h>

#include "module/entry/interface.h"
#include "remote/base/cleanup.h"
#include "tests/fuzz/feed.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/quiet.h"
#include "tests/module/local_stage.h"

enum { SIGNATURE_ROOM = 300, KINDS = LOCAL_ED25519 + 1 };

static const CK_MECHANISM_TYPE types[] = {
    CKM_SHA256_RSA_PKCS,
    CKM_SHA384_RSA_PKCS,
    CKM_SHA512_RSA_PKCS,
    CKM_RSA_PKCS,
    CKM_SHA256_RSA_PKCS_PSS,
    CKM_SHA384_RSA_PKCS_PSS,
    CKM_SHA512_RSA_PKCS_PSS,
    CKM_RSA_PKCS_PSS,
    CKM_ECDSA_SHA256,
    CKM_ECDSA_SHA384,
    CKM_ECDSA_SHA512,
    CKM_ECDSA,
    CKM_ECDSA_SHA1,
    CKM_EDDSA,
    CKM_SHA_1,
    CKM_SHA256,
    CKM_RSA_PKCS_OAEP,
    CKM_RSA_X_509,
    CKM_EC_KEY_PAIR_GEN,
    CKM_MD5_RSA_PKCS,
};

static const CK_ULONG odd_lengths[] = {1,
                                       sizeof(CK_ULONG),
                                       sizeof(CK_RSA_PKCS_PSS_PARAMS) - 1,
                                       sizeof(CK_RSA_PKCS_PSS_PARAMS) + 1,
                                       1UL << 31,
                                       1UL << 32,
                                       (1UL << 32) + sizeof(CK_RSA_PKCS_PSS_PARAMS),
                                       ~0UL};

/* What the mechanism's pointer may point to. */
struct room {
    CK_RSA_PKCS_PSS_PARAMS pss;
    struct cryptoki_eddsa_params eddsa;
    uint8_t *bytes; /* malloced, exactly as long as it has to be */
};

static struct disk_pair pairs[KINDS];

static void set_up(void)
{
    if (p11)
        return;
    quiet_configuration();
    fake_reset();
    fake_play((struct fake_script){.has_disk = true});
    p11 = &list_3_2;
    require(p11->C_Initialize(NULL) == CKR_OK);
    CK_SESSION_HANDLE session = disk_logged_in(); /* stays open, so that the login stays */
    for (unsigned i = 0; i < KINDS; i++)
        pairs[i] = local_generate(session, (enum local_kind)i, CK_TRUE, NULL);
}

static void make_pss(struct feed *feed, CK_MECHANISM *mechanism, struct room *room)
{
    static const CK_MECHANISM_TYPE hashes[] = {CKM_SHA256, CKM_SHA384, CKM_SHA512, CKM_SHA_1};
    static const CK_ULONG mgfs[] = {CKG_MGF1_SHA256, CKG_MGF1_SHA384, CKG_MGF1_SHA512,
                                    CKG_MGF1_SHA1};
    uint8_t choice = feed_byte(feed);
    uint8_t salt = feed_byte(feed);

    room->pss.hashAlg = choice & 0x80 ? feed_number(feed) : hashes[choice % ARRAY_LEN(hashes)];
    room->pss.mgf = choice & 0x40 ? feed_number(feed) : mgfs[choice / 4U % ARRAY_LEN(mgfs)];
    room->pss.sLen = salt == 0xff ? feed_number(feed) : salt;
    mechanism->pParameter = &room->pss;
    mechanism->ulParameterLen = sizeof(room->pss);
}

static void make_eddsa(struct feed *feed, CK_MECHANISM *mechanism, struct room *room)
{
    uint8_t choice = feed_byte(feed);

    room->eddsa.phFlag = choice & 1;
    room->eddsa.ulContextDataLen = choice & 2 ? feed_number(feed) : 0;
    room->eddsa.pContextData = choice & 4 ? (CK_BYTE *)&room->eddsa : NULL;
    mechanism->pParameter = &room->eddsa;
    mechanism->ulParameterLen = sizeof(room->eddsa);
}

/* Bytes of the input, at an odd address if the choice says so. */
static void make_bytes(struct feed *feed, CK_MECHANISM *mechanism, struct room *room, bool is_odd)
{
    struct span given = feed_bytes(feed, feed_byte(feed));

    room->bytes = malloc(given.len + 1);
    require(room->bytes != NULL);
    if (given.len > 0)
        memcpy(room->bytes + is_odd, given.ptr, given.len);
    mechanism->pParameter = room->bytes + is_odd;
    mechanism->ulParameterLen = given.len;
}

static void make_mechanism(struct feed *feed, CK_MECHANISM *mechanism, struct room *room)
{
    uint8_t type = feed_byte(feed);
    uint8_t form = feed_byte(feed);

    *mechanism = (CK_MECHANISM){.mechanism = types[type % ARRAY_LEN(types)]};
    if (type == 0xff)
        mechanism->mechanism = feed_number(feed);
    switch (form % 7) {
    case 1:
        make_pss(feed, mechanism, room);
        break;
    case 2:
        make_eddsa(feed, mechanism, room);
        break;
    case 3:
    case 4:
        make_bytes(feed, mechanism, room, form % 7 == 4);
        break;
    case 5: /* a length, and nothing there */
        mechanism->ulParameterLen = odd_lengths[feed_byte(feed) % ARRAY_LEN(odd_lengths)];
        break;
    case 6: /* the right thing with a wrong length, of which nobody may believe a byte */
        make_pss(feed, mechanism, room);
        mechanism->ulParameterLen = odd_lengths[feed_byte(feed) % ARRAY_LEN(odd_lengths)];
        break;
    default:
        break;
    }
}

struct use {
    CK_SESSION_HANDLE session;
    CK_MECHANISM *mechanism;
    const struct disk_pair *pair;
    struct span input;
};

static CK_BYTE *bytes_of(struct span span)
{
    return (CK_BYTE *)(uintptr_t)span.ptr;
}

static CK_RV verify(const struct use *use, CK_BYTE *signature, CK_ULONG len)
{
    CK_RV rv = p11->C_VerifyInit(use->session, use->mechanism, use->pair->public_key);
    require(rv == CKR_OK); /* what signs verifies */
    return p11->C_Verify(use->session, bytes_of(use->input), use->input.len, signature, len);
}

/* Right as it is, wrong with any bit changed. */
static void check_signature(const struct use *use, CK_BYTE *signature, CK_ULONG len)
{
    require(verify(use, signature, len) == CKR_OK);
    signature[len / 2] ^= 1;
    require(verify(use, signature, len) == CKR_SIGNATURE_INVALID);
    require(verify(use, signature, len - 1) == CKR_SIGNATURE_LEN_RANGE);
}

static void sign(const struct use *use)
{
    CK_BYTE signature[SIGNATURE_ROOM];
    CK_BYTE untouched[SIGNATURE_ROOM];
    CK_ULONG wanted = 0;
    CK_ULONG len = sizeof(signature);

    memset(signature, 0xa5, sizeof(signature));
    memset(untouched, 0xa5, sizeof(untouched));
    if (p11->C_SignInit(use->session, use->mechanism, use->pair->private_key) != CKR_OK)
        return;
    require(p11->C_Sign(use->session, bytes_of(use->input), use->input.len, NULL, &wanted) ==
            CKR_OK);
    require(wanted > 0 && wanted < sizeof(signature));
    CK_RV rv = p11->C_Sign(use->session, bytes_of(use->input), use->input.len, signature, &len);
    if (rv == CKR_OK) {
        require(len == wanted && memcmp(signature + len, untouched, sizeof(signature) - len) == 0);
        check_signature(use, signature, len);
    } else {
        require(memcmp(signature, untouched, sizeof(signature)) == 0);
    }
    require(p11->C_Sign(use->session, bytes_of(use->input), use->input.len, signature, &len) ==
            CKR_OPERATION_NOT_INITIALIZED);
}

/* Any bytes as a signature. */
static void check(const struct use *use)
{
    CK_BYTE nothing[1] = {0};
    if (p11->C_VerifyInit(use->session, use->mechanism, use->pair->public_key) == CKR_OK)
        (void)p11->C_Verify(use->session, nothing, 1, bytes_of(use->input), use->input.len);
}

static void recover(const struct use *use)
{
    CK_BYTE signature[SIGNATURE_ROOM];
    CK_BYTE data[SIGNATURE_ROOM];
    CK_ULONG len = sizeof(signature);
    CK_ULONG data_len = sizeof(data);

    if (p11->C_SignRecoverInit(use->session, use->mechanism, use->pair->private_key) != CKR_OK ||
        p11->C_SignRecover(use->session, bytes_of(use->input), use->input.len, signature, &len) !=
            CKR_OK)
        return;
    require(p11->C_VerifyRecoverInit(use->session, use->mechanism, use->pair->public_key) ==
            CKR_OK);
    require(p11->C_VerifyRecover(use->session, signature, len, data, &data_len) == CKR_OK);
    require(span_equal(span_of(data, data_len), use->input));
}

static void sign_message(const struct use *use)
{
    CK_BYTE signature[SIGNATURE_ROOM];
    CK_ULONG len = sizeof(signature);

    if (p11->C_MessageSignInit(use->session, use->mechanism, use->pair->private_key) != CKR_OK)
        return;
    CK_RV rv = p11->C_SignMessage(use->session, NULL, 0, bytes_of(use->input), use->input.len,
                                  signature, &len);
    require(p11->C_MessageSignFinal(use->session) == CKR_OK);
    if (rv == CKR_OK)
        check_signature(use, signature, len);
}

static void digest(const struct use *use)
{
    CK_BYTE out[SIGNATURE_ROOM];
    CK_ULONG len = sizeof(out);

    if (p11->C_DigestInit(use->session, use->mechanism) == CKR_OK)
        require(p11->C_Digest(use->session, bytes_of(use->input), use->input.len, out, &len) ==
                CKR_OK);
}

/* With nothing in the templates but a curve: it is the parameter that is tried. */
static void generate(const struct use *use)
{
    static CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
    CK_ATTRIBUTE curve = {CKA_EC_PARAMS, p256, sizeof(p256)};
    CK_OBJECT_HANDLE made[2] = {CK_INVALID_HANDLE, CK_INVALID_HANDLE};

    CK_RV rv = p11->C_GenerateKeyPair(use->session, use->mechanism, &curve, 1, NULL, 0, &made[0],
                                      &made[1]);
    require((rv == CKR_OK) == (made[0] != CK_INVALID_HANDLE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const uses[])(const struct use *) = {sign,         check,  recover,
                                                       sign_message, digest, generate};
    struct feed feed = {data, size};
    struct room room = {.bytes = NULL};
    CK_MECHANISM mechanism;

    set_up();
    struct use use = {.session = stage_open_rw(FAKE_DISK), .mechanism = &mechanism};
    use.pair = &pairs[feed_byte(&feed) % KINDS];
    void (*const act)(const struct use *) = uses[feed_byte(&feed) % ARRAY_LEN(uses)];
    make_mechanism(&feed, &mechanism, &room);
    use.input = feed_bytes(&feed, feed.left);
    act(&use);
    require(p11->C_CloseSession(use.session) == CKR_OK);
    free(room.bytes);
    return 0;
}
