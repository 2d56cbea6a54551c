/* SPDX-License-Identifier: Apache-2.0 */
#include "module/backend/profiles.h"

#include <stdio.h>

/* 3.0 section 4.15: NSS and others read these instead of logging in to find out. */
static const CK_ULONG profiles[PROFILES] = {CKP_BASELINE_PROVIDER, CKP_EXTENDED_PROVIDER,
                                            CKP_AUTHENTICATION_TOKEN,
                                            CKP_PUBLIC_CERTIFICATES_TOKEN};

void unique_id_add(struct attributes *attributes, const char *kind, const char *serial,
                   unsigned number, char text[static UNIQUE_ID_SIZE])
{
    (void)snprintf(text, UNIQUE_ID_SIZE, "%s-%s-%u", kind, serial, number);
    attributes_add_text(attributes, CKA_UNIQUE_ID, text);
}

enum sca_status profiles_list(const char *kind, const char *serial, unsigned first_number,
                              struct object_sink *sink)
{
    enum sca_status st = SCA_OK;

    for (unsigned i = 0; st == SCA_OK && i < PROFILES; i++) {
        struct attributes a = {.count = 0};
        char unique_id[UNIQUE_ID_SIZE];
        attributes_add_storage(&a, CKO_PROFILE, false);
        unique_id_add(&a, kind, serial, first_number + i, unique_id);
        attributes_add_number(&a, CKA_PROFILE_ID, profiles[i]);
        st = sink->add(sink, first_number + i, false, a.list, a.count);
    }
    return st;
}
