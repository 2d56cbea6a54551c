/* SPDX-License-Identifier: Apache-2.0 */
/* One confirmation after another, among processes: who begins, who waits, what goes along. */
#include "remote/smartca/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "tests/unit/journal_stage.h"

static const struct journal_rules usual = {
    .takes_turns = true,
    .joins_partly = true,
    .documents_max = 50,
    .prompts_max = 3,
    .open_s = 350,
    .cooldown_s = 10,
    .since = NOW,
};

static enum journal_turn take(struct stage *stage, struct journal_transaction *one,
                              const struct journal_rules *rules)
{
    enum journal_turn turn = JOURNAL_OVER;

    assert_int_equal(journal_take_turn(stage->journal, &stage->call, one, rules, &turn), SCA_OK);
    return turn;
}

/* Begins, waits or joins; what it became is forgotten. */
static enum journal_turn turn_of(struct stage *stage, const char *id, uint8_t seed, size_t count)
{
    struct journal_transaction one = stage_draft(id, seed, count);
    enum journal_turn turn = take(stage, &one, &usual);

    journal_transaction_fini(&one);
    return turn;
}

/* What another process, which lives on, wants to sign next. end_other lets it go. */
struct other {
    pid_t pid;
    int life;
};

static struct other start_other(struct stage *stage, const char *id, uint8_t seed, size_t count)
{
    struct other other = {.pid = 0};
    int life[2];
    int ready[2];
    char byte = 0;

    assert_int_equal(pipe(life), 0);
    assert_int_equal(pipe(ready), 0);
    other.pid = fork();
    assert_true(other.pid >= 0);
    if (other.pid == 0) {
        struct journal_transaction one = stage_draft(id, seed, count);
        (void)close(life[1]);
        journal_abandon();
        journal_want(stage->journal, &stage->call, &one);
        (void)!write(ready[1], "x", 1);
        (void)!read(life[0], &byte, 1);
        _exit(0);
    }
    other.life = life[1];
    (void)close(life[0]);
    (void)close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    (void)close(ready[0]);
    return other;
}

static void end_other(const struct other *other)
{
    (void)close(other->life);
    assert_int_equal(waitpid(other->pid, NULL, 0), other->pid);
}

static void while_one_is_open_the_next_of_its_key_waits(void **state)
{
    struct stage *stage = *state;

    assert_int_equal(turn_of(stage, "id-1", 1, 1), JOURNAL_BEGUN);
    assert_int_equal(turn_of(stage, "id-2", 5, 2), JOURNAL_WAITS);
    journal_end(stage->journal, "id-1");

    assert_int_equal(turn_of(stage, "id-3", 5, 2), JOURNAL_BEGUN);
}

static void a_parked_or_a_left_or_an_old_one_keeps_nobody_waiting(void **state)
{
    struct stage *stage = *state;

    assert_int_equal(turn_of(stage, "id-1", 1, 1), JOURNAL_BEGUN);
    journal_park(stage->journal, "id-1");
    assert_int_equal(turn_of(stage, "id-2", 2, 1), JOURNAL_BEGUN);
    journal_left(stage->journal, "id-2");
    assert_int_equal(turn_of(stage, "id-3", 3, 1), JOURNAL_BEGUN);
    stage->now_s += usual.open_s;

    assert_int_equal(turn_of(stage, "id-4", 4, 1), JOURNAL_BEGUN);
    assert_true(stage_is_live(stage, 1, "id-1")); /* and can be joined all the same */
}

static void a_parked_one_that_is_joined_keeps_others_waiting_again(void **state)
{
    struct stage *stage = *state;
    struct journal_transaction one = stage_draft("id-1", 1, 1);
    assert_int_equal(take(stage, &one, &usual), JOURNAL_BEGUN);
    journal_submitted(stage->journal, &one);
    journal_park(stage->journal, "id-1");

    assert_int_equal(turn_of(stage, "id-2", 1, 1), JOURNAL_JOINED);

    assert_int_equal(turn_of(stage, "id-3", 2, 1), JOURNAL_WAITS);
    journal_transaction_fini(&one);
}

