/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two requests of a signature made with bare libcurl on a kept-alive connection: no JSON taken
 * apart but for what the second request needs, nothing verified, nothing journalled.
 */
#ifndef TESTS_BENCH_BARE_H
#define TESTS_BENCH_BARE_H

struct bare;

/* otp NULL: sign and status of v1; else sign and confirm of v2. All are borrowed. */
struct bare *bare_new(const char *service, const char *ca_file, const char *otp);
void bare_sign(struct bare *bare, unsigned number);
void bare_free(struct bare *bare); /* NULL is allowed */

#endif
