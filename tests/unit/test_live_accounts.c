/* SPDX-License-Identifier: Apache-2.0 */
/* The real backends over a configuration and a catalogue that change while a program runs. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "module/backend/backend.h"
#include "module/backend/stamp.h"
#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/config/config.h"
#include "remote/vault/vault.h"
#include "tests/lib/folder.h"
#include "tests/unit/catalogue_stage.h"

#define SERVICE "[smartca]\nurl = " URL "\nsp_id = us\nsp_password = word\n"
#define WORK    "[account work]\nuser_id = " ALICE "\n"
#define HOME    "[account home]\nuser_id = " BOB "\n"

struct live {
    struct catalogue_stage state; /* dir: the state folder */
    char dir[64];
    char main_file[80];
    char conf_d[80];
    struct config *config;
    struct backends *backends;
    struct token_list all;   /* owns */
    struct token_list known; /* what is in slots */
};

static void write_file(const char *folder, const char *name, const char *text)
{
    assert_int_equal(file_replace(folder, name, span_text(text)), SCA_OK);
}

static void write_main(const struct live *live, const char *accounts)
{
    char text[1024];
    (void)snprintf(text, sizeof(text), "[module]\nstate_dir = %s\n" SERVICE "%s", live->state.dir,
                   accounts);
    write_file(live->dir, "main.conf", text);
}

static int begin(void **state)
{
    struct live *live = calloc(1, sizeof(*live));
    assert_non_null(live);
    (void)strcpy(live->dir, "/tmp/live.XXXXXX");
    assert_non_null(mkdtemp(live->dir));
    (void)snprintf(live->state.dir, sizeof(live->state.dir), "%.40s/state", live->dir);
    (void)snprintf(live->main_file, sizeof(live->main_file), "%s/main.conf", live->dir);
    (void)snprintf(live->conf_d, sizeof(live->conf_d), "%s/conf.d", live->dir);
    assert_int_equal(setenv("SMARTCA_PKCS11_CONF", live->main_file, 1), 0);
    write_main(live, WORK);
    *state = live;
    return 0;
}

static int end(void **state)
{
    struct live *live = *state;
    free(live->known.items);
    token_list_fini(&live->all);
    backends_close(live->backends);
    config_free(live->config);
    (void)folder_remove(live->dir);
    free(live);
    return 0;
}

/* The place of the known token with that id; where there is none, a new one. */
static struct token **place_of(struct live *live, CK_SLOT_ID id)
{
    for (size_t i = 0; i < live->known.count; i++)
        if (live->known.items[i]->slot_id == id)
            return &live->known.items[i];
    live->known.items =
        realloc(live->known.items, (live->known.count + 1) * sizeof(struct token *));
    assert_non_null(live->known.items);
    return &live->known.items[live->known.count++];
}

/* Looks, and asserts "id ..." of all slots in the order they were found: with "-" the token has
 * gone, with "?" there was none yet, with "*" it is the empty one on offer. */
static void expect_slots(struct live *live, const char *expected)
{
    struct token_list fresh = {0};
    char found[256] = "";
    size_t len = 0;

    assert_int_equal(backends_tokens(live->backends, &live->known, &fresh), SCA_OK);
    for (size_t i = 0; i < fresh.count; i++) {
        *place_of(live, fresh.items[i]->slot_id) = fresh.items[i];
        assert_int_equal(token_list_add(&live->all, fresh.items[i]), SCA_OK);
    }
    free(fresh.items);
    for (size_t i = 0; i < live->known.count; i++) {
        const struct token *token = live->known.items[i];
        const char *mark = token->is_gone ? "-" : token->is_spare ? "*" : "";
        len += (size_t)snprintf(found + len, sizeof(found) - len, "%s%lu%s", i ? " " : "",
                                token->slot_id, token->is_present ? mark : "?");
    }
    assert_string_equal(found, expected);
}

