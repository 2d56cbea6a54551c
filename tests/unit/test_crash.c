/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes that die and threads that meet: whatever happens between begin and end, the person is
 * asked once and the signature is obtained.
 */
#include "remote/smartca/transaction.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "tests/unit/story.h"

enum {
    IDS_MAX = 64,
    WAITING_POLLS = 2,
    THREADS = 6,
    DIED = 9,
};

/* A service with a memory, which outlives the processes that ask it. */
struct service {
    struct transport transport; /* first: send gets its address */
    pthread_mutex_t mutex;
    const struct story *story;
    char ids[IDS_MAX][64];
    char bodies[IDS_MAX][1024];
    unsigned polls[IDS_MAX];
    size_t id_count; /* how often the person was asked */
    size_t requests;
    size_t die_at; /* the client dies at this request; 0: never */
    bool is_deaf;  /* it dies before the service hears it */
    size_t needed; /* so many threads must have asked for the outcome before there is one */
    size_t seen;
};

static _Thread_local bool was_seen;

static size_t find_id(const struct service *service, const char *id)
{
    for (size_t i = 0; i < service->id_count; i++)
        if (strcmp(service->ids[i], id) == 0)
            return i;
    return IDS_MAX;
}

static const char *submit(struct service *service, const char *body)
{
    AUTO(freep) char *id = story_text_of(body, "transaction_id");

    if (find_id(service, id) != IDS_MAX)
        return ENVELOPE("64002", "transaction exist", "null");
    (void)snprintf(service->ids[service->id_count], sizeof(service->ids[0]), "%s", id);
    (void)snprintf(service->bodies[service->id_count], sizeof(service->bodies[0]), "%s", body);
    service->id_count++;
    return ACCEPTED;
}

static char *tell_status(struct service *service, const char *url)
{
    char id[64] = "";

    (void)sscanf(strstr(url, "/sign/"), "/sign/%63[^/]", id);
    size_t at = find_id(service, id);
    if (at == IDS_MAX)
        return strdup(UNKNOWN_ID);
    service->seen += !was_seen;
    was_seen = true;
    if (service->seen < service->needed || service->polls[at]++ < WAITING_POLLS)
        return strdup(WAITING);
    return story_signed_body(service->story, service->bodies[at], SIGNED);
}

static enum sca_status service_send(struct transport *transport, struct call *call,
                                    const struct http_request *request,
                                    struct http_response *response)
{
    struct service *service = (struct service *)transport;
    AUTO(freep) char *body = strndup((const char *)request->body.ptr, request->body.len);
    (void)call;

    pthread_mutex_lock(&service->mutex);
    bool dies = ++service->requests == service->die_at;
    if (dies && service->is_deaf)
        _exit(DIED);
    AUTO(freep)
    char *reply = strstr(request->url, STATUS) ? tell_status(service, request->url)
                                               : strdup(submit(service, body));
    if (dies)
        _exit(DIED);
    pthread_mutex_unlock(&service->mutex);
    response->status = 200;
    response->was_sent = true;
    return buf_append(&response->body, span_text(reply));
}

static void open_service(struct service *service, const struct story *story)
{
    memset(service, 0, sizeof(*service));
    service->transport.send = service_send;
    service->story = story;
    assert_int_equal(pthread_mutex_init(&service->mutex, NULL), 0);
}

static void use_service(struct story *story, struct service *service)
{
    client_free(story->client);
    story->client = NULL;
    assert_int_equal(
        client_new_over(&service->transport, &story->account, story->dir, &story->client), SCA_OK);
}

static int sign_in_a_process_that_dies(struct story *story, struct remote_document *document)
{
    int outcome = 0;
    pid_t child = fork();

    if (child == 0)
        _exit(story_sign(story, document, 1) == SCA_OK ? 0 : 1);
    assert_int_equal(waitpid(child, &outcome, 0), child);
    assert_true(WIFEXITED(outcome));
    return WEXITSTATUS(outcome);
}

