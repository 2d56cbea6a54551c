/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration files as sections and keys, before anybody asks what they mean. */
#ifndef REMOTE_CONFIG_DOCUMENT_H
#define REMOTE_CONFIG_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "remote/base/bytes.h"
#include "remote/config/problems.h"
#include "remote/config/schema.h"
#include "remote/config/value.h"

enum {
    DOCUMENT_FILE_MAX = 1024 * 1024, /* bytes */
    SECTION_ENTRIES_MAX = 128,       /* keys; all that exist are less than half of it */
    SECTION_NAME_MAX = 40,
};

/* What a line said. rule is NULL and value empty until it was checked. */
struct entry {
    char *key;
    char *text; /* wiped when released */
    unsigned line;
    const struct key_rule *rule;
    struct value value;
    bool is_bad;
};

/* One [kind name]. */
struct section {
    enum section_kind kind; /* SECTION_UNKNOWN: everything in it is passed over */
    char *name;             /* "" where the kind takes none */
    const char *file;       /* borrowed from the document */
    unsigned line;
    bool is_open; /* others may read the file */
    bool is_bad;
    struct entry *entries;
    size_t count;
};

struct document {
    char **files; /* names only */
    size_t file_count;
    struct section *sections;
    size_t count;
    size_t room;
    struct problems *problems; /* borrowed */
};

/* May a section have that name: 1 to SECTION_NAME_MAX letters, digits, - _ . and not . first? */
bool document_is_name(const char *text);

void document_fini(struct document *document);

/*
 * Adds a file's sections behind those there are. A file that is not to be trusted is a problem and
 * nothing of it is taken; one that is not there is neither, and false is returned.
 */
bool document_read(struct document *document, const char *path);

/* The same from memory. is_open: others may read the file. */
void document_parse(struct document *document, const char *path, struct span bytes, bool is_open);

#endif
