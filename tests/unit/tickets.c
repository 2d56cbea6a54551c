/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tickets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct remote_asking asking_of(const struct story *story)
{
    return (struct remote_asking){
        .client = story->client, .credentials = &no_credentials, .key = &story->key};
}

struct remote_ticket *ticket_begin(struct story *story, uint8_t seed)
{
    const struct remote_asking asking = asking_of(story);
    struct remote_ticket *ticket = NULL;
    uint8_t digest[32];
    struct call call;

    memset(digest, seed, sizeof(digest));
    story_call(story, &call, STORY_BUDGET_MS);
    assert_int_equal(gather_begin(&asking, &call, span_of(digest, 32), TICKET_PATIENCE_MS, &ticket),
                     SCA_OK);
    call_fini(&call);
    return ticket;
}

enum sca_status ticket_poll(struct story *story, struct remote_ticket *ticket, uint8_t *signature)
{
    const struct remote_asking asking = asking_of(story);
    struct call call;

    story_call(story, &call, STORY_BUDGET_MS);
    enum sca_status st = gather_poll(ticket, &asking, &call, signature);
    call_fini(&call);
    return st;
}

enum sca_status ticket_number(struct story *story, struct remote_ticket *ticket,
                              uint64_t *ret_number)
{
    const struct remote_asking asking = asking_of(story);
    struct call call;

    story_call(story, &call, STORY_BUDGET_MS);
    enum sca_status st = gather_number(ticket, &asking, &call, ret_number);
    call_fini(&call);
    return st;
}

enum sca_status ticket_join(struct story *story, uint64_t number, struct remote_ticket **ret_ticket)
{
    const struct remote_asking asking = asking_of(story);
    struct call call;

    story_call(story, &call, STORY_BUDGET_MS);
    enum sca_status st = gather_join(&asking, &call, number, TICKET_PATIENCE_MS, ret_ticket);
    call_fini(&call);
    return st;
}

bool ticket_is_right(const struct story *story, uint8_t seed, const uint8_t *signature)
{
    uint8_t expected[STORY_SIGNATURE];
    uint8_t digest[32];

    memset(digest, seed, sizeof(digest));
    story_signature(story, span_of(digest, 32), expected);
    return memcmp(expected, signature, sizeof(expected)) == 0;
}
