/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/soak/evidence.h"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "remote/base/bytes.h"
#include "remote/base/cleanup.h"

FILE *evidence_open(const char *folder)
{
    char path[96];
    (void)snprintf(path, sizeof(path), "%s/diary", folder);
    FILE *diary = fopen(path, "ae");
    if (diary)
        (void)setvbuf(diary, NULL, _IOLBF, 0);
    return diary;
}

void evidence_add(FILE *diary, const struct post *post, uint64_t ms)
{
    static const char *const names[] = {
        [POST_ASKED] = "asked",           [POST_ANSWERED] = "answered",
        [POST_SIGNED] = "signed",         [POST_GIVEN_UP] = "given up",
        [POST_LOCAL] = "local",           [POST_TOOL_BEGUN] = "tool begun",
        [POST_TOOL_ENDED] = "tool ended", [POST_BROKEN] = "BROKEN",
    };
    char digest[2 * DIGEST_LEN + 1];
    if (post->kind == POST_LOCAL)
        return;
    hex_encode(span_of(post->digest, DIGEST_LEN), digest);
    (void)fprintf(diary, "%llu.%03llu signer %u: %s %.16s 0x%lx %llu ms %s\n",
                  (unsigned long long)ms / 1000, (unsigned long long)ms % 1000, post->desk,
                  names[post->kind], digest, post->rv, (unsigned long long)post->took_ms,
                  post->text);
}

/* Whoever writes it has opened it to append, and goes on at its new end. A line that comes between
 * the copy and the cut is lost. */
static void turn(const char *folder, const char *name)
{
    char path[96];
    char old[104];
    struct stat info;
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    (void)snprintf(old, sizeof(old), "%s.old", path);
    int from = open(path, O_RDWR | O_CLOEXEC);
    int to = open(old, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (from >= 0 && to >= 0 && fstat(from, &info) == 0) {
        off_t at = 0;
        while (at < info.st_size && sendfile(to, from, &at, (size_t)(info.st_size - at)) > 0)
            continue;
        int cut = ftruncate(from, 0);
        (void)cut; /* the file grows on */
    }
    if (from >= 0)
        (void)close(from);
    if (to >= 0)
        (void)close(to);
}

void evidence_turn(const char *folder)
{
    static const char *const names[] = {"log", "diary", "service/requests.jsonl"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        turn(folder, names[i]);
}
