/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes wrong below HTTP: connections, TLS, proxies, names and routes, against C_Sign from the
 * start, and while the phone is waited for. network_test.sh makes the network of the last rows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "remote/http/http.h"
#include "tests/integration/harness.h"
#include "tests/integration/relay.h"
#include "tests/lib/folder.h"
#include "tests/unit/http_server.h"

enum {
    CONNECT_MS = 1000,
    CONFIRM_MS = 6000,
    SLACK_MS = 2000,
    LINES_MAX = 512,
    PIN_SIZE = 64,
};

/* libcurl's. */
enum {
    NO_SUCH_PROXY = 5,
    CANNOT_CONNECT = 7,
    TOO_LATE = 28,
    TLS_FAILED = 35,
    NOTHING_HEARD = 56,
    NOT_TRUSTED = 60,
    NOT_PINNED = 90,
};
#define TIMES                                                                                      \
    "connect_timeout = 1\nrequest_timeout = 3\nconfirm_timeout = 6\npoll_interval = 0.05\n"

static struct world world;
static struct relay relay;
static struct authority authority;

/* Everything goes through the relay, whatever is behind it. */
static void configure(const char *url, const char *lines)
{
    char text[LINES_MAX];
    struct world through = world;
    if (url)
        (void)snprintf(through.service, sizeof(through.service), "%s", url);
    else
        (void)snprintf(through.service, sizeof(through.service), "https://127.0.0.1:%u",
                       relay.port);
    (void)snprintf(text, sizeof(text), TIMES "%s", lines);
    world_configure(&through, text);
}

static unsigned service_port(void)
{
    return (unsigned)strtoul(strrchr(world.service, ':') + 1, NULL, 10);
}

static int start(void **state)
{
    char path[96];
    char line[256];
    (void)state;
    world_prepare(&world, NULL, "");
    relay_start(&relay, service_port());

    /* The authority of other servers is trusted, too: what is wrong with them is something else. */
    authority_init(&authority, "Another CA");
    (void)snprintf(path, sizeof(path), "%s/other.pem", world.folder);
    authority_write(&authority, path);
    FILE *other = fopen(path, "re");
    (void)snprintf(path, sizeof(path), "%s/service/tls-ca.pem", world.folder);
    FILE *trusted = fopen(path, "ae");
    assert_true(other && trusted);
    while (fgets(line, sizeof(line), other))
        assert_true(fputs(line, trusted) >= 0);
    (void)fclose(other);
    assert_int_equal(fclose(trusted), 0);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    authority_fini(&authority);
    relay_stop(&relay);
    world_stop(&world);
    return 0;
}

/* Also after a test that failed in the middle. */
static int calm_down(void **state)
{
    (void)state;
    (void)world.p11->C_Finalize(NULL);
    return 0;
}

/* A first day, and a session. */
static CK_SESSION_HANDLE open_stage(const char *lines)
{
    char path[96];
    (void)snprintf(path, sizeof(path), "%s/state", world.folder);
    (void)folder_remove(path);
    world_control(&world, "reset", "{}");
    relay_set(&relay, RELAY_PASSES, service_port());
    configure(NULL, lines);
    assert_int_equal(world.p11->C_Initialize(NULL), CKR_OK);
    return world_session(&world, NULL, NULL);
}

static void close_stage(void)
{
    relay_set(&relay, RELAY_PASSES, service_port());
    assert_int_equal(world.p11->C_Finalize(NULL), CKR_OK);
}

/* Signs, with the right code of libcurl, transactions, and within limit_ms; name: the row's. */
static void assert_signs(CK_SESSION_HANDLE session, const char *name, CK_RV expected,
                         unsigned transactions, unsigned limit_ms)
{
    static const CK_BYTE untouched[256];
    CK_BYTE signature[256] = {0};
    uint64_t begun_ms = world_now_ms();

    CK_RV rv = world_sign(&world, session, name, signature);

    unsigned took_ms = (unsigned)(world_now_ms() - begun_ms);
    unsigned made = world_transactions(&world);
    if (rv != expected || made != transactions || took_ms > limit_ms + SLACK_MS)
        fail_msg("%s: 0x%lx with %u transactions after %u ms", name, rv, made, took_ms);
    if (rv == CKR_OK)
        assert_true(world_verifies(&world, session, name, signature));
    else
        assert_memory_equal(signature, untouched, sizeof(signature));
    print_message("%s: 0x%lx, %u transactions, %u ms\n", name, rv, made, took_ms);
}

