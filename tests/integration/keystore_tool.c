/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One operation on a token, for keystore_kill_test.sh: keystore_tool DIR NAME OPERATION. show
 * prints what there is in one line: wrong PINs, the PIN that opens the token, its objects.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/keystore/keystore.h"

#define SO_PIN   "so-secret"
#define USER_PIN "123456"
#define NEW_PIN  "654321"

enum { COST = 10, BUDGET_MS = 30000 };

struct tool {
    struct keystore keystore;
    struct call call;
    struct pin_memory memory;
};

static struct secret *secret_of(const char *text)
{
    struct secret *secret = NULL;
    if (secret_new(span_text(text), &secret) != SCA_OK)
        abort();
    return secret;
}

static enum sca_status log_in(struct tool *tool, enum keystore_user user, const char *text,
                              struct secret **ret_master_key)
{
    AUTO(secret_freep) struct secret *pin = secret_of(text);
    return keystore_login(&tool->keystore, &tool->call, user, pin, &tool->memory, ret_master_key);
}

static enum sca_status make(struct tool *tool)
{
    AUTO(secret_freep) struct secret *so_pin = secret_of(SO_PIN);
    return keystore_create(&tool->keystore, &tool->call, so_pin, span_text("t"), 1, COST);
}

static enum sca_status set_user_pin(struct tool *tool, const char *text)
{
    AUTO(secret_freep) struct secret *pin = secret_of(text);
    AUTO(secret_freep) struct secret *master_key = NULL;

    enum sca_status st = log_in(tool, KEYSTORE_SO, SO_PIN, &master_key);
    return st == SCA_OK ? keystore_init_pin(&tool->keystore, &tool->call, master_key, pin, COST)
                        : st;
}

static enum sca_status init_pin(struct tool *tool)
{
    return set_user_pin(tool, USER_PIN);
}

static enum sca_status unlock(struct tool *tool)
{
    return set_user_pin(tool, NEW_PIN);
}

static enum sca_status change_to(struct tool *tool, const char *pin)
{
    AUTO(secret_freep) struct secret *old_pin = secret_of(USER_PIN);
    AUTO(secret_freep) struct secret *new_pin = secret_of(pin);
    return keystore_set_pin(&tool->keystore, &tool->call, KEYSTORE_USER, old_pin, new_pin,
                            &tool->memory, COST);
}

static enum sca_status change_pin(struct tool *tool)
{
    return change_to(tool, NEW_PIN);
}

/* The same PIN; a try costs little from now on. */
static enum sca_status cheapen(struct tool *tool)
{
    return change_to(tool, USER_PIN);
}

static enum sca_status add(struct tool *tool)
{
    AUTO(secret_freep) struct secret *master_key = NULL;
    struct keystore_change changes[] = {
        {.object = {.body = span_text("public")}},
        {.object = {.is_private = true, .body = span_text("private"), .key = span_text("key")}},
    };

    enum sca_status st = log_in(tool, KEYSTORE_USER, USER_PIN, &master_key);
    return st == SCA_OK ? keystore_write(&tool->keystore, &tool->call, master_key, changes,
                                         ARRAY_LEN(changes))
                        : st;
}

static enum sca_status guess(struct tool *tool)
{
    struct secret *master_key = NULL;
    enum sca_status st = log_in(tool, KEYSTORE_USER, "a wrong one", &master_key);
    return st == SCA_USER_AUTH ? SCA_OK : SCA_INVALID;
}

static enum sca_status log_in_only(struct tool *tool)
{
    AUTO(secret_freep) struct secret *master_key = NULL;
    return log_in(tool, KEYSTORE_USER, USER_PIN, &master_key);
}

static enum sca_status reset(struct tool *tool)
{
    AUTO(secret_freep) struct secret *so_pin = secret_of(SO_PIN);
    return keystore_reset(&tool->keystore, &tool->call, so_pin, span_text("t"), COST);
}

static enum sca_status print_one(void *arg, const struct keystore_object *object)
{
    (void)arg;
    (void)printf(" %.*s%s%.*s", (int)object->body.len, (const char *)object->body.ptr,
                 object->is_private ? "/" : "", (int)object->key.len,
                 (const char *)object->key.ptr);
    return SCA_OK;
}

static enum sca_status show(struct tool *tool)
{
    AUTO(secret_freep) struct secret *master_key = NULL;
    struct keystore_info info;
    const char *why = NULL;
    const char *pin = USER_PIN;

    enum sca_status st = keystore_info(&tool->keystore, &info, &why);
    if (st == SCA_NOT_FOUND)
        return puts("none") < 0 ? SCA_IO : SCA_OK;
    if (st != SCA_OK)
        return st;
    st = info.has_user_pin ? log_in(tool, KEYSTORE_USER, pin, &master_key) : SCA_OK;
    if (st == SCA_USER_AUTH) {
        pin = NEW_PIN;
        st = log_in(tool, KEYSTORE_USER, pin, &master_key);
    }
    (void)printf("%u %u %s:", info.wrong_user_pins, info.wrong_so_pins,
                 !info.has_user_pin     ? "no-pin"
                 : st == SCA_PIN_LOCKED ? "locked"
                                        : pin);
    if (st == SCA_OK || st == SCA_PIN_LOCKED)
        st = keystore_read(&tool->keystore, master_key, 0, print_one, NULL, &why);
    (void)putchar('\n');
    return st;
}

static const struct {
    const char *name;
    enum sca_status (*run)(struct tool *tool);
} operations[] = {
    {"make", make}, {"init-pin", init_pin}, {"unlock", unlock}, {"change-pin", change_pin},
    {"add", add},   {"login", log_in_only}, {"guess", guess},   {"reset", reset},
    {"show", show}, {"cheapen", cheapen},
};

int main(int argc, char **argv)
{
    struct tool tool = {.memory = {.is_set = false}};
    enum sca_status st = SCA_UNSUPPORTED;

    if (argc != 4)
        return 2;
    tool.keystore = (struct keystore){.state_dir = argv[1], .name = argv[2]};
    call_init(&tool.call, &clock_system, BUDGET_MS);
    for (size_t i = 0; i < ARRAY_LEN(operations); i++)
        if (strcmp(argv[3], operations[i].name) == 0)
            st = operations[i].run(&tool);
    if (st != SCA_OK)
        (void)fprintf(stderr, "%s: %s %s\n", argv[3], sca_status_name(st), tool.call.note);
    call_fini(&tool.call);
    return st == SCA_OK ? 0 : 1;
}
