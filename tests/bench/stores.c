/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fills stores from a template of one certificate; through PKCS#11 SoftHSM2 would take days.
 *
 *   bench-stores softhsm TOKEN_FOLDER COUNT   a token of SoftHSM2 with one certificate gets more
 *   bench-stores local STATE_DIR COUNT        a token of our keystore with one certificate likewise
 *   bench-stores slots STATE_DIR NEW_STATE_DIR COUNT
 *                                             one token for each copy, all in a new catalogue
 */
#include "tests/bench/stores.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "remote/base/call.h"
#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/catalogue/catalogue.h"
#include "remote/keystore/keystore.h"

enum { OBJECT_MAX = 64 * 1024, COPIES_MAX = 99999 };

static void need(bool is_fine, const char *what)
{
    if (is_fine)
        return;
    fprintf(stderr, "bench-stores: %s\n", what);
    exit(1);
}

static void need_ok(enum sca_status status, const char *what)
{
    if (status == SCA_OK)
        return;
    fprintf(stderr, "bench-stores: %s: status %d\n", what, (int)status);
    exit(1);
}

static unsigned group_of(unsigned number)
{
    for (size_t i = 0; i < ARRAY_LEN(store_groups); i++)
        if (number >= store_groups[i].first &&
            number < store_groups[i].first + store_groups[i].count)
            return store_groups[i].first;
    return number;
}

/* Writes number behind every text in bytes; there is at least one. */
static void renumber(uint8_t *bytes, size_t len, const char *text, unsigned number)
{
    const size_t text_len = strlen(text);
    char digits[STORE_DIGITS + 1];
    size_t seen = 0;
    (void)snprintf(digits, sizeof(digits), "%0*u", STORE_DIGITS, number % (COPIES_MAX + 1));
    for (uint8_t *at = bytes; (at = memmem(at, (size_t)(bytes + len - at), text, text_len));) {
        at += text_len;
        need((size_t)(bytes + len - at) >= STORE_DIGITS, "the template is cut off");
        memcpy(at, digits, STORE_DIGITS);
        seen++;
    }
    need(seen > 0, "a text is not in the template");
}

/* A copy of the template's object with that number; the caller frees it. */
static uint8_t *copy_of(const struct buf *template, unsigned number)
{
    uint8_t *copy = malloc(template->len);
    need(copy != NULL, "no memory");
    memcpy(copy, template->ptr, template->len);
    renumber(copy, template->len, STORE_ID, number);
    renumber(copy, template->len, STORE_LABEL, number);
    renumber(copy, template->len, STORE_HOLDER, group_of(number));
    return copy;
}

/* The one object file in the folder beside token.object. */
static void read_softhsm_template(const char *folder, struct buf *ret_template)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    const char *why = NULL;
    need(dir != NULL, "the token's folder cannot be read");
    while ((entry = readdir(dir))) {
        const char *dot = strrchr(entry->d_name, '.');
        if (!dot || strcmp(dot, ".object") != 0 || strcmp(entry->d_name, "token.object") == 0)
            continue;
        AUTO(freep) char *path = path_join(folder, entry->d_name);
        need(ret_template->ptr == NULL, "the token has several objects");
        need_ok(file_read_trusted(path, FILE_ANY, OBJECT_MAX, false, ret_template, &why), path);
    }
    closedir(dir);
    need(ret_template->ptr != NULL, "the token has no object");
}

static void fill_softhsm(const char *folder, unsigned count)
{
    struct buf template = {0};
    read_softhsm_template(folder, &template);
    for (unsigned number = 1; number < count; number++) {
        char path[4096];
        (void)snprintf(path, sizeof(path), "%s/%08x-0000-4000-8000-000000000000.object", folder,
                       number);
        uint8_t *copy = copy_of(&template, number);
        FILE *file = fopen(path, "wbxe");
        need(file && fwrite(copy, template.len, 1, file) == 1 && fclose(file) == 0, path);
        free(copy);
    }
    buf_fini(&template);
}

static enum sca_status take_body(void *arg, const struct keystore_object *object)
{
    struct buf *template = arg;
    need(template->len == 0, "the token has several public objects");
    return buf_append(template, object->body);
}

