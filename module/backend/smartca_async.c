/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures of SmartCA slots that nobody waits for inside a call. */
#include <stdlib.h>

#include "module/backend/smartca.h"
#include "remote/base/cleanup.h"

struct token_job {
    struct smartca_token *token;
    const struct remote_ops *ops;
    struct smartca_opened opened;
    struct secret *otp; /* of a context-specific login */
    struct remote_credentials credentials;
    struct remote_key key;
    struct smartca_client *client;
    struct remote_ticket *ticket;
};

static struct remote_asking asking_of(const struct token_job *job)
{
    return (struct remote_asking){
        .client = job->client, .credentials = &job->credentials, .key = &job->key};
}

static void job_free(struct token_job *job)
{
    if (!job)
        return;
    if (job->ticket)
        job->ops->drop(job->ticket);
    smartca_opened_fini(&job->opened);
    secret_free(job->otp);
    free(job);
}

static void job_freep(struct token_job **job)
{
    job_free(*job);
    *job = NULL;
}

static enum sca_status job_new(struct token *base, struct call *call, const struct secret *otp,
                               struct token_job **ret_job)
{
    struct smartca_token *token = (struct smartca_token *)base;
    AUTO(job_freep) struct token_job *job = calloc(1, sizeof(*job));
    enum sca_status st = SCA_OK;

    if (!job)
        return SCA_NOMEM;
    job->token = token;
    job->key = smartca_key(token);
    if (otp)
        st = secret_new(secret_get(otp), &job->otp);
    if (st == SCA_OK)
        st = smartca_account_client(token->account, call, &job->ops, &job->client);
    if (st != SCA_OK)
        return st;
    job->credentials = smartca_borrow_opened(token, job->otp, &job->opened);
    *ret_job = TAKE(job);
    return SCA_OK;
}

static uint64_t patience_ms(const struct token_job *job)
{
    return job->token->account->config->service.confirm_timeout_ms;
}

static enum sca_status begin(struct token *token, struct call *call, const struct sign_job *order,
                             struct token_job **ret_job)
{
    AUTO(job_freep) struct token_job *job = NULL;

    enum sca_status st = job_new(token, call, order->otp, &job);
    if (st != SCA_OK)
        return st;
    const struct remote_asking asking = asking_of(job);
    st = job->ops->begin(&asking, call, order->input, patience_ms(job), &job->ticket);
    if (st == SCA_OK)
        *ret_job = TAKE(job);
    return st;
}

static enum sca_status poll(struct token_job *job, struct call *call, uint8_t *sig)
{
    const struct remote_asking asking = asking_of(job);

    enum sca_status st = job->ops->poll(job->ticket, &asking, call, sig);
    if (st != SCA_PENDING)
        smartca_opened_spend(&job->opened);
    return st;
}

static enum sca_status get_id(struct token_job *job, struct call *call, uint64_t *ret_id)
{
    const struct remote_asking asking = asking_of(job);

    return job->ops->number(job->ticket, &asking, call, ret_id);
}

static enum sca_status join(struct token *token, struct call *call, uint64_t id,
                            struct token_job **ret_job)
{
    AUTO(job_freep) struct token_job *job = NULL;

    enum sca_status st = job_new(token, call, NULL, &job);
    if (st != SCA_OK)
        return st;
    const struct remote_asking asking = asking_of(job);
    st = job->ops->join(&asking, call, id, patience_ms(job), &job->ticket);
    if (st == SCA_OK)
        *ret_job = TAKE(job);
    return st;
}

static void keep(struct token_job *job)
{
    job->ops->keep(job->ticket);
}

const struct token_async_ops smartca_async = {
    .begin = begin,
    .poll = poll,
    .get_id = get_id,
    .join = join,
    .keep = keep,
    .free = job_free,
};
