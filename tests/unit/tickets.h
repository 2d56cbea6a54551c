/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures that nobody sleeps for, in a story: documents are digests of 32 bytes, all seed. */
#ifndef TESTS_UNIT_TICKETS_H
#define TESTS_UNIT_TICKETS_H

#include "remote/smartca/gather.h"
#include "tests/unit/story.h"

enum { TICKET_PATIENCE_MS = 290000 };

struct remote_ticket *ticket_begin(struct story *story, uint8_t seed);
enum sca_status ticket_poll(struct story *story, struct remote_ticket *ticket, uint8_t *signature);
enum sca_status ticket_number(struct story *story, struct remote_ticket *ticket,
                              uint64_t *ret_number);
enum sca_status ticket_join(struct story *story, uint64_t number,
                            struct remote_ticket **ret_ticket);

/* Does it verify for that document? */
bool ticket_is_right(const struct story *story, uint8_t seed, const uint8_t *signature);

#endif
