/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a configuration file: whatever is taken from it is whole, and all of it is released;
 * and as a file with a secret.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/config/build.h"
#include "remote/config/document.h"
#include "tests/fuzz/feed.h"
#include "tests/fuzz/fuzz.h"

enum { PATH_SIZE = 300 };

/* One line, or a reason why not. */
static void check_secret(const struct secret_ref *ref)
{
    AUTO(secret_freep) struct secret *secret = NULL;
    const char *why = NULL;
    char place[SECRET_PLACE_SIZE];

    (void)secret_ref_place(ref, place);
    require(utf8_is_valid(span_text(place)) || ref->kind == SECRET_ENV || ref->kind == SECRET_FILE);
    if (secret_ref_fetch(ref, &secret, &why) != SCA_OK) {
        require(why && !secret);
        return;
    }
    struct span text = secret_get(secret);
    require(text.len > 0 && text.len <= SECRET_MAX);
    require(!memchr(text.ptr, '\n', text.len) && !memchr(text.ptr, 0, text.len));
}

static void check_secret_file(struct span bytes)
{
    char path[PATH_SIZE];
    const struct secret_ref ref = {.kind = SECRET_FILE, .text = path};

    feed_file("secret", bytes);
    (void)snprintf(path, sizeof(path), "%s/secret", feed_folder());
    check_secret(&ref);
}

static void check_account(const struct account_config *account)
{
    require(account->name[0] && account->user_id[0] && account->service.sp_id[0]);
    require(account->service.sp_password.kind != SECRET_NONE);
    require(strncmp(account->service.url, "http", 4) == 0);
    if (account->service.sp_password.kind != SECRET_FILE) /* which might be any */
        check_secret(&account->service.sp_password);
    check_secret(&(struct secret_ref){.kind = SECRET_NONE});
    require(account->service.batch_max > 0 && account->service.confirm_timeout_ms > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(config_freep) struct config *config = calloc(1, sizeof(*config));
    AUTO(problems_fini) struct problems problems = {0};
    AUTO(document_fini) struct document document = {.problems = &problems};

    require(config != NULL);
    document_parse(&document, "/etc/input", span_of(data, size), size % 2);
    require(build_config(&document, config) == SCA_OK);
    for (size_t i = 0; i < config->account_count; i++)
        check_account(&config->accounts[i]);
    for (size_t i = 0; i < problems.count; i++)
        require(problems.items[i].reason[0] != 0);
    require(problems.count <= PROBLEMS_MAX + 1);
    check_secret_file(span_of(data, size));
    return 0;
}