/* As if the files had not been touched for a while. */
static void let_rest(const struct live *live)
{
    const struct timespec then[] = {{.tv_sec = NOW}, {.tv_sec = NOW}};

    assert_int_equal(utimensat(AT_FDCWD, live->main_file, then, 0), 0);
    if (utimensat(AT_FDCWD, live->conf_d, then, 0) != 0)
        assert_int_equal(errno, ENOENT);
}

/* Into the file that is there, as some editors do. */
static void write_in_place(const struct live *live, const char *text)
{
    int fd = open(live->main_file, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, span_text(text)), SCA_OK);
    assert_int_equal(close(fd), 0);
}

static void start(struct live *live)
{
    assert_int_equal(config_load(&live->config), SCA_OK);
    assert_int_equal(backends_open(live->config, &live->backends), SCA_OK);
}

static void make_vault(const struct live *live, const char *user_id)
{
    enum { COST = 10 };
    AUTO(secret_freep) struct secret *pin = NULL;
    const struct vault vault = {.state_dir = live->state.dir, .identity = {URL, user_id}};
    const struct vault_contents nothing = {.items = {NULL}};
    struct call call;

    assert_int_equal(secret_new(span_text("246824"), &pin), SCA_OK);
    call_init(&call, &clock_system, 30000);
    assert_int_equal(vault_create(&vault, &call, pin, &nothing, COST), SCA_OK);
    call_fini(&call);
}

static bool nobody_goes_on(void *nothing)
{
    (void)nothing;
    return false;
}

static void a_certificate_comes_into_the_slot_of_its_account(void **state)
{
    struct live *live = *state;
    catalogue_stage_store(&live->state, ALICE, "");
    start(live);
    expect_slots(live, "1? 0*");

    catalogue_stage_store(&live->state, ALICE, "0");
    expect_slots(live, "1 0*");
    catalogue_stage_store(&live->state, ALICE, "01");
    expect_slots(live, "1 0* 2");

    assert_string_equal(live->known.items[0]->identity.label, "Nguyễn Văn A");
}

static void a_certificate_that_is_not_there_any_more_is_gone(void **state)
{
    struct live *live = *state;
    catalogue_stage_store(&live->state, ALICE, "01");
    start(live);
    expect_slots(live, "1 2 0*");

    catalogue_stage_store(&live->state, ALICE, "1");
    expect_slots(live, "1- 2 0*");
    catalogue_stage_store(&live->state, ALICE, "10");

    expect_slots(live, "1- 2 0* 3");
}

static enum sca_status check(struct live *live, size_t index)
{
    struct token *token = live->known.items[index];
    struct call call;
    call_init(&call, &clock_system, 1000);
    enum sca_status st = token->ops->check(token, &call);
    call_fini(&call);
    return st;
}

/* Without a new token: sessions and logins stay. */
static void a_certificate_that_is_activated_or_revoked_is_heard_of(void **state)
{
    struct live *live = *state;
    struct fetched_certificate item = catalogue_stage_fetched(0);
    item.state = CERTIFICATE_NOT_ACTIVATED;
    assert_int_equal(catalogue_store(live->state.dir, URL, ALICE, NOW, &item, 1), SCA_OK);
    start(live);
    expect_slots(live, "1 0*");
    const struct token *token = live->known.items[0];
    assert_int_equal(check(live, 0), SCA_NOT_PERMITTED);

    catalogue_stage_store(&live->state, ALICE, "0");
    expect_slots(live, "1 0*");
    assert_int_equal(check(live, 0), SCA_OK);
    item.state = CERTIFICATE_REVOKED;
    assert_int_equal(catalogue_store(live->state.dir, URL, ALICE, NOW, &item, 1), SCA_OK);
    expect_slots(live, "1 0*");

    assert_int_equal(check(live, 0), SCA_NOT_PERMITTED);
    assert_ptr_equal(live->known.items[0], token);
}

