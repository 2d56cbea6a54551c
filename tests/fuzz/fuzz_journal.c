/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the journal's file: nothing crashes, what is joined is whole, and a transaction that
 * is begun after them is found again. A line that begins with '+' gets its checksum here, so that
 * what is behind the checksum is reached too.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"
#include "remote/base/file.h"
#include "remote/smartca/journal.h"
#include "tests/fuzz/fuzz.h"

static char dir[] = "/tmp/fuzz_journal.XXXXXX";
static char path[64];
static struct journal *journal;

static void clean_up(void)
{
    char lock[80];
    char folder[64];

    journal_free(journal);
    (void)snprintf(folder, sizeof(folder), "%s/journal", dir);
    (void)unlink(path);
    (void)snprintf(lock, sizeof(lock), "%s/lock", folder);
    (void)unlink(lock);
    (void)rmdir(folder);
    (void)rmdir(dir);
}

static uint64_t no_time(const struct clock *clock)
{
    (void)clock;
    return 0;
}

static int64_t fixed_time(const struct clock *clock)
{
    (void)clock;
    return 1780000000;
}

static void draft(struct journal_transaction *made, uint8_t seed)
{
    *made = (struct journal_transaction){.begun_at = 1780000000, .document_count = 1};
    /* The folder's name is random: no input has a transaction of this id. */
    (void)snprintf(made->id, sizeof(made->id), "%s-%u", dir, seed);
    (void)snprintf(made->url, sizeof(made->url), "https://service.test");
    (void)snprintf(made->user_id, sizeof(made->user_id), "012345678901");
    (void)snprintf(made->serial, sizeof(made->serial), "54010101");
    made->documents = calloc(1, sizeof(*made->documents));
    if (!made->documents)
        abort();
    memset(made->documents[0].digest, seed, 32);
    made->documents[0].digest_len = 32;
    (void)snprintf(made->documents[0].doc_id, sizeof(made->documents[0].doc_id), "doc");
}

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_whole(const struct journal_transaction *joined)
{
    require(joined->id[0]);
    require(joined->document_count >= 1 && joined->document_count <= JOURNAL_DOCUMENTS_MAX);
    for (size_t i = 0; i < joined->document_count; i++) {
        require(joined->documents[i].doc_id[0]);
        require(joined->documents[i].digest_len >= 32);
        require(joined->documents[i].digest_len <= JOURNAL_DIGEST_MAX);
    }
}

static bool begin(struct call *call, uint8_t seed, enum sca_status *ret_status)
{
    struct journal_transaction one;
    bool is_joined = false;

    draft(&one, seed);
    *ret_status = journal_begin(journal, call, &one, &is_joined);
    if (*ret_status == SCA_OK)
        check_whole(&one);
    (void)journal_submitter_lives(&one);
    journal_transaction_fini(&one);
    return is_joined;
}

static void set_up(void)
{
    if (!mkdtemp(dir) || journal_new(dir, &journal) != SCA_OK)
        abort();
    (void)snprintf(path, sizeof(path), "%s/journal/transactions", dir);
    (void)atexit(clean_up);
}

static void put(int fd, struct span bytes)
{
    if (fd_write_all(fd, bytes) != SCA_OK)
        abort();
}

static void put_line(int fd, struct span line)
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    char sum[17];

    if (line.len > 0 && line.ptr[0] == '+') {
        line = span_of(line.ptr + 1, line.len - 1);
        if (EVP_Digest(line.ptr, line.len, hash, NULL, crypto_md(CRYPTO_SHA256), NULL) != 1)
            abort();
        hex_encode(span_of(hash, 8), sum);
        put(fd, span_text(sum));
        put(fd, span_text(" "));
    }
    put(fd, line);
}

static void write_file(const uint8_t *data, size_t size)
{
    AUTO(fd_closep) int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

    while (size > 0) {
        const uint8_t *end = memchr(data, '\n', size);
        size_t len = end ? (size_t)(end - data) : size;
        put_line(fd, span_of(data, len));
        if (end)
            put(fd, span_text("\n"));
        size -= end ? len + 1 : len;
        data += end ? len + 1 : len;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct clock clock = {.now_ms = no_time, .wall_s = fixed_time};
    enum sca_status st = SCA_OK;
    struct call call;

    if (!journal)
        set_up();
    call_init(&call, &clock, 1000);
    (void)begin(&call, 200, &st); /* makes the folder */
    require(st == SCA_OK);
    write_file(data, size);
    (void)begin(&call, 1, &st); /* the corpus has it under another id */
    require(st == SCA_OK);
    bool is_joined = begin(&call, 1, &st);
    require(st == SCA_OK && is_joined);
    journal_left(journal, "id-1"); /* the corpus's */
    journal_end(journal, "id-1");
    call_fini(&call);
    return 0;
}
