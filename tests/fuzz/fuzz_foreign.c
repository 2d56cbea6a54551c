/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of all functions over the token of another vendor's module, which answers from the input:
 * any code, length, count and text (inner_fake.c). The first byte says which module it is; then
 * comes a blob of calls, as caller.c reads them, then what the module answers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "module/backend/inner.h"
#include "module/token/slot_look.h"
#include "tests/fuzz/caller.h"
#include "tests/fuzz/frozen.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/inner_fake.h"

static void write_configuration(unsigned kind)
{
    char text[1024];
    char name[32];

    (void)snprintf(name, sizeof(name), "inner.%u", kind);
    feed_file(name, span_text("any bytes"));
    (void)snprintf(text, sizeof(text),
                   "[module]\nlog = /dev/null\nlog_level = debug\nstate_dir = %s/state\n"
                   "[token fake]\nmodule = %s/%s\nrelease = %s\n",
                   feed_folder(), feed_folder(), name, kind == 1 ? "yes" : "no");
    (void)snprintf(name, sizeof(name), "fuzz.conf.%u", kind);
    feed_file(name, span_text(text));
}

static void set_up(unsigned kind)
{
    static bool is_done;
    char path[512];

    for (unsigned i = 0; !is_done && i < INNER_FAKE_KINDS; i++)
        write_configuration(i);
    is_done = true;
    (void)snprintf(path, sizeof(path), "%s/fuzz.conf.%u", feed_folder(), kind);
    require(setenv("SMARTCA_PKCS11_CONF", path, 1) == 0 && unsetenv("SMARTCA_PKCS11_LOG") == 0);
    (void)snprintf(path, sizeof(path), "%s/state", feed_folder());
    feed_folder_clear(path);
    frozen_reset();
}

/* What is handed out is what the module made, with its leading zeros. */
static void look_at(uintptr_t out, uintptr_t len)
{
    struct span made = inner_fake_signed();
    const uint8_t *signature = (const uint8_t *)out;

    if (!out || !len)
        return;
    size_t given = *(const CK_ULONG *)len;
    require(made.len > 0 && made.len <= given);
    for (size_t i = 0; i < given - made.len; i++)
        require(signature[i] == 0);
    require(memcmp(signature + given - made.len, made.ptr, made.len) == 0);
}

static void after(struct caller *caller, const struct row *row, const uintptr_t *words, CK_RV rv)
{
    (void)caller;
    frozen_pass(100); /* longer than the pace of looks */
    if (rv == CKR_OK && strcmp(row->name, "C_Sign") == 0)
        look_at(words[3], words[4]);
    if (rv == CKR_OK && strcmp(row->name, "C_SignMessage") == 0)
        look_at(words[5], words[6]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed answers = {data, size};
    unsigned kind = feed_byte(&answers) % INNER_FAKE_KINDS;
    struct span called = feed_blob(&answers);
    struct feed calls = {called.ptr, called.len};
    struct caller *caller = calloc(1, sizeof(*caller));

    require(caller != NULL);
    set_up(kind);
    inner_fake_feed(&answers);
    caller->feed = &calls;
    caller->after = after;
    caller->pins[0] = "1234";
    caller->pins[1] = "12345678";
    caller->pins[2] = "wrong";
    caller->pins[3] = "";
    caller_run(caller);
    free(caller);
    inner_abandon(); /* the next input begins as a new process would */
    return 0;
}
