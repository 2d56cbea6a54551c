/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module over its real backends, a folder with a configuration and a catalogue, and another
 * process that changes the catalogue: the test program starts itself as that process.
 */
#ifndef TESTS_MODULE_LIVE_STAGE_H
#define TESTS_MODULE_LIVE_STAGE_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

#include "module/cryptoki.h"

#define LIVE_URL "https://127.0.0.1:1/sca/sp769"
#define ALICE    "012345678901"
#define BOB      "012345678902"
#define SO_PIN   "so-270319"
#define PIN      "270319"

extern const struct cryptoki_list_3_2 *p11;

CK_RV C_GetInterface(CK_UTF8CHAR *name, CK_VERSION *version, CK_INTERFACE **ret_interface,
                     CK_FLAGS flags);

struct live_stage {
    char dir[64];   /* main.conf with the account of ALICE is in it */
    char state[80]; /* the state folder: ALICE has no certificate yet, in slot 1 */
};
extern struct live_stage live;

/* Fixtures: with the module initialised and its slots listed, or off. */
int live_begin(void **state);
int live_begin_off(void **state);
int live_end(void **state);

/* Runs the tests, or is the other process when the program was started as that. */
#define LIVE_RUN(tests, argc, argv)                                                                \
    (live_is_other((argc), (argv)) ? live_be_other(argv)                                           \
                                   : cmocka_run_group_tests((tests), NULL, NULL))
bool live_is_other(int argc, char **argv);
int live_be_other(char **argv);

/*
 * The other process fetches the account's certificates, which have the serials "a", "b" ... one per
 * letter; with "churn" they come and go two hundred times.
 */
void live_other_stores(const char *user_id, const char *letters);
pid_t live_start_other(const char *user_id, const char *letters);
void live_end_other(pid_t child);

/* The call must return the code. */
#define EXPECT(code, call) live_expect((code), (call), __LINE__)
void live_expect(CK_RV expected, CK_RV actual, int line);

CK_ULONG live_count_slots(CK_BBOOL present);

/* The next event without waiting; 0: there is none. */
CK_SLOT_ID live_next_event(void);

/* C_InitToken; and a session with the user logged in, after C_InitPIN. */
void live_init_token(CK_SLOT_ID slot);
CK_SESSION_HANDLE live_login(CK_SLOT_ID slot);

uint64_t live_now_ms(void);

/* A thread in C_WaitForSlotEvent. */
struct live_waiter {
    pthread_t thread;
    CK_SLOT_ID slot;
    CK_RV rv;
    uint64_t ended_ms;
};
void live_wait(struct live_waiter *waiter);

/* The same, and returns when the thread has opened what all wait with: for the first one only. */
void live_wait_first(struct live_waiter *waiter);
CK_RV live_join(struct live_waiter *waiter);

#endif
