/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/quiet.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/feed.h"

void quiet_configuration(void)
{
    static char path[512];
    char text[1024];

    if (path[0])
        return;
    (void)snprintf(text, sizeof(text),
                   "[module]\nlog = /dev/null\nlog_level = debug\nstate_dir = %s/state\n",
                   feed_folder());
    feed_file("fuzz.conf", span_text(text));
    (void)snprintf(path, sizeof(path), "%s/fuzz.conf", feed_folder());
    require(setenv("SMARTCA_PKCS11_CONF", path, 1) == 0 && unsetenv("SMARTCA_PKCS11_LOG") == 0);
}