/* libcurl's code behind ulDeviceError. CANNOT_CONNECT may stand for the two of an RST: it depends
 * on when that arrives. */
static void assert_reason(CK_SESSION_HANDLE session, const char *name, unsigned code)
{
    CK_SESSION_INFO info;
    assert_int_equal(world.p11->C_GetSessionInfo(session, &info), CKR_OK);
    unsigned long said = info.ulDeviceError ? info.ulDeviceError - HTTP_DEVICE_ERROR : 0;
    bool is_early = said == CANNOT_CONNECT && (code == TLS_FAILED || code == NOTHING_HEARD);
    if (said != code && !is_early)
        fail_msg("%s: device error 0x%lx", name, info.ulDeviceError);
}

static const struct line_row {
    const char *name;
    enum relay_mode mode;
    unsigned code; /* libcurl's; 0: it is signed all the same */
} line_rows[] = {
    {"RST at once", RELAY_RESETS, TLS_FAILED},
    {"RST in the handshake", RELAY_RESETS_HELLO, TLS_FAILED},
    {"half-closed at once", RELAY_HALF_CLOSES, TLS_FAILED},
    {"connected, and silence", RELAY_IS_SILENT, TOO_LATE},
    {"one byte every 10 ms", RELAY_TRICKLES, TOO_LATE},
    {"100 bytes every 10 ms", RELAY_IS_SLOW, 0},
};

static void a_broken_line_is_a_device_error_and_asks_nobody(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(line_rows); i++) {
        const struct line_row *row = &line_rows[i];
        CK_SESSION_HANDLE session = open_stage("");
        relay_set(&relay, row->mode, service_port());

        assert_signs(session, row->name, row->code ? CKR_DEVICE_ERROR : CKR_OK, !row->code,
                     CONNECT_MS);

        assert_reason(session, row->name, row->code);
        relay_set(&relay, RELAY_PASSES, service_port());
        if (row->code)
            assert_signs(session, row->name, CKR_OK, 1, CONFIRM_MS);
        close_stage();
    }
}

/* A C_Sign that is at the phone when the line breaks. */
struct waiter {
    pthread_t thread;
    CK_SESSION_HANDLE session;
    const char *name;
    CK_RV rv;
    CK_BYTE signature[256];
    uint64_t took_ms;
    atomic_bool has_ended;
};

static void *wait_on_thread(void *arg)
{
    struct waiter *waiter = arg;
    uint64_t begun_ms = world_now_ms();
    waiter->rv = world_sign(&world, waiter->session, waiter->name, waiter->signature);
    waiter->took_ms = world_now_ms() - begun_ms;
    atomic_store(&waiter->has_ended, true);
    return NULL;
}

static void begin_waiting(struct waiter *waiter)
{
    world_control(&world, "phone", "{\"action\":\"never\"}");
    assert_int_equal(pthread_create(&waiter->thread, NULL, wait_on_thread, waiter), 0);
    while (world_requests(&world, "status") == 0 && !atomic_load(&waiter->has_ended))
        continue;
}

static void a_line_that_breaks_while_waiting_is_waited_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(line_rows); i++) {
        struct waiter waiter = {.session = open_stage(""), .name = line_rows[i].name};
        begin_waiting(&waiter);
        relay_set(&relay, line_rows[i].mode, service_port());
        relay_await_trouble(&relay, &waiter.has_ended);

        world_approve(&world);
        relay_set(&relay, RELAY_PASSES, service_port());

        assert_int_equal(pthread_join(waiter.thread, NULL), 0);
        if (waiter.rv != CKR_OK || world_transactions(&world) != 1)
            fail_msg("%s: 0x%lx, %u transactions", waiter.name, waiter.rv,
                     world_transactions(&world));
        assert_true(world_verifies(&world, waiter.session, waiter.name, waiter.signature));
        close_stage();
    }
}

