/* SPDX-License-Identifier: Apache-2.0 */
/* From the decided answer to the bytes on the wire, which is where most faults strike. */
#ifndef TESTS_EMULATOR_MISBEHAVE_H
#define TESTS_EMULATOR_MISBEHAVE_H

#include "tests/emulator/exchange.h"

/* The HTTP status that the client is going to see. */
unsigned misbehave_status(const struct exchange *x);

/* Hands the answer, distorted by the fault of the exchange, to the server. */
enum MHD_Result misbehave_queue(struct exchange *x);

#endif
