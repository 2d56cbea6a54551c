/* SPDX-License-Identifier: Apache-2.0 */
/* Days of the Gregorian calendar as certificates count them: in UTC. */
#ifndef REMOTE_CLI_DAY_H
#define REMOTE_CLI_DAY_H

#include <stdbool.h>
#include <stdint.h>

/* YYYY-MM-DD from 1950 to 9999, to seconds since 1970 at its first second. */
bool day_parse(const char *text, int64_t *ret_seconds);

/*
 * The same day and time of day that many years later; 28 February where there is no 29th. At most
 * the last second of 9999, which is RFC 5280's "no end" (4.1.2.5).
 */
int64_t day_add_years(int64_t seconds, unsigned years);

#endif
