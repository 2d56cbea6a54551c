/* SPDX-License-Identifier: Apache-2.0 */
/* What a run of smartca sign has asked for: written before, read after a crash, damaged, removed.
 */
#include "remote/cli/sign_note.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/cli/live_file.h"
#include "remote/smartca/journal_revive.h"
#include "tests/lib/folder.h"

enum { FILES = 3, PATIENCE_MS = 1000, PATH_SIZE = 512 };

#define DIGEST "0101010101010101010101010101010101010101010101010101010101010101"
#define ID     "11111111-2222-4333-8444-555555555555"

/* A state folder, a journal in it, and files whose digests are all 1, 2 and 3. */
struct stage {
    char dir[64];
    struct journal *journal;
    struct call call;
    struct sign_file items[FILES];
    struct sign_files files;
    struct sign_note note;
};

static int stage_begin(void **state)
{
    struct stage *stage = calloc(1, sizeof(*stage));

    if (!stage)
        return -1;
    (void)strcpy(stage->dir, "/tmp/note.XXXXXX");
    if (!mkdtemp(stage->dir) || journal_new(stage->dir, &stage->journal) != SCA_OK)
        return -1;
    call_init(&stage->call, &clock_system, PATIENCE_MS);
    stage->files = (struct sign_files){.items = stage->items, .count = FILES};
    for (size_t i = 0; i < FILES; i++) {
        struct sign_file *file = &stage->items[i];
        memset(file->document, (int)(0x10 + i), SIGN_DIGEST_LEN);
        memset(file->digest, (int)(i + 1), SIGN_DIGEST_LEN);
        memset(file->place, (int)(0x20 + i), SIGN_DIGEST_LEN);
        file->document_len = SIGN_DIGEST_LEN;
        file->signing_time = 1780000000 + (int64_t)i;
        file->state = SIGN_WAITING;
    }
    stage->note.fd = -1;
    *state = stage;
    return 0;
}

static int stage_end(void **state)
{
    struct stage *stage = *state;
    int result = 0;

    sign_note_end(&stage->note, &(struct sign_files){.count = 0});
    call_fini(&stage->call);
    journal_free(stage->journal);
    result = folder_remove(stage->dir);
    free(stage);
    return result;
}

static void write_note(struct stage *stage)
{
    struct trouble trouble = {.text = ""};

    assert_true(sign_note_write(stage->dir, &stage->files, &stage->note, &trouble));
}

/* A transaction of the first count files' digests. */
static struct journal_transaction transaction_of(size_t count)
{
    struct journal_transaction one = {
        .state = JOURNAL_SUBMITTED, .begun_at = (int64_t)time(NULL), .document_count = count};

    (void)snprintf(one.id, sizeof(one.id), "%s", ID);
    (void)snprintf(one.url, sizeof(one.url), "https://example.test");
    (void)snprintf(one.user_id, sizeof(one.user_id), "012345678901");
    (void)snprintf(one.serial, sizeof(one.serial), "54");
    one.documents = calloc(count, sizeof(*one.documents));
    assert_non_null(one.documents);
    for (size_t i = 0; i < count; i++) {
        memset(one.documents[i].digest, (int)(i + 1), SIGN_DIGEST_LEN);
        one.documents[i].digest_len = SIGN_DIGEST_LEN;
        (void)snprintf(one.documents[i].doc_id, sizeof(one.documents[i].doc_id), "doc-%zu", i);
    }
    return one;
}

static void begin_transaction(struct stage *stage, size_t count)
{
    struct journal_transaction one = transaction_of(count);
    bool is_joined = true;

    assert_int_equal(journal_begin(stage->journal, &stage->call, &one, &is_joined), SCA_OK);
    assert_false(is_joined);
    journal_transaction_fini(&one);
}

static struct sign_entries read_note(const char *path)
{
    AUTO(buf_fini) struct buf text;
    struct sign_entries entries = {.count = 0};
    const char *why = NULL;

    assert_int_equal(
        file_read_trusted(path, FILE_NOT_READABLE_BY_OTHERS, 100000, false, &text, &why), SCA_OK);
    assert_int_equal(sign_entries_read(&text, &entries), SCA_OK);
    return entries;
}

