/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/json.h"

#include "remote/base/cleanup.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static cJSON *parse_good(const char *text)
{
    const char *why = "unset";
    cJSON *json = NULL;

    assert_int_equal(json_parse(span_text(text), &json, &why), SCA_OK);
    assert_null(why);
    assert_non_null(json);
    return json;
}

static void assert_refused_bytes(struct span bytes, const char *reason)
{
    const char *why = NULL;
    cJSON *json = NULL;

    assert_int_equal(json_parse(bytes, &json, &why), SCA_PROTOCOL);
    assert_null(json);
    assert_string_equal(why, reason);
}

static void assert_refused(const char *text, const char *reason)
{
    assert_refused_bytes(span_text(text), reason);
}

/* before, then unit count times, then after. */
static char *repeat(const char *before, const char *unit, size_t count, const char *after)
{
    size_t size = strlen(before) + strlen(unit) * count + strlen(after) + 1;
    char *text = malloc(size);
    assert_non_null(text);
    char *at = text + sprintf(text, "%s", before);

    for (size_t i = 0; i < count; i++)
        at += sprintf(at, "%s", unit);
    (void)sprintf(at, "%s", after);
    return text;
}

static void members_are_found_by_exact_name_and_type(void **state)
{
    (void)state;
    long number = -7;
    AUTO(json_deletep)
    cJSON *json = parse_good(
        "{\"o\":{\"x\":1},\"a\":[1,2],\"t\":\"Nguyễn\",\"n\":-12,\"z\":null,\"b\":true}");

    assert_true(json_integer(json_object(json, "o"), "x", &number));
    assert_int_equal(number, 1);
    assert_int_equal(cJSON_GetArraySize(json_array(json, "a")), 2);
    assert_string_equal(json_text(json, "t"), "Nguyễn");
    assert_true(json_integer(json, "n", &number));
    assert_int_equal(number, -12);
}

static void a_missing_or_mistyped_member_is_nothing(void **state)
{
    (void)state;
    static const char *const names[] = {"o", "O", "a", "A", "t", "T", "n", "N", "z", "b", "none"};
    AUTO(json_deletep)
    cJSON *json = parse_good("{\"o\":{},\"a\":[],\"t\":\"x\",\"n\":5,\"z\":null,\"b\":true}");

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        long number = -7;
        assert_int_equal(json_object(json, names[i]) != NULL, strcmp(names[i], "o") == 0);
        assert_int_equal(json_array(json, names[i]) != NULL, strcmp(names[i], "a") == 0);
        assert_int_equal(json_text(json, names[i]) != NULL, strcmp(names[i], "t") == 0);
        assert_int_equal(json_integer(json, names[i], &number), strcmp(names[i], "n") == 0);
        assert_int_equal(number, strcmp(names[i], "n") == 0 ? 5 : -7);
    }
}

static void what_is_no_object_has_no_members(void **state)
{
    (void)state;
    AUTO(json_deletep) cJSON *json = parse_good("[{\"t\":\"x\"}]");

    assert_null(json_text(json, "t"));
    assert_null(json_text(NULL, "t"));
    assert_null(json_object(NULL, "t"));
    assert_null(json_array(NULL, "t"));
}

static void only_exact_integers_are_integers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_integer;
        long value;
    } rows[] = {
        {"{\"n\":0}", true, 0},
        {"{\"n\":200}", true, 200},
        {"{\"n\":-1}", true, -1},
        {"{\"n\":2e2}", true, 200},
        {"{\"n\":9007199254740991}", true, 9007199254740991},
        {"{\"n\":-9007199254740991}", true, -9007199254740991},
        {"{\"n\":9007199254740992}", false, 0},
        {"{\"n\":9007199254740993}", false, 0},
        {"{\"n\":200.5}", false, 0},
        {"{\"n\":1e400}", false, 0},
        {"{\"n\":-1e400}", false, 0},
        {"{\"n\":\"200\"}", false, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        long value = 0;
        AUTO(json_deletep) cJSON *json = parse_good(rows[i].text);
        if (json_integer(json, "n", &value) != rows[i].is_integer || value != rows[i].value)
            fail_msg("%s: %ld", rows[i].text, value);
    }
}

