/* SPDX-License-Identifier: Apache-2.0 */
/* Local issuers: an authority on a token of its own for each name in "issued by". */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/objects.h>
#include <openssl/x509.h>

#include "remote/base/cleanup.h"
#include "remote/cli/day.h"
#include "remote/cli/office.h"
#include "remote/cli/x509_build.h"

/* Longer than what it issues for: it is renewed with the same key when that is not enough. */
#define ISSUER_KEY "rsa:3072"
enum { ISSUER_YEARS = 20 };

struct issuer *office_issuer(const struct office *office, const struct task *task)
{
    const char *name = task->order.text[FORM_ISSUED_BY];

    if (task->order.is_self_issued || !name)
        return NULL;
    for (size_t i = 0; i < office->issuer_count; i++)
        if (strcmp(office->issuers[i].name, name) == 0)
            return &office->issuers[i];
    return NULL;
}

/* Each name once, with the time its certificate has to cover. */
static void gather(struct office *office, const struct task *task)
{
    struct issuer *issuer = office_issuer(office, task);
    const char *name = task->order.text[FORM_ISSUED_BY];
    int64_t now = (int64_t)time(NULL);

    if (task->order.is_self_issued || !name)
        return;
    if (!issuer) {
        issuer = &office->issuers[office->issuer_count++];
        *issuer = (struct issuer){.name = name,
                                  .order = &task->order,
                                  .not_before = now,
                                  .not_after = task->order.not_after};
    }
    if (task->order.not_before < issuer->not_before)
        issuer->not_before = task->order.not_before;
    if (task->order.not_after > issuer->not_after)
        issuer->not_after = task->order.not_after;
}

static bool ask_pin(struct office *office, bool is_new, struct trouble *trouble)
{
    const struct pin_question question = {
        .path = office->cli->issuer_pin_file,
        .option = "--issuer-pin-file",
        .prompt = is_new ? _("New PIN of the local issuer (6 to 64 bytes)")
                         : _("PIN of the local issuer"),
        .is_new = is_new};

    return office->issuer_pin || pin_ask(&question, &office->issuer_pin, trouble);
}

/* In use or archived, the issuer's own or a copy. */
static bool has_certificate_of(const struct office *office, const struct token_slot *slot,
                               const char *issuer)
{
    AUTO(token_close) struct token token = {0};
    AUTO(holder_fini) struct holder holder = {0};
    struct trouble ignored;
    bool is_found = false;

    if (!token_open(office->module, slot->id, false, &token, &ignored) ||
        !holder_read(&token, &holder, &ignored))
        return false;
    for (size_t i = 0; i < holder.count && !is_found; i++) {
        const struct holding *item = &holder.items[i];
        AUTO(freep) char *name = x509_name_part(X509_get_subject_name(item->x509), NID_commonName);
        is_found = item->is_authority && name && strcmp(name, issuer) == 0;
    }
    return is_found;
}

/*
 * A second issuer of the same name would have another key: nobody could tell the two apart, and
 * what the first one signed would not verify with the second. So a certificate of that name on any
 * token means that the issuer's own token is to be there.
 */
static bool check_lost(const struct office *office, const char *issuer, struct trouble *trouble)
{
    char label[FORM_LABEL_SIZE];

    form_label(issuer, label);
    const struct token_slot *own = tokens_find(&office->tokens, label);
    if (office->cli->is_forced || (own && has_certificate_of(office, own, issuer)))
        return true;
    for (size_t i = 0; i < office->tokens.count; i++) {
        const struct token_slot *slot = &office->tokens.items[i];
        if (slot != own && has_certificate_of(office, slot, issuer))
            return trouble_say(trouble, "exists",
                               _("restore the issuer's token from a backup, choose another name, "
                                 "or make a new issuer of that name with --force"),
                               _("issued_by: token %s has a certificate of issuer %s, whose key is "
                                 "not here"),
                               slot->label, issuer);
    }
    return true;
}

static bool make_token(struct office *office, const char *label, struct token_slot *ret_slot,
                       struct trouble *trouble)
{
    return office_ask_so_pin(office, trouble) &&
           tokens_init_spare(office->module, &office->tokens, label, office->so_pin, ret_slot,
                             trouble);
}

/* A token that was made and then left without a PIN is finished here. */
static bool enter(struct office *office, struct issuer *issuer, struct trouble *trouble)
{
    char label[FORM_LABEL_SIZE];
    struct token_slot slot;

    form_label(issuer->name, label);
    const struct token_slot *found = tokens_find(&office->tokens, label);
    if (!ask_pin(office, !found || !found->has_pin, trouble))
        return false;
    if (found)
        slot = *found;
    else if (!make_token(office, label, &slot, trouble))
        return false;
    if (!token_open(office->module, slot.id, true, &issuer->token, trouble))
        return false;
    if (!slot.has_pin &&
        (!office_ask_so_pin(office, trouble) ||
         !token_set_pin(&issuer->token, office->so_pin, office->issuer_pin, trouble)))
        return false;
    return token_login(&issuer->token, CKU_USER, office->issuer_pin, trouble);
}

