/* SPDX-License-Identifier: Apache-2.0 */
/* PINs of SmartCA slots: they open the vault of the identity's secrets; and one-time passwords. */
#include <stdlib.h>
#include <string.h>

#include "module/backend/smartca.h"
#include "remote/base/cleanup.h"
#include "remote/base/log.h"

/* The six digits come behind the PIN, since most programs cannot ask for them separately. */
static bool has_digits_behind_pin(const struct account_config *config)
{
    return config->confirm == CONFIRM_OTP && !config->otp_login_context;
}

void smartca_login_init(struct smartca_token *token)
{
    const struct account_config *config = token->account->config;
    struct token *base = &token->base;

    lock_init(&token->lock, LOCK_BACKEND);
    if (vault_is_needed(config)) {
        base->pin_min = KEYSTORE_PIN_MIN;
        base->pin_max = KEYSTORE_PIN_MAX;
    }
    base->wants_otp_each_time = config->confirm == CONFIRM_OTP && config->otp_login_context;
    base->has_user_pin =
        config->confirm == CONFIRM_OTP; /* without a vault; with one, state tells */
    if (!has_digits_behind_pin(config))
        return;
    base->login_signs_once = true;
    base->otp_digits = TOKEN_OTP_DIGITS;
    base->pin_max += TOKEN_OTP_DIGITS;
    if (base->pin_min == 0)
        base->pin_min = TOKEN_OTP_DIGITS; /* nothing comes before them */
}

static void vault_unref(struct smartca_vault *vault)
{
    if (!vault || atomic_fetch_sub(&vault->refs, 1) != 1)
        return;
    vault_contents_fini(&vault->contents);
    free(vault);
}

static void permit_unref(struct smartca_permit *permit)
{
    if (!permit || atomic_fetch_sub(&permit->refs, 1) != 1)
        return;
    secret_free(permit->otp);
    free(permit);
}

/* Takes the password, or frees it. */
static enum sca_status permit_new(struct secret *take_otp, struct smartca_permit **ret_permit)
{
    struct smartca_permit *permit = calloc(1, sizeof(*permit));

    if (!permit) {
        secret_free(take_otp);
        return SCA_NOMEM;
    }
    atomic_init(&permit->refs, 1);
    permit->otp = take_otp;
    *ret_permit = permit;
    return SCA_OK;
}

void smartca_opened_fini(struct smartca_opened *opened)
{
    vault_unref(opened->vault);
    permit_unref(opened->permit);
    *opened = (struct smartca_opened){.vault = NULL};
}

void smartca_opened_spend(const struct smartca_opened *opened)
{
    if (opened->permit)
        atomic_store(&opened->permit->is_spent, true);
}

/* Puts what a login opened into the token; what was there comes back, for the caller to release. */
static void exchange(struct smartca_token *token, struct smartca_opened *opened)
{
    lock_take(&token->lock);
    struct smartca_opened old = {.vault = token->vault, .permit = token->permit};
    token->vault = opened->vault;
    token->permit = opened->permit;
    lock_drop(&token->lock);
    *opened = old;
}

void smartca_logout(struct token *base)
{
    AUTO(smartca_opened_fini) struct smartca_opened nothing = {.vault = NULL};
    exchange((struct smartca_token *)base, &nothing);
}

void smartca_login_fini(struct smartca_token *token)
{
    smartca_logout(&token->base);
    lock_fini(&token->lock);
}

struct remote_credentials smartca_borrow_opened(struct smartca_token *token,
                                                const struct secret *otp,
                                                struct smartca_opened *opened)
{
    struct remote_credentials credentials = {.otp = otp};

    lock_take(&token->lock);
    opened->vault = token->vault;
    if (opened->vault)
        atomic_fetch_add(&opened->vault->refs, 1);
    opened->permit = token->permit;
    if (opened->permit)
        atomic_fetch_add(&opened->permit->refs, 1);
    lock_drop(&token->lock);
    if (!otp && opened->permit && !atomic_load(&opened->permit->is_spent))
        credentials.otp = opened->permit->otp;
    if (opened->vault) {
        credentials.password = opened->vault->contents.items[VAULT_PASSWORD];
        credentials.totp_secret = opened->vault->contents.items[VAULT_TOTP_SECRET];
        credentials.sp_password = opened->vault->contents.items[VAULT_SP_PASSWORD];
    }
    return credentials;
}

static struct vault vault_of(const struct smartca_token *token)
{
    return vault_of_account(token->account->config, token->account->state_dir);
}

/* Why a PIN was not taken, and what to do. */
static enum sca_status explain(const struct smartca_token *token, struct call *call,
                               const struct vault *vault, enum sca_status status)
{
    const char *name = token->account->config->name;
    struct vault_info info = {.has_pin = false};
    const char *why = NULL;

    if (status == SCA_NOT_FOUND)
        return call_fail(call, status,
                         "account %s has no vault yet; smartca account pin %s --reset makes it",
                         name, name);
    bool is_about_pins = status == SCA_USER_AUTH || status == SCA_PIN_LOCKED;
    if (!is_about_pins || vault_info(vault, &info, &why) != SCA_OK)
        return call->note[0] ? status
                             : call_fail(call, status, "the vault of account %s: %s", name,
                                         why ? why : sca_status_name(status));
    if (status == SCA_USER_AUTH)
        return call_fail(call, status, "wrong PIN of account %s: %u of %d tries are used", name,
                         info.wrong_pins, KEYSTORE_PIN_TRIES);
    if (info.wrong_pins < KEYSTORE_PIN_TRIES)
        return call_fail(call, status,
                         "the same wrong PIN of account %s was given again and again; it is not "
                         "looked at any more until another one is given",
                         name);
    return call_fail(call, status,
                     "the PIN of account %s is locked after %d wrong tries; smartca account pin "
                     "%s --reset asks for the secrets again",
                     name, KEYSTORE_PIN_TRIES, name);
}

