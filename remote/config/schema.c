/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/config/schema.h"

#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/config/checks.h"
#include "remote/config/config.h"

static const struct section_rule sections[] = {
    {"module", SECTION_MODULE, false},         {"smartca", SECTION_SMARTCA, false},
    {"account", SECTION_ACCOUNT, true},        {"econtract", SECTION_ECONTRACT, false},
    {"selfsigned", SECTION_SELFSIGNED, false}, {"token", SECTION_TOKEN, true},
};

static const char *const log_levels[] = {"error", "warning", "info", "debug", NULL};
static const char *const audit_modes[] = {"all", "remote", "none", NULL};
static const char *const otp_logins[] = {"pin", "context", NULL};
static const char *const pin_modes[] = {"none", "required", NULL};
static const char *const no_yes[] = {"no", "yes", NULL};

#define SERVICE (SECTION_SMARTCA | SECTION_ACCOUNT)

#define TEXT(the_check)     .kind = VALUE_TEXT, .check = (the_check)
#define NUMBER(low, high)   .kind = VALUE_NUMBER, .scale = 1, .min = (low), .max = (high)
#define SECONDS(low, high)  .kind = VALUE_NUMBER, .scale = 1000, .min = (low), .max = (high)
#define CHOICE(the_choices) .kind = VALUE_CHOICE, .choices = (the_choices)
#define FLAG(the_choices)   .kind = VALUE_FLAG, .choices = (the_choices)
#define SECRET              .kind = VALUE_SECRET

#define IN_MODULE(field)  .target = TARGET_MODULE, .offset = offsetof(struct config, field)
#define IN_SERVICE(field) .target = TARGET_SERVICE, .offset = offsetof(struct service_config, field)
#define IN_ACCOUNT(field) .target = TARGET_ACCOUNT, .offset = offsetof(struct account_config, field)
#define IN_SELFSIGNED(field)                                                                       \
    .target = TARGET_SELFSIGNED, .offset = offsetof(struct selfsigned_config, field)
#define IN_ECONTRACT(field)                                                                        \
    .target = TARGET_ECONTRACT, .offset = offsetof(struct econtract_config, field)
#define IN_TOKEN(field) .target = TARGET_TOKEN, .offset = offsetof(struct token_config, field)