static void an_account_that_was_never_tried_has_no_slot(void **state)
{
    struct live *live = *state;
    bool has_more = false;
    assert_int_equal(catalogue_store(live->state.dir, URL, ALICE, 0, NULL, 0), SCA_OK);
    start(live);

    expect_slots(live, "0*");
    assert_int_equal(backends_discover(live->backends, nobody_goes_on, &has_more), SCA_OK);
    assert_true(has_more);
    expect_slots(live, "0* 1?");
}

static void a_new_account_is_taken_in(void **state)
{
    struct live *live = *state;
    catalogue_stage_store(&live->state, ALICE, "0");
    start(live);
    expect_slots(live, "1 0*");

    catalogue_stage_store(&live->state, BOB, "7");
    expect_slots(live, "1 0*"); /* the tool is between its two writes */
    assert_int_equal(mkdir(live->conf_d, 0700), 0);
    write_file(live->conf_d, "account-home.conf", HOME);

    assert_true(backends_have_changed(live->backends, false));
    expect_slots(live, "1 0* 2");
    assert_memory_equal(live->known.items[2]->identity.slot_description,
                        "VNPT SmartCA account home", 26);
}

static enum sca_status try_pin(struct live *live, size_t index, const char *text)
{
    AUTO(secret_freep) struct secret *pin = NULL;
    struct token *token = live->known.items[index];
    struct call call;

    assert_int_equal(secret_new(span_text(text), &pin), SCA_OK);
    call_init(&call, &clock_system, 30000);
    enum sca_status st = token->ops->login(token, &call, TOKEN_USER, pin);
    call_fini(&call);
    return st;
}

static unsigned wrong_pins_of(struct live *live, size_t index)
{
    struct token *token = live->known.items[index];
    struct token_state state;

    assert_int_equal(token->ops->state(token, &state), SCA_OK);
    return state.wrong_user_pins;
}

/* The second one is taken in later; the third is somebody else's. */
static void accounts_of_one_identity_count_the_same_wrong_pin_once(void **state)
{
    const char accounts[] = WORK "pin = required\nserial = 54A0\n" HOME "pin = required\n";
    struct live *live = *state;
    const char *const owners[] = {ALICE, BOB};
    write_main(live, accounts);
    catalogue_stage_store(&live->state, ALICE, "01");
    catalogue_stage_store(&live->state, BOB, "7");
    for (size_t i = 0; i < ARRAY_LEN(owners); i++)
        make_vault(live, owners[i]);
    start(live);
    expect_slots(live, "1 3 0*");
    assert_int_equal(mkdir(live->conf_d, 0700), 0);
    write_file(live->conf_d, "account-twin.conf",
               "[account twin]\nuser_id = " ALICE "\npin = required\nserial = 54a1\n");
    expect_slots(live, "1 3 0* 2");

    for (size_t i = 0; i < live->known.count; i++)
        if (!live->known.items[i]->is_spare)
            assert_int_equal(try_pin(live, i, "135790"), SCA_USER_AUTH);

    assert_int_equal(wrong_pins_of(live, 0), 1);
    assert_int_equal(wrong_pins_of(live, 3), 1);
    assert_int_equal(wrong_pins_of(live, 1), 1);
    assert_int_equal(try_pin(live, 3, "246824"), SCA_OK);
}

/* Not the order of the names: an account for all has what nobody names. */
static void a_certificate_is_the_slot_of_the_account_that_names_it(void **state)
{
    struct live *live = *state;
    write_main(live, "[account aa]\nuser_id = " ALICE "\n"
                     "[account bb]\nuser_id = " ALICE "\nserial = 54A1\n"
                     "[account cc]\nuser_id = " ALICE "\nserial = 54A1\n");
    catalogue_stage_store(&live->state, ALICE, "01");
    start(live);

    expect_slots(live, "1 2 0*");

    assert_memory_equal(live->known.items[0]->identity.slot_description, "VNPT SmartCA account aa",
                        23);
    assert_memory_equal(live->known.items[1]->identity.slot_description, "VNPT SmartCA account bb",
                        23);
}

