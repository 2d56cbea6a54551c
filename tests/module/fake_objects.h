/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_MODULE_FAKE_OBJECTS_H
#define TESTS_MODULE_FAKE_OBJECTS_H

#include "module/backend/backend.h"

/* Fills in what the token of that slot is, all but its ops. */
void fake_objects_describe(struct token *token, CK_SLOT_ID id);

/* Hands its objects to the sink. */
enum sca_status fake_objects_list(const struct token *token, struct object_sink *sink);

#endif
