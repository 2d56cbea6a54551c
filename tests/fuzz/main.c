/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a target over files, or folders of files, without a fuzzer: the corpus is a regression test.
 */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { PATH_SIZE = 4096 };

static unsigned inputs;

/* The input has memory of exactly its size, so that a sanitizer sees one byte too many. */
static bool run_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "rbe");
    uint8_t *data = malloc(size ? size : 1);
    bool is_read = file && data && fread(data, 1, size, file) == size;

    if (is_read) {
        (void)LLVMFuzzerTestOneInput(data, size);
        inputs++;
    }
    if (file)
        (void)fclose(file);
    free(data);
    return is_read;
}

static bool run_path(const char *path, bool may_be_folder);

static bool run_folder(const char *path)
{
    DIR *folder = opendir(path);
    bool is_good = folder != NULL;

    for (const struct dirent *entry = NULL; is_good && (entry = readdir(folder));) {
        char inner[PATH_SIZE];
        int len = snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.')
            is_good = len < PATH_SIZE && run_path(inner, false);
    }
    if (folder)
        (void)closedir(folder);
    return is_good;
}

static bool run_path(const char *path, bool may_be_folder)
{
    struct stat info;

    if (stat(path, &info) != 0)
        return false;
    if (S_ISDIR(info.st_mode))
        return may_be_folder && run_folder(path);
    return run_file(path, (size_t)info.st_size);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (!run_path(argv[i], true)) {
            (void)fprintf(stderr, "%s: cannot be read\n", argv[i]);
            return EXIT_FAILURE;
        }
    }
    (void)printf("%u inputs\n", inputs);
    return inputs > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