static void one_whose_signatures_are_being_handed_out_keeps_nobody_waiting(void **state)
{
    struct stage *stage = *state;
    struct journal_transaction one = stage_draft("id-1", 1, 2);
    assert_int_equal(take(stage, &one, &usual), JOURNAL_BEGUN);
    one.documents[0].is_collected = true;

    journal_collect(stage->journal, &one);

    assert_int_equal(turn_of(stage, "id-2", 9, 1), JOURNAL_BEGUN);
    assert_true(stage_is_live(stage, 2, "id-1"));
    assert_false(stage_is_live(stage, 1, "id-1"));
    journal_transaction_fini(&one);
}

static void with_its_last_document_collected_a_transaction_is_over(void **state)
{
    struct stage *stage = *state;
    struct journal_transaction one = stage_draft("id-1", 1, 2);
    assert_int_equal(take(stage, &one, &usual), JOURNAL_BEGUN);

    journal_collect_digest(stage->journal, "id-1", span_of(one.documents[1].digest, 32));
    assert_true(stage_is_live(stage, 1, "id-1"));
    journal_collect_digest(stage->journal, "id-1", span_of(one.documents[0].digest, 32));

    assert_int_equal(stage_size(stage), 0);
    journal_transaction_fini(&one);
}

static void what_others_want_goes_along_each_digest_once(void **state)
{
    struct stage *stage = *state;
    struct other other = start_other(stage, "want-1", 20, 3);
    struct journal_transaction mine = stage_draft("id-1", 21, 1); /* their second digest */

    enum journal_turn turn = take(stage, &mine, &usual);

    assert_int_equal(turn, JOURNAL_BEGUN);
    assert_int_equal(mine.document_count, 3);
    assert_int_equal(mine.documents[0].digest[0], 21);
    assert_int_equal(mine.documents[1].digest[0], 20);
    assert_int_equal(mine.documents[2].digest[0], 22);
    assert_non_null(strstr(mine.description, "signs 3 documents"));
    assert_true(stage_is_live(stage, 22, "id-1"));
    end_other(&other);
    journal_transaction_fini(&mine);
}

static void what_a_person_is_to_confirm_goes_along_with_no_computed_code(void **state)
{
    struct stage *stage = *state;
    struct other other = start_other(stage, "want-1", 20, 3);
    struct journal_transaction mine = stage_draft("id-1", 1, 1);
    (void)strcpy(mine.confirm, "totp");

    enum journal_turn turn = take(stage, &mine, &usual);

    assert_int_equal(turn, JOURNAL_BEGUN);
    assert_int_equal(mine.document_count, 1);
    assert_false(stage_is_live(stage, 20, "id-1"));
    end_other(&other);
    journal_transaction_fini(&mine);
}

static void what_does_not_fit_or_comes_from_the_dead_or_is_another_keys_stays(void **state)
{
    struct stage *stage = *state;
    struct journal_rules narrow = usual;
    struct journal_transaction mine = stage_draft("id-1", 1, 1);
    struct journal_transaction foreign = stage_draft("id-2", 2, 1);
    struct other large = start_other(stage, "want-1", 20, 3);
    struct other dead = start_other(stage, "want-2", 30, 1);
    end_other(&dead);
    narrow.documents_max = 3;
    (void)strcpy(foreign.serial, "5402");

    assert_int_equal(take(stage, &foreign, &usual), JOURNAL_BEGUN);
    assert_int_equal(take(stage, &mine, &narrow), JOURNAL_BEGUN);

    assert_int_equal(foreign.document_count, 1);
    assert_int_equal(mine.document_count, 1);
    end_other(&large);
    journal_transaction_fini(&mine);
    journal_transaction_fini(&foreign);
}

static void nobody_takes_along_what_is_not_wanted_any_more(void **state)
{
    struct stage *stage = *state;
    struct journal_transaction wanted = stage_draft("want-1", 7, 1);
    struct journal_transaction mine = stage_draft("id-1", 1, 1);
    journal_want(stage->journal, &stage->call, &wanted);
    assert_true(stage_size(stage) > 0);

    journal_unwant(stage->journal, &wanted);

    assert_int_equal(stage_size(stage), 0);
    assert_int_equal(take(stage, &mine, &usual), JOURNAL_BEGUN);
    assert_int_equal(mine.document_count, 1);
    journal_transaction_fini(&wanted);
    journal_transaction_fini(&mine);
}

