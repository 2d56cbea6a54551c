/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of all functions over the real backends and the real protocol, to a service that answers
 * from the input: the right thing, the right thing at the wrong time, with a byte changed, any
 * bytes, or not at all. A signature is right or it is none; nobody is asked more often than
 * something is to be signed. Input: a blob of calls, as caller.c reads them, then the answers: a
 * byte for what, one for the HTTP status, one for the time it takes, and what the first needs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cjson/cJSON.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/catalogue/catalogue.h"
#include "remote/http/http.h"
#include "remote/remote.h"
#include "tests/fuzz/caller.h"
#include "tests/fuzz/frozen.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/story.h"

enum { SIGNATURE = 256, MESSAGE_MAX = 8192, IDS_MAX = 256, FILE_MAX = 1 << 20 };

#define USER(letter) "01234567890" letter

static const char config[] =
    "[smartca]\nurl = " STORY_URL "\nsp_id = us\nsp_password = word\n"
    "confirm_timeout = 30\npoll_interval = 2\n"
    "[account app]\nuser_id = " USER(
        "1") "\n"
             "[account totp]\nuser_id = " USER(
                 "2") "\nconfirm = totp\n"
                      "password = pass-word\ntotp_secret = hex:3132333435363738393031323334\n"
                      "[account otp]\nuser_id = " USER(
                          "3") "\nconfirm = otp\n"
                               "password = pass-word\n"
                               "[account pin]\nuser_id = " USER(
                                   "4") "\npin = required\n"
                                        "[account new]\nuser_id = " USER("5") "\n";
enum { KNOWN_USERS = 4 }; /* the fifth was never fetched */

/* What a session signs, for all that it told us. */
struct signing {
    CK_SESSION_HANDLE session;
    CK_MECHANISM_TYPE type;
    uint8_t message[MESSAGE_MAX];
    size_t len;
    bool is_pending; /* of an asynchronous C_Sign in this session */
};

static struct {
    struct story story; /* for its key, and for how it signs */
    struct transport transport;
    struct buf catalogue;
    struct feed *feed;
    char *posted; /* the last request to sign */
    char ids[IDS_MAX][64];
    size_t id_count;   /* so many transactions were begun */
    size_t sign_count; /* by so many calls that may begin one */
    struct signing signings[CALLER_SESSIONS];
} stage;

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
enum sca_status __wrap_remote_load(struct call *call, const struct remote_ops **ret_ops);
enum sca_status __wrap_http_transport_new(const struct http_settings *settings,
                                          OSSL_LIB_CTX *libctx, struct transport **ret_transport);
void __wrap_http_transport_free(struct transport *transport);

/* The network half is linked, not loaded. */
enum sca_status __wrap_remote_load(struct call *call, const struct remote_ops **ret_ops)
{
    (void)call;
    *ret_ops = &smartca_remote;
    return SCA_OK;
}

enum sca_status __wrap_http_transport_new(const struct http_settings *settings,
                                          OSSL_LIB_CTX *libctx, struct transport **ret_transport)
{
    (void)settings;
    (void)libctx;
    *ret_transport = &stage.transport;
    return SCA_OK;
}

void __wrap_http_transport_free(struct transport *transport)
{
    (void)transport;
}
/* NOLINTEND(bugprone-reserved-identifier) */

/* A new transaction each time its id is new. */
static void note_request(const struct http_request *request)
{
    size_t at = 0;

    if (!request->body.len || !memmem(request->body.ptr, request->body.len, "sign_files", 10))
        return;
    free(stage.posted);
    stage.posted = strndup((const char *)request->body.ptr, request->body.len);
    char *id = story_text_of(stage.posted, "transaction_id");
    require(id && stage.id_count < IDS_MAX);
    (void)snprintf(stage.ids[stage.id_count], sizeof(stage.ids[0]), "%s", id);
    while (strcmp(stage.ids[at], id) != 0)
        at++;
    stage.id_count += at == stage.id_count;
    free(id);
}

