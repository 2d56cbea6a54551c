/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/office.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/x509.h>

#include "remote/base/cleanup.h"
#include "remote/cli/output.h"
#include "remote/cli/store.h"
#include "remote/cli/x509_build.h"

void office_init(struct office *office, const struct cli *cli, const struct module *module)
{
    *office = (struct office){.cli = cli, .module = module, .pins_fd = -1};
    lock_init(&office->lock, LOCK_JOURNAL);
}

void office_fini(struct office *office)
{
    for (size_t i = 0; i < office->issuer_count; i++) {
        token_pair_fini(&office->issuers[i].pair);
        X509_free(office->issuers[i].x509);
        token_close(&office->issuers[i].token);
    }
    free(office->issuers);
    secret_free(office->so_pin);
    secret_free(office->pin);
    secret_free(office->issuer_pin);
    if (office->pins_fd >= 0)
        (void)close(office->pins_fd); /* every line was synced */
    tokens_fini(&office->tokens);
    lock_fini(&office->lock);
}

bool office_read_tokens(struct office *office, const char *state_dir, struct trouble *trouble)
{
    bool is_read = tokens_read(office->module, &office->tokens, trouble);

    return office->tokens.is_own ? store_is_writable(state_dir, trouble) && is_read : is_read;
}

bool task_end(struct task *task, enum task_result result)
{
    task->result = result;
    return false;
}

void task_fini(struct task *task)
{
    for (size_t i = 0; i < FORM_FIELD_COUNT; i++)
        free(task->kept[i]);
}

bool office_ask_so_pin(struct office *office, struct trouble *trouble)
{
    const struct pin_question question = {.path = office->cli->so_pin_file,
                                          .option = "--so-pin-file",
                                          .prompt = _("SO PIN of the tokens (6 to 64 bytes)"),
                                          .is_new = true};

    return office->so_pin || pin_ask(&question, &office->so_pin, trouble);
}

bool office_ask_pin(struct office *office, bool is_new, struct trouble *trouble)
{
    const struct pin_question question = {
        .path = office->cli->pin_file,
        .option = "--pin-file",
        .prompt = is_new ? _("New PIN of the user (6 to 64 bytes)") : _("PIN of the user"),
        .is_new = is_new};

    return office->pin || pin_ask(&question, &office->pin, trouble);
}

bool office_is_issuers_own(struct token *token, const struct holder *holder)
{
    const struct holding *authority = holder_authority(holder);
    uint8_t id[CERTIFICATE_ID_SIZE];

    return authority && x509_key_id(authority->x509, id) &&
           token_find_one(token, CKO_PUBLIC_KEY, span_of(id, sizeof(id))) != CK_INVALID_HANDLE;
}

bool office_makes_pin(const struct office *office, const struct task *task)
{
    return !task->order.text[FORM_PIN] && !office->cli->pin_file && task->line > 0;
}

static bool choose_pin(struct office *office, const struct task *task, struct secret **ret_pin,
                       struct trouble *trouble)
{
    const char *said = task->order.text[FORM_PIN];

    if (office_makes_pin(office, task))
        return pin_make(ret_pin, trouble);
    struct span pin = said ? span_text(said) : secret_get(office->pin);
    return secret_new(pin, ret_pin) == SCA_OK || trouble_no_memory(trouble);
}

static bool make_token(struct office *office, struct task *task)
{
    bool is_made = true;

    if (task->has_slot)
        return true;
    lock_take(&office->lock);
    is_made = tokens_init_spare(office->module, &office->tokens, task->order.label, office->so_pin,
                                &task->slot, &task->trouble);
    lock_drop(&office->lock);
    task->has_slot = is_made;
    return is_made;
}

/* On the disk before the token relies on it: a crash loses no PIN. */
static bool write_pin(struct office *office, struct task *task, const struct secret *pin)
{
    lock_take(&office->lock);
    bool is_written =
        pin_file_add(office->pins_fd, task->order.text[FORM_USER], pin, &task->trouble);
    lock_drop(&office->lock);
    return is_written;
}