static void what_is_written_is_read_back(void **state)
{
    struct stage *stage = *state;

    write_note(stage);

    AUTO(sign_entries_fini) struct sign_entries entries = read_note(stage->note.path);
    assert_int_equal(entries.count, FILES);
    assert_int_equal(entries.asked.count, 0);
    for (size_t i = 0; i < FILES; i++) {
        const struct sign_file *file = &stage->items[i];
        assert_int_equal(entries.items[i].document_len, file->document_len);
        assert_memory_equal(entries.items[i].document, file->document, file->document_len);
        assert_memory_equal(entries.items[i].digest, file->digest, SIGN_DIGEST_LEN);
        assert_int_equal(entries.items[i].signing_time, file->signing_time);
        assert_memory_equal(entries.items[i].place, file->place, SIGN_DIGEST_LEN);
        assert_false(entries.items[i].is_over);
    }
}

static void a_note_is_held_as_long_as_its_run_lives(void **state)
{
    struct stage *stage = *state;
    char path[PATH_SIZE];
    int fd = -1;
    write_note(stage);
    (void)snprintf(path, sizeof(path), "%s", stage->note.path);
    begin_transaction(stage, 1);

    assert_false(live_file_adopt(path, &fd));
    sign_note_end(&stage->note, &stage->files);

    assert_true(live_file_adopt(path, &fd)); /* something waits: it stays */
    fd_closep(&fd);
}

static void a_transaction_is_learned_once(void **state)
{
    struct stage *stage = *state;
    struct stat first;
    struct stat second;
    write_note(stage);
    begin_transaction(stage, 2);

    sign_note_learn(&stage->note, &stage->files);
    assert_int_equal(stat(stage->note.path, &first), 0);
    sign_note_learn(&stage->note, &stage->files);

    AUTO(sign_entries_fini) struct sign_entries entries = read_note(stage->note.path);
    assert_int_equal(entries.asked.count, 1);
    assert_string_equal(entries.asked.items[0].id, ID);
    assert_int_equal(entries.asked.items[0].document_count, 2);
    assert_true(stage->items[0].is_noted && stage->items[1].is_noted);
    assert_false(stage->items[2].is_noted);
    assert_int_equal(stat(stage->note.path, &second), 0);
    assert_int_equal(second.st_size, first.st_size);
}

static void a_note_goes_when_nothing_is_to_be_had(void **state)
{
    struct stage *stage = *state;
    char path[PATH_SIZE];
    write_note(stage);
    (void)snprintf(path, sizeof(path), "%s", stage->note.path);
    begin_transaction(stage, FILES);
    for (size_t i = 0; i < FILES; i++)
        stage->items[i].is_written = true;

    sign_note_end(&stage->note, &stage->files);

    assert_int_equal(access(path, F_OK), -1);
}

static void a_note_stays_for_what_was_signed_and_not_written(void **state)
{
    struct stage *stage = *state;
    char path[PATH_SIZE];
    write_note(stage);
    (void)snprintf(path, sizeof(path), "%s", stage->note.path);
    stage->items[1].state = SIGN_DONE;

    sign_note_end(&stage->note, &stage->files);

    assert_int_equal(access(path, F_OK), 0);
}

static void a_note_stays_for_a_file_that_was_changed_meanwhile(void **state)
{
    struct stage *stage = *state;
    char path[PATH_SIZE];
    write_note(stage);
    (void)snprintf(path, sizeof(path), "%s", stage->note.path);
    stage->items[1].state = SIGN_FALSE;

    sign_note_end(&stage->note, &stage->files);

    assert_int_equal(access(path, F_OK), 0);
}

static void what_waits_already_is_learned_before_the_first_look(void **state)
{
    struct stage *stage = *state;
    write_note(stage);
    begin_transaction(stage, FILES);
    for (size_t i = 0; i < FILES; i++)
        stage->items[i].state = SIGN_OPEN;

    sign_note_learn(&stage->note, &stage->files);

    AUTO(sign_entries_fini) struct sign_entries entries = read_note(stage->note.path);
    assert_int_equal(entries.asked.count, 1);
    assert_string_equal(entries.asked.items[0].id, ID);
}

