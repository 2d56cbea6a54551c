/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/base/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"

static void a_secret_is_kept_as_it_was(void **state)
{
    static const size_t lens[] = {0, 1, 6, 4000, SECRET_MAX};
    uint8_t bytes[SECRET_MAX];
    (void)state;
    memset(bytes, 'x', sizeof(bytes));

    for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
        AUTO(secret_freep) struct secret *secret = NULL;
        assert_int_equal(secret_new(span_of(bytes, lens[i]), &secret), SCA_OK);
        struct span kept = secret_get(secret);
        assert_int_equal(kept.len, lens[i]);
        assert_memory_equal(kept.ptr, bytes, lens[i]);
        assert_int_equal(kept.ptr[lens[i]], 0);
    }
}

static void a_longer_one_is_refused(void **state)
{
    uint8_t bytes[SECRET_MAX + 1] = {0};
    struct secret *secret = NULL;
    (void)state;

    assert_int_equal(secret_new(span_of(bytes, sizeof(bytes)), &secret), SCA_INVALID);

    assert_null(secret);
    secret_free(secret);
    secret_freep(&secret);
}

static void wiped_memory_is_zero(void **state)
{
    char text[] = "secret";
    static const char zeros[sizeof(text)];
    (void)state;

    secret_wipe(text, sizeof(text));

    assert_memory_equal(text, zeros, sizeof(text));
}

static void what_repeats_a_secret_is_masked(void **state)
{
    static const char *const rows[][3] = {
        {"hunter2", "hunter2", "*******"},
        {"hunter2", "no hunter2, or hunter2hunter2!", "no *******, or **************!"},
        {"hunter2", "cut at hunt", "cut at ****"},
        {"hunter2", "cut at hun", "cut at hun"},
        {"hunter2", "Hunter2 hunter", "Hunter2 ******"},
        {"abcabcabd", "abcabcabcabd", "abc*********"},
        {"pin", "a pin", "a pin"},
        {"hunter2", "", ""},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(secret_freep) struct secret *secret = NULL;
        char text[64];
        assert_int_equal(secret_new(span_text(rows[i][0]), &secret), SCA_OK);
        (void)strcpy(text, rows[i][1]);
        secret_hide(text, secret);
        assert_string_equal(text, rows[i][2]);
    }
}

static void without_a_secret_nothing_is_masked(void **state)
{
    AUTO(secret_freep) struct secret *binary = NULL;
    char text[] = "a\0bcdef";
    (void)state;
    assert_int_equal(secret_new(span_of("a\0bcdef", 7), &binary), SCA_OK);

    secret_hide(text, NULL);
    secret_hide(text, binary);

    assert_memory_equal(text, "a\0bcdef", sizeof(text));
}

/* The flags of the mapping that address is in, as the kernel shows them. */
static void find_flags(const void *address, char *flags, size_t room)
{
    char line[512];
    bool is_ours = false;
    FILE *maps = fopen("/proc/self/smaps", "r");
    assert_non_null(maps);
    while (fgets(line, sizeof(line), maps)) {
        unsigned long from = 0;
        unsigned long to = 0;
        /* NOLINTNEXTLINE(cert-err34-c): lines that are no address range do not match at all */
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            is_ours = (uintptr_t)address >= from && (uintptr_t)address < to;
        else if (is_ours && strncmp(line, "VmFlags:", 8) == 0)
            (void)snprintf(flags, room, "%s", line);
    }
    assert_int_equal(fclose(maps), 0);
}

static void the_memory_stays_out_of_core_files_and_children(void **state)
{
    char flags[512] = "";
    AUTO(secret_freep) struct secret *secret = NULL;
    (void)state;
    assert_int_equal(secret_new(span_text("270319"), &secret), SCA_OK);

    find_flags(secret_get(secret).ptr, flags, sizeof(flags));

    assert_non_null(strstr(flags, " dd")); /* not in a core dump */
    assert_non_null(strstr(flags, " wf")); /* wiped on fork */
}

static void a_forked_child_sees_nothing_and_frees_nothing(void **state)
{
    AUTO(secret_freep) struct secret *secret = NULL;
    int status = 0;
    (void)state;
    assert_int_equal(secret_new(span_text("270319"), &secret), SCA_OK);
    const uint8_t *bytes = secret_get(secret).ptr;

    pid_t child = fork();
    if (child == 0) {
        bool is_empty = bytes[0] == 0 && secret_get(secret).len == 0;
        secret_free(secret);
        _exit(is_empty ? 0 : 1);
    }

    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(span_equal(secret_get(secret), span_text("270319")));
}

static void a_page_is_used_again_and_comes_empty(void **state)
{
    static const char zeros[32];
    struct secret *secret = NULL;
    (void)state;
    assert_int_equal(secret_new(span_text("a long password"), &secret), SCA_OK);
    const uint8_t *first = secret_get(secret).ptr;
    secret_free(secret);

    assert_int_equal(secret_new(span_text("270319"), &secret), SCA_OK);

    assert_ptr_equal(secret_get(secret).ptr, first);
    assert_true(span_equal(secret_get(secret), span_text("270319")));
    assert_memory_equal(secret_get(secret).ptr + 6, zeros, sizeof(zeros));
    secret_free(secret);
}

static void two_at_a_time_have_pages_of_their_own(void **state)
{
    AUTO(secret_freep) struct secret *one = NULL;
    AUTO(secret_freep) struct secret *other = NULL;
    (void)state;

    assert_int_equal(secret_new(span_text("270319"), &one), SCA_OK);
    assert_int_equal(secret_new(span_text("913072"), &other), SCA_OK);

    assert_true(span_equal(secret_get(one), span_text("270319")));
    assert_true(span_equal(secret_get(other), span_text("913072")));
}

static void a_page_that_was_put_aside_serves_a_forked_child(void **state)
{
    struct secret *secret = NULL;
    int status = 0;
    (void)state;
    assert_int_equal(secret_new(span_text("270319"), &secret), SCA_OK);
    secret_free(secret);

    pid_t child = fork();
    if (child == 0) {
        AUTO(secret_freep) struct secret *own = NULL;
        bool is_kept = secret_new(span_text("913072"), &own) == SCA_OK &&
                       span_equal(secret_get(own), span_text("913072"));
        _exit(is_kept ? 0 : 1);
    }

    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_is_kept_as_it_was),
        cmocka_unit_test(a_longer_one_is_refused),
        cmocka_unit_test(what_repeats_a_secret_is_masked),
        cmocka_unit_test(without_a_secret_nothing_is_masked),
        cmocka_unit_test(wiped_memory_is_zero),
        cmocka_unit_test(the_memory_stays_out_of_core_files_and_children),
        cmocka_unit_test(a_forked_child_sees_nothing_and_frees_nothing),
        cmocka_unit_test(a_page_is_used_again_and_comes_empty),
        cmocka_unit_test(two_at_a_time_have_pages_of_their_own),
        cmocka_unit_test(a_page_that_was_put_aside_serves_a_forked_child),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
