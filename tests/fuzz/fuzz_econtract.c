/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What eContract answers, over the real client. Input: which call, then for each answer one byte
 * for its HTTP status (or that none comes) and a blob. A blob that begins with '=' is put into an
 * envelope that says all is well, so that what is behind it is reached too. One more thing to do
 * is to put a blob where the token is kept between two runs.
 */
#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/econtract/answer.h"
#include "remote/econtract/econtract.h"
#include "tests/fuzz/feed.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/still.h"

enum { BUDGET_MS = 60000, ANSWERS_AT_MOST = 4, ANOTHER_RUN = 0x40 };

struct service {
    struct transport transport;
    struct feed *feed;
    unsigned asked;
};

static const long http_statuses[] = {200, 201, 302, 400, 401, 403, 404, 429, 500, 503};

static enum sca_status write_body(struct feed *feed, struct buf *body)
{
    struct span blob = feed_blob(feed);
    bool is_bare = blob.len == 0 || blob.ptr[0] != '=';

    if (is_bare)
        return buf_append(body, blob);
    enum sca_status st = buf_append(body, span_text("{\"success\":true,\"code\":0,\"data\":"));
    if (st == SCA_OK)
        st = buf_append(body, span_of(blob.ptr + 1, blob.len - 1));
    return st == SCA_OK ? buf_append(body, span_text("}")) : st;
}

static enum sca_status answer(struct transport *transport, struct call *call,
                              const struct http_request *request, struct http_response *response)
{
    struct service *service = (struct service *)transport;
    uint8_t choice = feed_byte(service->feed);

    require(++service->asked <= ANSWERS_AT_MOST); /* nothing is asked for ever */
    require(request->url && strncmp(request->url, "https://", 8) == 0);
    http_response_fini(response);
    if (choice == 0xff)
        return call_fail(call, SCA_NETWORK, "the connection broke");
    response->status = http_statuses[choice % ARRAY_LEN(http_statuses)];
    response->was_sent = true;
    return write_body(service->feed, &response->body);
}

static void check_text(const char *text)
{
    require(text && utf8_is_valid(span_text(text)));
}

static void check_user(const struct econtract_user *user)
{
    require(user->certificate_count <= ANSWER_CERTIFICATES_MAX);
    for (size_t i = 0; i < user->certificate_count; i++) {
        const struct econtract_certificate *certificate = &user->certificates[i];
        check_text(certificate->name);
        check_text(certificate->common_name);
        check_text(certificate->uid);
        check_text(certificate->serial_number);
        check_text(certificate->subject_dn);
        check_text(certificate->valid_from);
        check_text(certificate->valid_to);
        check_text(certificate->smart_ca_username);
    }
}

static enum sca_status log_in(struct econtract *econtract, struct call *call, const char *company)
{
    AUTO(econtract_companies_fini) struct econtract_companies companies = {.count = 0};
    enum sca_status st = econtract_login(econtract, call, company, NULL, &companies);

    require(companies.count <= ANSWER_COMPANIES_MAX && (st == SCA_OK || companies.count == 0));
    for (size_t i = 0; i < companies.count; i++) {
        check_text(companies.items[i].id);
        check_text(companies.items[i].name);
    }
    return st;
}

static enum sca_status list(struct econtract *econtract, struct call *call)
{
    AUTO(econtract_users_fini) struct econtract_users users = {.count = 0};
    enum sca_status st = econtract_list_users(econtract, call, "a b&c", 1, 10, &users);

    require(users.count <= ANSWER_USERS_MAX && (st == SCA_OK || users.count == 0));
    for (size_t i = 0; i < users.count; i++) {
        check_text(users.items[i].name);
        check_text(users.items[i].signature_text);
        check_user(&users.items[i]);
    }
    return st;
}

static enum sca_status change(struct econtract *econtract, struct call *call, unsigned which)
{
    AUTO(econtract_user_fini) struct econtract_user user = {.id = 0};
    enum sca_status st = SCA_OK;

    if (which == 0)
        st = econtract_add(econtract, call, 7, "012345678901", NULL, &user);
    else if (which == 1)
        st = econtract_update(econtract, call, 11, 7, true, NULL, &user);
    else
        st = econtract_delete(econtract, call, 11, 7, &user);
    if (st == SCA_OK)
        check_user(&user);
    return st;
}

static enum sca_status ask(struct econtract *econtract, struct call *call, uint8_t which,
                           struct feed *feed)
{
    switch (which % 6) {
    case 0:
        return log_in(econtract, call, which & 0x80 ? "c1" : NULL);
    case 1:
        return list(econtract, call);
    case 5:
        feed_file("vault/econtract", feed_blob(feed));
        return SCA_OK;
    default:
        return change(econtract, call, which % 6 - 2U);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char url[] = "https://tenant.test/econtract";
    static char username[] = "ann@shop.vn";
    static char password[] = "pass\"word";
    const struct econtract_config config = {
        .url = url, .username = username, .password = {SECRET_LITERAL, password}};
    struct feed feed = {data, size};
    struct service service = {.transport = {.send = answer}, .feed = &feed};
    AUTO(econtract_freep) struct econtract *econtract = NULL;

    feed_folder_clear(feed_folder());
    require(econtract_new(&config, feed_folder(), &service.transport, &econtract) == SCA_OK);
    for (unsigned i = 0; i < 4 && feed.left > 0; i++) {
        uint8_t which = feed_byte(&feed);
        struct call call;
        service.asked = 0;
        if (which & ANOTHER_RUN) { /* what one kept, the next one has */
            econtract_freep(&econtract);
            require(econtract_new(&config, feed_folder(), &service.transport, &econtract) ==
                    SCA_OK);
        }
        call_init(&call, &still, BUDGET_MS);
        enum sca_status st = ask(econtract, &call, which, &feed);
        require(st == SCA_OK || call.note[0]);
        require(!strstr(call.note, password) && utf8_is_valid(span_text(call.note)));
        require(utf8_is_valid(span_text(econtract_verdict(econtract)->messages)));
        call_fini(&call);
    }
    return 0;
}
