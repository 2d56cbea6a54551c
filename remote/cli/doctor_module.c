/* SPDX-License-Identifier: Apache-2.0 */
/* The installed module: known to p11-kit, loadable, and good for a signature up to its size. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/cli/doctor.h"
#include "remote/cli/module.h"
#include "remote/cli/rv_text.h"
#include "remote/cli/slot_view.h"

#define REGISTRATION "smartca-pkcs11.module"

enum { CHECK_SIZE = 64, REGISTRATION_MAX = 65536 };

/* The user's own registrations, which p11-kit does not read for root; NULL where there is no home.
 */
static char *user_registration(void)
{
    if (geteuid() == 0)
        return NULL;
    const char *base = secure_getenv("XDG_CONFIG_HOME");
    const char *home = secure_getenv("HOME");
    char *path = NULL;

    if (base && base[0] == '/')
        return path_join(base, "pkcs11/modules/" REGISTRATION);
    if (!home || asprintf(&path, "%s/.config/pkcs11/modules/" REGISTRATION, home) < 0)
        return NULL;
    return path;
}

/* The value of "module:", malloced and made absolute as p11-kit does; NULL if there is none. */
static char *registered_module(const char *registration)
{
    static const char key[] = "module:";
    struct buf bytes;
    const char *why = NULL;
    char *found = NULL;

    if (file_read_trusted(registration, FILE_ANY, REGISTRATION_MAX, false, &bytes, &why) != SCA_OK)
        return NULL;
    char *rest = NULL;
    for (char *line = bytes.ptr ? strtok_r((char *)bytes.ptr, "\r\n", &rest) : NULL; line && !found;
         line = strtok_r(NULL, "\r\n", &rest)) {
        if (strncmp(line, key, sizeof(key) - 1) != 0)
            continue;
        const char *value = line + sizeof(key) - 1;
        value += strspn(value, " \t");
        found = value[0] == '/' ? strdup(value) : path_join(SMARTCA_MODULE_DIR, value);
    }
    buf_fini(&bytes);
    return found;
}

void doctor_check_registration(struct doctor *doctor)
{
    static const char check[] = N_("p11-kit");
    AUTO(freep) char *own = user_registration();
    const char *const places[] = {own ? own : "", SMARTCA_ADMIN_CONFIG_DIR "/" REGISTRATION,
                                  SMARTCA_MODULE_CONFIG_DIR "/" REGISTRATION};

    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        if (access(places[i], F_OK) != 0)
            continue;
        AUTO(freep) char *module = registered_module(places[i]);
        if (!module || access(module, R_OK) != 0)
            doctor_note(doctor, FINDING_FAIL, check, _("correct its module: line, or reinstall"),
                        _("%s names a module that is not there: %s"), places[i],
                        module ? module : "-");
        else
            doctor_note(doctor, FINDING_OK, check, "", _("%s registers %s"), places[i], module);
        return;
    }
    doctor_note(doctor, FINDING_WARN, check,
                _("install the package; programs that are given the module's path work without"),
                _("no %s in %s: programs that ask p11-kit do not see the module"), REGISTRATION,
                SMARTCA_MODULE_CONFIG_DIR);
}

/* The module that is looked at. */
struct probe {
    const char *path;
    struct module module;
};

/* Which mechanism a signature would use; CK_UNAVAILABLE_INFORMATION where the probe has none. */
static CK_MECHANISM_TYPE mechanism_for(CK_KEY_TYPE type)
{
    if (type == CKK_RSA)
        return CKM_SHA256_RSA_PKCS;
    return type == CKK_EC ? CKM_ECDSA : CK_UNAVAILABLE_INFORMATION;
}

/* Everything of a signature that needs neither network nor person. */
static CK_RV probe_key(const struct module *module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
                       CK_ULONG *ret_size)
{
    CK_KEY_TYPE type = 0;
    CK_ATTRIBUTE attribute = {CKA_KEY_TYPE, &type, sizeof(type)};
    CK_BYTE data[32] = {0};

    CK_RV rv = module->p11->C_GetAttributeValue(session, key, &attribute, 1);
    CK_MECHANISM mechanism = {mechanism_for(type), NULL, 0};
    if (rv != CKR_OK)
        return rv;
    if (mechanism.mechanism == CK_UNAVAILABLE_INFORMATION)
        return CKR_OK;
    rv = module->p11->C_SignInit(session, &mechanism, key);
    return rv == CKR_OK ? module->p11->C_Sign(session, data, sizeof(data), NULL, ret_size) : rv;
}

static CK_RV probe_token(const struct module *module, CK_SLOT_ID slot, CK_TOKEN_INFO *info,
                         CK_ULONG *ret_size)
{
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;

    CK_RV rv = module->p11->C_GetTokenInfo(slot, info);
    if (rv != CKR_OK)
        return rv;
    rv = module->p11->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session);
    if (rv != CKR_OK)
        return rv;
    CK_OBJECT_HANDLE key = module_find_object(module, session, CKO_PRIVATE_KEY, NULL);
    if (key != CK_INVALID_HANDLE)
        rv = probe_key(module, session, key, ret_size);
    else
        rv = info->flags & CKF_LOGIN_REQUIRED ? CKR_USER_NOT_LOGGED_IN : CKR_KEY_HANDLE_INVALID;
    (void)module->p11->C_CloseSession(session); /* ends the operation as well */
    return rv;
}

/* A token whose PIN is locked looks like any other that asks for it. */
static void note_locked(struct doctor *doctor, const struct probe *probe, CK_SLOT_ID slot,
                        const char *check)
{
    AUTO(slot_view_fini) struct slot_view view = {0};
    char cure[SLOT_CURE_SIZE] = "";

    if (slot_view_read(&probe->module, slot, &view) == CKR_OK)
        slot_view_cure(&view, NULL, probe->path, cure);
    doctor_note(doctor, FINDING_FAIL, check, cure, _("%s: its PIN is locked, nobody can sign"),
                view.label);
}

