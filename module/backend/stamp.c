/* SPDX-License-Identifier: Apache-2.0 */
#include "module/backend/stamp.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

enum {
    SETTLED_MS = 50, /* file systems count time in ticks of the kernel, 10 ms at most: two changes
                        may have one time */
    AT_REST_MS = 1000,
};

static uint64_t mix(uint64_t sum, uint64_t number)
{
    sum = (sum ^ number) * UINT64_C(0x9e3779b97f4a7c15);
    return sum ^ sum >> 32;
}

/* Also a time that far ahead, of a clock that was set or a server's. */
static bool is_away(const struct timespec *time, int64_t limit_ms)
{
    struct timespec now;

    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        return false;
    int64_t seconds = (int64_t)now.tv_sec - (int64_t)time->tv_sec;
    if (seconds < -2 || seconds > 2)
        return true;
    int64_t ms = seconds * 1000 + ((int64_t)now.tv_nsec - (int64_t)time->tv_nsec) / 1000000;
    return ms < -limit_ms || ms > limit_ms;
}

static struct stamp stamp_of(const struct stat *info)
{
    const uint64_t numbers[] = {
        info->st_dev,
        info->st_ino,
        (uint64_t)info->st_size,
        (uint64_t)info->st_mtim.tv_sec,
        (uint64_t)info->st_mtim.tv_nsec,
        (uint64_t)info->st_ctim.tv_sec, /* also after a rename or a change of mode */
        (uint64_t)info->st_ctim.tv_nsec,
    };
    uint64_t sum = 0;

    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        sum = mix(sum, numbers[i]);
    return (struct stamp){.sum = sum | 1,
                          .is_settled = is_away(&info->st_ctim, SETTLED_MS),
                          .is_at_rest = is_away(&info->st_mtim, AT_REST_MS)};
}

struct stamp stamp_of_file(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? stamp_of(&info)
                                  : (struct stamp){.is_settled = true, .is_at_rest = true};
}

struct stamp stamp_join(struct stamp a, struct stamp b)
{
    /* By a sum: the order of a folder's files does not count. */
    return (struct stamp){.sum = a.sum + b.sum,
                          .is_settled = a.is_settled && b.is_settled,
                          .is_at_rest = a.is_at_rest && b.is_at_rest};
}

struct stamp stamp_of_folder(const char *path)
{
    struct stamp stamp = stamp_of_file(path);
    DIR *folder = stamp.sum ? opendir(path) : NULL;
    const struct dirent *file = NULL;

    while (folder && (file = readdir(folder))) {
        struct stat info;
        if (file->d_name[0] != '.' && fstatat(dirfd(folder), file->d_name, &info, 0) == 0)
            stamp = stamp_join(stamp, stamp_of(&info));
    }
    if (folder)
        (void)closedir(folder);
    return stamp;
}

bool stamp_is_same(struct stamp seen, struct stamp now)
{
    return seen.is_settled && seen.sum == now.sum;
}
