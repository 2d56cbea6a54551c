/* SPDX-License-Identifier: Apache-2.0 */
/* Whom the transport believes to be the service. */
#include "tests/unit/http_client.h"

#include "remote/base/cleanup.h"
#include "remote/http/trust.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/pem.h>

/* libcurl's codes, which device_error carries. */
enum {
    CODE_TLS_FAILED = 35,
    CODE_NOT_TRUSTED = 60,
    CODE_NOT_PINNED = 90,
};

static const struct leaf good_leaf = {.name = "IP:127.0.0.1", .from_s = -3600, .until_s = 3600};

static char key_log[96]; /* SSLKEYLOGFILE of this process */

static struct server server;
static struct client client;

/* A server with this certificate and a client with these settings; ret_pin is the server's. */
static void start(const struct authority *authority, const struct leaf *leaf,
                  struct http_settings settings, char ret_pin[static 64])
{
    server_start(&server, authority_issue(authority, leaf, ret_pin), serve_ok);
    client_init(&client, &server, &settings);
}

static int stop(void **state)
{
    client_fini(&client);
    server_stop(&server);
    return world_calm_down(state);
}

static void assert_refused(unsigned code, const char *note)
{
    assert_int_equal(client_post(&client, "{\"pin\":\"canary\"}"), SCA_NETWORK);
    assert_false(client.response.was_sent);
    assert_int_equal(client.call.device_error, HTTP_DEVICE_ERROR + code);
    client_assert_note(&client, note);
    assert_int_equal(server_requests(&server), 0);
}

static void a_certificate_of_the_configured_ca_is_accepted(void **state)
{
    (void)state;
    char pin[64];
    start(&world.authority, &good_leaf, world_settings(), pin);

    for (int i = 0; i < 3; i++)
        client_post_ok(&client, "{}");

    assert_int_equal(server_connections(&server), 1);
}

static void a_certificate_of_another_ca_is_refused(void **state)
{
    (void)state;
    struct authority other;
    char pin[64];
    authority_init(&other, "Other CA");
    start(&other, &good_leaf, world_settings(), pin);

    assert_refused(CODE_NOT_TRUSTED, "its certificate is not trusted");

    authority_fini(&other);
}

static void a_ca_of_the_same_name_with_another_key_is_refused(void **state)
{
    (void)state;
    struct authority other;
    char pin[64];
    authority_init(&other, "Test CA");
    start(&other, &good_leaf, world_settings(), pin);

    assert_refused(CODE_TLS_FAILED, "TLS failed: check url, ca_file");

    authority_fini(&other);
}

static void the_system_store_does_not_hold_the_test_ca(void **state)
{
    (void)state;
    struct http_settings settings = world_settings();
    char pin[64];
    settings.ca_file = NULL;
    start(&world.authority, &good_leaf, settings, pin);

    assert_refused(CODE_NOT_TRUSTED, "its certificate is not trusted");
}

/* The first root of the bundle, found by name in the store as a server's chain would find it. */
static void the_system_store_knows_the_roots_of_the_system(void **state)
{
    (void)state;
    FILE *bundle = fopen("/etc/ssl/certs/ca-certificates.crt", "re");
    X509 *root = bundle ? PEM_read_X509(bundle, NULL, NULL, NULL) : NULL;
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    X509_STORE *store = NULL;
    char pin[64];
    start(&world.authority, &good_leaf, world_settings(), pin);
    if (!root)
        print_message("no system bundle here, nothing to compare with\n");

    assert_int_equal(trust_get(&client.call, NULL, world.libctx, &store), SCA_OK);

    if (root) {
        assert_int_equal(X509_STORE_CTX_init(context, store, root, NULL), 1);
        assert_int_equal(X509_verify_cert(context), 1);
    }
    X509_STORE_CTX_free(context);
    X509_free(root);
    if (bundle)
        (void)fclose(bundle);
}