/* What keeps a token that only asks for its PIN from signing, or soon will. */
static void note_closed(struct doctor *doctor, const struct probe *probe, CK_SLOT_ID slot,
                        const char *check)
{
    AUTO(slot_view_fini) struct slot_view view = {0};
    char cure[SLOT_CURE_SIZE];
    const char *pin = "";

    (void)slot_view_read(&probe->module, slot, &view); /* it was read before */
    if (view.pin && strcmp(view.kind, "smartca") != 0) /* its vault was looked at */
        pin = view.pin;
    if (slot_view_lacks_key(&view, cure))
        doctor_note(doctor, FINDING_WARN, check, cure, _("%s: it has no key yet"), view.label);
    else if (strcmp(pin, "final_try") == 0)
        doctor_note(doctor, FINDING_WARN, check, _(DOCTOR_WRONG_PINS),
                    _("%s: one more wrong PIN locks it"), view.label);
    else if (strcmp(pin, "wrong_pins") == 0)
        doctor_note(doctor, FINDING_WARN, check, _(DOCTOR_WRONG_PINS),
                    _("%s: wrong PINs were tried since the last right one"), view.label);
    else
        doctor_note(doctor, FINDING_OK, check, "", _("%s: asks for its PIN first"), view.label);
}

/* False for the empty slot that waits for a new token. */
static bool probe_slot(struct doctor *doctor, const struct probe *probe, CK_SLOT_ID slot)
{
    char check[CHECK_SIZE];
    char label[33] = "";
    CK_TOKEN_INFO info = {.flags = CKF_TOKEN_INITIALIZED};
    CK_ULONG size = 0;

    doctor_name(doctor, check, sizeof(check), N_("slot %lu"), slot);
    CK_RV rv = probe_token(&probe->module, slot, &info, &size);
    if (rv != CKR_TOKEN_NOT_PRESENT)
        (void)module_text(info.label, sizeof(info.label), label);
    if (rv != CKR_TOKEN_NOT_PRESENT && (info.flags & CKF_USER_PIN_LOCKED))
        note_locked(doctor, probe, slot, check);
    else if (rv == CKR_OK)
        doctor_note(doctor, FINDING_OK, check, "",
                    _("%s: key found, signatures would have %lu bytes"), label, size);
    else if (rv == CKR_USER_NOT_LOGGED_IN)
        note_closed(doctor, probe, slot, check);
    else if (rv == CKR_TOKEN_NOT_PRESENT)
        doctor_note(doctor, FINDING_WARN, check, "smartca account refresh",
                    _("no token in it: the account has no certificate here"));
    else if (rv == CKR_KEY_FUNCTION_NOT_PERMITTED)
        doctor_note(doctor, FINDING_WARN, check, _("see the certificate of the account"),
                    _("%s: the key may not sign"), label);
    else if (info.flags & CKF_TOKEN_INITIALIZED)
        doctor_note(doctor, FINDING_FAIL, check,
                    _("run again with SMARTCA_PKCS11_LOG=debug:stderr"), "%s: %s", label,
                    rv_text(rv));
    return rv == CKR_TOKEN_NOT_PRESENT || (info.flags & CKF_TOKEN_INITIALIZED);
}

static void probe_slots(struct doctor *doctor, const struct probe *probe)
{
    AUTO(freep) CK_SLOT_ID *slots = NULL;
    CK_ULONG count = 0;
    size_t found = 0;

    CK_RV rv = module_slots(&probe->module, &slots, &count);
    for (CK_ULONG i = 0; rv == CKR_OK && i < count; i++)
        found += probe_slot(doctor, probe, slots[i]);
    if (found == 0)
        doctor_note(doctor, FINDING_FAIL, N_("slots"),
                    doctor->has_noted_catalogue
                        ? _("see the state above")
                        : _("smartca account add NAME --user-id ID, or smartca selfsigned create"),
                    "%s", rv == CKR_OK ? _("applications see no certificate") : rv_text(rv));
}

static void examine(struct doctor *doctor, struct probe *probe, const char *check)
{
    const char *why = NULL;

    if (!module_open(&probe->module, probe->path, &why)) {
        doctor_note(doctor, FINDING_FAIL, check, _("reinstall the package"), "%s: %s", probe->path,
                    why);
        return;
    }
    if (!module_has_interface(&probe->module))
        doctor_note(doctor, FINDING_WARN, check, _("is this another vendor's module?"),
                    _("%s has no PKCS#11 3.0 interface"), probe->path);
    CK_RV rv = module_start(&probe->module);
    if (rv != CKR_OK) {
        doctor_note(doctor, FINDING_FAIL, check,
                    _("run again with SMARTCA_PKCS11_LOG=debug:stderr"), "C_Initialize: %s",
                    rv_text(rv));
        return;
    }
    doctor_note(doctor, FINDING_OK, check, "", _("%s loads and initialises"), probe->path);
    probe_slots(doctor, probe);
}

void doctor_check_module(struct doctor *doctor)
{
    static const char check[] = N_("module");
    AUTO(freep) char *path = NULL;
    struct probe probe = {.path = NULL};

    if (module_find(doctor->cli, &path) != SCA_OK) {
        doctor_note(doctor, FINDING_FAIL, check, _("install the package, or use --module PATH"),
                    _("not there: %s"), path ? path : "-");
        return;
    }
    probe.path = path;
    examine(doctor, &probe, check);
    module_fini(&probe.module);
}