/* The person confirms meanwhile: asked again, the signature is there, and nobody is asked. */
static void a_line_that_stays_broken_loses_no_signature(void **state)
{
    static const enum relay_mode modes[] = {RELAY_RESETS, RELAY_IS_SILENT};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        struct waiter waiter = {.session = open_stage(""), .name = "stays broken"};
        begin_waiting(&waiter);
        relay_set(&relay, modes[i], service_port());
        world_approve(&world);

        assert_int_equal(pthread_join(waiter.thread, NULL), 0);

        assert_int_equal(waiter.rv, CKR_DEVICE_ERROR);
        assert_true(waiter.took_ms < CONFIRM_MS + SLACK_MS);
        relay_set(&relay, RELAY_PASSES, service_port());
        assert_signs(waiter.session, waiter.name, CKR_OK, 1, CONFIRM_MS);
        close_stage();
    }
}

static void a_proxy_that_will_not_is_a_device_error(void **state)
{
    static const struct line_row rows[] = {
        {"a good proxy", RELAY_IS_PROXY, 0},
        {"proxy: 407", RELAY_REFUSES, NOTHING_HEARD},
        {"a proxy that dies", RELAY_DIES, TLS_FAILED},
        {"a proxy that resets", RELAY_RESETS, NOTHING_HEARD},
        {"a silent proxy", RELAY_IS_SILENT, TOO_LATE},
    };
    char lines[64];
    (void)state;
    (void)snprintf(lines, sizeof(lines), "proxy = http://127.0.0.1:%u\n", relay.port);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct line_row *row = &rows[i];
        (void)open_stage("");
        configure(NULL, lines);
        world_restart_module(&world);
        CK_SESSION_HANDLE session = world_session(&world, NULL, NULL);
        relay_set(&relay, row->mode, service_port());

        assert_signs(session, row->name, row->code ? CKR_DEVICE_ERROR : CKR_OK, !row->code,
                     CONNECT_MS);

        assert_reason(session, row->name, row->code);
        relay_set(&relay, RELAY_IS_PROXY, service_port());
        if (row->code)
            assert_signs(session, row->name, CKR_OK, 1, CONFIRM_MS);
        close_stage();
    }
}

static void a_server_that_is_another_never_hears_the_request(void **state)
{
    static const struct {
        const char *name;
        struct leaf leaf;
        bool is_foreign; /* of a CA that nobody knows */
        int version_max; /* 0: any */
        unsigned code;
    } rows[] = {
        {"an unknown CA", {"IP:127.0.0.1", -3600, 3600}, true, 0, NOT_TRUSTED},
        {"another host", {"DNS:other.test", -3600, 3600}, false, 0, NOT_TRUSTED},
        {"an expired certificate", {"IP:127.0.0.1", -7200, -3600}, false, 0, NOT_TRUSTED},
        {"TLS 1.1", {"IP:127.0.0.1", -3600, 3600}, false, TLS1_1_VERSION, TLS_FAILED},
    };
    struct authority stranger;
    (void)state;
    authority_init(&stranger, "Stranger");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct server server;
        char pin[PIN_SIZE];
        SSL_CTX *context =
            authority_issue(rows[i].is_foreign ? &stranger : &authority, &rows[i].leaf, pin);
        if (rows[i].version_max) {
            SSL_CTX_set_security_level(context, 0);
            SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
            SSL_CTX_set_max_proto_version(context, rows[i].version_max);
        }
        server_start(&server, context, serve_ok);
        CK_SESSION_HANDLE session = open_stage("");
        relay_set(&relay, RELAY_PASSES, server.port);

        assert_signs(session, rows[i].name, CKR_DEVICE_ERROR, 0, CONNECT_MS);

        assert_reason(session, rows[i].name, rows[i].code);
        assert_int_equal(server_requests(&server), 0);
        relay_set(&relay, RELAY_PASSES, service_port());
        assert_signs(session, rows[i].name, CKR_OK, 1, CONFIRM_MS);
        close_stage();
        server_stop(&server);
    }
    authority_fini(&stranger);
}

