/* SPDX-License-Identifier: Apache-2.0 */
/* What an exchange answers. Each call replaces the answer that was set before. */
#ifndef TESTS_EMULATOR_REPLY_H
#define TESTS_EMULATOR_REPLY_H

#include "tests/emulator/exchange.h"

/* A JSON text as it is. */
void reply_json(struct exchange *x, unsigned http_status, cJSON *take_json);

/*
 * The envelope {"status_code", "message", "data"}; data NULL: null. Where the code is told, in the
 * HTTP status, in the body or both, is a behaviour.
 */
void reply_service(struct exchange *x, int code, const char *message, cJSON *take_data);

/* The envelope of eContract: {"data", "success", "code", "messages"}. message NULL: success. */
void reply_econtract(struct exchange *x, unsigned http_status, int code, const char *message,
                     cJSON *take_data);

/* 400 in the form of whom the request went to: the service, eContract or the control plane. */
void reply_bad_request(struct exchange *x, const char *message);

/* The envelope and an HTTP status that HTTP itself demands, whatever the behaviour: 404, 405, 413.
 */
void reply_http(struct exchange *x, unsigned http_status, const char *message);

/* {"error": message}, for the control plane. */
void reply_refusal(struct exchange *x, unsigned http_status, const char *message);

/* Base64 of bytes with the disorder that form asks for; malloced, NULL without memory. */
char *reply_base64(struct span bytes, enum base64_form form);

#endif
