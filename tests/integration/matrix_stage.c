/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/integration/matrix.h"
#include "tests/integration/matrix_people.h"
#include "tests/lib/folder.h"

enum { LINES_MAX = 1536, PATH_SIZE = 128 };

static struct matrix_stage stage_of_the_program = {.session = CK_INVALID_HANDLE};

static void write_secret(const struct matrix_stage *stage, const char *name, const char *text)
{
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof(path), "%s/secrets/%s", stage->world.folder, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(chmod(path, 0600), 0);
    assert_true(fprintf(file, "%s\n", text) > 0);
    assert_int_equal(fclose(file), 0);
}

static void write_secrets(const struct matrix_stage *stage)
{
    char folder[PATH_SIZE];
    (void)snprintf(folder, sizeof(folder), "%s/secrets", stage->world.folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    write_secret(stage, "password", MATRIX_PASSWORD);
    write_secret(stage, "totp", "otpauth://totp/x?secret=" MATRIX_TOTP_BASE32 "&period=1");
    write_secret(stage, "econtract", MATRIX_ECONTRACT_PASSWORD);
}

int matrix_stage_start(void **state)
{
    static const char *const options[] = {"--user", MATRIX_PHONE, "--user", MATRIX_UNATTENDED,
                                          NULL};
    struct matrix_stage *stage = &stage_of_the_program;

    world_prepare(&stage->world, options, "");
    write_secrets(stage);
    *state = stage;
    return 0;
}

int matrix_stage_stop(void **state)
{
    struct matrix_stage *stage = *state;
    world_stop(&stage->world);
    return 0;
}

/* One account signs, so that nothing but the column's request meets the fault. */
static void configure(const struct matrix_stage *stage)
{
    char lines[LINES_MAX];
    char account[LINES_MAX / 2] = "";
    const char *folder = stage->world.folder;
    unsigned all_ms = stage->how & MATRIX_HASTY ? MATRIX_HASTY_MS : MATRIX_PATIENT_MS;
    unsigned one_ms = stage->how & MATRIX_HASTY ? MATRIX_HASTY_MS / 4 : MATRIX_PATIENT_MS / 2;

    if (stage->column == MATRIX_SIGN2 || stage->column == MATRIX_CONFIRM)
        (void)snprintf(account, sizeof(account),
                       "[account auto]\nuser_id = " MATRIX_UNATTENDED "\nconfirm = totp\n"
                       "password = file:%s/secrets/password\ntotp_secret = file:%s/secrets/totp\n",
                       folder, folder);
    int len = snprintf(lines, sizeof(lines),
                       "connect_timeout = %.1f\nrequest_timeout = %.1f\nconfirm_timeout = %.1f\n"
                       "poll_interval = 0.05\nreject_cooldown = 0\nbatch_window = %u\n%s"
                       "[econtract]\nurl = %s/econtract\nusername = admin\ncompany_id = 1\n"
                       "password = file:%s/secrets/econtract\nca_file = %s/service/tls-ca.pem\n"
                       "request_timeout = %.1f\n",
                       one_ms / 1000.0, one_ms / 1000.0, all_ms / 1000.0,
                       stage->how & MATRIX_PAIR ? 300U : 0U, account, stage->world.service, folder,
                       folder, one_ms / 1000.0);
    assert_true(len > 0 && (size_t)len < sizeof(lines));
    world_configure(&stage->world, lines);
}

static void remove_below(const struct matrix_stage *stage, const char *name)
{
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof(path), "%s/%s", stage->world.folder, name);
    (void)folder_remove(path);
}

static void reset_service(const struct matrix_stage *stage)
{
    const struct world *world = &stage->world;
    world_control(world, "reset", "{}");
    world_control(world, "user", "{\"user_id\":\"" MATRIX_PHONE "\",\"stage\":\"active\"}");
    world_control(world, "user",
                  "{\"user_id\":\"" MATRIX_UNATTENDED "\",\"stage\":\"active\",\"password\":"
                  "\"" MATRIX_PASSWORD "\",\"totp_secret\":\"" MATRIX_TOTP_BASE64
                  "\",\"totp_period\":1}");
    if (!(stage->how & MATRIX_ONCE))
        world_control(world, "behaviour", "{\"v2_exists\":\"sad\"}");
    world_control(world, "econtract", "{\"password\":\"" MATRIX_ECONTRACT_PASSWORD "\"}");
}

/* The phone's slot comes after the unattended one, as their accounts do in the configuration. */
static void open_session(struct matrix_stage *stage)
{
    static CK_UTF8CHAR pin[] = MATRIX_PIN;
    CK_RV rv = CKR_OK;
    stage->session = world_session(&stage->world, NULL, NULL);
    rv = stage->world.p11->C_Login(stage->session, CKU_USER, pin, sizeof(pin) - 1);
    assert_int_equal(rv, CKR_OK);
}

void matrix_stage_open(struct matrix_stage *stage, enum matrix_column column, unsigned how)
{
    stage->column = column;
    stage->how = how;
    stage->number++;
    remove_below(stage, "state");
    reset_service(stage);
    configure(stage);
    assert_int_equal(stage->world.p11->C_Initialize(NULL), CKR_OK);
    if (matrix_endpoints[column].is_signing)
        open_session(stage);
    else if (column == MATRIX_REFRESH)
        (void)world_slot(&stage->world);
    else if (column >= MATRIX_LOGIN)
        matrix_econtract_open(stage);
    if (column > MATRIX_LOGIN)
        assert_string_equal(matrix_econtract_login(stage), "ok");
}

void matrix_stage_close(struct matrix_stage *stage)
{
    matrix_econtract_close(stage);
    assert_int_equal(stage->world.p11->C_Finalize(NULL), CKR_OK);
    stage->session = CK_INVALID_HANDLE;
    matrix_assert_no_secret(stage);
}
