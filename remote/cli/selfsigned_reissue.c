/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A new certificate in the place of another. The order of the steps keeps a usable certificate on
 * the token at every moment: the new one is stored, the old one copied to the archive, and only
 * then taken away. A run that ended between two steps is completed by the next.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/objects.h>
#include <openssl/x509.h>

#include "remote/base/cleanup.h"
#include "remote/cli/office.h"

/* What the form says where nobody says anything else: the certificate there is. */
static const struct {
    enum form_field field;
    int nid;
} inherited[] = {
    {FORM_NAME, NID_commonName},
    {FORM_ORGANIZATION, NID_organizationName},
    {FORM_UNIT, NID_organizationalUnitName},
    {FORM_LOCALITY, NID_localityName},
    {FORM_STATE, NID_stateOrProvinceName},
    {FORM_COUNTRY, NID_countryName},
};

static bool is_self_issued(const X509 *x509)
{
    return X509_NAME_cmp(X509_get_subject_name(x509), X509_get_issuer_name(x509)) == 0;
}

static void inherit(struct task *task, X509 *x509)
{
    struct form said = task->form;
    char key[X509_KEY_TYPE_SIZE];

    for (size_t i = 0; i < ARRAY_LEN(inherited); i++)
        task->kept[inherited[i].field] =
            x509_name_part(X509_get_subject_name(x509), inherited[i].nid);
    if (!is_self_issued(x509))
        task->kept[FORM_ISSUED_BY] = x509_name_part(X509_get_issuer_name(x509), NID_commonName);
    x509_key_type(X509_get0_pubkey(x509), key);
    task->kept[FORM_KEY] = strdup(key);
    for (size_t i = 0; i < FORM_FIELD_COUNT; i++)
        if (task->kept[i])
            task->form.text[i] = task->kept[i];
    form_overlay(&task->form, &said);
}

/* What was done in an earlier run of the same file need not be done again. */
static bool is_done(const struct office *office, const struct task *task, X509 *x509)
{
    const struct order *order = &task->order;

    if (task->line == 0 || !order->text[FORM_FROM] || office->cli->wants_new_key ||
        x509_time(X509_get0_notBefore(x509)) != order->not_before ||
        x509_time(X509_get0_notAfter(x509)) != order->not_after ||
        is_self_issued(x509) != order->is_self_issued)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(inherited); i++) {
        AUTO(freep) char *part = x509_name_part(X509_get_subject_name(x509), inherited[i].nid);
        const char *wanted = inherited[i].field == FORM_COUNTRY && order->country[0]
                                 ? order->country
                                 : order->text[inherited[i].field];
        if (strcmp(part ? part : "", wanted ? wanted : "") != 0)
            return false;
    }
    return true;
}

static size_t count_in_use(const struct holder *holder, const char *user)
{
    size_t count = 0;

    for (size_t i = 0; i < holder->count; i++) {
        const struct holding *item = &holder->items[i];
        AUTO(freep) char *name = x509_name_part(X509_get_subject_name(item->x509), NID_userId);
        count += !item->is_archived && !item->is_authority && name && strcmp(name, user) == 0;
    }
    return count;
}

static bool check_key(const struct office *office, struct task *task)
{
    const char *said = task->form.text[FORM_KEY];

    if (!office->cli->wants_new_key && said && task->kept[FORM_KEY] &&
        strcmp(said, task->kept[FORM_KEY]) != 0)
        return trouble_say(&task->trouble, "invalid", _("add --new-key, or leave the key out"),
                           _("key can be changed together with --new-key only"));
    return true;
}

static bool examine(struct office *office, struct task *task, struct holder *holder)
{
    int64_t now = task->order.not_before;
    const char *user = task->order.text[FORM_USER];
    const struct holding *current = holder_current(holder, user);

    if (!current || !holder_is_of(holder, task->slot.label, user)) {
        (void)trouble_say(&task->trouble, "not_found",
                          _("smartca selfsigned create makes the first one"),
                          _("user %s has no certificate"), user);
        return task_end(task, TASK_REFUSED);
    }
    inherit(task, current->x509);
    if (!check_key(office, task) || !form_check(&task->form, now, &task->order, &task->trouble))
        return task_end(task, TASK_REFUSED);
    if (!is_done(office, task, current->x509))
        return true;
    task->is_leftover = count_in_use(holder, user) > 1;
    (void)strcpy(task->serial, current->serial);
    task->not_before = task->order.not_before;
    task->not_after = task->order.not_after;
    if (task->is_leftover)
        return true;
    (void)trouble_say(&task->trouble, "exists", _("nothing is left to do for this user"),
                      _("user %s has this certificate already"), user);
    return task_end(task, TASK_EXISTS);
}

