/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a configuration file: whatever is taken from it is whole, and all of it is released.
 */
#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/config/build.h"
#include "remote/config/document.h"
#include "tests/fuzz/fuzz.h"

/* A release build keeps these too. */
static void require(bool is_so)
{
    if (!is_so)
        abort();
}

static void check_account(const struct account_config *account)
{
    require(account->name[0] && account->user_id[0] && account->service.sp_id[0]);
    require(account->service.sp_password.kind != SECRET_NONE);
    require(strncmp(account->service.url, "http", 4) == 0);
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
    return 0;
}