static void a_key_that_is_not_the_pinned_one_is_refused(void **state)
{
    (void)state;
    (void)open_stage("");
    configure(NULL, "pinned_public_key = sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
    world_restart_module(&world);
    CK_SESSION_HANDLE session = world_session(&world, NULL, NULL);

    assert_signs(session, "pin", CKR_DEVICE_ERROR, 0, CONNECT_MS);

    assert_reason(session, "pin", NOT_PINNED);
    close_stage();
}

/* Its kept connection is dead, and the ticket of its TLS session is of no use any more. */
static void a_service_that_was_restarted_between_two_signatures_is_no_failure(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = open_stage("");
    assert_signs(session, "before", CKR_OK, 1, CONFIRM_MS);

    world_restart_service(&world);
    relay_set(&relay, RELAY_PASSES, service_port());

    assert_signs(session, "after", CKR_OK, 1, CONFIRM_MS);
    close_stage();
}

static const struct name_row {
    const char *name; /* of a host that network_test.sh made */
    unsigned code;    /* of a proxy there; 0: it is reached */
    bool is_dns_dead; /* the name server does not even answer */
} name_rows[] = {
    {"hole.test", TOO_LATE, false},       /* nothing comes back from there */
    {"away.test", CANNOT_CONNECT, false}, /* no route leads there */
    {"nobody.test", NO_SUCH_PROXY, false},
    {"nobody.test", TOO_LATE, true},
    {"both.test", 0, false}, /* IPv6 into the hole, IPv4 to the relay */
};

/* The one that refuses at once, or the one in the black hole. */
static void choose_name_server(bool is_dead)
{
    FILE *file = fopen(getenv("NETWORK_RESOLV"), "we");
    assert_non_null(file);
    assert_true(fprintf(file, "nameserver %s\n", is_dead ? "10.99.0.2" : "127.0.0.1") > 0);
    assert_int_equal(fclose(file), 0);
}

static void skip_without_network(void)
{
    if (!getenv("NETWORK_RESOLV")) {
        print_message("skipped: this one is run by network_test.sh\n");
        skip();
    }
}

static void a_proxy_that_cannot_be_reached_is_a_device_error_in_time(void **state)
{
    char lines[64];
    (void)state;
    skip_without_network();
    for (size_t i = 0; i < ARRAY_LEN(name_rows); i++) {
        const struct name_row *row = &name_rows[i];
        (void)open_stage("");
        choose_name_server(row->is_dns_dead);
        (void)snprintf(lines, sizeof(lines), "proxy = http://%s:%u\n", row->name, relay.port);
        configure(NULL, lines);
        world_restart_module(&world);
        CK_SESSION_HANDLE session = world_session(&world, NULL, NULL);
        relay_set(&relay, RELAY_IS_PROXY, service_port());

        assert_signs(session, row->name, row->code ? CKR_DEVICE_ERROR : CKR_OK, !row->code,
                     CONNECT_MS);

        assert_reason(session, row->name, row->code);
        close_stage();
    }
}

/* The slot of an account that was never fetched is there, without a token, in time. */
static void a_service_that_cannot_be_reached_holds_no_list_of_slots_up(void **state)
{
    (void)state;
    skip_without_network();
    for (size_t i = 0; i < ARRAY_LEN(name_rows); i++) {
        char url[64];
        CK_TOKEN_INFO info;
        (void)open_stage("");
        choose_name_server(name_rows[i].is_dns_dead);
        (void)snprintf(url, sizeof(url), "https://%s:1", name_rows[i].name);
        configure(url, "");
        assert_int_equal(world.p11->C_Finalize(NULL), CKR_OK);
        assert_int_equal(world.p11->C_Initialize(NULL), CKR_OK);
        uint64_t begun_ms = world_now_ms();

        CK_SLOT_ID slot = world_slot(&world);

        assert_true(world_now_ms() - begun_ms < CONNECT_MS + SLACK_MS);
        assert_int_equal(world.p11->C_GetTokenInfo(slot, &info), CKR_OK);
        assert_memory_not_equal(info.model, "SmartCA ", 8);
        close_stage();
    }
}

#define TEST(name) cmocka_unit_test_teardown(name, calm_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_broken_line_is_a_device_error_and_asks_nobody),
        TEST(a_line_that_breaks_while_waiting_is_waited_out),
        TEST(a_line_that_stays_broken_loses_no_signature),
        TEST(a_proxy_that_will_not_is_a_device_error),
        TEST(a_server_that_is_another_never_hears_the_request),
        TEST(a_key_that_is_not_the_pinned_one_is_refused),
        TEST(a_service_that_was_restarted_between_two_signatures_is_no_failure),
        TEST(a_proxy_that_cannot_be_reached_is_a_device_error_in_time),
        TEST(a_service_that_cannot_be_reached_holds_no_list_of_slots_up),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
