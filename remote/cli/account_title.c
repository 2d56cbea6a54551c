/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/account_title.h"

#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/cli/account_file.h"

static struct span skip_blanks(struct span text)
{
    while (text.len > 0 && (*text.ptr == ' ' || *text.ptr == '\t'))
        text = span_of(text.ptr + 1, text.len - 1);
    return text;
}

/* text without word in front, if it begins with it. */
static bool take_word(struct span *text, const char *word)
{
    size_t len = strlen(word);

    if (text->len < len || memcmp(text->ptr, word, len) != 0)
        return false;
    *text = span_of(text->ptr + len, text->len - len);
    return true;
}

/* [account NAME], with the blanks that the configuration allows. */
static bool is_heading(struct span line, const char *name)
{
    line = skip_blanks(line);
    if (!take_word(&line, "[account"))
        return false;
    struct span rest = skip_blanks(line);
    return rest.len < line.len && take_word(&rest, name) && skip_blanks(rest).len > 0 &&
           *skip_blanks(rest).ptr == ']';
}

/* sp_password = file:PATH */
static bool is_password(struct span line, const char *path)
{
    line = skip_blanks(line);
    if (!path || !take_word(&line, "sp_password"))
        return false;
    line = skip_blanks(line);
    if (!take_word(&line, "="))
        return false;
    line = skip_blanks(line);
    return take_word(&line, "file:") && take_word(&line, path) && skip_blanks(line).len == 0;
}

static bool is_remark(struct span line)
{
    return take_word(&line, ACCOUNT_REMARK);
}

static enum sca_status append_line(struct buf *out, const char *before, const char *middle,
                                   const char *after)
{
    const char *const parts[] = {before, middle, after, "\n"};
    enum sca_status st = SCA_OK;

    for (size_t i = 0; st == SCA_OK && i < ARRAY_LEN(parts); i++)
        st = buf_append(out, span_text(parts[i]));
    return st;
}

/* line: without its end. whole: with it. */
static enum sca_status change_line(struct span line, struct span whole,
                                   const struct account_title *title, bool *is_found,
                                   struct buf *out)
{
    if (is_heading(line, title->old_name)) {
        *is_found = true;
        return append_line(out, "[account ", title->new_name, "]");
    }
    if (is_password(line, title->old_password_file))
        return append_line(out, "sp_password = file:", title->new_password_file, "");
    if (is_remark(line))
        return append_line(out, ACCOUNT_REMARK, title->new_name, ACCOUNT_REMARK_END);
    return buf_append(out, whole);
}

enum sca_status account_title_change(struct span text, const struct account_title *title,
                                     struct buf *ret_text)
{
    AUTO(buf_fini) struct buf out;
    enum sca_status st = SCA_OK;
    bool is_found = false;

    buf_init(&out, ACCOUNT_TEXT_MAX, false);
    while (st == SCA_OK && text.len > 0) {
        const uint8_t *end = memchr(text.ptr, '\n', text.len);
        size_t whole = end ? (size_t)(end - text.ptr) + 1 : text.len;
        size_t len = end ? whole - 1 : whole;
        if (len > 0 && text.ptr[len - 1] == '\r')
            len--;
        st = change_line(span_of(text.ptr, len), span_of(text.ptr, whole), title, &is_found, &out);
        text = span_of(text.ptr + whole, text.len - whole);
    }
    if (st == SCA_OK && !is_found)
        st = SCA_NOT_FOUND;
    if (st != SCA_OK)
        return st;
    *ret_text = out;
    out = (struct buf){.ptr = NULL};
    return SCA_OK;
}
