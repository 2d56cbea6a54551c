/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/http_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/crypto.h>

struct world world;

int world_set_up(void **state)
{
    (void)state;
    (void)snprintf(world.dir, sizeof(world.dir), "/tmp/test_http.XXXXXX");
    if (!mkdtemp(world.dir))
        return -1;
    (void)snprintf(world.ca_file, sizeof(world.ca_file), "%s/ca.pem", world.dir);
    authority_init(&world.authority, "Test CA");
    authority_write(&world.authority, world.ca_file);
    world.libctx = OSSL_LIB_CTX_new();
    return world.libctx ? 0 : -1;
}

int world_tear_down(void **state)
{
    (void)state;
    http_close_idle();
    authority_fini(&world.authority);
    (void)unlink(world.ca_file);
    return rmdir(world.dir);
}

int world_calm_down(void **state)
{
    (void)state;
    http_close_idle();
    return 0;
}

struct http_settings world_settings(void)
{
    return (struct http_settings){
        .ca_file = world.ca_file,
        .connect_timeout_ms = 5000,
        .request_timeout_ms = 10000,
    };
}

void client_init(struct client *client, const struct server *server,
                 const struct http_settings *settings)
{
    memset(client, 0, sizeof(*client));
    assert_int_equal(http_transport_new(settings, world.libctx, &client->transport), SCA_OK);
    call_init(&client->call, &clock_system, 20000);
    http_response_init(&client->response);
    (void)snprintf(client->url, sizeof(client->url), "%s://127.0.0.1:%u/v1/sign",
                   server->tls_context ? "https" : "http", server->port);
    client->request.url = client->url;
}

void client_fini(struct client *client)
{
    http_response_fini(&client->response);
    call_fini(&client->call);
    http_transport_free(client->transport);
}

enum sca_status client_post(struct client *client, const char *body)
{
    client->request.body = span_text(body);
    return client->transport->send(client->transport, &client->call, &client->request,
                                   &client->response);
}

void client_post_ok(struct client *client, const char *body)
{
    assert_int_equal(client_post(client, body), SCA_OK);
    assert_int_equal(client->response.status, 200);
    assert_true(span_equal(buf_span(&client->response.body), span_text("{\"ok\":true}")));
    assert_true(client->response.was_sent);
}

void client_assert_note(const struct client *client, const char *text)
{
    if (!strstr(client->call.note, text))
        fail_msg("\"%s\" does not say \"%s\"", client->call.note, text);
}
