/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/emulator/routes.h"

#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/emulator/control.h"
#include "tests/emulator/econtract_api.h"
#include "tests/emulator/v1.h"
#include "tests/emulator/v2.h"

#define SP769     "/sca/sp769"
#define ECONTRACT "/econtract/api"

static const struct route routes[] = {
    {"POST", SP769 "/v1/signatures/sign/{id}/status", ENDPOINT_STATUS, v1_status},
    {"POST", SP769 "/v1/signatures/sign", ENDPOINT_SIGN, v1_sign},
    {"POST", SP769 "/v1/credentials/get_certificate", ENDPOINT_CERTIFICATES, v1_certificates},
    {"POST", SP769 "/v2/credentials/get_certificate", ENDPOINT_CERTIFICATES, v1_certificates},
    {"POST", SP769 "/v2/signatures/sign", ENDPOINT_SIGN2, v2_sign},
    {"POST", SP769 "/v2/signatures/confirm", ENDPOINT_CONFIRM, v2_confirm},

    {"POST", ECONTRACT "/auth/password-login", ENDPOINT_ECONTRACT, econtract_password_login},
    {"GET", ECONTRACT "/users", ENDPOINT_ECONTRACT, econtract_list_users},
    {"POST", ECONTRACT "/users/smart-ca/add", ENDPOINT_ECONTRACT, econtract_smartca_add},
    {"POST", ECONTRACT "/users/smart-ca/update", ENDPOINT_ECONTRACT, econtract_smartca_update},
    {"POST", ECONTRACT "/users/smart-ca/delete", ENDPOINT_ECONTRACT, econtract_smartca_delete},

    {"POST", "/control/phone", ENDPOINT_CONTROL, control_set_phone},
    {"POST", "/control/decide", ENDPOINT_CONTROL, control_decide},
    {"POST", "/control/user", ENDPOINT_CONTROL, control_set_user},
    {"GET", "/control/users", ENDPOINT_CONTROL, control_get_users},
    {"GET", "/control/otp", ENDPOINT_CONTROL, control_get_otp},
    {"POST", "/control/econtract", ENDPOINT_CONTROL, control_set_econtract},
    {"GET", "/control/econtract", ENDPOINT_CONTROL, control_get_econtract},
    {"GET", "/control/transactions", ENDPOINT_CONTROL, control_get_transactions},
    {"GET", "/control/requests", ENDPOINT_CONTROL, control_get_requests},
    {"GET", "/control/counters", ENDPOINT_CONTROL, control_get_counters},
    {"POST", "/control/behaviour", ENDPOINT_CONTROL, control_set_behaviour},
    {"GET", "/control/behaviour", ENDPOINT_CONTROL, control_get_behaviour},
    {"POST", "/control/fault", ENDPOINT_CONTROL, control_add_fault},
    {"GET", "/control/faults", ENDPOINT_CONTROL, control_get_faults},
    {"POST", "/control/reset", ENDPOINT_CONTROL, control_reset},
};

/* Whether path fits pattern; the segment at {id} is copied to id, which stays empty without one. */
static bool fits(const char *pattern, const char *path, char id[TRANSACTION_ID_MAX + 1])
{
    const char *hole = strstr(pattern, "{id}");
    id[0] = '\0';
    if (!hole)
        return strcmp(pattern, path) == 0;
    size_t head = (size_t)(hole - pattern);
    const char *tail = hole + strlen("{id}");
    if (strncmp(pattern, path, head) != 0 || strlen(path) <= head + strlen(tail))
        return false;
    size_t len = strlen(path) - head - strlen(tail);
    if (strcmp(path + head + len, tail) != 0 || memchr(path + head, '/', len))
        return false;
    if (len > TRANSACTION_ID_MAX)
        len = TRANSACTION_ID_MAX; /* no transaction is called like that anyway */
    memcpy(id, path + head, len);
    id[len] = '\0';
    return true;
}

void routes_match(struct exchange *x, const char *method, const char *path)
{
    bool is_path_known = false;
    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        if (!fits(routes[i].path, path, x->route_id))
            continue;
        is_path_known = true;
        x->route = &routes[i];
        if (strcmp(routes[i].method, method) == 0)
            return;
    }
    x->is_wrong_method = is_path_known;
}