static enum sca_status take_name(void *arg, const char *name)
{
    char *ret_name = arg;
    need(*ret_name == 0, "there are several tokens");
    (void)snprintf(ret_name, KEYSTORE_NAME_SIZE, "%s", name);
    return SCA_OK;
}

/* The public object of the one token. */
static void read_local_template(const char *state_dir, char ret_name[KEYSTORE_NAME_SIZE],
                                struct buf *ret_template)
{
    const char *why = NULL;
    ret_name[0] = 0;
    need_ok(keystore_each_name(state_dir, take_name, ret_name), "no token");
    struct keystore keystore = {.state_dir = state_dir, .name = ret_name};
    buf_init(ret_template, OBJECT_MAX, false);
    need_ok(keystore_read(&keystore, NULL, 0, take_body, ret_template, &why), "keystore_read");
    need(ret_template->len > 0, "the token has no object");
}

static void write_copies(const struct keystore *keystore, const struct buf *template,
                         unsigned first, unsigned count)
{
    struct keystore_change *changes = calloc(count, sizeof(*changes));
    struct call call;
    need(changes != NULL, "no memory");
    for (unsigned i = 0; i < count; i++)
        changes[i].object.body = span_of(copy_of(template, first + i), template->len);
    call_init(&call, &clock_system, 60000);
    need_ok(keystore_write(keystore, &call, NULL, changes, count), "keystore_write");
    call_fini(&call);
    for (unsigned i = 0; i < count; i++)
        free((void *)(uintptr_t)changes[i].object.body.ptr);
    free(changes);
}

static void fill_local(const char *state_dir, unsigned count)
{
    char name[KEYSTORE_NAME_SIZE];
    struct buf template;
    read_local_template(state_dir, name, &template);
    if (count > 1)
        write_copies(&(struct keystore){.state_dir = state_dir, .name = name}, &template, 1,
                     count - 1);
    buf_fini(&template);
}

static void make_token(const struct keystore *keystore, uint32_t slot_id)
{
    struct secret *pin = NULL;
    struct call call;
    need_ok(secret_new(span_text("12345678"), &pin), "no memory");
    call_init(&call, &clock_system, 60000);
    need_ok(keystore_create(keystore, &call, pin, span_text("bench"), slot_id, 10),
            "keystore_create");
    call_fini(&call);
    secret_free(pin);
}

static void fill_slots(const char *from, const char *to, unsigned count)
{
    char first[KEYSTORE_NAME_SIZE];
    struct buf template;
    char(*names)[KEYSTORE_NAME_SIZE] = calloc(count, sizeof(*names));
    const char **list = calloc(count, sizeof(*list));
    uint32_t *slot_ids = calloc(count, sizeof(*slot_ids));
    need(names && list && slot_ids, "no memory");
    read_local_template(from, first, &template);
    need_ok(dir_ensure_private(to), to);
    for (unsigned i = 0; i < count; i++) {
        struct keystore keystore = {.state_dir = to, .name = names[i]};
        need_ok(keystore_new_name(names[i]), "keystore_new_name");
        list[i] = names[i];
        slot_ids[i] = i + 1;
        make_token(&keystore, slot_ids[i]);
        write_copies(&keystore, &template, i, 1);
    }
    need_ok(catalogue_adopt_local(to, list, slot_ids, count), "catalogue_adopt_local");
    buf_fini(&template);
    free(slot_ids);
    free(list);
    free(names);
}

static unsigned number_of(const char *text)
{
    unsigned long number = strtoul(text, NULL, 10);
    need(number > 0 && number <= COPIES_MAX, "COUNT is 1 to 99999");
    return (unsigned)number;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "softhsm") == 0)
        fill_softhsm(argv[2], number_of(argv[3]));
    else if (argc == 4 && strcmp(argv[1], "local") == 0)
        fill_local(argv[2], number_of(argv[3]));
    else if (argc == 5 && strcmp(argv[1], "slots") == 0)
        fill_slots(argv[2], argv[3], number_of(argv[4]));
    else
        need(false, "softhsm FOLDER COUNT | local STATE_DIR COUNT | slots FROM TO COUNT");
    return 0;
}
