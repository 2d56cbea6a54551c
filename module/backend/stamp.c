/* SPDX-License-Identifier: Apache-2.0 */
#include "module/backend/stamp.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

/* File systems count time in ticks of the kernel, 10 ms at most: two changes may have one time. */
enum { SETTLED_MS = 50 };

static uint64_t mix(uint64_t sum, uint64_t number)
{
    sum = (sum ^ number) * UINT64_C(0x9e3779b97f4a7c15);
    return sum ^ sum >> 32;
}

static bool is_settled(const struct timespec *changed)
{
    struct timespec now;

    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        return false;
    int64_t seconds = (int64_t)now.tv_sec - (int64_t)changed->tv_sec;
    if (seconds < -1 || seconds > 1)
        return true;
    int64_t ms = seconds * 1000 + ((int64_t)now.tv_nsec - (int64_t)changed->tv_nsec) / 1000000;
    return ms < -SETTLED_MS || ms > SETTLED_MS;
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
    return (struct stamp){.sum = sum | 1, .is_settled = is_settled(&info->st_ctim)};
}

struct stamp stamp_of_file(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? stamp_of(&info) : (struct stamp){.is_settled = true};
}

struct stamp stamp_join(struct stamp a, struct stamp b)
{
    /* By a sum: the order of a folder's files does not count. */
    return (struct stamp){.sum = a.sum + b.sum, .is_settled = a.is_settled && b.is_settled};
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