/* The first with the system's store, which a process makes once. */
static void the_environment_names_no_ca(void **state)
{
    (void)state;
    struct http_settings settings = world_settings();
    char pin[64];
    settings.ca_file = "";
    setenv("SSL_CERT_FILE", world.ca_file, 1);
    setenv("CURL_CA_BUNDLE", world.ca_file, 1);
    start(&world.authority, &good_leaf, settings, pin);

    assert_refused(CODE_NOT_TRUSTED, "its certificate is not trusted");

    unsetenv("SSL_CERT_FILE");
    unsetenv("CURL_CA_BUNDLE");
}

static void a_certificate_for_another_host_is_refused(void **state)
{
    (void)state;
    const struct leaf leaf = {.name = "DNS:service.test", .from_s = -3600, .until_s = 3600};
    char pin[64];
    start(&world.authority, &leaf, world_settings(), pin);

    assert_refused(CODE_NOT_TRUSTED, "its certificate is not trusted");
}

static void a_certificate_out_of_its_time_is_refused(void **state)
{
    static const struct leaf leaves[] = {
        {.name = "IP:127.0.0.1", .from_s = -7200, .until_s = -3600},
        {.name = "IP:127.0.0.1", .from_s = 3600, .until_s = 7200},
    };
    char pin[64];

    for (size_t i = 0; i < ARRAY_LEN(leaves); i++) {
        start(&world.authority, &leaves[i], world_settings(), pin);
        assert_refused(CODE_NOT_TRUSTED, "check url, ca_file and the date");
        if (i + 1 < ARRAY_LEN(leaves))
            assert_int_equal(stop(state), 0);
    }
}

static void a_server_below_tls_1_2_is_refused(void **state)
{
    (void)state;
    char pin[64];
    struct http_settings settings = world_settings();
    SSL_CTX *old = authority_issue(&world.authority, &good_leaf, pin);
    SSL_CTX_set_security_level(old, 0);
    SSL_CTX_set_min_proto_version(old, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(old, TLS1_1_VERSION);
    server_start(&server, old, serve_ok);
    client_init(&client, &server, &settings);

    assert_refused(CODE_TLS_FAILED, "TLS failed");
}

static void a_server_with_the_pinned_key_is_accepted(void **state)
{
    (void)state;
    char pin[64];
    char pins[160];
    struct http_settings settings = world_settings();
    server_start(&server, authority_issue(&world.authority, &good_leaf, pin), serve_ok);
    (void)snprintf(pins, sizeof(pins), "sha256//%s=;%s",
                   "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", pin);
    settings.pinned_public_key = pins;
    client_init(&client, &server, &settings);

    client_post_ok(&client, "{}");
}

static void a_server_with_another_key_than_the_pinned_one_is_refused(void **state)
{
    (void)state;
    char pin[64];
    struct http_settings settings = world_settings();
    settings.pinned_public_key = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    start(&world.authority, &good_leaf, settings, pin);

    assert_refused(CODE_NOT_PINNED, "its key is not the pinned one");
}

static void a_pin_does_not_replace_the_ca(void **state)
{
    (void)state;
    struct authority other;
    char pin[64];
    struct http_settings settings = world_settings();
    authority_init(&other, "Other CA");
    server_start(&server, authority_issue(&other, &good_leaf, pin), serve_ok);
    settings.pinned_public_key = pin;
    client_init(&client, &server, &settings);

    assert_refused(CODE_NOT_TRUSTED, "its certificate is not trusted");

    authority_fini(&other);
}

/* A connection that was made without a pin must not serve a caller who has one. */
static void a_kept_connection_serves_its_own_settings_only(void **state)
{
    (void)state;
    char pin[64];
    struct client pinned;
    struct http_settings settings = world_settings();
    start(&world.authority, &good_leaf, settings, pin);
    client_post_ok(&client, "{}");
    settings.pinned_public_key = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    client_init(&pinned, &server, &settings);

    enum sca_status status = client_post(&pinned, "{}");

    assert_int_equal(status, SCA_NETWORK);
    assert_int_equal(server_requests(&server), 1);
    client_fini(&pinned);
}

static void text_write(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void a_ca_file_that_cannot_be_used_is_named(void **state)
{
    char path[80];
    char pin[64];
    struct http_settings settings = world_settings();
    static const struct {
        const char *text; /* NULL: no file */
        mode_t mode;
        const char *note;
    } rows[] = {
        {NULL, 0, "not there"},
        {"", 0600, "holds no PEM certificate"},
        {"not PEM\n", 0600, "holds no PEM certificate"},
        {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 0600,
         "holds no PEM certificate"},
        {"not PEM\n", 0666, "writable by"},
    };
    (void)snprintf(path, sizeof(path), "%s/other.pem", world.dir);
    settings.ca_file = path;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].text)
            text_write(path, rows[i].text, rows[i].mode);
        start(&world.authority, &good_leaf, settings, pin);
        assert_int_equal(client_post(&client, "{}"), SCA_INVALID);
        assert_false(client.response.was_sent);
        client_assert_note(&client, path);
        client_assert_note(&client, rows[i].note);
        assert_int_equal(server_connections(&server), 0);
        (void)unlink(path);
        if (i + 1 < ARRAY_LEN(rows))
            assert_int_equal(stop(state), 0);
    }
}