static void prompts_of_one_identity_are_limited_whatever_the_key(void **state)
{
    struct stage *stage = *state;

    for (unsigned i = 0; i < 5; i++) {
        char id[8];
        (void)snprintf(id, sizeof(id), "id-%u", i);
        struct journal_transaction one = stage_draft(id, (uint8_t)i, 1);
        (void)snprintf(one.serial, sizeof(one.serial), "54%u", i);
        assert_int_equal(take(stage, &one, &usual), i < 3 ? JOURNAL_BEGUN : JOURNAL_WAITS);
        journal_transaction_fini(&one);
    }
    struct journal_transaction stranger = stage_draft("id-9", 9, 1);
    (void)strcpy(stranger.user_id, "999999999999");
    assert_int_equal(take(stage, &stranger, &usual), JOURNAL_BEGUN);
    journal_transaction_fini(&stranger);
}

static void a_rejection_answers_for_its_digests_until_it_has_cooled_down(void **state)
{
    struct stage *stage = *state;
    struct journal_transaction one = stage_draft("id-1", 1, 2);
    struct journal_transaction same = stage_draft("id-2", 2, 1);
    assert_int_equal(take(stage, &one, &usual), JOURNAL_BEGUN);
    journal_end_with(stage->journal, &one, SCA_REJECTED, &stage->clock, 60);

    assert_int_equal(take(stage, &same, &usual), JOURNAL_OVER);
    assert_int_equal(same.ended_with, SCA_REJECTED);
    assert_string_equal(same.id, "id-1");
    assert_int_equal(turn_of(stage, "id-3", 7, 1), JOURNAL_BEGUN); /* another digest */
    journal_end(stage->journal, "id-3");
    stage->now_s += usual.cooldown_s;
    assert_int_equal(turn_of(stage, "id-4", 2, 1), JOURNAL_BEGUN);
    journal_transaction_fini(&one);
    journal_transaction_fini(&same);
}

/* Of any other end only those are told who waited for it. */
static void another_end_answers_for_those_only_who_waited_since_before(void **state)
{
    struct stage *stage = *state;
    struct journal_rules again = usual;
    struct journal_rules late = usual;
    struct journal_transaction one = stage_draft("id-1", 1, 1);
    struct journal_transaction mine = stage_draft("id-2", 1, 1);
    assert_int_equal(take(stage, &one, &usual), JOURNAL_BEGUN);
    journal_end_with(stage->journal, &one, SCA_EXHAUSTED, &stage->clock, 60);
    again.is_again = true;
    late.is_again = true;
    late.since = NOW + 1;

    assert_int_equal(take(stage, &mine, &again), JOURNAL_OVER);
    assert_int_equal(mine.ended_with, SCA_EXHAUSTED);
    assert_int_equal(turn_of(stage, "id-3", 1, 1), JOURNAL_BEGUN);
    journal_end(stage->journal, "id-3");
    struct journal_transaction other = stage_draft("id-4", 1, 1);
    assert_int_equal(take(stage, &other, &late), JOURNAL_BEGUN);
    journal_transaction_fini(&one);
    journal_transaction_fini(&mine);
    journal_transaction_fini(&other);
}

static void how_it_ended_is_forgotten_in_time(void **state)
{
    struct stage *stage = *state;
    struct journal_transaction one = stage_draft("id-1", 1, 1);
    assert_int_equal(take(stage, &one, &usual), JOURNAL_BEGUN);
    journal_end_with(stage->journal, &one, SCA_REJECTED, &stage->clock, 60);
    stage->now_s += 61;

    assert_int_equal(turn_of(stage, "id-2", 9, 1), JOURNAL_BEGUN);
    journal_end(stage->journal, "id-2");

    assert_int_equal(stage_size(stage), 0);
    journal_transaction_fini(&one);
}

