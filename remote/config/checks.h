/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a text is acceptable for a key. Each returns NULL if so, else what it has to be, to
 * follow the key's name ("must be ..."). Texts are valid UTF-8 without control characters.
 */
#ifndef REMOTE_CONFIG_CHECKS_H
#define REMOTE_CONFIG_CHECKS_H

const char *check_text(const char *text);
const char *check_word(const char *text);
const char *check_identity(const char *text);
const char *check_hex(const char *text);
const char *check_country(const char *text);
const char *check_path(const char *text);
const char *check_log_target(const char *text);
const char *check_url(const char *text);
const char *check_proxy(const char *text);
const char *check_pins(const char *text);
const char *check_command(const char *text);

#endif
