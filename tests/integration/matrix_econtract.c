/* SPDX-License-Identifier: Apache-2.0 */
/* eContract's columns, by the calls that the tool makes: its program takes longer to start. A token
 * is sealed at each login, at a cost that cheap.c lowers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "remote/base/log.h"
#include "remote/config/config.h"
#include "remote/econtract/econtract.h"
#include "tests/integration/matrix.h"
#include "tests/integration/matrix_people.h"

enum { USER = 3, PAGE = 10, PATH_SIZE = 128 };

struct matrix_econtract {
    struct config *config;
    struct econtract *econtract;
    struct log log;
};

void matrix_econtract_open(struct matrix_stage *stage)
{
    char path[PATH_SIZE];
    struct matrix_econtract *office = calloc(1, sizeof(*office));
    assert_non_null(office);
    (void)snprintf(path, sizeof(path), "%s/log", stage->world.folder);
    assert_int_equal(log_open(&office->log, path, LOG_LEVEL_DEBUG), SCA_OK);
    log_attach(&office->log);
    assert_int_equal(config_load(&office->config), SCA_OK);
    assert_int_equal(office->config->problem_count, 0);
    assert_int_equal(econtract_new(&office->config->econtract, office->config->state_dir, NULL,
                                   &office->econtract),
                     SCA_OK);
    stage->office = office;
}

void matrix_econtract_close(struct matrix_stage *stage)
{
    struct matrix_econtract *office = stage->office;
    if (!office)
        return;
    econtract_free(office->econtract);
    http_close_idle(); /* a program ends with it */
    config_free(office->config);
    log_attach(NULL);
    log_close(&office->log);
    free(office);
    stage->office = NULL;
}

/* As the tool names them. */
static const char *name_of(enum sca_status status)
{
    static const char *const names[SCA_STATUS_COUNT] = {
        [SCA_OK] = "ok",
        [SCA_NETWORK] = "network",
        [SCA_PROTOCOL] = "protocol",
        [SCA_USER_AUTH] = "user_auth",
        [SCA_NOT_PERMITTED] = "not_permitted",
        [SCA_NOT_FOUND] = "not_found",
        [SCA_INVALID] = "invalid",
        [SCA_BUSY] = "busy",
    };
    return names[status] ? names[status] : sca_status_name(status);
}

/* What the tool would print of it is among what is searched for secrets. */
static const char *ended(struct matrix_stage *stage, struct call *call, enum sca_status status)
{
    (void)snprintf(stage->said, sizeof(stage->said), "%s", call->note);
    log_line(LOG_LEVEL_DEBUG, "eContract: %s", call->note);
    call_fini(call);
    return name_of(status);
}

static void begin(const struct matrix_stage *stage, struct call *call)
{
    call_init(call, &clock_system, stage->how & MATRIX_HASTY ? MATRIX_HASTY_MS : MATRIX_PATIENT_MS);
}

const char *matrix_econtract_login(struct matrix_stage *stage)
{
    struct econtract_companies companies = {.count = 0};
    struct call call;

    begin(stage, &call);
    enum sca_status st = econtract_login(stage->office->econtract, &call, NULL, NULL, &companies);
    assert_int_equal(companies.count, 0);
    return ended(stage, &call, st);
}

const char *matrix_econtract_users(struct matrix_stage *stage)
{
    struct econtract_users users = {.count = 0};
    struct call call;

    begin(stage, &call);
    enum sca_status st =
        econtract_list_users(stage->office->econtract, &call, NULL, 1, PAGE, &users);
    if (st == SCA_OK)
        assert_int_equal(users.count, PAGE);
    econtract_users_fini(&users);
    return ended(stage, &call, st);
}

/* Once or more often: the user has that certificate once. */
const char *matrix_econtract_add(struct matrix_stage *stage)
{
    struct econtract_user user = {.id = 0};
    struct call call;

    begin(stage, &call);
    enum sca_status st =
        econtract_add(stage->office->econtract, &call, USER, MATRIX_UNATTENDED, NULL, &user);
    if (st == SCA_OK)
        assert_int_equal(user.certificate_count, 1);
    econtract_user_fini(&user);
    return ended(stage, &call, st);
}
