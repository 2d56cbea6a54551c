/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/config/lines.h"

#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/base/wording.h"

static struct section *current(const struct lines *lines)
{
    struct document *document = lines->document;
    return lines->has_section ? &document->sections[document->count - 1] : NULL;
}

/* A line that says nothing usable spoils the section it stands in: it may have said anything. */
static void spoil(struct lines *lines)
{
    struct section *section = current(lines);
    if (section)
        section->is_bad = true;
}

static void add_section(struct lines *lines, enum section_kind kind, const char *name)
{
    struct document *document = lines->document;
    char *copy = strdup(name);

    if (document->count == document->room) {
        size_t room = document->room ? document->room * 2 : 16;
        struct section *sections = realloc(document->sections, room * sizeof(*sections));
        if (sections) {
            document->sections = sections;
            document->room = room;
        }
    }
    if (!copy || document->count == document->room) {
        document->problems->is_out_of_memory = true;
        lines->has_section = false;
        free(copy);
        return;
    }
    document->sections[document->count++] = (struct section){
        .kind = kind,
        .name = copy,
        .file = lines->file,
        .line = lines->line,
        .is_open = lines->is_open,
    };
    lines->has_section = true;
}

/* Part of a line for a message, cut at a character. */
static int shown(const char *text)
{
    return (int)utf8_cut(text, SECTION_NAME_MAX);
}

bool document_is_name(const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789-_.";
    size_t len = strlen(text);
    return len > 0 && len <= SECTION_NAME_MAX && text[0] != '.' && strspn(text, allowed) == len;
}

static enum section_kind heading_kind(struct lines *lines, const char *heading,
                                      const char **ret_name)
{
    struct problems *problems = lines->document->problems;
    const struct section_rule *rule = schema_find_section(heading, ret_name);

    if (rule && (!rule->is_named || document_is_name(*ret_name)))
        return rule->kind;
    const char *near = schema_nearest_section(heading);
    if (rule)
        problems_add(problems, lines->file, lines->line,
                     "[%s NAME] needs a name of 1 to %d letters, digits, - _ . without spaces, and "
                     "not . first",
                     rule->name, SECTION_NAME_MAX);
    else if (near)
        problems_add(problems, lines->file, lines->line,
                     "unknown section [%.*s]; did you mean [%s%s]?", shown(heading), heading, near,
                     schema_find_section(near, ret_name)->is_named ? " NAME" : "");
    else
        problems_add(problems, lines->file, lines->line,
                     "unknown section [%.*s]; remove it, or see smartca-pkcs11.conf(5)",
                     shown(heading), heading);
    return SECTION_UNKNOWN;
}