/* Every prefix of a note is either no note, or the whole list of files. */
static void a_torn_note_is_none(void **state)
{
    struct stage *stage = *state;
    AUTO(buf_fini) struct buf whole;
    const char *why = NULL;
    write_note(stage);
    assert_int_equal(file_read_trusted(stage->note.path, FILE_ANY, 100000, false, &whole, &why),
                     SCA_OK);

    for (size_t len = 0; len < whole.len; len++) {
        AUTO(buf_fini) struct buf torn;
        struct sign_entries entries = {.count = 0};
        buf_init(&torn, 100000, false);
        assert_int_equal(buf_append(&torn, span_of(whole.ptr, len)), SCA_OK);
        assert_int_equal(sign_entries_read(&torn, &entries), SCA_INVALID);
    }
}

static void what_is_no_note_is_refused(void **state)
{
    static const char *const texts[] = {
        "end",
        "something else\n",
        "file \nend\n",
        "file 00 00 1 " DIGEST "\nend\n",
        "file 0 " DIGEST " 1 " DIGEST "\nend\n",
        "file 01 " DIGEST "\nend\n",
        "file 01 " DIGEST " 1\nend\n",
        "file 01 " DIGEST " 1 00\nend\n",
        "file 01 " DIGEST " x " DIGEST "\nend\n",
        "file 01 " DIGEST " 99999999999999999999 " DIGEST "\nend\n",
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        AUTO(buf_fini) struct buf text;
        struct sign_entries entries = {.count = 0};
        buf_init(&text, 1000, false);
        assert_int_equal(buf_append(&text, span_text(texts[i])), SCA_OK);
        print_message("%s\n", texts[i]);
        assert_int_equal(sign_entries_read(&text, &entries), SCA_INVALID);
    }
}

static void what_is_over_is_read_back(void **state)
{
    struct stage *stage = *state;
    AUTO(buf_fini) struct buf line;
    struct sign_entry entry = {.is_over = false};
    write_note(stage);
    memset(entry.digest, 2, sizeof(entry.digest));
    buf_init(&line, 1000, false);
    assert_int_equal(sign_entry_write_over(&entry, &line), SCA_OK);
    assert_int_equal(fd_write_all(stage->note.fd, buf_span(&line)), SCA_OK);

    AUTO(sign_entries_fini) struct sign_entries entries = read_note(stage->note.path);

    assert_int_equal(entries.count, FILES);
    for (size_t i = 0; i < FILES; i++)
        assert_int_equal(entries.items[i].is_over, i == 1);
}

static void of_two_that_are_the_same_one_is_over_at_a_time(void **state)
{
    struct stage *stage = *state;
    AUTO(buf_fini) struct buf line;
    struct sign_entry entry = {.is_over = false};
    memcpy(stage->items[2].digest, stage->items[1].digest, SIGN_DIGEST_LEN);
    write_note(stage);
    memcpy(entry.digest, stage->items[1].digest, SIGN_DIGEST_LEN);
    buf_init(&line, 1000, false);
    assert_int_equal(sign_entry_write_over(&entry, &line), SCA_OK);

    for (size_t over = 1; over <= 2; over++) {
        assert_int_equal(fd_write_all(stage->note.fd, buf_span(&line)), SCA_OK);

        AUTO(sign_entries_fini) struct sign_entries entries = read_note(stage->note.path);

        assert_false(entries.items[0].is_over);
        assert_true(entries.items[1].is_over);
        assert_int_equal(entries.items[2].is_over, over == 2);
    }
}

static void the_output_of_a_run_that_lives_is_taken(void **state)
{
    struct stage *stage = *state;
    struct sign_file other = stage->items[1];
    const struct sign_files others = {.items = &other, .count = 1};
    struct sign_note second = {.folder = -1, .fd = -1};
    struct trouble trouble = {.code = ""};
    write_note(stage);

    assert_false(sign_note_write(stage->dir, &others, &second, &trouble));

    assert_string_equal(trouble.code, "busy");
    assert_null(second.path);
    memset(other.place, 0x30, SIGN_DIGEST_LEN); /* the same document, signed somewhere else */
    assert_true(sign_note_write(stage->dir, &others, &second, &trouble));
    sign_note_end(&second, &(struct sign_files){.count = 0});
}

