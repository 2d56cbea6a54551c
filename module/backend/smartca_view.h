/* SPDX-License-Identifier: Apache-2.0 */
/* What the owner of a SmartCA certificate chose to see, as applications see it. */
#ifndef MODULE_BACKEND_SMARTCA_VIEW_H
#define MODULE_BACKEND_SMARTCA_VIEW_H

#include "module/backend/backend.h"
#include "remote/catalogue/catalogue.h"

enum { SMARTCA_VIEW_OBJECTS = 3 };

/*
 * The token's label: the name that was chosen, or the certificate's, or "" without a certificate.
 * The caller frees it; NULL without memory.
 */
char *smartca_view_label(const struct catalogue_entry *entry);

/*
 * The eContract appearance as data objects, numbers first_number to first_number +
 * SMARTCA_VIEW_OBJECTS - 1; nothing where none was chosen. Part of token_ops.list.
 */
enum sca_status smartca_view_list(const struct token *token, const struct catalogue_entry *entry,
                                  unsigned first_number, struct object_sink *sink);

/*
 * Puts text into ret_text with what stands in double braces ({{SubjectDN.CN}}, {{SerialNumber}})
 * taken from the certificate; what nobody knows stays as it is, what the subject lacks becomes
 * nothing. The caller buf_fini()s ret_text, also on failure. SCA_NOMEM.
 */
enum sca_status smartca_view_fill_in(const char *text, const struct certificate *leaf,
                                     struct buf *ret_text);

#endif
