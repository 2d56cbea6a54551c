/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people hand to the tool as files: the first byte of the input says as what, the rest is the
 * file (for a signature: a blob that is the document, then the signature).
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/cli/account_title.h"
#include "remote/cli/cms_check.h"
#include "remote/cli/csv.h"
#include "remote/cli/form.h"
#include "remote/cli/key_file.h"
#include "remote/cli/sign_entries.h"
#include "remote/smartca/totp.h"
#include "tests/fuzz/feed.h"
#include "tests/fuzz/fuzz.h"

enum { NOW = 1780000000, LABEL_MAX = 32 };

static char *text_of(struct span bytes)
{
    char *text = malloc(bytes.len + 1);

    require(text != NULL);
    if (bytes.len > 0)
        memcpy(text, bytes.ptr, bytes.len);
    text[bytes.len] = 0;
    return text;
}

/* An order that is in order keeps what the form promises. */
static void check_form(const struct csv_row *names, const struct csv_row *row)
{
    struct form form = {.text = {NULL}};
    struct trouble trouble = {.code = NULL};
    struct order order;

    for (size_t i = 0; i < names->field_count && i < row->field_count; i++) {
        enum form_field field = form_field_of(names->fields[i]);
        if (field < FORM_FIELD_COUNT)
            form.text[field] = row->fields[i];
    }
    if (!form_check(&form, NOW, &order, &trouble)) {
        require(trouble.code && trouble.text[0]);
        return;
    }
    require(order.key && order.not_before < order.not_after);
    require(strlen(order.label) <= LABEL_MAX && utf8_is_valid(span_text(order.label)));
    for (int i = 0; i < FORM_FIELD_COUNT; i++)
        require(!order.text[i] || order.text[i][0]);
}

static void write_row(const struct csv_row *row, struct buf *text)
{
    for (size_t i = 0; i < row->field_count; i++) {
        require(csv_write_field(text, row->fields[i]) == SCA_OK);
        require(buf_append(text, span_text(i + 1 < row->field_count ? "," : "\n")) == SCA_OK);
    }
}

/* What was read, written again under a heading, reads as the same. */
static void check_again(const struct csv *csv)
{
    AUTO(buf_fini) struct buf text;
    AUTO(csv_freep) struct csv *again = NULL;
    unsigned line = 0;
    const char *why = NULL;

    buf_init(&text, CSV_SIZE_MAX, true);
    require(buf_append(&text, span_text("user,pin\n")) == SCA_OK);
    for (size_t i = 0; i < csv->count; i++)
        write_row(&csv->rows[i], &text);
    require(csv_parse(buf_span(&text), &again, &line, &why) == SCA_OK);
    require(again->count == csv->count + 1);
    for (size_t i = 0; i < csv->count; i++) {
        const struct csv_row *row = &again->rows[i + 1];
        require(row->field_count == csv->rows[i].field_count);
        for (size_t k = 0; k < row->field_count; k++)
            require(strcmp(row->fields[k], csv->rows[i].fields[k]) == 0);
    }
}

static void try_csv(struct feed *feed)
{
    AUTO(csv_freep) struct csv *csv = NULL;
    unsigned line = 0;
    const char *why = NULL;

    enum sca_status st = csv_parse(feed_bytes(feed, feed->left), &csv, &line, &why);
    require((st == SCA_OK) == (why == NULL) && line >= 1);
    if (st != SCA_OK)
        return;
    check_again(csv);
    for (size_t i = 1; i < csv->count; i++)
        check_form(&csv->rows[0], &csv->rows[i]);
}

/* In PEM and in DER. */
static void write_certificate(X509 *x509)
{
    struct trouble trouble = {.code = NULL};

    for (int is_pem = 0; is_pem < 2; is_pem++) {
        AUTO(buf_fini) struct buf bytes;
        require(key_file_certificate(x509, is_pem, &bytes, &trouble) && bytes.len > 0);
    }
}

static void try_key(struct feed *feed)
{
    AUTO(key_file_fini) struct key_file file = {0};
    AUTO(secret_freep) struct secret *password = NULL;
    struct trouble trouble = {.code = NULL};
    struct span bytes = feed_bytes(feed, feed->left);

    require(secret_new(span_text("fuzz"), &password) == SCA_OK);
    bool is_wanted = key_file_wants_password(bytes);
    bool is_read = key_file_parse(bytes, is_wanted ? password : NULL, &file, &trouble);
    require(is_read ? file.key && file.x509 : trouble.code && trouble.text[0]);
    if (!is_read)
        return;
    require(X509_check_private_key(file.x509, file.key) == 1);
    write_certificate(file.x509);
    const struct key_spec *spec = key_spec_of(file.key);
    require(!spec || key_spec_find(spec->name) == spec);
}

