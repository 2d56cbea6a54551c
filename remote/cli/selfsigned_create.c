/* SPDX-License-Identifier: Apache-2.0 */
/* A first certificate for a user. */
#include <string.h>

#include <openssl/x509.h>

#include "remote/base/cleanup.h"
#include "remote/cli/office.h"

static bool tell_existing(struct task *task, const struct holding *current)
{
    (void)strcpy(task->serial, current->serial);
    task->not_before = x509_time(X509_get0_notBefore(current->x509));
    task->not_after = x509_time(X509_get0_notAfter(current->x509));
    (void)trouble_say(&task->trouble, "exists",
                      _("smartca selfsigned reissue makes a new one in its place"),
                      _("user %s has a certificate already"), task->order.text[FORM_USER]);
    return task_end(task, TASK_EXISTS);
}

static void look(struct office *office, struct task *task)
{
    AUTO(token_close) struct token token = {0};
    AUTO(holder_fini) struct holder holder = {0};
    const char *user = task->order.text[FORM_USER];

    const struct token_slot *found = tokens_find(&office->tokens, task->order.label);
    if (!found)
        return;
    task->slot = *found;
    task->has_slot = true;
    if (!token_open(office->module, found->id, false, &token, &task->trouble) ||
        !holder_read(&token, &holder, &task->trouble)) {
        (void)task_end(task, TASK_FAILED);
        return;
    }
    if (!holder_is_of(&holder, found->label, user) || office_is_issuers_own(&token, &holder)) {
        (void)trouble_say(&task->trouble, "exists", _("choose another user name"),
                          _("user: there is a token of somebody else with the label %s"),
                          found->label);
        (void)task_end(task, TASK_REFUSED);
        return;
    }
    const struct holding *current = holder_current(&holder, user);
    if (current)
        (void)tell_existing(task, current);
}

static bool create(struct office *office, struct task *task)
{
    AUTO(token_close) struct token token = {0};
    AUTO(token_pair_fini) struct token_pair pair = {0};
    AUTO(x509_freep) X509 *x509 = NULL;

    if (!office_seat(office, task, &token))
        return false;
    /* A key that an earlier attempt left is as good as new, unless another kind of key is wanted.
     */
    if ((office->cli->is_exportable || !token_pair_unused(&token, task->order.key, &pair)) &&
        !token_generate(&token, task->order.key, task->order.label, office->cli->is_exportable,
                        &pair, &task->trouble))
        return false;
    return office_certify(office, task, &token, &pair, &x509) &&
           office_store(office, task, &token, x509);
}

static void run(struct office *office, struct task *task)
{
    task->result = create(office, task) ? TASK_CREATED : TASK_FAILED;
}

static const struct office_verb verb = {.look = look, .run = run};

enum cli_exit selfsigned_create_run(const struct cli *cli)
{
    return office_run(cli, &verb);
}