static enum sca_status open_vault(struct smartca_token *token, struct call *call,
                                  const struct secret *pin, struct smartca_vault **ret_vault)
{
    const struct vault vault = vault_of(token);
    struct wrong_pins *wrong = token->account->wrong;
    struct pin_memory memory;
    struct smartca_vault *opened = calloc(1, sizeof(*opened));
    if (!opened)
        return SCA_NOMEM;

    atomic_init(&opened->refs, 1);
    enum sca_status st = wrong_pins_borrow(wrong, TOKEN_USER, call, &memory);
    if (st == SCA_OK) {
        st = vault_open(&vault, call, pin, &memory, &opened->contents);
        wrong_pins_return(wrong, TOKEN_USER, &memory);
    }
    if (st != SCA_OK) {
        free(opened);
        return explain(token, call, &vault, st);
    }
    *ret_vault = opened;
    return SCA_OK;
}

/* Takes the six digits off the end of what was typed. Without them no PIN was tried, and no wrong
 * one is counted. */
static enum sca_status split(const struct smartca_token *token, struct call *call,
                             const struct secret *typed, struct secret **ret_pin,
                             struct secret **ret_otp)
{
    AUTO(secret_freep) struct secret *pin = NULL;
    struct span all = secret_get(typed);
    size_t digits = 0;

    while (digits < TOKEN_OTP_DIGITS && digits < all.len && all.ptr[all.len - 1 - digits] >= '0' &&
           all.ptr[all.len - 1 - digits] <= '9')
        digits++;
    if (digits < TOKEN_OTP_DIGITS)
        return call_fail(call, SCA_USER_AUTH,
                         "account %s: the PIN is to be followed by the six digits of the one-time "
                         "password",
                         token->account->config->name);
    size_t pin_len = all.len - TOKEN_OTP_DIGITS;
    if (pin_len == 0 && vault_is_needed(token->account->config))
        return call_fail(call, SCA_USER_AUTH, "account %s: the PIN comes before the six digits",
                         token->account->config->name);
    enum sca_status st = secret_new(span_of(all.ptr, pin_len), &pin);
    if (st == SCA_OK)
        st = secret_new(span_of(all.ptr + pin_len, TOKEN_OTP_DIGITS), ret_otp);
    if (st == SCA_OK)
        *ret_pin = TAKE(pin);
    return st;
}

/*
 * confirm = otp, otp_login = context, no vault: applications log the user in before they begin to
 * sign, but there is nothing that a PIN would open. Whatever they give is taken, as with confirm =
 * app; the six digits of each signature are the guard.
 */
enum sca_status smartca_login(struct token *base, struct call *call, enum token_user user,
                              const struct secret *typed)
{
    struct smartca_token *token = (struct smartca_token *)base;
    const struct account_config *config = token->account->config;
    AUTO(smartca_opened_fini) struct smartca_opened opened = {.vault = NULL};
    AUTO(secret_freep) struct secret *pin = NULL;
    AUTO(secret_freep) struct secret *otp = NULL;
    enum sca_status st = SCA_OK;

    if (user != TOKEN_USER)
        return SCA_UNSUPPORTED;
    if (has_digits_behind_pin(config))
        st = split(token, call, typed, &pin, &otp);
    if (st == SCA_OK && vault_is_needed(config))
        st = open_vault(token, call, pin ? pin : typed, &opened.vault);
    else if (st == SCA_OK && pin && secret_get(pin).len > 0)
        st = call_fail(call, SCA_USER_AUTH,
                       "account %s has no PIN: only the six digits of the one-time password are "
                       "wanted",
                       config->name);
    if (st == SCA_OK && otp)
        st = permit_new(TAKE(otp), &opened.permit);
    if (st == SCA_OK)
        exchange(token, &opened);
    return st;
}

enum sca_status smartca_state(struct token *base, struct token_state *ret_state)
{
    const struct smartca_token *token = (const struct smartca_token *)base;
    const struct vault vault = vault_of(token);
    struct vault_info info;
    const char *why = NULL;

    enum sca_status st = vault_info(&vault, &info, &why);
    if (st != SCA_OK) {
        log_line(LOG_LEVEL_WARNING,
                 "the vault of account %s: %s; smartca account pin %s --reset "
                 "makes it anew",
                 token->account->config->name, why ? why : sca_status_name(st),
                 token->account->config->name);
        info = (struct vault_info){.has_pin = false};
    }
    *ret_state = (struct token_state){
        .is_initialized = true, .has_user_pin = info.has_pin, .wrong_user_pins = info.wrong_pins};
    return SCA_OK;
}

enum sca_status smartca_set_pin(struct token *base, struct call *call, enum token_user user,
                                const struct secret *old_pin, const struct secret *new_pin)
{
    struct smartca_token *token = (struct smartca_token *)base;
    const struct vault vault = vault_of(token);
    struct wrong_pins *wrong = token->account->wrong;
    struct pin_memory memory;

    if (user != TOKEN_USER)
        return SCA_UNSUPPORTED;
    enum sca_status st = wrong_pins_borrow(wrong, TOKEN_USER, call, &memory);
    if (st == SCA_OK) {
        st = vault_set_pin(&vault, call, old_pin, new_pin, &memory, KEYSTORE_COST);
        wrong_pins_return(wrong, TOKEN_USER, &memory);
    }
    return st == SCA_OK ? st : explain(token, call, &vault, st);
}