static void an_account_that_is_removed_is_gone_until_it_is_back(void **state)
{
    struct live *live = *state;
    write_main(live, WORK HOME);
    catalogue_stage_store(&live->state, ALICE, "0");
    catalogue_stage_store(&live->state, BOB, "7");
    start(live);
    expect_slots(live, "1 2 0*");
    const struct token *before = live->known.items[1];

    write_main(live, WORK);
    let_rest(live);
    expect_slots(live, "1 2- 0*");
    write_main(live, WORK HOME);

    expect_slots(live, "1 2 0*");
    assert_ptr_equal(live->known.items[1], before);
}

/* Settings wait for the next C_Initialize, and so does another identity under a known name. */
static void what_changes_in_a_known_account_waits(void **state)
{
    struct live *live = *state;
    catalogue_stage_store(&live->state, ALICE, "0");
    catalogue_stage_store(&live->state, BOB, "7");
    start(live);
    expect_slots(live, "1 0*");
    const struct token *before = live->known.items[0];

    write_main(live, WORK "extra_hashes = yes\nprotected_path = yes\n");
    expect_slots(live, "1 0*");
    assert_ptr_equal(live->known.items[0], before);
    write_main(live, "[account work]\nuser_id = " BOB "\n");

    expect_slots(live, "1 0*");
}

static void a_faulty_configuration_takes_nobody_away(void **state)
{
    struct live *live = *state;
    catalogue_stage_store(&live->state, ALICE, "0");
    start(live);
    expect_slots(live, "1 0*");

    write_file(live->dir, "main.conf", "[smartca\n");
    expect_slots(live, "1 0*");
    assert_int_equal(unlink(live->main_file), 0);
    expect_slots(live, "1 0*");
    write_main(live, "");
    let_rest(live);

    expect_slots(live, "1- 0*");
}

static void a_file_that_is_being_written_takes_nobody_away(void **state)
{
    struct live *live = *state;
    catalogue_stage_store(&live->state, ALICE, "0");
    start(live);
    expect_slots(live, "1 0*");

    write_in_place(live, SERVICE);
    expect_slots(live, "1 0*");
    assert_int_not_equal(backends_poll_ms(live->backends), 0);
    assert_true(backends_have_changed(live->backends, true));
    write_main(live, WORK);
    expect_slots(live, "1 0*");

    assert_int_equal(backends_poll_ms(live->backends), 0);
}

static void who_is_missing_in_files_at_rest_has_gone(void **state)
{
    struct live *live = *state;
    catalogue_stage_store(&live->state, ALICE, "0");
    start(live);
    write_main(live, "");
    expect_slots(live, "1 0*");

    let_rest(live);
    assert_true(backends_have_changed(live->backends, true));
    expect_slots(live, "1- 0*");

    assert_int_equal(backends_poll_ms(live->backends), 0);
}

static void an_emptied_file_takes_nobody_away(void **state)
{
    struct live *live = *state;
    catalogue_stage_store(&live->state, ALICE, "0");
    start(live);

    write_in_place(live, "");
    let_rest(live);

    expect_slots(live, "1 0*");
    assert_int_equal(backends_poll_ms(live->backends), 0);
}

static void a_damaged_catalogue_takes_nobody_away(void **state)
{
    struct live *live = *state;
    catalogue_stage_store(&live->state, ALICE, "0");
    start(live);
    expect_slots(live, "1 0*");

    write_file(live->state.dir, "catalogue", "damaged");

    expect_slots(live, "1 0*");
}

static void a_catalogue_made_anew_exchanges_no_token(void **state)
{
    struct live *live = *state;
    char file[80];
    catalogue_stage_store(&live->state, ALICE, "0");
    start(live);
    expect_slots(live, "1 0*");
    (void)snprintf(file, sizeof(file), "%s/catalogue", live->state.dir);
    assert_int_equal(unlink(file), 0);

    catalogue_stage_store(&live->state, ALICE, "1");

    expect_slots(live, "1- 0*");
}

