/* SPDX-License-Identifier: Apache-2.0 */
/* What people and crashes do to the audit log, and which line is said to be bad. */
#include "remote/audit/audit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "tests/unit/audit_stage.h"

static void add(struct buf *bytes, struct span more)
{
    assert_int_equal(buf_append(bytes, more), SCA_OK);
}

/* A file of these lines of the stage (numbers from 1, in that order). */
static void rewrite(const struct audit_stage *stage, const char *order)
{
    AUTO(buf_fini) struct buf bytes;

    buf_init(&bytes, 64 * 1024, false);
    for (; *order; order++) {
        add(&bytes, stage->lines[*order - '1']);
        add(&bytes, span_text("\n"));
    }
    audit_stage_write(stage, buf_span(&bytes));
}

/* The first lines of the stage followed by this text. */
static void rewrite_with(const struct audit_stage *stage, size_t line_count, struct span text)
{
    AUTO(buf_fini) struct buf bytes;

    buf_init(&bytes, 4 * 1024 * 1024, false);
    for (size_t i = 0; i < line_count; i++) {
        add(&bytes, stage->lines[i]);
        add(&bytes, span_text("\n"));
    }
    add(&bytes, text);
    audit_stage_write(stage, buf_span(&bytes));
}

static void every_flipped_bit_is_found_in_its_line(void **state)
{
    struct audit_stage *stage = *state;
    size_t line = 1;
    audit_stage_append(stage, 3);
    audit_stage_read(stage);

    for (size_t i = 0; i < stage->len; i++) {
        char original = stage->text[i];
        stage->text[i] ^= 1;
        audit_stage_write(stage, span_of(stage->text, stage->len));
        struct audit_report report = audit_stage_verify(stage);
        if (report.bad_line != line)
            fail_msg("byte %zu of line %zu: line %zu is bad", i, line, report.bad_line);
        stage->text[i] = original;
        line += original == '\n';
    }
    assert_int_equal(line, 4);
}

static void lines_out_of_their_place_are_found(void **state)
{
    static const struct {
        const char *order;
        size_t bad_line;
    } rows[] = {
        {"1234", 0}, {"234", 1},  {"134", 2},   {"124", 3},   {"1324", 2},
        {"2134", 1}, {"1243", 3}, {"11234", 2}, {"12343", 5}, {"4", 1},
    };
    struct audit_stage *stage = *state;
    audit_stage_append(stage, 4);
    audit_stage_read(stage);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        rewrite(stage, rows[i].order);
        struct audit_report report = audit_stage_verify(stage);
        if (report.bad_line != rows[i].bad_line)
            fail_msg("%s: line %zu is bad", rows[i].order, report.bad_line);
    }
}

static void a_bad_last_line_is_not_made_good_by_the_next(void **state)
{
    struct audit_stage *stage = *state;
    audit_stage_append(stage, 3);
    audit_stage_read(stage);
    stage->text[stage->len - 20] ^= 1;
    audit_stage_write(stage, span_of(stage->text, stage->len));

    audit_stage_append(stage, 1);

    assert_int_equal(audit_stage_verify(stage).bad_line, 3);
}

/* The lines after a crash: what is left of one, the one that tells, the next entry. */
static void expect_bridge(struct audit_stage *stage, size_t index, const char *outcome,
                          const char *follows, struct span skipped)
{
    char hash[AUDIT_HEX_SIZE];
    char chain[AUDIT_HEX_SIZE];
    AUTO(freep) char *object = NULL;

    audit_stage_sha256(skipped, hash);
    assert_true(asprintf(&object,
                         "{\"time\":\"" AUDIT_TIME "\",\"outcome\":\"%s\",\"follows\":\"%s\","
                         "\"skipped\":\"%s\"}",
                         outcome, follows, hash) > 0);
    AUTO(freep) char *expected = audit_stage_sealed(follows, object);
    assert_int_equal(stage->lines[index].len, strlen(expected));
    assert_memory_equal(stage->lines[index].ptr, expected, strlen(expected));
    assert_non_null(audit_stage_chain(stage, index, chain));
}

static void wherever_a_line_is_torn_the_log_says_so(void **state)
{
    struct audit_stage *stage = *state;
    char first[AUDIT_HEX_SIZE];
    audit_stage_append(stage, 2);
    audit_stage_read(stage);
    (void)audit_stage_chain(stage, 0, first);
    AUTO(freep) char *second = strndup((const char *)stage->lines[1].ptr, stage->lines[1].len);

    for (size_t len = 1; len < strlen(second); len++) {
        AUTO(freep) char *torn = NULL;
        assert_true(asprintf(&torn, "%.*s\n", (int)len, second) > 0);
        rewrite_with(stage, 1, span_of(torn, len));
        assert_int_equal(audit_stage_verify(stage).bad_line, 2);

        audit_stage_append(stage, 1);

        struct audit_report report = audit_stage_verify(stage);
        assert_int_equal(report.line_count, 4);
        assert_int_equal(report.torn_count, 1);
        assert_int_equal(report.bad_line, 0);
        audit_stage_read(stage);
        assert_int_equal(stage->line_count, 4);
        expect_bridge(stage, 2, "torn", first, span_text(torn));
    }
}