static const char *const texts[] = {
    ACCEPTED,
    WAITING,
    REJECTED,
    EXPIRED,
    UNKNOWN_ID,
    ENVELOPE("200", "success",
             "{\"transaction_id\":\"t\",\"tran_code\":\"c\",\"sad\":\"e.y.J\",\"expired_in\":300}"),
    ENVELOPE("1003", "OTP is not valid", "null"),
    ENVELOPE("65000", "package used up", "null"),
    ENVELOPE("200", "success", "{\"user_certificates\":[]}"),
};

static const char *const signed_kinds[] = {SIGNED, SIGNED_NAMELESS, SIGNED_TWISTED, SIGNED_PARTLY};

enum {
    TEXTS = ARRAY_LEN(texts),
    SIGNED_KINDS = ARRAY_LEN(signed_kinds),
    ANSWER_ANY = SIGNED_KINDS + TEXTS, /* a blob */
    ANSWER_CHANGED,                    /* signed, with one byte changed */
    ANSWER_LOST,
    ANSWER_UNSENT,
    ANSWER_TOO_LONG,
    ANSWER_COUNT,
};

static enum sca_status write_signed(struct feed *feed, unsigned what, struct buf *body)
{
    const char *kind = signed_kinds[what < SIGNED_KINDS ? what : 0];
    char *text = stage.posted ? story_signed_body(&stage.story, stage.posted, kind) : strdup("");

    require(text != NULL);
    if (what == ANSWER_CHANGED && text[0]) {
        size_t at = feed_byte(feed) * 4UL + feed_byte(feed);
        text[at % strlen(text)] = (char)(feed_byte(feed) | 1);
    }
    enum sca_status st = buf_append(body, span_text(text));
    cJSON_free(text);
    return st;
}

static enum sca_status write_answer(struct feed *feed, unsigned what, struct buf *body)
{
    if (what < SIGNED_KINDS || what == ANSWER_CHANGED)
        return write_signed(feed, what, body);
    if (what == ANSWER_ANY)
        return buf_append(body, feed_blob(feed));
    return buf_append(body, span_text(texts[what - SIGNED_KINDS]));
}

static enum sca_status answer(struct transport *transport, struct call *call,
                              const struct http_request *request, struct http_response *response)
{
    static const long http_statuses[] = {400, 401, 403, 404, 409, 429, 500, 302};
    unsigned what = feed_byte(stage.feed) % ANSWER_COUNT;
    uint8_t status = feed_byte(stage.feed);

    (void)transport;
    frozen_pass(feed_byte(stage.feed) * 100UL);
    http_response_fini(response);
    if (what == ANSWER_UNSENT)
        return call_fail(call, SCA_NETWORK, "connection refused");
    note_request(request);
    response->was_sent = true;
    if (call_is_cancelled(call))
        return SCA_CANCELLED;
    if (what == ANSWER_LOST)
        return call_fail(call, SCA_NETWORK, "connection reset");
    if (what == ANSWER_TOO_LONG)
        return call_fail(call, SCA_PROTOCOL, "too long");
    response->status = status < 0xe0 ? 200 : http_statuses[status % ARRAY_LEN(http_statuses)];
    response->retry_after_ms = status & 0x10 ? 1000 : 0;
    return write_answer(stage.feed, what, &response->body);
}

/* Of a session with a key at the service; NULL for any other word. */
static struct signing *signing_of(const struct caller *caller, uintptr_t word)
{
    for (size_t i = 0; i < CALLER_SESSIONS; i++) {
        CK_SLOT_ID slot = caller->sessions[i].slot; /* 0 is the empty one's */
        if (!word || caller->sessions[i].handle != word || slot == 0 || slot > KNOWN_USERS)
            continue;
        if (stage.signings[i].session != word)
            stage.signings[i] = (struct signing){.session = word};
        return &stage.signings[i];
    }
    return NULL;
}