static void a_ca_file_put_right_is_used_at_the_next_request(void **state)
{
    (void)state;
    char path[80];
    char pin[64];
    struct http_settings settings = world_settings();
    (void)snprintf(path, sizeof(path), "%s/late.pem", world.dir);
    settings.ca_file = path;
    start(&world.authority, &good_leaf, settings, pin);
    assert_int_equal(client_post(&client, "{}"), SCA_INVALID);
    authority_write(&world.authority, path);

    client_post_ok(&client, "{}");

    (void)unlink(path);
}

static void a_ca_file_is_read_once_in_a_process(void **state)
{
    (void)state;
    char path[80];
    char pin[64];
    struct http_settings settings = world_settings();
    (void)snprintf(path, sizeof(path), "%s/once.pem", world.dir);
    settings.ca_file = path;
    authority_write(&world.authority, path);
    start(&world.authority, &good_leaf, settings, pin);
    client_post_ok(&client, "{}");
    http_close_idle();
    assert_int_equal(unlink(path), 0);

    client_post_ok(&client, "{}");

    assert_int_equal(server_connections(&server), 2);
}

static void session_keys_are_not_written_to_sslkeylogfile(void **state)
{
    (void)state;
    struct stat info;
    char pin[64];
    start(&world.authority, &good_leaf, world_settings(), pin);

    client_post_ok(&client, "{}");

    /* libcurl may have made the file when it started. */
    assert_true(stat(key_log, &info) != 0 || info.st_size == 0);
}

#define CASE(test) cmocka_unit_test_teardown(test, stop)

/* libcurl reads the variable when it starts, which is at the first request of the process. */
static int set_up(void **state)
{
    int rc = world_set_up(state);
    (void)snprintf(key_log, sizeof(key_log), "%s/keys.log", world.dir);
    setenv("SSLKEYLOGFILE", key_log, 1);
    return rc;
}

static int tear_down(void **state)
{
    (void)unlink(key_log);
    return world_tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_certificate_of_the_configured_ca_is_accepted),
        CASE(a_certificate_of_another_ca_is_refused),
        CASE(a_ca_of_the_same_name_with_another_key_is_refused),
        CASE(the_environment_names_no_ca),
        CASE(the_system_store_does_not_hold_the_test_ca),
        CASE(the_system_store_knows_the_roots_of_the_system),
        CASE(a_certificate_for_another_host_is_refused),
        CASE(a_certificate_out_of_its_time_is_refused),
        CASE(a_server_below_tls_1_2_is_refused),
        CASE(a_server_with_the_pinned_key_is_accepted),
        CASE(a_server_with_another_key_than_the_pinned_one_is_refused),
        CASE(a_pin_does_not_replace_the_ca),
        CASE(a_kept_connection_serves_its_own_settings_only),
        CASE(a_ca_file_that_cannot_be_used_is_named),
        CASE(a_ca_file_put_right_is_used_at_the_next_request),
        CASE(a_ca_file_is_read_once_in_a_process),
        CASE(session_keys_are_not_written_to_sslkeylogfile),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