static void a_torn_first_line_follows_the_origin(void **state)
{
    struct audit_stage *stage = *state;
    audit_stage_append(stage, 1);
    audit_stage_write(stage, span_text("{\"time\":\"20"));

    audit_stage_append(stage, 1);

    audit_stage_read(stage);
    assert_int_equal(stage->line_count, 3);
    expect_bridge(stage, 1, "torn", AUDIT_ZERO, span_text("{\"time\":\"20\n"));
    assert_int_equal(audit_stage_verify(stage).bad_line, 0);
}

static void two_crashes_in_a_row_are_told_as_one(void **state)
{
    struct audit_stage *stage = *state;
    char first[AUDIT_HEX_SIZE];
    audit_stage_append(stage, 1);
    audit_stage_read(stage);
    (void)audit_stage_chain(stage, 0, first);
    rewrite_with(stage, 1, span_text("{\"time\":\"20\n{\"time"));

    audit_stage_append(stage, 1);

    audit_stage_read(stage);
    assert_int_equal(stage->line_count, 5);
    expect_bridge(stage, 3, "torn", first, span_text("{\"time\":\"20\n{\"time\n"));
    struct audit_report report = audit_stage_verify(stage);
    assert_int_equal(report.torn_count, 2);
    assert_int_equal(report.bad_line, 0);
}

static void a_line_without_its_newline_is_whole(void **state)
{
    struct audit_stage *stage = *state;
    audit_stage_append(stage, 2);
    audit_stage_read(stage);
    audit_stage_write(stage, span_of(stage->text, stage->len - 1));
    assert_int_equal(audit_stage_verify(stage).bad_line, 0);

    audit_stage_append(stage, 1);

    struct audit_report report = audit_stage_verify(stage);
    assert_int_equal(report.line_count, 3);
    assert_int_equal(report.torn_count, 0);
    assert_int_equal(report.bad_line, 0);
}

static void what_no_crash_leaves_stays_bad(void **state)
{
    static const char *const texts[] = {"hello\n", "\n", "{\"time\":\"20\n", "{}\n\n"};
    struct audit_stage *stage = *state;
    char second[AUDIT_HEX_SIZE];
    audit_stage_append(stage, 1); /* makes the folder */

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        audit_stage_write(stage, span_text(""));
        audit_stage_append(stage, 2);
        audit_stage_read(stage);
        (void)audit_stage_chain(stage, 1, second);
        rewrite_with(stage, 2, span_text(texts[i]));

        audit_stage_append(stage, 1);

        assert_int_equal(audit_stage_verify(stage).bad_line, 3);
        audit_stage_read(stage);
        expect_bridge(stage, stage->line_count - 2, "damaged", second, span_text(texts[i]));
    }
}

static void what_was_torn_cannot_be_changed_or_taken_away(void **state)
{
    static const struct {
        const char *order;
        size_t bad_line;
    } rows[] = {{"12345", 0}, {"1345", 2}, {"1245", 2}, {"12245", 2}, {"13245", 2}, {"2345", 1}};
    struct audit_stage *stage = *state;
    audit_stage_append(stage, 1);
    audit_stage_read(stage);
    rewrite_with(stage, 1, span_text("{\"time\":\"20"));
    audit_stage_append(stage, 2);
    audit_stage_read(stage);
    assert_int_equal(stage->line_count, 5);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        rewrite(stage, rows[i].order);
        struct audit_report report = audit_stage_verify(stage);
        if (report.bad_line != rows[i].bad_line)
            fail_msg("%s: line %zu is bad", rows[i].order, report.bad_line);
    }
    char *torn = strstr(stage->text, "{\"time\":\"20\n");
    assert_non_null(torn);
    torn[3] ^= 1;
    audit_stage_write(stage, span_of(stage->text, stage->len));
    assert_int_equal(audit_stage_verify(stage).bad_line, 2);
}

static void a_flood_of_garbage_is_refused_and_left_alone(void **state)
{
    enum { FLOOD = 1024 * 1024 + 1 };
    struct audit_stage *stage = *state;
    const struct audit_entry entry = audit_stage_entry();
    AUTO(freep) char *flood = malloc(FLOOD);
    assert_non_null(flood);
    memset(flood, 'x', FLOOD);
    audit_stage_append(stage, 1);
    audit_stage_read(stage);
    size_t len = stage->len + FLOOD;
    rewrite_with(stage, 1, span_of(flood, FLOOD));

    assert_int_equal(audit_append(stage->dir, &stage->clock, &entry), SCA_INVALID);

    audit_stage_read(stage);
    assert_int_equal(stage->len, len);
    assert_int_equal(audit_stage_verify(stage).bad_line, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, audit_stage_begin, audit_stage_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_flipped_bit_is_found_in_its_line),
        TEST(lines_out_of_their_place_are_found),
        TEST(a_bad_last_line_is_not_made_good_by_the_next),
        TEST(wherever_a_line_is_torn_the_log_says_so),
        TEST(a_torn_first_line_follows_the_origin),
        TEST(two_crashes_in_a_row_are_told_as_one),
        TEST(a_line_without_its_newline_is_whole),
        TEST(what_no_crash_leaves_stays_bad),
        TEST(what_was_torn_cannot_be_changed_or_taken_away),
        TEST(a_flood_of_garbage_is_refused_and_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
