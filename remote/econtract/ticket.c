/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file, numbers with the low byte first:
 *   magic[8] cost[1] salt[16] ends_at[8] company_len[1] company[company_len]
 *   nonce[12] tag[16] token (AES-256-GCM), to the end
 * The key is scrypt of the password, with salt and 2^cost. Authenticated: everything before the
 * nonce, the url, a line feed, the user name.
 */
#include "remote/econtract/ticket.h"

#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/keystore/crypt.h"

static const char folder[] = "vault";
static const char file_name[] = "econtract";
static const uint8_t magic[8] = {'S', 'C', 'A', 'E', 'C', 'T', '1', '\n'};

enum {
    SALT_SIZE = 16,
    TIME_SIZE = 8,
    AT_COST = sizeof(magic),
    AT_SALT = AT_COST + 1,
    AT_TIME = AT_SALT + SALT_SIZE,
    AT_COMPANY_LEN = AT_TIME + TIME_SIZE,
    AT_COMPANY = AT_COMPANY_LEN + 1,
    MARK_SIZE = CRYPT_NONCE_SIZE + CRYPT_TAG_SIZE,
    FILE_MAX = AT_COMPANY + TICKET_COMPANY_MAX + MARK_SIZE + SECRET_MAX,
    BOUND_MAX = 64 * 1024,
};

void ticket_fini(struct ticket *ticket)
{
    secret_free(ticket->token);
    *ticket = (struct ticket){.token = NULL};
}

static enum sca_status make_box(const struct ticket_owner *owner, const uint8_t *head,
                                struct crypt_box **ret_box)
{
    uint8_t key[CRYPT_KEY_SIZE];

    enum sca_status st = crypt_stretch(secret_get(owner->password),
                                       span_of(head + AT_SALT, SALT_SIZE), head[AT_COST], key);
    if (st == SCA_OK)
        st = crypt_box_new(key, ret_box);
    secret_wipe(key, sizeof(key));
    return st;
}

/* ret_bound is initialised here; the caller buf_fini()s it in any case. */
static enum sca_status make_bound(const struct ticket_owner *owner, struct span head,
                                  struct buf *ret_bound)
{
    const struct span parts[] = {head, span_text(owner->url), span_text("\n"),
                                 span_text(owner->username)};
    enum sca_status st = SCA_OK;

    buf_init(ret_bound, BOUND_MAX, false);
    for (size_t i = 0; st == SCA_OK && i < ARRAY_LEN(parts); i++)
        st = buf_append(ret_bound, parts[i]);
    return st == SCA_PROTOCOL ? SCA_INVALID : st;
}

/* Where the parts of a file are. */
struct layout {
    struct span head;
    struct span company;
    struct crypt_mark mark;
    struct span sealed;
};

static bool find_parts(struct span file, struct layout *ret_layout)
{
    if (file.len < AT_COMPANY || memcmp(file.ptr, magic, sizeof(magic)) != 0)
        return false;
    size_t company_len = file.ptr[AT_COMPANY_LEN];
    if (company_len > TICKET_COMPANY_MAX || file.len <= AT_COMPANY + company_len + MARK_SIZE)
        return false;

    const uint8_t *mark = file.ptr + AT_COMPANY + company_len;
    ret_layout->head = span_of(file.ptr, AT_COMPANY + company_len);
    ret_layout->company = span_of(file.ptr + AT_COMPANY, company_len);
    memcpy(ret_layout->mark.nonce, mark, CRYPT_NONCE_SIZE);
    memcpy(ret_layout->mark.tag, mark + CRYPT_NONCE_SIZE, CRYPT_TAG_SIZE);
    ret_layout->sealed = span_of(mark + MARK_SIZE, file.len - ret_layout->head.len - MARK_SIZE);
    return ret_layout->sealed.len <= SECRET_MAX;
}

static int64_t get_time(const uint8_t *bytes)
{
    uint64_t time = 0;

    for (size_t i = TIME_SIZE; i-- > 0;)
        time = time << 8 | bytes[i];
    return (int64_t)time;
}

static void put_time(int64_t time, uint8_t out[static TIME_SIZE])
{
    for (size_t i = 0; i < TIME_SIZE; i++)
        out[i] = (uint8_t)((uint64_t)time >> (8 * i));
}

