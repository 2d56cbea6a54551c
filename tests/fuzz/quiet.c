/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/quiet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/fuzz.XXXXXX";
static char path[64];

static void remove_configuration(void)
{
    (void)unlink(path);
    (void)rmdir(dir);
}

void quiet_configuration(void)
{
    if (path[0])
        return;
    if (!mkdtemp(dir))
        abort();
    (void)snprintf(path, sizeof(path), "%s/fuzz.conf", dir);
    FILE *file = fopen(path, "we");
    if (!file ||
        fprintf(file, "[module]\nlog = /dev/null\nlog_level = debug\nstate_dir = %s\n", dir) < 0 ||
        fclose(file) != 0 || chmod(path, 0600) != 0 || atexit(remove_configuration) != 0 ||
        setenv("SMARTCA_PKCS11_CONF", path, 1) != 0 || unsetenv("SMARTCA_PKCS11_LOG") != 0)
        abort();
}