static void what_is_not_one_whole_document_is_refused(void **state)
{
    (void)state;

    assert_refused("", "empty");
    assert_refused("   ", "not JSON");
    assert_refused("<html></html>", "not JSON");
    assert_refused("{\"a\":1", "not JSON");
    assert_refused("{\"a\":1}}", "unbalanced brackets");
    assert_refused("{\"a\":1}x", "not JSON");
    assert_refused("{\"a\":1} {\"b\":2}", "not JSON");
    assert_refused("{\"a\":}", "not JSON");
    assert_refused("{\"a", "a string does not end");
    assert_refused("{\"a\\", "a string does not end");
    assert_refused("{\"a\\\"", "a string does not end");
    assert_refused("{\"a\":\"\\ud800\"}", "not JSON");
    assert_refused("{\"a\":\"\\x\"}", "not JSON");
}

static void white_space_around_the_document_is_accepted(void **state)
{
    (void)state;
    AUTO(json_deletep) cJSON *json = parse_good(" \r\n\t{ } \n");

    assert_true(cJSON_IsObject(json));
}

static void bytes_after_the_given_length_do_not_count(void **state)
{
    (void)state;
    const char *why = NULL;
    AUTO(json_deletep) cJSON *json = NULL;
    static const uint8_t bytes[] = {'[', '1', ']', 0, 'x', '{'};

    assert_int_equal(json_parse(span_of(bytes, 3), &json, &why), SCA_OK);

    assert_int_equal(cJSON_GetArraySize(json), 1);
}

static void invalid_utf8_is_refused(void **state)
{
    (void)state;

    assert_refused("{\"a\":\"\xff\"}", "not UTF-8");
    assert_refused("{\"a\":\"\xc0\x80\"}", "not UTF-8");
    assert_refused("{\"a\":\"\xed\xa0\x80\"}", "not UTF-8");
    assert_refused("{\"a\":\"\xe1\xbb", "not UTF-8");
}

static void no_nul_gets_in(void **state)
{
    (void)state;
    static const uint8_t inside[] = {'"', 'a', 0, 'b', '"', 0};
    static const uint8_t between[] = {'[', 0, ']', 0};

    assert_refused_bytes(span_of(between, 3), "a NUL byte");
    assert_refused_bytes(span_of(inside, 5), "a NUL byte");
    assert_refused("{\"a\":\"x\\u0000y\"}", "a string holds a NUL");
    assert_refused("{\"a\\u0000b\":1}", "a string holds a NUL");
}

static void an_escaped_backslash_does_not_make_a_nul(void **state)
{
    (void)state;
    AUTO(json_deletep) cJSON *json = parse_good("{\"a\":\"x\\\\u0000\"}");

    assert_string_equal(json_text(json, "a"), "x\\u0000");
}

static void a_key_given_twice_is_refused(void **state)
{
    (void)state;

    assert_refused("{\"a\":1,\"b\":2,\"a\":3}", "a key is there twice");
    assert_refused("{\"a\":1,\"\\u0061\":3}", "a key is there twice");
    assert_refused("[[{\"x\":{\"k\":[],\"k\":{}}}]]", "a key is there twice");
    assert_refused("{\"\":1,\"\":3}", "a key is there twice");
}

static void keys_that_differ_in_case_are_two_keys(void **state)
{
    (void)state;
    AUTO(json_deletep) cJSON *json = parse_good("{\"a\":\"low\",\"A\":\"high\"}");

    assert_string_equal(json_text(json, "a"), "low");
    assert_string_equal(json_text(json, "A"), "high");
}

static void nesting_has_a_limit(void **state)
{
    (void)state;
    AUTO(freep) char *deepest = repeat("", "[", JSON_DEPTH_MAX, "]]]]]]]]]]]]]]]]");
    AUTO(freep) char *deeper = repeat("", "[", JSON_DEPTH_MAX + 1, "]]]]]]]]]]]]]]]]]");
    AUTO(freep) char *bomb = repeat("", "[", 100000, "");
    AUTO(freep) char *flat = repeat("[", "[[]],", 1000, "\"[[[[[[[[[[[[[[[[[[[[[[\"]");

    AUTO(json_deletep) cJSON *first = parse_good(deepest);
    AUTO(json_deletep) cJSON *second = parse_good(flat);

    assert_int_equal(cJSON_GetArraySize(first), 1);
    assert_int_equal(cJSON_GetArraySize(second), 1001);
    assert_refused(deeper, "nested too deeply");
    assert_refused(bomb, "nested too deeply");
}

