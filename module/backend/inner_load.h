/* SPDX-License-Identifier: Apache-2.0 */
/* p11-kit's part in it: it loads modules, and counts who has initialised which in this process. It
 * is loaded itself at the first [token] only: nobody else shall pay for it. */
#ifndef MODULE_BACKEND_INNER_LOAD_H
#define MODULE_BACKEND_INNER_LOAD_H

#include "module/backend/inner.h"

/* Fills list and calls from the file. */
enum sca_status inner_load(struct inner *inner, char why[INNER_WHY_SIZE]);
void inner_unload(struct inner *inner);

/* C_Initialize, unless it was done; C_Finalize if that was by us, unless others who use p11-kit
 * still need it. Not two of them at a time. */
CK_RV inner_initialize(struct inner *inner);
CK_RV inner_finalize(struct inner *inner);

/* Is the file, or the module that it turned out to be, this one or p11-kit's proxy? */
bool inner_file_is_ours(const struct library_file *file);
bool inner_is_ours(const struct inner *inner);

#endif
