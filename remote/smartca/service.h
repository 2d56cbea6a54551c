/* SPDX-License-Identifier: Apache-2.0 */
/* One question to the service and its answer: URL, body, HTTP, envelope, verdict. No policy. */
#ifndef REMOTE_SMARTCA_SERVICE_H
#define REMOTE_SMARTCA_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "remote/base/call.h"
#include "remote/http/http.h"
#include "remote/smartca/client.h"
#include "remote/smartca/codec.h"
#include "remote/smartca/verdict.h"

enum { SERVICE_ID_SIZE = 37 }; /* a UUID and its NUL */

/* The verdict is the service's when the function returned SCA_OK, else it means nothing. */
struct answer {
    struct http_response response;
    struct codec_certificates list; /* get_certificate; otherwise only its reply is used */
    struct codec_reply *reply;      /* NULL: the answer was no envelope */
    size_t skipped;                 /* certificates that could not be decoded */
    enum verdict verdict;
};

void service_answer_init(struct answer *answer);
void service_answer_fini(struct answer *answer);

/* A new transaction id: UUIDv4, lower case. SCA_IO, with the call's note. */
enum sca_status service_new_id(struct call *call, char out[static SERVICE_ID_SIZE]);

/*
 * Each asks once. SCA_OK: there is an answer, whatever it says; call->device_error is its code.
 * Otherwise the status of transport->send, and response.was_sent tells whether the service may have
 * got the question; or why there was nothing to send: SCA_INVALID, SCA_IO, SCA_UNSUPPORTED,
 * SCA_NOT_FOUND (sp_password), SCA_NOMEM. The call's note is set in all these cases.
 */
enum sca_status service_ask_certificates(struct smartca_client *client, struct call *call,
                                         const struct remote_credentials *credentials,
                                         struct answer *answer);
enum sca_status service_ask_sign(struct smartca_client *client, struct call *call,
                                 const struct remote_credentials *credentials,
                                 const struct codec_sign_request *request, struct answer *answer);
enum sca_status service_ask_confirm(struct smartca_client *client, struct call *call,
                                    const struct remote_credentials *credentials,
                                    const struct codec_confirm_request *request,
                                    struct answer *answer);
enum sca_status service_ask_status(struct smartca_client *client, struct call *call, const char *id,
                                   struct answer *answer);

/*
 * Turns a verdict that ends things into a status and the call's note, which says what to do next.
 * For verdicts that do not end anything: SCA_NETWORK.
 */
enum sca_status service_refusal(const struct smartca_client *client, struct call *call,
                                const struct answer *answer);

#endif
