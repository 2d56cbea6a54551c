/* SPDX-License-Identifier: Apache-2.0 */
/* What cJSON leaves in memory, and what happens without any. */
#include "remote/base/cleanup.h"
#include "tests/unit/codec_stage.h"

#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

static long allocations_left = -1;

static void *scarce_malloc(size_t size)
{
    if (allocations_left == 0)
        return NULL;
    if (allocations_left > 0)
        allocations_left--;
    return malloc(size);
}

static int make_memory_scarce(void **state)
{
    (void)state;
    cJSON_Hooks hooks = {.malloc_fn = scarce_malloc, .free_fn = free};
    cJSON_InitHooks(&hooks);
    return 0;
}

static int make_memory_plenty(void **state)
{
    (void)state;
    allocations_left = -1;
    cJSON_InitHooks(NULL);
    return 0;
}

static const char canary[] = "canary-of-sp-password";
static unsigned canaries_freed;
static unsigned blocks_freed;

static void *zeroed_malloc(size_t size)
{
    return calloc(1, size);
}

static void watched_free(void *ptr)
{
    blocks_freed += ptr != NULL;
    canaries_freed += ptr && memmem(ptr, malloc_usable_size(ptr), canary, strlen(canary));
    free(ptr);
}

static int watch_what_is_freed(void **state)
{
    (void)state;
    cJSON_Hooks hooks = {.malloc_fn = zeroed_malloc, .free_fn = watched_free};
    cJSON_InitHooks(&hooks);
    return 0;
}

static void the_tree_holds_no_copy_of_the_password(void **state)
{
    (void)state;
    AUTO(secret_freep) struct secret *password = secret_of(canary);
    const struct codec_identity who = {"s", password, "u"};
    const struct codec_sign_request request = request_of(&file, 1);
    struct buf sign;
    struct buf list;

    assert_int_equal(codec_build_sign(&who, &request, &sign), SCA_OK);
    assert_int_equal(codec_build_get_certificate(&who, "t", &list), SCA_OK);

    assert_non_null(strstr((const char *)sign.ptr, canary));
    assert_true(blocks_freed > 10);
    assert_int_equal(canaries_freed, 0);
    buf_fini(&sign);
    buf_fini(&list);
}

static void a_request_without_memory_is_no_request(void **state)
{
    (void)state;
    AUTO(secret_freep) struct secret *password = secret_of("p");
    const struct codec_identity who = {"s", password, "u"};
    const struct codec_sign_request request = request_of(&file, 1);
    enum sca_status st = SCA_NOMEM;
    long tries = 0;

    for (; st != SCA_OK && tries < 1000; tries++) {
        struct buf body = {0};
        allocations_left = tries;
        st = codec_build_sign(&who, &request, &body);
        assert_true(st == SCA_OK || st == SCA_NOMEM);
        assert_int_equal(body.ptr != NULL, st == SCA_OK);
        buf_fini(&body);
    }
    assert_true(tries > 15 && tries < 1000);
}

static void an_answer_without_memory_is_no_answer(void **state)
{
    (void)state;
    static const char text[] = "{\"data\":{\"user_certificates\":[{\"cert_data\":\"bGVhZg==\","
                               "\"cert_status\":1,\"cert_status_code\":1}]}}";
    enum sca_status st = SCA_NOMEM;
    long tries = 0;

    for (; st != SCA_OK && tries < 1000; tries++) {
        struct codec_certificates list = {0};
        const char *why = NULL;
        size_t skipped = 0;
        allocations_left = tries;
        st = codec_parse_certificates(span_text(text), &list, &skipped, &why);
        assert_true(st == SCA_OK || st == SCA_NOMEM || st == SCA_PROTOCOL);
        assert_int_equal(list.items != NULL, st == SCA_OK);
        codec_certificates_fini(&list);
    }
    assert_true(tries > 15 && tries < 1000);
}

/* What secrets are kept in: the linker puts this in its place. */
static bool has_no_pages;
void *__real_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset);
void *__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset);
void *__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
    if (!has_no_pages)
        return __real_mmap(addr, len, prot, flags, fd, offset);
    errno = ENOMEM;
    return MAP_FAILED;
}

/* SCA_PROTOCOL would be the service's fault, and end the transaction. */
static void a_permission_without_memory_is_no_fault_of_the_service(void **state)
{
    (void)state;
    char text[6000] = "{\"data\":{\"sad\":\"";
    struct codec_reply reply = {.status_code = CODEC_NO_STATUS};
    const char *why = NULL;
    size_t len = strlen(text);
    memset(text + len, 'x', 4090); /* more than the one page that is kept for the next secret */
    (void)strcpy(text + len + 4090, "\"}}");

    has_no_pages = true;
    enum sca_status st = codec_parse_reply(span_text(text), &reply, &why);
    has_no_pages = false;

    assert_int_equal(st, SCA_NOMEM);
    assert_null(reply.json);
    assert_int_equal(codec_parse_reply(span_text(text), &reply, &why), SCA_OK);
    codec_reply_fini(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_tree_holds_no_copy_of_the_password, watch_what_is_freed,
                                        make_memory_plenty),
        cmocka_unit_test_setup_teardown(a_request_without_memory_is_no_request, make_memory_scarce,
                                        make_memory_plenty),
        cmocka_unit_test_setup_teardown(an_answer_without_memory_is_no_answer, make_memory_scarce,
                                        make_memory_plenty),
        cmocka_unit_test(a_permission_without_memory_is_no_fault_of_the_service),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