bool office_seat(struct office *office, struct task *task, struct token *ret_token)
{
    AUTO(token_close) struct token token = {0};
    AUTO(secret_freep) struct secret *pin = NULL;
    bool is_random = office_makes_pin(office, task);

    if (!choose_pin(office, task, &pin, &task->trouble) || !make_token(office, task) ||
        !token_open(office->module, task->slot.id, true, &token, &task->trouble))
        return false;
    if (is_random && !write_pin(office, task, pin))
        return false;
    /* Nobody was told the PIN of an attempt that ended early, if it was made up. */
    if ((is_random || !task->slot.has_pin) &&
        !token_set_pin(&token, office->so_pin, pin, &task->trouble))
        return false;
    if (!token_login(&token, CKU_USER, pin, &task->trouble))
        return false;
    *ret_token = token;
    token = (struct token){0};
    return true;
}

/* Who signs in office_sign. */
struct signing {
    struct token *token;
    const struct token_pair *pair;
    CK_RV rv;
};

static enum sca_status sign(void *sign_arg, struct span tbs, struct buf *ret_signature)
{
    struct signing *signing = sign_arg;
    return token_sign(signing->token, signing->pair, tbs, ret_signature, &signing->rv);
}

bool office_sign(struct token *token, const struct token_pair *pair, const struct x509_plan *plan,
                 X509 **ret_x509, struct trouble *trouble)
{
    struct signing signing = {.token = token, .pair = pair, .rv = CKR_OK};
    const struct x509_signer signer = {
        .spec = pair->spec, .key = pair->key, .sign = sign, .sign_arg = &signing};

    enum sca_status st = x509_build(plan, &signer, ret_x509);
    if (st == SCA_OK)
        return true;
    if (signing.rv != CKR_OK)
        return trouble_module(trouble, _("the token does not sign"), signing.rv);
    return trouble_say(trouble, output_code(st), _("smartca doctor tells more"),
                       _("the certificate cannot be made: %s"), sca_status_name(st));
}

bool office_certify(struct office *office, struct task *task, struct token *token,
                    const struct token_pair *pair, X509 **ret_x509)
{
    struct issuer *issuer = office_issuer(office, task);
    const struct order *order = &task->order;
    const struct x509_plan plan = {
        .subject = {.country = order->country[0] ? order->country : NULL,
                    .state = order->text[FORM_STATE],
                    .locality = order->text[FORM_LOCALITY],
                    .organization = order->text[FORM_ORGANIZATION],
                    .organizational_unit = order->text[FORM_UNIT],
                    .common_name = order->text[FORM_NAME],
                    .user_id = order->text[FORM_USER]},
        .key = pair->key,
        .not_before = order->not_before,
        .not_after = order->not_after,
        .issuer = issuer ? issuer->x509 : NULL,
    };

    if (!issuer)
        return office_sign(token, pair, &plan, ret_x509, &task->trouble);
    task->has_renewed_issuer = issuer->is_renewed;
    lock_take(&office->lock);
    bool is_signed = office_sign(&issuer->token, &issuer->pair, &plan, ret_x509, &task->trouble);
    lock_drop(&office->lock);
    return is_signed;
}

/* Before the certificate itself: a token without it counts as unfinished, and is run again. */
static bool store_issuer(struct office *office, struct task *task, struct token *token)
{
    AUTO(holder_fini) struct holder holder = {0};
    struct issuer *issuer = office_issuer(office, task);
    uint8_t id[CERTIFICATE_ID_SIZE];

    if (!issuer)
        return true;
    if (!holder_read(token, &holder, &task->trouble))
        return false;
    return holder_has(&holder, issuer->x509, false) ||
           (x509_key_id(issuer->x509, id)
                ? token_store_certificate(token, issuer->x509, span_of(id, sizeof(id)),
                                          issuer->name, true, &task->trouble)
                : trouble_no_memory(&task->trouble));
}

bool office_store(struct office *office, struct task *task, struct token *token, X509 *x509)
{
    uint8_t id[CERTIFICATE_ID_SIZE];

    if (!store_issuer(office, task, token))
        return false;
    if (!x509_key_id(x509, id))
        return trouble_no_memory(&task->trouble);
    if (!token_store_certificate(token, x509, span_of(id, sizeof(id)), task->order.label, false,
                                 &task->trouble))
        return false;
    (void)x509_serial(x509, task->serial);
    task->not_before = x509_time(X509_get0_notBefore(x509));
    task->not_after = x509_time(X509_get0_notAfter(x509));
    return true;
}