/* clang-format off */
static const struct key_rule keys[] = {
    {"log", SECTION_MODULE, 0, TEXT(check_log_target), .fallback = "syslog",
     IN_MODULE(log_target)},
    {"log_level", SECTION_MODULE, 0, CHOICE(log_levels), .fallback = "warning",
     IN_MODULE(log_level)},
    {"state_dir", SECTION_MODULE, 0, TEXT(check_path), IN_MODULE(state_dir)},
    {"audit", SECTION_MODULE, 0, CHOICE(audit_modes), .fallback = "all", IN_MODULE(audit)},
    {"audit_max", SECTION_MODULE, 0, NUMBER(1, 128), .fallback = "64", IN_MODULE(audit_max_mib)},
    {"audit_keep", SECTION_MODULE, 0, NUMBER(0, 10000), .fallback = "0", IN_MODULE(audit_keep)},

    {"url", SERVICE, 0, TEXT(check_url), .drops_slashes = true,
     .fallback = "https://gwsca.vnpt.vn/sca/sp769", IN_SERVICE(url)},
    {"sp_id", SERVICE, SECTION_ACCOUNT, TEXT(check_word), IN_SERVICE(sp_id)},
    {"sp_password", SERVICE, SECTION_ACCOUNT, SECRET,
     IN_SERVICE(sp_password)},
    {"ca_file", SERVICE, 0, TEXT(check_path), IN_SERVICE(ca_file)},
    {"pinned_public_key", SERVICE, 0, TEXT(check_pins), IN_SERVICE(pinned_public_key)},
    {"proxy", SERVICE, 0, TEXT(check_proxy), IN_SERVICE(proxy)},
    {"connect_timeout", SERVICE, 0, SECONDS(10, 300000), .fallback = "10",
     IN_SERVICE(connect_timeout_ms)},
    {"request_timeout", SERVICE, 0, SECONDS(10, 600000), .fallback = "30",
     IN_SERVICE(request_timeout_ms)},
    {"confirm_timeout", SERVICE, 0, SECONDS(10, 3600000), .fallback = "290",
     IN_SERVICE(confirm_timeout_ms)},
    {"poll_interval", SERVICE, 0, SECONDS(0, 60000), .fallback = "2",
     IN_SERVICE(poll_interval_ms)},
    {"batch_window", SERVICE, 0, NUMBER(0, 10000), .fallback = "0", IN_SERVICE(batch_window_ms)},
    {"batch_max", SERVICE, 0, NUMBER(1, 1000), .fallback = "50", IN_SERVICE(batch_max)},
    {"max_prompts", SERVICE, 0, NUMBER(1, 100), .fallback = "3", IN_SERVICE(max_prompts)},
    {"reject_cooldown", SERVICE, 0, SECONDS(0, 3600000), .fallback = "10",
     IN_SERVICE(reject_cooldown_ms)},
    {"on_confirm", SERVICE, 0, TEXT(check_command), IN_SERVICE(on_confirm)},

    {"user_id", SECTION_ACCOUNT, SECTION_ACCOUNT, TEXT(check_identity), IN_ACCOUNT(user_id)},
    {"serial", SECTION_ACCOUNT, 0, TEXT(check_hex), IN_ACCOUNT(serial)},
    {"confirm", SECTION_ACCOUNT, 0, CHOICE(confirm_names),
     IN_ACCOUNT(confirm)},
    {"password", SECTION_ACCOUNT, 0, SECRET, IN_ACCOUNT(password)},
    {"totp_secret", SECTION_ACCOUNT, 0, SECRET,
     IN_ACCOUNT(totp_secret)},
    {"otp_login", SECTION_ACCOUNT, 0, FLAG(otp_logins), IN_ACCOUNT(otp_login_context)},
    {"pin", SECTION_ACCOUNT, 0, FLAG(pin_modes), IN_ACCOUNT(pin_required)},
    {"protected_path", SECTION_ACCOUNT, 0, FLAG(no_yes), IN_ACCOUNT(protected_path)},
    {"extra_hashes", SECTION_ACCOUNT, 0, FLAG(no_yes), IN_ACCOUNT(extra_hashes)},
    {"async", SECTION_ACCOUNT, 0, FLAG(no_yes), IN_ACCOUNT(shows_async)},

    {"url", SECTION_ECONTRACT, SECTION_ECONTRACT, TEXT(check_url), .drops_slashes = true,
     IN_ECONTRACT(url)},
    {"username", SECTION_ECONTRACT, SECTION_ECONTRACT, TEXT(check_word), IN_ECONTRACT(username)},
    {"password", SECTION_ECONTRACT, 0, SECRET, .is_vault_unavailable = true,
     IN_ECONTRACT(password)},
    {"company_id", SECTION_ECONTRACT, 0, TEXT(check_word), IN_ECONTRACT(company_id)},
    {"ca_file", SECTION_ECONTRACT, 0, TEXT(check_path), IN_ECONTRACT(ca_file)},
    {"pinned_public_key", SECTION_ECONTRACT, 0, TEXT(check_pins),
     IN_ECONTRACT(pinned_public_key)},
    {"proxy", SECTION_ECONTRACT, 0, TEXT(check_proxy), IN_ECONTRACT(proxy)},
    {"connect_timeout", SECTION_ECONTRACT, 0, SECONDS(10, 300000), .fallback = "10",
     IN_ECONTRACT(connect_timeout_ms)},
    {"request_timeout", SECTION_ECONTRACT, 0, SECONDS(10, 600000), .fallback = "30",
     IN_ECONTRACT(request_timeout_ms)},

    {"organization", SECTION_SELFSIGNED, 0, TEXT(check_text), IN_SELFSIGNED(organization)},
    {"organizational_unit", SECTION_SELFSIGNED, 0, TEXT(check_text),
     IN_SELFSIGNED(organizational_unit)},
    {"issued_by", SECTION_SELFSIGNED, 0, TEXT(check_text), IN_SELFSIGNED(issued_by)},
    {"locality", SECTION_SELFSIGNED, 0, TEXT(check_text), IN_SELFSIGNED(locality)},
    {"state", SECTION_SELFSIGNED, 0, TEXT(check_text), IN_SELFSIGNED(state)},
    {"country", SECTION_SELFSIGNED, 0, TEXT(check_country), IN_SELFSIGNED(country)},
    {"years", SECTION_SELFSIGNED, 0, NUMBER(1, 30), IN_SELFSIGNED(years)},

    {"module", SECTION_TOKEN, SECTION_TOKEN, TEXT(check_path), IN_TOKEN(module)},
    {"slots", SECTION_TOKEN, 0, TEXT(check_text), .fallback = "all", IN_TOKEN(slots)},
    {"release", SECTION_TOKEN, 0, FLAG(no_yes), IN_TOKEN(releases)},
};
/* clang-format on */

