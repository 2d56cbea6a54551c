/* SPDX-License-Identifier: Apache-2.0 */
/* PINs go to the token; it counts the wrong ones. */
#include "module/backend/forward.h"
#include "remote/base/cleanup.h"

/* A PIN as C_Login takes it: it knows no const. NULL: the token asks for it itself. */
static CK_UTF8CHAR *pin_of(const struct secret *pin, CK_ULONG *ret_len)
{
    if (!pin) {
        *ret_len = 0;
        return NULL;
    }
    struct span span = secret_get(pin);
    *ret_len = span.len;
    return (CK_UTF8CHAR *)(uintptr_t)span.ptr;
}

/* The wrong PIN that this process tried last is not tried again: some programs repeat it for ever,
 * and the token would lock. */
static enum sca_status ask_memory(struct forward_token *token, const struct secret *pin,
                                  uint8_t fingerprint[static PIN_MEMORY_SIZE])
{
    enum sca_status st =
        pin_memory_fingerprint(span_text(token->identity.serial), TOKEN_USER, pin, fingerprint);
    if (st != SCA_OK)
        return st;
    lock_take(&token->lock);
    st = pin_memory_ask(&token->wrong, fingerprint);
    lock_drop(&token->lock);
    return st;
}

static void remember(struct forward_token *token, CK_RV rv, const uint8_t *fingerprint)
{
    lock_take(&token->lock);
    if (rv == CKR_PIN_INCORRECT && fingerprint)
        pin_memory_keep(&token->wrong, fingerprint);
    else if (rv == CKR_OK)
        pin_memory_forget(&token->wrong);
    lock_drop(&token->lock);
}

/* The session stays open for as long as somebody is logged in: with the last one of the program,
 * the token would log out. */
static void keep_login(struct forward_token *token, const struct forward_lease *lease, bool is_ours)
{
    lock_take(&token->lock);
    bool is_kept = token->login == CK_INVALID_HANDLE && token->generation == lease->generation;
    token->was_left = false;
    if (is_kept) {
        token->login = lease->session;
        token->is_login_ours = is_ours;
        if (is_ours)
            atomic_fetch_add(&token->inner->logins, 1);
    }
    lock_drop(&token->lock);
    if (is_kept)
        inner_leave(token->inner);
    else
        forward_give(token, lease, true);
}

static CK_RV log_in(struct forward_token *token, struct call *call, const struct secret *pin)
{
    struct forward_lease lease;
    CK_ULONG len = 0;

    CK_RV rv = forward_take(token, call, 0, &lease);
    if (rv != CKR_OK)
        return rv;
    CK_UTF8CHAR *text = pin_of(pin, &len);
    rv = token->inner->Login(lease.session, CKU_USER, text, len);
    if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN) {
        keep_login(token, &lease, rv == CKR_OK);
        return CKR_OK;
    }
    forward_give(token, &lease, rv == CKR_PIN_INCORRECT);
    return rv;
}

bool forward_is_logged_in(struct token *base)
{
    struct forward_token *token = (struct forward_token *)base;
    struct forward_lease lease;
    CK_SESSION_INFO info = {.state = CKS_RO_PUBLIC_SESSION};

    lock_take(&token->lock);
    bool was_left = token->was_left;
    lock_drop(&token->lock);
    if (was_left || !token->inner->GetSessionInfo || inner_rests(token->inner) ||
        forward_take(token, NULL, 0, &lease) != CKR_OK)
        return false;
    CK_RV rv = token->inner->GetSessionInfo(lease.session, &info);
    bool is_in = rv == CKR_OK &&
                 (info.state == CKS_RO_USER_FUNCTIONS || info.state == CKS_RW_USER_FUNCTIONS);
    if (is_in)
        keep_login(token, &lease, false);
    else
        forward_give(token, &lease, rv == CKR_OK);
    return is_in;
}

enum sca_status forward_login(struct token *base, struct call *call, enum token_user user,
                              const struct secret *pin)
{
    struct forward_token *token = (struct forward_token *)base;
    uint8_t fingerprint[PIN_MEMORY_SIZE];

    if (user != TOKEN_USER)
        return SCA_UNSUPPORTED;
    enum sca_status st = pin ? ask_memory(token, pin, fingerprint) : SCA_OK;
    if (st != SCA_OK)
        return call_fail(call, st, "[token %s] the wrong PIN that was tried last, again",
                         token->section->config->name);
    CK_RV rv = log_in(token, call, pin);
    if (rv != CKR_OK && forward_recover(token, rv))
        rv = log_in(token, call, pin);
    remember(token, rv, pin ? fingerprint : NULL);
    st = forward_fail(token, call, rv, FORWARD_LOGIN);
    return rv == CKR_PIN_INCORRECT ? SCA_USER_AUTH : st;
}

void forward_logout(struct token *base)
{
    struct forward_token *token = (struct forward_token *)base;

    if (!inner_enter(token->inner))
        return; /* the process ends, or the module has */
    lock_take(&token->lock);
    bool is_known = token->generation == atomic_load(&token->inner->generation);
    CK_SESSION_HANDLE session = is_known ? token->login : CK_INVALID_HANDLE;
    bool is_ours = token->is_login_ours;
    if (session != CK_INVALID_HANDLE) {
        token->login = CK_INVALID_HANDLE;
        token->keys.count = 0; /* handles of private objects are void now */
        token->was_left = true;
    }
    lock_drop(&token->lock);
    if (session != CK_INVALID_HANDLE) {
        if (is_ours)
            (void)token->inner->Logout(session); /* closing the sessions logs out as well */
        (void)token->inner->CloseSession(session);
        if (is_ours)
            atomic_fetch_sub(&token->inner->logins, 1);
    }
    inner_leave(token->inner);
    forward_drop_sessions(token, false);
}

/* Only a read/write session may change the PIN (2.40 section 5.5): one for this alone. */
static CK_RV change(struct forward_token *token, struct call *call, const struct secret *old_pin,
                    const struct secret *new_pin)
{
    struct forward_lease lease;
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    CK_ULONG old_len = 0;
    CK_ULONG new_len = 0;

    CK_RV rv = forward_take(token, call, 0, &lease); /* so that it is there, and we are inside */
    if (rv != CKR_OK)
        return rv;
    rv = token->inner->OpenSession(lease.slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
                                   &session);
    if (rv == CKR_OK) {
        CK_UTF8CHAR *old_text = pin_of(old_pin, &old_len);
        CK_UTF8CHAR *new_text = pin_of(new_pin, &new_len);
        rv = token->inner->SetPIN(session, old_text, old_len, new_text, new_len);
        (void)token->inner->CloseSession(session);
    }
    forward_give(token, &lease, true);
    return rv;
}

enum sca_status forward_set_pin(struct token *base, struct call *call, enum token_user user,
                                const struct secret *old_pin, const struct secret *new_pin)
{
    struct forward_token *token = (struct forward_token *)base;
    uint8_t fingerprint[PIN_MEMORY_SIZE];

    if (user != TOKEN_USER || !token->inner->SetPIN)
        return call_fail(call, SCA_UNSUPPORTED, "[token %s] its module changes no PIN",
                         token->section->config->name);
    enum sca_status st = old_pin ? ask_memory(token, old_pin, fingerprint) : SCA_OK;
    if (st != SCA_OK)
        return st;
    CK_RV rv = change(token, call, old_pin, new_pin);
    remember(token, rv, old_pin ? fingerprint : NULL);
    st = forward_fail(token, call, rv, FORWARD_SET_PIN);
    return rv == CKR_PIN_INCORRECT ? SCA_USER_AUTH : st;
}
