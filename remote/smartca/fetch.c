/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/fetch.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"
#include "remote/base/log.h"
#include "remote/catalogue/catalogue.h"
#include "remote/smartca/service.h"

/* One certificate with its chain, on the way from the answer to the catalogue. */
struct fetched {
    struct parsed_certificate *leaf;
    struct parsed_certificate *chain[CATALOGUE_CHAIN_MAX];
    size_t chain_len;
    char serial[CERTIFICATE_SERIAL_HEX]; /* the certificate's own, for a service that leaves it out,
                                            or writes no serial number there */
};

/* What a whole answer gives. views borrows from items, and from the answer. */
struct harvest {
    struct fetched *items;
    struct fetched_certificate *views;
    size_t count;
};

static void harvest_fini(struct harvest *harvest)
{
    for (size_t i = 0; harvest->items && i < harvest->count; i++) {
        parsed_certificate_free(harvest->items[i].leaf);
        for (size_t j = 0; j < harvest->items[i].chain_len; j++)
            parsed_certificate_free(harvest->items[i].chain[j]);
    }
    free(harvest->items);
    free(harvest->views);
}

static bool has_der(const struct parsed_certificate *parsed, struct span der)
{
    return span_equal(parsed_certificate_get(parsed)->der, der);
}

/* SCA_OK also when the certificate is left out: a chain is a help, not a condition. */
static enum sca_status add_to_chain(const struct smartca_client *client, struct fetched *item,
                                    struct span der)
{
    const char *why = NULL;

    if (der.len == 0 || has_der(item->leaf, der))
        return SCA_OK;
    for (size_t i = 0; i < item->chain_len; i++)
        if (has_der(item->chain[i], der))
            return SCA_OK;
    enum sca_status st =
        certificate_parse(crypto_libctx(), der, &item->chain[item->chain_len], &why);
    if (st == SCA_OK)
        item->chain_len++;
    else if (st != SCA_NOMEM)
        log_line(LOG_LEVEL_WARNING, "account %s: an issuer's certificate is left out: %s",
                 client->account->name, why);
    return st == SCA_NOMEM ? st : SCA_OK;
}

static bool is_known(const struct harvest *harvest, struct span der)
{
    for (size_t i = 0; i < harvest->count; i++)
        if (has_der(harvest->items[i].leaf, der))
            return true;
    return false;
}

/*
 * What is echoed to the service and kept in files is a word of letters and digits; the sample has
 * some that are no hex.
 */
static bool is_serial(const char *text)
{
    enum { SERIAL_MAX = 127 }; /* what the journal has room for */
    size_t len = 0;

    for (; len <= SERIAL_MAX && text[len]; len++) {
        char c = text[len];
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z'))
            return false;
    }
    return len > 0 && len <= SERIAL_MAX;
}

static void describe(const struct codec_certificate *from, struct fetched *item,
                     struct fetched_certificate *view)
{
    view->leaf = parsed_certificate_get(item->leaf);
    (void)certificate_serial_hex(view->leaf->serial, item->serial);
    view->service_serial = is_serial(from->serial_number) ? from->serial_number : item->serial;
    view->service_status = from->status;
    view->state = verdict_of_certificate(from->status, from->status_code);
    for (size_t i = 0; i < item->chain_len; i++)
        view->chain[i] = parsed_certificate_get(item->chain[i]);
    view->chain_len = item->chain_len;
}

static enum sca_status add_certificate(const struct smartca_client *client,
                                       const struct codec_certificate *from,
                                       struct harvest *harvest)
{
    struct fetched *item = &harvest->items[harvest->count];
    const char *why = NULL;