/* The signature is PKCS#1 v1.5 of the message, with the key of all certificates. */
static void check_signature(const struct signing *signing, struct span message,
                            const uint8_t *signature)
{
    static const uint8_t prefix[] =
        "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
    uint8_t out[SIGNATURE];
    uint8_t info[sizeof(prefix) - 1 + 32];
    size_t len = sizeof(out);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(stage.story.pkey, NULL);

    require(ctx && EVP_PKEY_verify_recover_init(ctx) == 1 &&
            EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
            EVP_PKEY_verify_recover(ctx, out, &len, signature, SIGNATURE) == 1);
    EVP_PKEY_CTX_free(ctx);
    if (signing->type == CKM_RSA_PKCS) {
        require(span_equal(message, span_of(out, len)));
        return;
    }
    require(signing->type == CKM_SHA256_RSA_PKCS);
    memcpy(info, prefix, sizeof(prefix) - 1);
    require(EVP_Digest(message.ptr, message.len, info + sizeof(prefix) - 1, NULL, EVP_sha256(),
                       NULL) == 1);
    require(span_equal(span_of(info, sizeof(info)), span_of(out, len)));
}

static void append(struct signing *signing, uintptr_t data, uintptr_t len)
{
    require(signing->len + len <= MESSAGE_MAX && (data || len == 0));
    if (data && len > 0)
        memcpy(signing->message + signing->len, (const void *)data, len);
    signing->len += len;
}

/* out, len: where a signature is, if there is one. */
static void look_at(const struct signing *signing, struct span message, uintptr_t out,
                    uintptr_t len)
{
    if (out && len) {
        require(*(const CK_ULONG *)len == SIGNATURE);
        check_signature(signing, message, (const uint8_t *)out);
    }
}