_Static_assert(ARRAY_LEN(keys) <= SCHEMA_KEYS_MAX, "a key has no bit");
_Static_assert(sizeof(enum confirm_mode) == sizeof(unsigned) &&
                   sizeof(enum log_level) == sizeof(unsigned) &&
                   sizeof(enum audit_mode) == sizeof(unsigned),
               "VALUE_CHOICE stores 32 bits");

const struct section_rule *schema_find_section(const char *heading, const char **ret_name)
{
    size_t len = strcspn(heading, " \t");
    const char *name = heading + len + strspn(heading + len, " \t");

    for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
        const struct section_rule *rule = &sections[i];
        if (strlen(rule->name) != len || memcmp(rule->name, heading, len) != 0)
            continue;
        if (!rule->is_named && *name)
            return NULL;
        *ret_name = name;
        return rule;
    }
    return NULL;
}

const struct section_rule *schema_section(enum section_kind kind)
{
    for (size_t i = 0; i < ARRAY_LEN(sections); i++)
        if (sections[i].kind == kind)
            return &sections[i];
    return NULL;
}

const struct key_rule *schema_find_key(enum section_kind kind, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if ((keys[i].in & kind) && strcmp(keys[i].name, name) == 0)
            return &keys[i];
    return NULL;
}

enum { WORD_MAX = 32, NEAR = 2 };

static size_t least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Letters to add, drop or change to make one word the other (Levenshtein). */
static size_t distance(const char *a, const char *b)
{
    size_t row[WORD_MAX + 1];
    size_t b_len = strlen(b);

    if (strlen(a) > WORD_MAX || b_len > WORD_MAX)
        return WORD_MAX;
    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t changed = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = least(row[j] + 1, row[j - 1] + 1, changed);
        }
    }
    return row[b_len];
}

/* Keeps candidate if it is the nearest so far, and nearer than rewriting the whole word. */
static void consider(const char *word, const char *candidate, size_t *nearest, const char **ret)
{
    size_t away = distance(word, candidate);
    if (away < *nearest && away < strlen(candidate)) {
        *nearest = away;
        *ret = candidate;
    }
}

const char *schema_nearest_section(const char *heading)
{
    char word[WORD_MAX + 1] = "";
    const char *found = NULL;
    size_t nearest = NEAR + 1;
    size_t len = strcspn(heading, " \t");

    if (len <= WORD_MAX)
        memcpy(word, heading, len);
    for (size_t i = 0; i < ARRAY_LEN(sections); i++)
        consider(word, sections[i].name, &nearest, &found);
    return found;
}

const char *schema_nearest_key(enum section_kind kind, const char *name)
{
    const char *found = NULL;
    size_t nearest = NEAR + 1;

    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (keys[i].in & kind)
            consider(name, keys[i].name, &nearest, &found);
    return found;
}

const struct key_rule *schema_keys(size_t *ret_count)
{
    *ret_count = ARRAY_LEN(keys);
    return keys;
}

uint64_t schema_bit(const struct key_rule *rule)
{
    return UINT64_C(1) << (rule - keys);
}