static enum sca_status unseal(const struct ticket_owner *owner, const struct layout *layout,
                              struct ticket *ret_ticket)
{
    AUTO(crypt_box_freep) struct crypt_box *box = NULL;
    AUTO(buf_fini) struct buf bound;
    uint8_t token[SECRET_MAX];
    struct ticket ticket = {.ends_at = get_time(layout->head.ptr + AT_TIME)};

    enum sca_status st = make_bound(owner, layout->head, &bound);
    if (st == SCA_OK)
        st = make_box(owner, layout->head.ptr, &box);
    if (st == SCA_OK)
        st = crypt_open(box, buf_span(&bound), &layout->mark, layout->sealed, token);
    if (st != SCA_OK)
        return st;
    memcpy(ticket.company_id, layout->company.ptr, layout->company.len);
    st = secret_new(span_of(token, layout->sealed.len), &ticket.token);
    secret_wipe(token, sizeof(token));
    if (st == SCA_OK)
        *ret_ticket = ticket;
    return st;
}

enum sca_status ticket_load(const struct ticket_owner *owner, struct ticket *ret_ticket)
{
    AUTO(freep) char *dir = path_join(owner->state_dir, folder);
    AUTO(freep) char *path = dir ? path_join(dir, file_name) : NULL;
    const unsigned trust =
        FILE_NOT_WRITABLE_BY_OTHERS | FILE_NOT_READABLE_BY_OTHERS | FILE_NOT_A_LINK;
    AUTO(buf_fini) struct buf file;
    struct layout layout;
    const char *why = NULL;

    buf_init(&file, FILE_MAX, true);
    if (!path)
        return SCA_NOMEM;
    enum sca_status st = file_read_trusted(path, trust, FILE_MAX, true, &file, &why);
    if (st == SCA_OK && !find_parts(buf_span(&file), &layout))
        st = SCA_NOT_FOUND;
    if (st == SCA_OK)
        st = unseal(owner, &layout, ret_ticket);
    return st == SCA_OK || st == SCA_NOMEM ? st : SCA_NOT_FOUND;
}

/* Everything up to the nonce. */
static enum sca_status make_head(const struct ticket *ticket, struct buf *head)
{
    uint8_t bytes[AT_COMPANY];
    size_t company_len = strlen(ticket->company_id);

    memcpy(bytes, magic, sizeof(magic));
    bytes[AT_COST] = SMARTCA_PIN_COST;
    bytes[AT_COMPANY_LEN] = (uint8_t)company_len;
    put_time(ticket->ends_at, bytes + AT_TIME);
    enum sca_status st = crypt_random(bytes + AT_SALT, SALT_SIZE);
    if (st == SCA_OK)
        st = buf_append(head, span_of(bytes, sizeof(bytes)));
    return st == SCA_OK ? buf_append(head, span_of(ticket->company_id, company_len)) : st;
}

static enum sca_status seal(const struct ticket_owner *owner, const struct ticket *ticket,
                            struct buf *file)
{
    AUTO(crypt_box_freep) struct crypt_box *box = NULL;
    AUTO(buf_fini) struct buf bound;
    uint8_t sealed[SECRET_MAX];
    struct crypt_mark mark;
    const struct span parts[2] = {secret_get(ticket->token), span_of(NULL, 0)};

    enum sca_status st = make_bound(owner, buf_span(file), &bound);
    if (st == SCA_OK)
        st = make_box(owner, file->ptr, &box);
    if (st == SCA_OK)
        st = crypt_seal(box, buf_span(&bound), parts, sealed, &mark);
    const struct span tail[] = {span_of(mark.nonce, sizeof(mark.nonce)),
                                span_of(mark.tag, sizeof(mark.tag)), span_of(sealed, parts[0].len)};
    for (size_t i = 0; st == SCA_OK && i < ARRAY_LEN(tail); i++)
        st = buf_append(file, tail[i]);
    return st;
}

enum sca_status ticket_save(const struct ticket_owner *owner, const struct ticket *ticket)
{
    AUTO(freep) char *dir = path_join(owner->state_dir, folder);
    AUTO(buf_fini) struct buf file;

    buf_init(&file, FILE_MAX, true);
    if (!dir)
        return SCA_NOMEM;
    enum sca_status st = make_head(ticket, &file);
    if (st == SCA_OK)
        st = seal(owner, ticket, &file);
    if (st == SCA_OK)
        st = dir_ensure_private(dir);
    return st == SCA_OK ? file_replace(dir, file_name, buf_span(&file)) : st;
}