static void a_default_and_a_name_are_the_tokens(void **state)
{
    const struct catalogue_view view = {.display_name = "Chị Hoa", .is_default = true};
    struct live *live = *state;
    catalogue_stage_store(&live->state, ALICE, "0");
    assert_int_equal(
        catalogue_set_view(live->state.dir, URL, ALICE, NULL, VIEW_NAME | VIEW_DEFAULT, &view),
        SCA_OK);
    start(live);

    expect_slots(live, "1 0*");

    assert_string_equal(live->known.items[0]->identity.label, "Chị Hoa");
    assert_true(live->known.items[0]->is_default);
}

/* Looks until what was written a moment ago is old enough to be told from the next change. */
static void settle(struct live *live, const char *expected)
{
    while (backends_have_changed(live->backends, true))
        expect_slots(live, expected);
}

static void nothing_has_changed_until_something_does(void **state)
{
    struct live *live = *state;
    catalogue_stage_store(&live->state, ALICE, "0");
    start(live);
    expect_slots(live, "1 0*");
    settle(live, "1 0*");

    assert_false(backends_have_changed(live->backends, false));
    catalogue_stage_store(&live->state, ALICE, "1");
    assert_true(backends_have_changed(live->backends, false));
    expect_slots(live, "1- 0* 2");
    settle(live, "1- 0* 2");
    assert_int_equal(mkdir(live->conf_d, 0700), 0);
    assert_false(backends_have_changed(live->backends, false)); /* only one stat, of another file */
    assert_true(backends_have_changed(live->backends, true));
    settle(live, "1- 0* 2");
    write_file(live->conf_d, "a.conf", "");
    assert_true(backends_have_changed(live->backends, true));
}

static void a_file_edited_in_place_shows_in_its_folder(void **state)
{
    struct live *live = *state;
    write_file(live->dir, "some", "a");
    struct stamp before = stamp_of_folder(live->dir);
    while (!before.is_settled)
        before = stamp_of_folder(live->dir);
    assert_true(stamp_is_same(before, stamp_of_folder(live->dir)));

    char path[80];
    (void)snprintf(path, sizeof(path), "%s/some", live->dir);
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    assert_int_equal(fputs("b", file), 1);
    assert_int_equal(fclose(file), 0);

    assert_false(stamp_is_same(before, stamp_of_folder(live->dir)));
}

static void the_folders_to_watch_are_told(void **state)
{
    struct live *live = *state;
    start(live);

    assert_string_equal(backends_folder(live->backends, 0), live->state.dir);
    assert_string_equal(backends_folder(live->backends, 1), live->dir);
    assert_string_equal(backends_folder(live->backends, 2), live->conf_d);
    assert_null(backends_folder(live->backends, 3));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_certificate_comes_into_the_slot_of_its_account),
        TEST(a_certificate_that_is_not_there_any_more_is_gone),
        TEST(a_certificate_that_is_activated_or_revoked_is_heard_of),
        TEST(an_account_that_was_never_tried_has_no_slot),
        TEST(a_new_account_is_taken_in),
        TEST(accounts_of_one_identity_count_the_same_wrong_pin_once),
        TEST(a_certificate_is_the_slot_of_the_account_that_names_it),
        TEST(an_account_that_is_removed_is_gone_until_it_is_back),
        TEST(what_changes_in_a_known_account_waits),
        TEST(a_faulty_configuration_takes_nobody_away),
        TEST(a_file_that_is_being_written_takes_nobody_away),
        TEST(who_is_missing_in_files_at_rest_has_gone),
        TEST(an_emptied_file_takes_nobody_away),
        TEST(a_damaged_catalogue_takes_nobody_away),
        TEST(a_catalogue_made_anew_exchanges_no_token),
        TEST(a_default_and_a_name_are_the_tokens),
        TEST(nothing_has_changed_until_something_does),
        TEST(a_file_edited_in_place_shows_in_its_folder),
        TEST(the_folders_to_watch_are_told),
    };
    return cmocka_run_group_tests(tests, catalogue_stage_certificates, NULL);
}
