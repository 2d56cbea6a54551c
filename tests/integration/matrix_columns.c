/* SPDX-License-Identifier: Apache-2.0 */
/* The callers of each endpoint: an application that signs or looks at slots, and the tool. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "tests/integration/matrix.h"
#include "tests/integration/matrix_people.h"

/* Without their CKR_, and only those that smartca-pkcs11(7) has for what a service may answer. */
static const char *name_of(CK_RV rv)
{
    static const struct {
        CK_RV rv;
        const char *name;
    } names[] = {
        {CKR_OK, "OK"},
        {CKR_DEVICE_ERROR, "DEVICE_ERROR"},
        {CKR_FUNCTION_FAILED, "FUNCTION_FAILED"},
        {CKR_FUNCTION_REJECTED, "FUNCTION_REJECTED"},
        {CKR_FUNCTION_CANCELED, "FUNCTION_CANCELED"},
        {CKR_KEY_FUNCTION_NOT_PERMITTED, "KEY_FUNCTION_NOT_PERMITTED"},
        {CKR_TOKEN_RESOURCE_EXCEEDED, "TOKEN_RESOURCE_EXCEEDED"},
        {CKR_USER_NOT_LOGGED_IN, "USER_NOT_LOGGED_IN"},
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (names[i].rv == rv)
            return names[i].name;
    print_error("0x%lx\n", rv);
    return "a code that nobody expects";
}

/* One of the documents of a cell, signed on a thread of its own. */
struct paper {
    struct matrix_stage *stage;
    CK_SESSION_HANDLE session;
    char text[32];
    CK_RV rv;
};

static void *sign_paper(void *arg)
{
    static const CK_BYTE untouched[256];
    struct paper *paper = arg;
    const struct world *world = &paper->stage->world;
    CK_BYTE signature[256] = {0};

    paper->rv = world_sign(world, paper->session, paper->text, signature);
    if (paper->rv == CKR_OK)
        assert_true(world_verifies(world, paper->session, paper->text, signature));
    else
        assert_memory_equal(signature, untouched, sizeof(signature));
    return NULL;
}

static const char *sign_one(struct matrix_stage *stage, const char *name)
{
    struct paper paper = {.stage = stage, .session = stage->session};
    (void)snprintf(paper.text, sizeof(paper.text), "%s %u", name, stage->number);
    (void)sign_paper(&paper);
    return name_of(paper.rv);
}

void matrix_sign_another(struct matrix_stage *stage)
{
    assert_string_equal(sign_one(stage, "another"), "OK");
}

const char *matrix_person(enum matrix_column column)
{
    bool is_phones = column <= MATRIX_STATUS;
    return is_phones ? MATRIX_PHONE : MATRIX_UNATTENDED;
}

/* Both in one transaction. What both are told, or the one and the other. */
static const char *sign_two(struct matrix_stage *stage)
{
    struct paper papers[2] = {{.stage = stage}, {.stage = stage}};
    pthread_t threads[ARRAY_LEN(papers)];
    static char both[MATRIX_CELL_SIZE];

    for (size_t i = 0; i < ARRAY_LEN(papers); i++) {
        papers[i].session = world_session(&stage->world, NULL, NULL);
        (void)snprintf(papers[i].text, sizeof(papers[i].text), "cell %u.%zu", stage->number, i);
        assert_int_equal(pthread_create(&threads[i], NULL, sign_paper, &papers[i]), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(papers); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(stage->world.p11->C_CloseSession(papers[i].session), CKR_OK);
    }
    bool is_sorted = papers[0].rv <= papers[1].rv; /* which is the service's first is chance */
    if (papers[0].rv == papers[1].rv)
        return name_of(papers[0].rv);
    (void)snprintf(both, sizeof(both), "%s + %s", name_of(papers[!is_sorted].rv),
                   name_of(papers[is_sorted].rv));
    return both;
}

/* A slot for a token that can be made is always there, too. */
static const char *look_at_slots(struct matrix_stage *stage)
{
    CK_TOKEN_INFO info;
    CK_RV rv = stage->world.p11->C_GetTokenInfo(world_slot(&stage->world), &info);
    assert_int_equal(rv, CKR_OK);
    bool is_there = memcmp(info.model, "SmartCA ", 8) == 0;
    return is_there ? "token" : "no token";
}

/* Afterwards the slot is there as before, without asking again, unless the service had it so. */
static const char *refresh(struct matrix_stage *stage)
{
    const char *outcome =
        matrix_tool(stage, (const char *const[]){"account", "refresh", "work", NULL});
    unsigned asked = world_requests(&stage->world, "get_certificate");

    world_restart_module(&stage->world);
    const char *seen = look_at_slots(stage);
    assert_int_equal(world_requests(&stage->world, "get_certificate"), asked);
    return strcmp(seen, "token") == 0 ? outcome : "no slot any more";
}

static const char *sign_documents(struct matrix_stage *stage)
{
    return stage->how & MATRIX_PAIR ? sign_two(stage) : sign_one(stage, "cell");
}

const struct matrix_endpoint matrix_endpoints[MATRIX_COLUMNS] = {
    [MATRIX_LIST] = {"get_certificate, first", "get_certificate", "token", false, look_at_slots},
    [MATRIX_REFRESH] = {"get_certificate, refresh", "get_certificate", "ok", false, refresh},
    [MATRIX_SIGN] = {"v1 sign", "sign", "OK", true, sign_documents},
    [MATRIX_STATUS] = {"v1 status", "status", "OK", true, sign_documents},
    [MATRIX_SIGN2] = {"v2 sign", "sign2", "OK", true, sign_documents},
    [MATRIX_CONFIRM] = {"v2 confirm", "confirm", "OK", true, sign_documents},
    [MATRIX_LOGIN] = {"eContract login", "econtract", "ok", false, matrix_econtract_login},
    [MATRIX_USERS] = {"eContract users", "econtract", "ok", false, matrix_econtract_users},
    [MATRIX_ADD] = {"eContract add", "econtract", "ok", false, matrix_econtract_add},
};