/* The token belongs to this very issuer, and to nobody's signature. */
static bool check_owner(const struct issuer *issuer, const struct holder *holder,
                        struct trouble *trouble)
{
    const struct holding *authority = holder_authority(holder);
    AUTO(freep)
    char *name =
        authority ? x509_name_part(X509_get_subject_name(authority->x509), NID_commonName) : NULL;

    if (holder_current(holder, "") || (authority && (!name || strcmp(name, issuer->name) != 0)))
        return trouble_say(trouble, "exists", _("choose another name for the issuer"),
                           _("issued_by: there is a token of somebody else with the label of %s"),
                           issuer->name);
    return true;
}

static bool find_pair(struct issuer *issuer, const struct holding *authority,
                      struct trouble *trouble)
{
    const struct key_spec *spec = key_spec_find(ISSUER_KEY);
    uint8_t id[CERTIFICATE_ID_SIZE];

    if (authority && !x509_key_id(authority->x509, id))
        return trouble_no_memory(trouble);
    if (authority)
        return token_pair_find(&issuer->token, span_of(id, sizeof(id)), &issuer->pair, trouble) ||
               trouble_say(trouble, "not_found",
                           _("restore the issuer's token from a backup, or choose another name"),
                           _("issued_by: the token of %s has no usable key"), issuer->name);
    return token_pair_unused(&issuer->token, spec, &issuer->pair) ||
           token_generate(&issuer->token, spec, issuer->name, false, &issuer->pair, trouble);
}

static bool certify(struct issuer *issuer, const struct holding *old, struct trouble *trouble)
{
    const struct order *order = issuer->order;
    int64_t usual = day_add_years(issuer->not_before, ISSUER_YEARS);
    AUTO(freep)
    char *country = old ? x509_name_part(X509_get_subject_name(old->x509), NID_countryName)
                        : strdup(order->country);
    AUTO(freep)
    char *organization =
        old ? x509_name_part(X509_get_subject_name(old->x509), NID_organizationName)
            : strdup(order->text[FORM_ORGANIZATION] ? order->text[FORM_ORGANIZATION] : "");
    /* Renewed under the very same name: what it issued before has to find it. */
    const struct x509_plan plan = {
        .subject = {.country = country && *country ? country : NULL,
                    .organization = organization && *organization ? organization : NULL,
                    .common_name = issuer->name},
        .key = issuer->pair.key,
        .not_before = issuer->not_before,
        .not_after = usual > issuer->not_after ? usual : issuer->not_after,
        .is_authority = true,
    };

    return office_sign(&issuer->token, &issuer->pair, &plan, &issuer->x509, trouble);
}

static bool store(struct issuer *issuer, const struct holder *holder, const struct holding *old,
                  struct trouble *trouble)
{
    uint8_t id[CERTIFICATE_ID_SIZE];

    if (!x509_key_id(issuer->x509, id))
        return trouble_no_memory(trouble);
    if (old && !holder_archive(&issuer->token, holder, old, trouble))
        return false;
    return token_store_certificate(&issuer->token, issuer->x509, span_of(id, sizeof(id)),
                                   issuer->name, true, trouble) &&
           (!old || holder_destroy(&issuer->token, old->object, trouble));
}

static bool open_issuer(struct office *office, struct issuer *issuer, struct trouble *trouble)
{
    AUTO(holder_fini) struct holder holder = {0};

    if (!check_lost(office, issuer->name, trouble) || !enter(office, issuer, trouble) ||
        !holder_read(&issuer->token, &holder, trouble) || !check_owner(issuer, &holder, trouble))
        return false;
    const struct holding *authority = holder_authority(&holder);
    if (!find_pair(issuer, authority, trouble))
        return false;
    if (authority && x509_time(X509_get0_notAfter(authority->x509)) >= issuer->not_after) {
        issuer->x509 = authority->x509;
        return X509_up_ref(issuer->x509) == 1;
    }
    if (!certify(issuer, authority, trouble) || !store(issuer, &holder, authority, trouble))
        return false;
    issuer->is_renewed = authority;
    return true;
}

bool office_open_issuers(struct office *office, struct task *tasks, size_t count,
                         struct trouble *trouble)
{
    office->issuers = calloc(count + 1, sizeof(*office->issuers));
    office->issuer_count = 0;
    if (!office->issuers)
        return trouble_no_memory(trouble);
    for (size_t i = 0; i < count; i++)
        if (tasks[i].result == TASK_OPEN)
            gather(office, &tasks[i]);
    for (size_t i = 0; i < office->issuer_count; i++)
        if (!open_issuer(office, &office->issuers[i], trouble))
            return false;
    return true;
}