static void try_signature(struct feed *feed)
{
    AUTO(fd_closep) int fd = memfd_create("document", MFD_CLOEXEC);
    struct cms_report report = {.count = 0};

    require(fd >= 0 && fd_write_all(fd, feed_blob(feed)) == SCA_OK);
    require(lseek(fd, 0, SEEK_SET) == 0);
    enum sca_status st = cms_check(feed_bytes(feed, feed->left), fd, &report);
    require(st != SCA_OK || report.count > 0);
    for (size_t i = 0; st == SCA_OK && i < report.count; i++)
        require((report.items[i].state == CMS_STATE_ANONYMOUS) == !report.items[i].signer);
    cms_report_fini(&report);
}

/* What was read, written again, reads as the same. */
static void write_note(const struct sign_entries *entries)
{
    AUTO(buf_fini) struct buf text;
    struct sign_entries again;
    struct sign_files files = {.items = calloc(entries->count + 1, sizeof(*files.items)),
                               .count = entries->count};

    require(files.items != NULL);
    for (size_t i = 0; i < files.count; i++) {
        const struct sign_entry *entry = &entries->items[i];
        struct sign_file *file = &files.items[i];
        memcpy(file->document, entry->document, entry->document_len);
        file->document_len = entry->document_len;
        memcpy(file->digest, entry->digest, sizeof(file->digest));
        memcpy(file->place, entry->place, sizeof(file->place));
        file->signing_time = entry->signing_time;
    }
    buf_init(&text, SIGN_NOTE_MAX, false);
    require(sign_entries_write(&files, &text) == SCA_OK);
    for (size_t i = 0; i < entries->count; i++)
        if (entries->items[i].is_over)
            require(sign_entry_write_over(&entries->items[i], &text) == SCA_OK);
    require(sign_entries_read(&text, &again) == SCA_OK && again.count == entries->count);
    for (size_t i = 0; i < again.count; i++)
        require(memcmp(again.items[i].digest, entries->items[i].digest, SIGN_DIGEST_LEN) == 0 &&
                again.items[i].signing_time == entries->items[i].signing_time &&
                again.items[i].is_over == entries->items[i].is_over);
    sign_entries_fini(&again);
    free(files.items);
}

static void try_note(struct feed *feed)
{
    AUTO(buf_fini) struct buf text;
    struct sign_entries entries;

    buf_init(&text, SIGN_NOTE_MAX, false);
    require(buf_append(&text, feed_bytes(feed, feed->left)) == SCA_OK);
    if (sign_entries_read(&text, &entries) != SCA_OK)
        return;
    for (size_t i = 0; i < entries.count; i++)
        require(entries.items[i].document_len <= sizeof(entries.items[i].document));
    write_note(&entries);
    sign_entries_fini(&entries);
}

static void try_totp(struct feed *feed)
{
    AUTO(secret_freep) struct secret *text = NULL;
    struct totp_key key;
    const char *why = NULL;
    char code[TOTP_CODE_SIZE];

    if (secret_new(feed_bytes(feed, feed->left), &text) != SCA_OK)
        return;
    (void)totp_key_is_doubtful(text);
    enum sca_status st = totp_key_read(text, &key, &why);
    require(st == SCA_OK || why);
    if (st != SCA_OK)
        return;
    require(key.len > 0 && key.len <= TOTP_KEY_MAX && key.digits >= 6 && key.digits <= 8);
    require(key.period_s >= 1 && key.period_s <= 3600);
    require(totp_code(&key, totp_step(&key, NOW), code) == SCA_OK);
    require(strlen(code) == key.digits && strspn(code, "0123456789") == key.digits);
    totp_key_fini(&key);
}

static void try_title(struct feed *feed)
{
    static const struct account_title title = {"work", "home", "/a/sp-work", "/a/sp-home"};
    AUTO(freep) char *text = text_of(feed_bytes(feed, feed->left));
    AUTO(buf_fini) struct buf changed;

    buf_init(&changed, 0, false);
    enum sca_status st = account_title_change(span_text(text), &title, &changed);
    require(st != SCA_OK || changed.len > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const tries[])(struct feed *) = {try_csv,  try_key,  try_signature,
                                                   try_note, try_totp, try_title};
    struct feed feed = {data, size};

    tries[feed_byte(&feed) % ARRAY_LEN(tries)](&feed);
    return 0;
}
