/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/econtract_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "tests/lib/folder.h"

enum { BUDGET_MS = 60000 };

/* Both are members: what they are of is found without a cast of the clock's const. */
static struct econtract_stage *current;

static uint64_t now_ms(const struct clock *clock)
{
    (void)clock;
    return 1000;
}

static int64_t wall_s(const struct clock *clock)
{
    (void)clock;
    return current->now_s;
}

static void no_wait(const struct clock *clock, struct call *call, uint64_t ms)
{
    (void)clock;
    (void)call;
    (void)ms;
}

static void copy(char out[static STAGE_TEXT_MAX], struct span text)
{
    assert_true(text.len < STAGE_TEXT_MAX);
    if (text.len > 0)
        memcpy(out, text.ptr, text.len);
    out[text.len] = 0;
}

static enum sca_status answer(struct transport *transport, struct call *call,
                              const struct http_request *request, struct http_response *response)
{
    struct econtract_stage *stage = (struct econtract_stage *)transport;
    size_t at = stage->request_count;

    if (at >= stage->reply_count || at >= STAGE_REQUESTS_MAX)
        fail_msg("nobody expected %s", request->url);
    struct stage_request *seen = &stage->requests[stage->request_count++];
    seen->method = request->method;
    seen->is_repeatable = request->is_repeatable;
    copy(seen->url, span_text(request->url));
    copy(seen->body, request->body);
    copy(seen->bearer, request->bearer ? secret_get(request->bearer) : span_of(NULL, 0));

    http_response_fini(response);
    if (stage->replies[at].http == 0)
        return call_fail(call, SCA_NETWORK, "the connection broke");
    response->status = stage->replies[at].http;
    response->was_sent = true;
    return buf_append(&response->body, span_text(stage->replies[at].body));
}

int econtract_stage_begin(void **state)
{
    struct econtract_stage *stage = calloc(1, sizeof(*stage));

    assert_non_null(stage);
    current = stage;
    (void)strcpy(stage->dir, "/tmp/econtract.XXXXXX");
    assert_non_null(mkdtemp(stage->dir));
    (void)strcpy(stage->password, "pass\"word");
    stage->transport.send = answer;
    stage->clock = (struct clock){now_ms, wall_s, no_wait};
    stage->now_s = STAGE_BEGIN_S;
    static char url[] = STAGE_URL;
    static char username[] = "ann@shop.vn";
    stage->config.url = url;
    stage->config.username = username;
    stage->config.password = (struct secret_ref){SECRET_LITERAL, stage->password};
    econtract_stage_restart(stage);
    *state = stage;
    return 0;
}

int econtract_stage_end(void **state)
{
    struct econtract_stage *stage = *state;

    econtract_free(stage->econtract);
    int left = folder_remove(stage->dir);
    free(stage);
    return left;
}

void econtract_stage_tell(struct econtract_stage *stage, const struct reply *replies, size_t count)
{
    stage->replies = replies;
    stage->reply_count = count;
    stage->request_count = 0;
}

void econtract_stage_restart(struct econtract_stage *stage)
{
    econtract_freep(&stage->econtract);
    assert_int_equal(
        econtract_new(&stage->config, stage->dir, &stage->transport, &stage->econtract), SCA_OK);
}

void econtract_stage_call(struct econtract_stage *stage, struct call *call)
{
    call_init(call, &stage->clock, BUDGET_MS);
}

enum sca_status econtract_stage_ended(struct econtract_stage *stage, struct call *call,
                                      enum sca_status status)
{
    memcpy(stage->note, call->note, sizeof(stage->note));
    call_fini(call);
    return status;
}

enum sca_status econtract_stage_login(struct econtract_stage *stage, const char *company,
                                      const char *otp, struct econtract_companies *ret_companies)
{
    AUTO(secret_freep) struct secret *secret = NULL;
    struct call call;

    if (otp)
        assert_int_equal(secret_new(span_text(otp), &secret), SCA_OK);
    econtract_stage_call(stage, &call);
    return econtract_stage_ended(
        stage, &call, econtract_login(stage->econtract, &call, company, secret, ret_companies));
}

enum sca_status econtract_stage_list(struct econtract_stage *stage, size_t *ret_count)
{
    struct econtract_users users = {.count = 0};
    struct call call;

    econtract_stage_call(stage, &call);
    enum sca_status st = econtract_stage_ended(
        stage, &call, econtract_list_users(stage->econtract, &call, NULL, 1, 10, &users));
    *ret_count = users.count;
    econtract_users_fini(&users);
    return st;
}

const char *econtract_stage_ticket(const struct econtract_stage *stage,
                                   char out[static STAGE_TEXT_MAX])
{
    (void)snprintf(out, STAGE_TEXT_MAX, "%s/vault/econtract", stage->dir);
    return out;
}
