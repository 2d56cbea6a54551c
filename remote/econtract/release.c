/* SPDX-License-Identifier: Apache-2.0 */
/* What the lists of econtract.h own. */
#include <stdlib.h>

#include "remote/econtract/econtract.h"

void econtract_companies_fini(struct econtract_companies *companies)
{
    for (size_t i = 0; i < companies->count; i++) {
        free(companies->items[i].id);
        free(companies->items[i].name);
    }
    free(companies->items);
    *companies = (struct econtract_companies){.count = 0};
}

static void certificate_fini(struct econtract_certificate *certificate)
{
    free(certificate->name);
    free(certificate->common_name);
    free(certificate->uid);
    free(certificate->serial_number);
    free(certificate->subject_dn);
    free(certificate->valid_from);
    free(certificate->valid_to);
    free(certificate->smart_ca_username);
}

void econtract_user_fini(struct econtract_user *user)
{
    for (size_t i = 0; i < user->certificate_count; i++)
        certificate_fini(&user->certificates[i]);
    free(user->certificates);
    free(user->code);
    free(user->name);
    free(user->email);
    free(user->signature_text);
    *user = (struct econtract_user){.id = 0};
}

void econtract_users_fini(struct econtract_users *users)
{
    for (size_t i = 0; i < users->count; i++)
        econtract_user_fini(&users->items[i]);
    free(users->items);
    *users = (struct econtract_users){.count = 0};
}