    if (is_known(harvest, buf_span(&from->leaf)))
        return SCA_OK;
    enum sca_status st =
        certificate_parse(crypto_libctx(), buf_span(&from->leaf), &item->leaf, &why);
    if (st == SCA_NOMEM)
        return st;
    if (st != SCA_OK) {
        log_line(LOG_LEVEL_WARNING, "account %s: certificate %s is left out: %s",
                 client->account->name, from->serial_number, why);
        return SCA_OK;
    }
    harvest->count++;
    st = add_to_chain(client, item, buf_span(&from->ca));
    if (st == SCA_OK)
        st = add_to_chain(client, item, buf_span(&from->root));
    if (st == SCA_OK)
        describe(from, item, &harvest->views[harvest->count - 1]);
    return st;
}

static enum sca_status harvest_list(const struct smartca_client *client,
                                    const struct codec_certificates *list, struct harvest *harvest)
{
    if (list->count == 0)
        return SCA_OK;
    harvest->items = calloc(list->count, sizeof(*harvest->items));
    harvest->views = calloc(list->count, sizeof(*harvest->views));
    if (!harvest->items || !harvest->views)
        return SCA_NOMEM;

    enum sca_status st = SCA_OK;
    for (size_t i = 0; st == SCA_OK && i < list->count; i++)
        st = add_certificate(client, &list->items[i], harvest);
    return st;
}

/* Those of the account: all of the identity's, or the one it names. */
static size_t count_own(const struct smartca_client *client, const struct harvest *harvest)
{
    const char *serial = client->account->serial;
    size_t count = 0;

    for (size_t i = 0; i < harvest->count; i++)
        count += !serial || !serial[0] ||
                 strcasecmp(serial, harvest->views[i].service_serial) == 0 ||
                 strcasecmp(serial, harvest->items[i].serial) == 0;
    return count;
}

/* An empty list is one too; a page that is no envelope says nothing of certificates. */
static bool is_list(const struct answer *answer)
{
    return answer->reply &&
           (answer->verdict == VERDICT_ACCEPTED || answer->verdict == VERDICT_SIGNED ||
            answer->verdict == VERDICT_WAITING);
}

static enum sca_status keep(struct smartca_client *client, struct call *call,
                            const struct answer *answer, size_t *ret_count)
{
    AUTO(harvest_fini) struct harvest harvest = {0};
    const struct account_config *account = client->account;

    enum sca_status st = harvest_list(client, &answer->list, &harvest);
    if (st == SCA_OK)
        st = catalogue_store(client->state_dir, account->service.url, account->user_id,
                             call->clock->wall_s(call->clock), harvest.views, harvest.count);
    if (st != SCA_OK)
        return call_fail(call, st,
                         "account %s: its certificates cannot be written to the catalogue in %s; "
                         "check the folder's owner, permissions and free space",
                         account->name, client->state_dir);
    *ret_count = count_own(client, &harvest);
    return SCA_OK;
}

enum sca_status fetch_certificates(struct smartca_client *client, struct call *call,
                                   const struct remote_credentials *credentials, size_t *ret_count)
{
    AUTO(service_answer_fini) struct answer answer;
    size_t count = 0;

    service_answer_init(&answer);
    enum sca_status st = service_ask_certificates(client, call, credentials, &answer);
    if (st != SCA_OK)
        return st;
    if (answer.response.date)
        atomic_store(&client->clock_ahead_s,
                     call->clock->wall_s(call->clock) - answer.response.date);
    if (!is_list(&answer)) {
        bool is_unknown = answer.verdict == VERDICT_SERVICE_AUTH && answer.reply &&
                          verdict_blames_user(answer.reply);
        st = service_refusal(client, call, &answer);
        return is_unknown ? SCA_NOT_FOUND : st;
    }
    if (answer.skipped > 0)
        log_line(LOG_LEVEL_WARNING, "account %s: %zu certificates of the answer are unreadable",
                 client->account->name, answer.skipped);
    st = keep(client, call, &answer, &count);
    if (st != SCA_OK)
        return st;
    call->device_error = 0;
    *ret_count = count;
    return SCA_OK;
}