static void the_output_of_a_run_that_is_gone_is_free(void **state)
{
    struct stage *stage = *state;
    struct sign_note second = {.folder = -1, .fd = -1};
    struct trouble trouble = {.code = ""};
    char path[PATH_SIZE];
    write_note(stage);
    (void)snprintf(path, sizeof(path), "%s", stage->note.path);
    begin_transaction(stage, FILES);
    sign_note_end(&stage->note, &stage->files);
    assert_int_equal(access(path, F_OK), 0);

    assert_true(sign_note_write(stage->dir, &stage->files, &second, &trouble));

    sign_note_end(&second, &(struct sign_files){.count = 0});
}

static void without_a_folder_nobody_may_be_asked(void **state)
{
    struct stage *stage = *state;
    struct trouble trouble = {.code = ""};
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof(path), "%s/" SIGN_NOTE_FOLDER, stage->dir);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);

    assert_false(sign_note_write(stage->dir, &stage->files, &stage->note, &trouble));

    assert_string_equal(trouble.code, "io");
    assert_null(stage->note.path);
}

static void what_was_collected_can_be_joined_again(void **state)
{
    struct stage *stage = *state;
    struct journal_transaction one = transaction_of(2);
    begin_transaction(stage, 2);
    journal_end(stage->journal, ID);
    one.documents[1].is_collected = true;

    assert_int_equal(journal_revive(stage->journal, &stage->call, &one), SCA_OK);

    AUTO(ledger_fini) struct ledger waiting = {.count = 0};
    assert_true(sign_note_waiting(stage->dir, &waiting));
    assert_int_equal(waiting.count, 1);
    assert_string_equal(waiting.items[0].id, ID);
    assert_int_equal(waiting.items[0].state, JOURNAL_SUBMITTED);
    assert_int_equal(waiting.items[0].pid, 0);
    assert_non_null(sign_note_find(&waiting, stage->items[0].digest));
    assert_null(sign_note_find(&waiting, stage->items[1].digest));
    journal_transaction_fini(&one);
}

static void one_that_is_still_there_gets_its_marks_anew(void **state)
{
    struct stage *stage = *state;
    struct journal_transaction one = transaction_of(2);
    begin_transaction(stage, 2);
    journal_collect_digest(stage->journal, ID, span_of(stage->items[0].digest, SIGN_DIGEST_LEN));

    assert_int_equal(journal_revive(stage->journal, &stage->call, &one), SCA_OK);

    AUTO(ledger_fini) struct ledger waiting = {.count = 0};
    assert_true(sign_note_waiting(stage->dir, &waiting));
    assert_int_equal(waiting.count, 1);
    assert_non_null(sign_note_find(&waiting, stage->items[0].digest));
    assert_non_null(sign_note_find(&waiting, stage->items[1].digest));
    journal_transaction_fini(&one);
}

static void what_could_not_be_read_back_is_not_revived(void **state)
{
    struct stage *stage = *state;
    struct journal_transaction one = transaction_of(1);
    one.id[0] = 0;

    assert_int_equal(journal_revive(stage->journal, &stage->call, &one), SCA_INVALID);

    AUTO(ledger_fini) struct ledger waiting = {.count = 0};
    assert_true(sign_note_waiting(stage->dir, &waiting));
    assert_int_equal(waiting.count, 0);
    journal_transaction_fini(&one);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_begin, stage_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_written_is_read_back),
        TEST(a_note_is_held_as_long_as_its_run_lives),
        TEST(a_transaction_is_learned_once),
        TEST(a_note_goes_when_nothing_is_to_be_had),
        TEST(a_note_stays_for_what_was_signed_and_not_written),
        TEST(a_note_stays_for_a_file_that_was_changed_meanwhile),
        TEST(what_waits_already_is_learned_before_the_first_look),
        TEST(of_two_that_are_the_same_one_is_over_at_a_time),
        TEST(the_output_of_a_run_that_lives_is_taken),
        TEST(the_output_of_a_run_that_is_gone_is_free),
        TEST(a_torn_note_is_none),
        TEST(what_is_no_note_is_refused),
        TEST(what_is_over_is_read_back),
        TEST(without_a_folder_nobody_may_be_asked),
        TEST(what_was_collected_can_be_joined_again),
        TEST(one_that_is_still_there_gets_its_marks_anew),
        TEST(what_could_not_be_read_back_is_not_revived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