/* line: "[heading]", then nothing but white space or a comment. Changed on the way. */
static void take_heading(struct lines *lines, char *line)
{
    const char *name = "";
    char *heading = line + 1 + strspn(line + 1, " \t");
    char *end = strchr(line, ']');
    const char *rest = end ? end + 1 + strspn(end + 1, " \t") : NULL;

    if (!end || (*rest && *rest != ';' && *rest != '#')) {
        problems_add(lines->document->problems, lines->file, lines->line,
                     "a section heading must be [NAME] alone on its line");
        add_section(lines, SECTION_UNKNOWN, "");
        return;
    }
    while (end > heading && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *end = 0;
    enum section_kind kind = heading_kind(lines, heading, &name);
    add_section(lines, kind, kind == SECTION_UNKNOWN ? "" : name);
}

static bool has_control(struct span line)
{
    for (size_t i = 0; i < line.len; i++)
        if ((line.ptr[i] < ' ' && line.ptr[i] != '\t') || line.ptr[i] == 0x7f)
            return true;
    return false;
}

/* Why the line cannot be handed on; NULL if it can. blank counts the white space before it. */
static const char *line_fault(struct span line, size_t blank, size_t max_len)
{
    bool is_indented =
        blank > 0 && blank < line.len && line.ptr[blank] != ';' && line.ptr[blank] != '#';
    if (line.len > max_len)
        return wording(
            "the line is too long; put a long secret in a file of its own and write file:PATH");
    if (has_control(line))
        return wording("the line holds a NUL or control character; remove it");
    if (!utf8_is_valid(line))
        return wording("the line is not valid UTF-8; save the file as UTF-8");
    if (is_indented)
        return wording(
            "the line begins with white space; remove that, a value must be on one line");
    return NULL;
}

/* Takes the next line off, without its LF or CR LF. */
static struct span next_line(struct lines *lines)
{
    const uint8_t *begin = lines->left.ptr;
    const uint8_t *end = memchr(begin, '\n', lines->left.len);
    size_t len = end ? (size_t)(end - begin) : lines->left.len;
    size_t used = end ? len + 1 : len;

    lines->line++;
    lines->left = span_of(begin + used, lines->left.len - used);
    while (len > 0 && begin[len - 1] == '\r')
        len--;
    return span_of(begin, len);
}

static size_t count_blank(struct span line)
{
    size_t blank = 0;
    while (blank < line.len && (line.ptr[blank] == ' ' || line.ptr[blank] == '\t'))
        blank++;
    return blank;
}

static void refuse_line(struct lines *lines, struct span line, size_t blank, const char *fault)
{
    problems_add(lines->document->problems, lines->file, lines->line, "%s", fault);
    if (blank < line.len && line.ptr[blank] == '[')
        add_section(lines, SECTION_UNKNOWN, "");
    else
        spoil(lines);
}

/* The line before was handed on as a pair; if it did not come back, it was none. */
static void settle(struct lines *lines)
{
    if (lines->is_expecting) {
        problems_add(lines->document->problems, lines->file, lines->line,
                     "the line is neither a [section], nor key = value, nor a ; comment");
        spoil(lines);
    }
    lines->is_expecting = false;
}

char *lines_read(char *out, int room, void *stream)
{
    struct lines *lines = stream;

    settle(lines);
    /* libinih leaves its line behind on the stack; there may be a secret in it. */
    secret_wipe(out, (size_t)room);
    if (lines->left.len == 0)
        return NULL;

    struct span line = next_line(lines);
    size_t blank = count_blank(line);
    const char *fault = line_fault(line, blank, (size_t)room - 2);
    out[0] = '\n';
    if (fault) {
        refuse_line(lines, line, blank, fault);
    } else if (blank < line.len && line.ptr[0] == '[') {
        memcpy(out, line.ptr, line.len);
        out[line.len] = 0;
        take_heading(lines, out);
        secret_wipe(out, (size_t)room);
        out[0] = '\n';
    } else if (blank < line.len) {
        memcpy(out, line.ptr, line.len);
        out[line.len] = '\n';
        lines->is_expecting = line.ptr[blank] != ';' && line.ptr[blank] != '#';
    }
    return out;
}

int lines_take_pair(void *user, const char *ini_section, const char *key, const char *text)
{
    struct lines *lines = user;
    struct section *section = current(lines);

    (void)ini_section; /* cut at 49 bytes, and never set: it was not shown a heading */
    if (!text)         /* the host allows libinih keys without a value */
        return 1;
    lines->is_expecting = false;
    if (!section) {
        problems_add(lines->document->problems, lines->file, lines->line,
                     "a key before the first [section]; put its section above it");
        return 1;
    }
    if (section->count == SECTION_ENTRIES_MAX) {
        if (!section->is_bad)
            problems_add(lines->document->problems, lines->file, lines->line,
                         "more than %d keys in one section; remove what is given twice",
                         SECTION_ENTRIES_MAX);
        section->is_bad = true;
        return 1;
    }

    struct entry *entries = realloc(section->entries, (section->count + 1) * sizeof(*entries));
    if (entries)
        section->entries = entries;
    struct entry entry = {.key = strdup(key), .text = strdup(text), .line = lines->line};
    if (!entries || !entry.key || !entry.text) {
        lines->document->problems->is_out_of_memory = true;
        free(entry.key);
        value_free_text(entry.text);
        return 1;
    }
    entries[section->count++] = entry;
    return 1;
}
