/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/feed.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "remote/base/file.h"
#include "tests/lib/folder.h"

static char folder[256];

uint8_t feed_byte(struct feed *feed)
{
    if (feed->left == 0)
        return 0;
    feed->left--;
    return *feed->at++;
}

uint64_t feed_number(struct feed *feed)
{
    uint64_t number = 0;

    for (unsigned i = 0; i < sizeof(number); i++)
        number |= (uint64_t)feed_byte(feed) << (8 * i);
    return number;
}

struct span feed_bytes(struct feed *feed, size_t len)
{
    struct span bytes = span_of(feed->at, len < feed->left ? len : feed->left);

    feed->at += bytes.len;
    feed->left -= bytes.len;
    return bytes;
}

struct span feed_blob(struct feed *feed)
{
    size_t len = feed_byte(feed);

    len |= (size_t)feed_byte(feed) << 8;
    return feed_bytes(feed, len);
}

static void remove_folder(void)
{
    (void)folder_remove(folder);
}

const char *feed_folder(void)
{
    if (folder[0])
        return folder;
    const char *dir = getenv("TMPDIR");
    int len = snprintf(folder, sizeof(folder), "%s/fuzz.XXXXXX", dir ? dir : "/tmp");
    require(len > 0 && (size_t)len < sizeof(folder));
    require(mkdtemp(folder) && atexit(remove_folder) == 0);
    return folder;
}

void feed_folder_clear(const char *path)
{
    (void)folder_remove(path);
    require(mkdir(path, 0700) == 0);
}

void feed_file(const char *name, struct span bytes)
{
    char path[512];
    const char *slash = strchr(name, '/');

    if (slash) {
        (void)snprintf(path, sizeof(path), "%s/%.*s", feed_folder(), (int)(slash - name), name);
        (void)mkdir(path, 0700);
    }
    (void)snprintf(path, sizeof(path), "%s/%s", feed_folder(), name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    require(fd >= 0 && fd_write_all(fd, bytes) == SCA_OK && close(fd) == 0);
}