static void a_number_finds_its_document_until_it_is_collected(void **state)
{
    struct stage *stage = *state;
    struct journal_transaction one = stage_draft("id-1", 1, 2);
    struct journal_transaction found;
    size_t index = 0;
    assert_int_equal(take(stage, &one, &usual), JOURNAL_BEGUN);
    struct span digest = span_of(one.documents[1].digest, 32);
    uint64_t number = journal_number("id-1", digest);

    assert_int_equal(journal_find(stage->journal, &stage->call, &one, number, &found, &index),
                     SCA_OK);
    assert_string_equal(found.id, "id-1");
    assert_memory_equal(found.documents[index].digest, digest.ptr, 32);
    journal_transaction_fini(&found);
    assert_int_equal(journal_find(stage->journal, &stage->call, &one, number + 1, &found, &index),
                     SCA_NOT_FOUND);
    (void)strcpy(one.serial, "5402");
    assert_int_equal(journal_find(stage->journal, &stage->call, &one, number, &found, &index),
                     SCA_NOT_FOUND);
    (void)strcpy(one.serial, "54010101");
    journal_collect_digest(stage->journal, "id-1", digest);

    assert_int_equal(journal_find(stage->journal, &stage->call, &one, number, &found, &index),
                     SCA_NOT_FOUND);
    journal_transaction_fini(&one);
}

/* A file that is written anew keeps all that is known. */
static void compacting_keeps_wants_endings_and_what_was_collected(void **state)
{
    enum { CROWD = 200 };
    struct stage *stage = *state;
    struct other other = start_other(stage, "want-1", 240, 1);
    struct journal_transaction collected = stage_draft("id-c", 201, 2);
    struct journal_transaction ended = stage_draft("id-e", 210, 1);
    struct journal_rules alone = {.joins_partly = true, .cooldown_s = 10};
    assert_int_equal(take(stage, &collected, &alone), JOURNAL_BEGUN);
    journal_collect_digest(stage->journal, "id-c", span_of(collected.documents[0].digest, 32));
    assert_int_equal(take(stage, &ended, &alone), JOURNAL_BEGUN);
    journal_end_with(stage->journal, &ended, SCA_REJECTED, &stage->clock, 60);
    for (unsigned i = 0; i < CROWD; i++) {
        char id[16];
        (void)snprintf(id, sizeof(id), "x-%u", i);
        struct journal_transaction one = stage_draft(id, (uint8_t)i, 1);
        assert_int_equal(take(stage, &one, &alone), JOURNAL_BEGUN);
        journal_end(stage->journal, id);
        journal_transaction_fini(&one);
    }

    size_t size = stage_file_size(stage);
    assert_true(size < 64 * 1024);
    assert_false(stage_is_live(stage, 201, "id-c"));
    assert_true(stage_is_live(stage, 202, "id-c"));
    journal_park(stage->journal, "id-c");
    assert_int_equal(turn_of(stage, "id-1", 210, 1), JOURNAL_OVER);
    struct journal_transaction mine = stage_draft("id-2", 220, 1);
    assert_int_equal(take(stage, &mine, &usual), JOURNAL_BEGUN);
    assert_int_equal(mine.document_count, 2);
    end_other(&other);
    journal_transaction_fini(&collected);
    journal_transaction_fini(&ended);
    journal_transaction_fini(&mine);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_begin, stage_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(while_one_is_open_the_next_of_its_key_waits),
        TEST(a_parked_or_a_left_or_an_old_one_keeps_nobody_waiting),
        TEST(a_parked_one_that_is_joined_keeps_others_waiting_again),
        TEST(one_whose_signatures_are_being_handed_out_keeps_nobody_waiting),
        TEST(with_its_last_document_collected_a_transaction_is_over),
        TEST(what_others_want_goes_along_each_digest_once),
        TEST(what_a_person_is_to_confirm_goes_along_with_no_computed_code),
        TEST(what_does_not_fit_or_comes_from_the_dead_or_is_another_keys_stays),
        TEST(nobody_takes_along_what_is_not_wanted_any_more),
        TEST(prompts_of_one_identity_are_limited_whatever_the_key),
        TEST(a_rejection_answers_for_its_digests_until_it_has_cooled_down),
        TEST(another_end_answers_for_those_only_who_waited_since_before),
        TEST(how_it_ended_is_forgotten_in_time),
        TEST(a_number_finds_its_document_until_it_is_collected),
        TEST(compacting_keeps_wants_endings_and_what_was_collected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
