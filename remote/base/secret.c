/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/base/secret.h"

#include "remote/base/cleanup.h"

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <openssl/crypto.h>

/* Lives at the start of its own mapping, the bytes right behind it. */
struct secret {
    size_t mapped;
    size_t len;
    uint8_t bytes[];
};

enum { PAGE = 4096 };

/* The page released last, wiped: to map and to lock one costs more than a request's JSON. */
static _Atomic(struct secret *) spare;

static struct secret *map_pages(size_t size)
{
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (pages == MAP_FAILED)
        return NULL;
    /* Best effort: a kernel may know none of the advice. */
    (void)madvise(pages, size, MADV_DONTDUMP);
    (void)madvise(pages, size, MADV_WIPEONFORK);
    return pages;
}

enum sca_status secret_new(struct span bytes, struct secret **ret_secret)
{
    if (bytes.len > SECRET_MAX)
        return SCA_INVALID;

    size_t mapped = (sizeof(struct secret) + bytes.len + 1 + PAGE - 1) / PAGE * PAGE;
    struct secret *secret = mapped == PAGE ? atomic_exchange(&spare, NULL) : NULL;
    if (!secret)
        secret = map_pages(mapped);
    if (!secret)
        return SCA_NOMEM;
    /* Not locked yet: a new one, or the parent's, zeros in a forked child. RLIMIT_MEMLOCK is small:
     * best effort. */
    if (secret->mapped == 0)
        (void)mlock(secret, mapped);

    secret->mapped = mapped;
    secret->len = bytes.len;
    if (bytes.len)
        memcpy(secret->bytes, bytes.ptr, bytes.len);
    *ret_secret = secret;
    return SCA_OK;
}

void secret_free(struct secret *secret)
{
    /* A forked child finds zeros here (MADV_WIPEONFORK), and nothing to release. */
    if (!secret || secret->mapped == 0)
        return;
    size_t mapped = secret->mapped;
    struct secret *none = NULL;
    secret_wipe(secret, mapped);
    secret->mapped = mapped;
    if (mapped != PAGE || !atomic_compare_exchange_strong(&spare, &none, secret))
        (void)munmap(secret, mapped);
}

void secret_freep(struct secret **secret)
{
    secret_free(*secret);
    *secret = NULL;
}

struct span secret_get(const struct secret *secret)
{
    return span_of(secret->bytes, secret->len);
}

void secret_wipe(void *ptr, size_t len)
{
    OPENSSL_cleanse(ptr, len);
}

enum { HIDDEN_MIN = 4 };

/* The beginning of the secret at the end of text. */
static void hide_tail(char *text, struct span secret)
{
    size_t len = strlen(text);
    size_t part = len < secret.len ? len : secret.len;

    while (part >= HIDDEN_MIN && memcmp(text + len - part, secret.ptr, part) != 0)
        part--;
    if (part >= HIDDEN_MIN)
        memset(text + len - part, '*', part);
}

void secret_hide(char *text, const struct secret *secret)
{
    const struct span hidden = secret ? secret_get(secret) : span_of(NULL, 0);
    char *at = text;

    if (hidden.len < HIDDEN_MIN || strlen((const char *)hidden.ptr) < hidden.len)
        return; /* what is no text is in none */
    /* Past what is hidden: it may be asterisks itself. */
    for (; (at = strstr(at, (const char *)hidden.ptr)) != NULL; at += hidden.len)
        memset(at, '*', hidden.len);
    hide_tail(text, hidden);
}

void secret_scrub_heap(size_t len)
{
    /* glibc keeps seven small blocks of a size for each thread before others get them. */
    enum { SMALL = 9, LARGE = 6, SMALLEST = 512, LARGE_SIZE = 16 * 1024, HEAD = 1024 };
    void *blocks[2 * SMALL + LARGE];
    size_t sizes[ARRAY_LEN(blocks)];
    size_t size = SMALLEST;

    /* Buffers that grow have powers of two; a head goes before what was sent. */
    while (size <= len / 2)
        size *= 2;
    for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
        sizes[i] = i < SMALL ? size : i < 2 * SMALL ? 2 * size : LARGE_SIZE;
        blocks[i] = malloc(sizes[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
        size_t used = sizes[i] < HEAD + len ? sizes[i] : HEAD + len;
        if (blocks[i])
            secret_wipe(blocks[i], used);
        free(blocks[i]);
    }
}