static void count_signing(const char *name)
{
    static const char *const names[] = {"C_Sign",          "C_SignFinal",
                                        "C_SignMessage",   "C_SignMessageNext",
                                        "C_AsyncComplete", "C_AsyncGetID"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        stage.sign_count += strcmp(name, names[i]) == 0;
}

/* What came of a C_Sign that was begun in this session. */
static void look_at_late(struct signing *signing, uintptr_t word)
{
    const CK_ASYNC_DATA *data = (const CK_ASYNC_DATA *)word;

    if (!signing->is_pending || !data)
        return;
    require(data->ulValue == SIGNATURE);
    check_signature(signing, span_of(signing->message, signing->len), data->pValue);
    signing->is_pending = false;
}

static void remember(struct signing *signing, const char *name, const uintptr_t *words, CK_RV rv)
{
    bool is_begun = strcmp(name, "SignInit") == 0 || strcmp(name, "MessageSignInit") == 0;

    if (is_begun && rv == CKR_OK && words[1])
        *signing = (struct signing){.session = words[0],
                                    .type = ((const CK_MECHANISM *)words[1])->mechanism};
    if (strcmp(name, "SignUpdate") == 0 && rv == CKR_OK)
        append(signing, words[1], words[2]);
    if (strcmp(name, "AsyncJoin") == 0)
        signing->is_pending = false; /* of somebody else's message, perhaps */
    if (strcmp(name, "Sign") == 0 && rv == CKR_PENDING) {
        append(signing, words[1], words[2]);
        signing->is_pending = true;
    }
}

static void after(struct caller *caller, const struct row *row, const uintptr_t *words, CK_RV rv)
{
    const char *name = row->name + 2;
    struct signing *signing = signing_of(caller, words[0]);

    frozen_pass(1000); /* an application does not ask for news all the time */
    count_signing(row->name);
    require(stage.id_count <= stage.sign_count);
    if (!signing)
        return;
    remember(signing, name, words, rv);
    if (rv != CKR_OK)
        return;
    if (strcmp(name, "Sign") == 0)
        look_at(signing, span_of((const void *)words[1], words[2]), words[3], words[4]);
    else if (strcmp(name, "SignFinal") == 0)
        look_at(signing, span_of(signing->message, signing->len), words[1], words[2]);
    else if (strcmp(name, "SignMessage") == 0)
        look_at(signing, span_of((const void *)words[3], words[4]), words[5], words[6]);
    else if (strcmp(name, "AsyncComplete") == 0)
        look_at_late(signing, words[2]);
}

static void store_account(const char *state, const char *user, struct span spki)
{
    char serial[2] = {user[strlen(user) - 1], 0};
    BIGNUM *n = NULL;
    uint8_t modulus[SIGNATURE];

    require(EVP_PKEY_get_bn_param(stage.story.pkey, "n", &n) == 1 &&
            BN_bn2binpad(n, modulus, SIGNATURE) == SIGNATURE);
    BN_free(n);
    const struct certificate leaf = {
        .der = span_text("a certificate"),
        .subject = span_of("\x30\x00", 2),
        .issuer = span_of("\x30\x00", 2),
        .serial = span_text(serial),
        .spki = spki,
        .id = span_text("01234567890123456789"),
        .modulus = span_of(modulus, sizeof(modulus)),
        .exponent = span_of("\x01\x00\x01", 3),
        .common_name = span_text(user),
        .not_after = INT64_C(1) << 40,
    };
    const struct fetched_certificate item = {.service_serial = serial,
                                             .service_status = "ACTIVE",
                                             .state = CERTIFICATE_ACTIVE,
                                             .leaf = &leaf};
    require(catalogue_store(state, STORY_URL, user, STORY_BEGIN_S, &item, 1) == SCA_OK);
}

static void keep_catalogue(const char *path)
{
    const char *why = NULL;

    require(file_read_trusted(path, FILE_ANY, FILE_MAX, false, &stage.catalogue, &why) == SCA_OK);
}

/* Once: the configuration, a key, and a catalogue that each input begins with. */
static void set_up(void)
{
    static const char *const users[KNOWN_USERS] = {USER("1"), USER("2"), USER("3"), USER("4")};
    char text[2048];
    char path[512];
    uint8_t *spki = NULL;

    if (stage.story.pkey)
        return;
    stage.transport.send = answer;
    stage.story.pkey = EVP_RSA_gen(8U * SIGNATURE);
    int len = stage.story.pkey ? i2d_PUBKEY(stage.story.pkey, &spki) : 0;
    require(len > 0);
    (void)snprintf(text, sizeof(text),
                   "[module]\nlog = /dev/null\nlog_level = debug\n"
                   "state_dir = %s/state\n%s",
                   feed_folder(), config);
    feed_file("fuzz.conf", span_text(text));
    (void)snprintf(path, sizeof(path), "%s/fuzz.conf", feed_folder());
    require(setenv("SMARTCA_PKCS11_CONF", path, 1) == 0 && unsetenv("SMARTCA_PKCS11_LOG") == 0);
    (void)snprintf(path, sizeof(path), "%s/state", feed_folder());
    for (size_t i = 0; i < KNOWN_USERS; i++)
        store_account(path, users[i], span_of(spki, (size_t)len));
    OPENSSL_free(spki);
    (void)snprintf(path, sizeof(path), "%s/state/catalogue", feed_folder());
    keep_catalogue(path);
}

static void clean(void)
{
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/state", feed_folder());
    feed_folder_clear(path);
    feed_file("state/catalogue", buf_span(&stage.catalogue));
    frozen_reset();
    free(stage.posted);
    stage.posted = NULL;
    stage.id_count = 0;
    stage.sign_count = 0;
    memset(stage.signings, 0, sizeof(stage.signings));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed answers = {data, size};
    struct span called = feed_blob(&answers);
    struct feed calls = {called.ptr, called.len};
    struct caller *caller = calloc(1, sizeof(*caller));

    require(caller != NULL);
    set_up();
    clean();
    stage.feed = &answers;
    caller->feed = &calls;
    caller->after = after;
    caller->pins[0] = "270319";
    caller->pins[1] = "270319123456";
    caller->pins[2] = "123456";
    caller->pins[3] = "wrong";
    caller_run(caller);
    free(caller);
    return 0;
}