static void look(struct office *office, struct task *task)
{
    AUTO(token_close) struct token token = {0};
    AUTO(holder_fini) struct holder holder = {0};
    const char *user = task->order.text[FORM_USER];

    const struct token_slot *found = tokens_find(&office->tokens, task->order.label);
    if (!found) {
        (void)trouble_say(&task->trouble, "not_found",
                          _("smartca selfsigned list shows the users there are"),
                          _("user %s is not known"), user);
        (void)task_end(task, TASK_REFUSED);
        return;
    }
    task->slot = *found;
    task->has_slot = true;
    if (!token_open(office->module, found->id, false, &token, &task->trouble) ||
        !holder_read(&token, &holder, &task->trouble)) {
        (void)task_end(task, TASK_FAILED);
        return;
    }
    (void)examine(office, task, &holder);
}

static bool choose_pair(struct office *office, struct task *task, struct token *token,
                        const struct holding *current, struct token_pair *ret_pair)
{
    uint8_t id[CERTIFICATE_ID_SIZE];

    if (office->cli->wants_new_key)
        return token_generate(token, task->order.key, task->order.label, office->cli->is_exportable,
                              ret_pair, &task->trouble);
    return x509_key_id(current->x509, id)
               ? token_pair_find(token, span_of(id, sizeof(id)), ret_pair, &task->trouble)
               : trouble_no_memory(&task->trouble);
}

/* The old key stays, under a label that says what it was, unless it is to go. */
static bool retire_key(struct office *office, struct task *task, struct token *token,
                       const struct holding *old)
{
    uint8_t id[CERTIFICATE_ID_SIZE];
    char label[FORM_LABEL_SIZE + CERTIFICATE_SERIAL_HEX + 16];
    static const CK_OBJECT_CLASS classes[] = {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY};

    if (!x509_key_id(old->x509, id))
        return trouble_no_memory(&task->trouble);
    int len = snprintf(label, sizeof(label), "%s (archived %s)", task->order.label, old->serial);
    for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
        CK_OBJECT_HANDLE key = token_find_one(token, classes[i], span_of(id, sizeof(id)));
        CK_ATTRIBUTE attribute = {CKA_LABEL, label, (CK_ULONG)len};
        if (key == CK_INVALID_HANDLE)
            continue;
        /* A token that does not rename keys keeps it under the old label. */
        if (!office->cli->destroys_old_key)
            (void)token->p11->C_SetAttributeValue(token->session, key, &attribute, 1);
        else if (!holder_destroy(token, key, &task->trouble))
            return false;
    }
    return true;
}

/* Of the user: named so, or the one that is replaced, which may name nobody. */
static bool is_to_retire(const struct task *task, const struct holding *item,
                         const struct holding *replaced)
{
    AUTO(freep) char *user = x509_name_part(X509_get_subject_name(item->x509), NID_userId);

    if (item->is_archived || item->is_authority)
        return false;
    return item == replaced || (user && strcmp(user, task->order.text[FORM_USER]) == 0);
}

/*
 * Every certificate of the user that was there before, but the one to keep: an earlier attempt may
 * have left two. Into the archive first, then destroyed.
 */
static bool retire_certificates(struct task *task, struct token *token, const struct holder *holder,
                                const struct holding *current)
{
    for (size_t i = 0; i < holder->count; i++) {
        const struct holding *old = &holder->items[i];
        if ((task->is_leftover && old == current) || !is_to_retire(task, old, current))
            continue;
        if (!holder_archive(token, holder, old, &task->trouble) ||
            !holder_destroy(token, old->object, &task->trouble))
            return false;
    }
    return true;
}

static bool reissue(struct office *office, struct task *task)
{
    AUTO(token_close) struct token token = {0};
    AUTO(holder_fini) struct holder holder = {0};
    AUTO(token_pair_fini) struct token_pair pair = {0};
    AUTO(x509_freep) X509 *x509 = NULL;

    if (!office_seat(office, task, &token) || !holder_read(&token, &holder, &task->trouble))
        return false;
    const struct holding *current = holder_current(&holder, task->order.text[FORM_USER]);
    if (!current)
        return trouble_say(&task->trouble, "not_found", _("run it again"), "%s",
                           _("the certificate is gone: another program changed the token"));
    if (task->is_leftover)
        return retire_certificates(task, &token, &holder, current);
    if (!choose_pair(office, task, &token, current, &pair) ||
        !office_certify(office, task, &token, &pair, &x509) ||
        !office_store(office, task, &token, x509) ||
        !retire_certificates(task, &token, &holder, current))
        return false;
    return !office->cli->wants_new_key || retire_key(office, task, &token, current);
}

static void run(struct office *office, struct task *task)
{
    task->result = reissue(office, task) ? TASK_REISSUED : TASK_FAILED;
}

static const struct office_verb verb = {.look = look, .run = run, .inherits = true};

enum cli_exit selfsigned_reissue_run(const struct cli *cli)
{
    return office_run(cli, &verb);
}