static void a_process_that_dies_at_any_request_leaves_its_signature_to_the_next(void **state)
{
    static const size_t requests = 2 + WAITING_POLLS;
    struct story *story = *state;
    struct story_document made;
    struct service *service =
        mmap(NULL, sizeof(*service), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(service, MAP_FAILED);

    for (size_t i = 0; i < 2 * requests; i++) {
        struct remote_document document = story_document(&made, (uint8_t)(i + 1));
        open_service(service, story);
        use_service(story, service);
        service->die_at = 1 + i / 2;
        service->is_deaf = i % 2 == 0;
        assert_int_equal(sign_in_a_process_that_dies(story, &document), DIED);
        assert_true(story_journal_size(story) > 0);
        /* The mutex died with its holder. */
        assert_int_equal(pthread_mutex_init(&service->mutex, NULL), 0);
        use_service(story, service);

        enum sca_status st = story_sign(story, &document, 1);

        assert_int_equal(st, SCA_OK);
        assert_true(story_is_signed(story, &document));
        assert_int_equal(service->id_count, 1);
        assert_int_equal(story_journal_size(story), 0);
    }
    assert_int_equal(munmap(service, sizeof(*service)), 0);
}

static void a_process_that_dies_again_and_again_still_asks_once(void **state)
{
    struct story *story = *state;
    struct story_document made;
    struct remote_document document = story_document(&made, 1);
    struct service *service =
        mmap(NULL, sizeof(*service), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(service, MAP_FAILED);
    open_service(service, story);
    use_service(story, service);

    int outcome = DIED;
    for (size_t i = 0; outcome == DIED && i < 20; i++) {
        service->die_at = service->requests + 1 + i % 2;
        service->is_deaf = i % 3 == 0;
        outcome = sign_in_a_process_that_dies(story, &document);
        assert_int_equal(pthread_mutex_init(&service->mutex, NULL), 0);
    }
    service->die_at = 0;
    enum sca_status st = outcome == 0 ? SCA_OK : story_sign(story, &document, 1);

    assert_int_equal(st, SCA_OK);
    assert_int_equal(service->id_count, 1);
    assert_int_equal(story_journal_size(story), 0);
    assert_int_equal(munmap(service, sizeof(*service)), 0);
}

/* The journal's text after a process died at its first question for the outcome. */
static bool is_submission_noted(struct story *story, unsigned poll_interval_ms)
{
    struct story_document made;
    struct remote_document document = story_document(&made, 1);
    struct service *service =
        mmap(NULL, sizeof(*service), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(service, MAP_FAILED);
    open_service(service, story);
    use_service(story, service);
    service->die_at = 2;
    story->account.service.poll_interval_ms = poll_interval_ms;

    assert_int_equal(sign_in_a_process_that_dies(story, &document), DIED);

    assert_int_equal(service->id_count, 1);
    assert_true(story_journal_holds(story, "\"begin\""));
    assert_int_equal(munmap(service, sizeof(*service)), 0);
    return story_journal_holds(story, "\"submitted\"");
}

static void who_waits_has_noted_first_that_the_service_has_it(void **state)
{
    assert_true(is_submission_noted(*state, 2000));
}

static void who_asks_at_once_writes_no_note(void **state)
{
    assert_false(is_submission_noted(*state, 0));
}

struct caller {
    struct story *story;
    struct story_document made;
    struct remote_document document;
    enum sca_status st;
};

static void *sign_in_a_thread(void *arg)
{
    struct caller *caller = arg;
    struct call call;

    call_init(&call, &clock_system, 30000);
    caller->st = transaction_sign(caller->story->client, &call, &no_credentials,
                                  &caller->story->key, &caller->document, 1);
    call_fini(&call);
    return NULL;
}

static void run_callers(struct story *story, struct caller *callers, bool is_same)
{
    pthread_t threads[THREADS];

    for (size_t i = 0; i < THREADS; i++) {
        callers[i].story = story;
        callers[i].document = story_document(&callers[i].made, is_same ? 1 : (uint8_t)(i + 1));
        assert_int_equal(pthread_create(&threads[i], NULL, sign_in_a_thread, &callers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void threads_with_the_same_digest_share_one_confirmation(void **state)
{
    struct story *story = *state;
    struct caller callers[THREADS];
    struct service service;
    open_service(&service, story);
    service.needed = THREADS;
    use_service(story, &service);
    story->account.service.poll_interval_ms = 1;

    run_callers(story, callers, true);

    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(callers[i].st, SCA_OK);
        assert_true(story_is_signed(story, &callers[i].document));
    }
    assert_int_equal(service.id_count, 1);
    assert_int_equal(story_journal_size(story), 0);
}

static void threads_with_different_digests_do_not_disturb_each_other(void **state)
{
    struct story *story = *state;
    struct caller callers[THREADS];
    struct service service;
    open_service(&service, story);
    use_service(story, &service);
    story->account.service.poll_interval_ms = 1;

    run_callers(story, callers, false);

    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(callers[i].st, SCA_OK);
        assert_true(story_is_signed(story, &callers[i].document));
    }
    assert_int_equal(service.id_count, THREADS);
    assert_int_equal(story_journal_size(story), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, story_begin, story_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_process_that_dies_at_any_request_leaves_its_signature_to_the_next),
        TEST(a_process_that_dies_again_and_again_still_asks_once),
        TEST(who_waits_has_noted_first_that_the_service_has_it),
        TEST(who_asks_at_once_writes_no_note),
        TEST(threads_with_the_same_digest_share_one_confirmation),
        TEST(threads_with_different_digests_do_not_disturb_each_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