static void values_have_a_limit(void **state)
{
    (void)state;
    AUTO(freep) char *most = repeat("[", "0,", JSON_NODES_MAX - 2, "0]");
    AUTO(freep) char *more = repeat("[", "0,", JSON_NODES_MAX, "0]");

    AUTO(json_deletep) cJSON *json = parse_good(most);

    assert_int_equal(cJSON_GetArraySize(json), JSON_NODES_MAX - 1);
    assert_refused(more, "too many values");
}

static void strings_have_a_limit(void **state)
{
    (void)state;
    AUTO(freep) char *longest = repeat("\"", "x", JSON_STRING_MAX, "\"");
    AUTO(freep) char *longer = repeat("\"", "x", JSON_STRING_MAX + 1, "\"");
    AUTO(freep) char *escapes = repeat("\"", "\\n", JSON_STRING_MAX / 2 + 1, "\"");

    AUTO(json_deletep) cJSON *json = parse_good(longest);

    assert_int_equal(strlen(cJSON_GetStringValue(json)), JSON_STRING_MAX);
    assert_refused(longer, "a string is too long");
    assert_refused(escapes, "a string is too long");
}

static void members_of_an_object_have_a_limit(void **state)
{
    (void)state;
    char text[JSON_MEMBERS_MAX * 12 + 32];
    char *at = text + sprintf(text, "{");

    for (int i = 0; i < JSON_MEMBERS_MAX; i++)
        at += sprintf(at, "%s\"k%d\":0", i ? "," : "", i);
    (void)sprintf(at, "}");
    AUTO(json_deletep) cJSON *json = parse_good(text);
    (void)sprintf(at, ",\"one_more\":0}");

    assert_int_equal(cJSON_GetArraySize(json), JSON_MEMBERS_MAX);
    assert_refused(text, "an object has too many members");
}

static size_t found;

/* Is what is about to be freed still there? */
static void free_and_look(void *block)
{
    static const char canary[] = "canary";
    size_t size = block ? malloc_usable_size(block) : 0;

    found += block && memmem(block, size, canary, strlen(canary)) != NULL;
    free(block);
}

static size_t found_in(const char *text)
{
    cJSON_Hooks hooks = {.malloc_fn = malloc, .free_fn = free_and_look};
    const char *why = NULL;
    cJSON *json = NULL;

    found = 0;
    cJSON_InitHooks(&hooks);
    (void)json_parse(span_text(text), &json, &why);
    json_deletep(&json);
    cJSON_InitHooks(NULL);
    return found;
}

/* A service may put a secret where nobody looks for one. */
static void texts_are_wiped_before_they_are_freed(void **state)
{
    (void)state;

    assert_int_equal(found_in("{\"a\":\"a canary\"}"), 0);
    assert_int_equal(found_in("[{\"a\":{\"b\":[1,\"canary\",\"a canary\"]}},\"canary\"]"), 0);
    assert_int_equal(found_in("{\"a\":\"canary\",\"a\":\"canary\"}"), 0); /* refused */
    assert_int_equal(found_in("{\"canary\":1}"), 1); /* the test can fail: names stay */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_found_by_exact_name_and_type),
        cmocka_unit_test(a_missing_or_mistyped_member_is_nothing),
        cmocka_unit_test(what_is_no_object_has_no_members),
        cmocka_unit_test(only_exact_integers_are_integers),
        cmocka_unit_test(what_is_not_one_whole_document_is_refused),
        cmocka_unit_test(white_space_around_the_document_is_accepted),
        cmocka_unit_test(bytes_after_the_given_length_do_not_count),
        cmocka_unit_test(invalid_utf8_is_refused),
        cmocka_unit_test(no_nul_gets_in),
        cmocka_unit_test(an_escaped_backslash_does_not_make_a_nul),
        cmocka_unit_test(a_key_given_twice_is_refused),
        cmocka_unit_test(keys_that_differ_in_case_are_two_keys),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(values_have_a_limit),
        cmocka_unit_test(strings_have_a_limit),
        cmocka_unit_test(members_of_an_object_have_a_limit),
        cmocka_unit_test(texts_are_wiped_before_they_are_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
