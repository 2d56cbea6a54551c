/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_EMULATOR_SERVER_H
#define TESTS_EMULATOR_SERVER_H

#include "tests/emulator/emulator.h"

struct server;

/* Listens on 127.0.0.1 and serves, a thread per connection; sets emulator->port. Complains. */
enum sca_status server_start(struct emulator *emulator, struct server **ret_server);

/* Ends all connections and threads; emulator_stop() has been called. */
void server_stop(struct server *server);

#endif
