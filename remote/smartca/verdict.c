/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/verdict.h"

#include "remote/base/cleanup.h"
#include "remote/smartca/fold.h"

#include <string.h>

/* Stems as fold_words leaves the message, in Vietnamese and English: the service documents hardly
 * any of its texts. */
static const char *const exhausted[] = {"65000", NULL};
static const char *const rejected[] = {"reject", "deny",    "denied", "refuse",
                                       "declin", "tu choi", NULL};
static const char *const expired[] = {"expire",  "timeout",      "timed out", "time out",
                                      "cancel",  "het han",      "qua han",   "het thoi gian",
                                      "da huy ", "het hieu luc", NULL};
static const char *const failed[] = {"fail", "error", "that bai", NULL};
static const char *const waiting[] = {"wait", "pending", "confirm", "cho xac nhan", NULL};
static const char *const absent[] = {
    "not found",       "notfound",      "not exist",    "n t exist",      "nonexist",
    "no longer exist", "khong ton tai", "chua ton tai", "khong tim thay", NULL};
static const char *const present[] = {"exist",   "duplicat", "already us", "already process",
                                      "ton tai", "bi trung", NULL};

/* What a 401 or 403 is about when its words could as well be those of a person who says no. */
static const char *const credentials[] = {"credential", "access denied", "unauthor",
                                          " sp ",       "password",      "account",
                                          "mat khau",   "tai khoan",     NULL};
static const char *const certificates[] = {"cert", "credential", "chung thu", NULL};

/* A 5xx that speaks of the service's own calls, not of the transaction. */
static const char *const internal[] = {"timeout", "timed out", "time out",
                                       "cancel",  "connect",   NULL};

static const char *const providers[] = {" sp ",         " spid ",   " sppassword ",
                                        " client",      "provider", "partner",
                                        "nha cung cap", "doi tac",  NULL};
static const char *const users[] = {"user",   "account",   "signer",   "citizen",
                                    "nguoi ", "tai khoan", "thue bao", "khach hang",
                                    " cccd ", " cmnd ",    "mat khau", NULL};

static const char *const otps[] = {" otp", " totp", "one time", "ma xac thuc", NULL};
static const char *const sads[] = {" sad ", "activation data", NULL};

/* Fits when either code is in the range and the message has one of the words; 0 or NULL: any. */
struct rule {
    long first;
    long last;
    const char *const *words;
    enum verdict verdict;
};

/*
 * Each table is read from the top and the first rule that fits decides, so that the more telling
 * of the two codes wins: an HTTP 200 never hides a status_code, nor the other way round.
 */
static const struct rule sign_rules[] = {
    {65000, 65000, NULL, VERDICT_EXHAUSTED},
    {0, 0, exhausted, VERDICT_EXHAUSTED},
    {401, 401, NULL, VERDICT_SERVICE_AUTH},
    {403, 403, NULL, VERDICT_NOT_PERMITTED},
    {60003, 60003, NULL, VERDICT_NOT_PERMITTED},
    {64002, 64002, NULL, VERDICT_EXISTS},
    {500, 599, absent, VERDICT_TROUBLE},
    {0, 0, absent, VERDICT_FAILED},
    {0, 0, present, VERDICT_EXISTS},
    {409, 409, NULL, VERDICT_EXISTS},
    {429, 429, NULL, VERDICT_BUSY},
    /* Before other 4xx: asking again is safe when the two codes contradict each other. */
    {500, 599, NULL, VERDICT_TROUBLE},
    {408, 408, NULL, VERDICT_TROUBLE},
    {300, 399, NULL, VERDICT_TROUBLE},
    {400, 499, NULL, VERDICT_FAILED},
};

static const struct rule status_rules[] = {
    {65000, 65000, NULL, VERDICT_EXHAUSTED},
    {0, 0, exhausted, VERDICT_EXHAUSTED},
    {409, 409, NULL, VERDICT_WAITING},
    /* "certificate expired" is not an expired transaction, "access denied" nobody's refusal ... */
    {401, 401, credentials, VERDICT_SERVICE_AUTH},
    {403, 403, certificates, VERDICT_NOT_PERMITTED},
    {60003, 60003, NULL, VERDICT_NOT_PERMITTED},
    {404, 404, absent, VERDICT_UNKNOWN_ID},
    {62000, 62000, NULL, VERDICT_UNKNOWN_ID},
    /* ... and "a task was canceled" in a 500 is the service's trouble: the transaction may live. */
    {500, 599, internal, VERDICT_TROUBLE},
    {408, 408, NULL, VERDICT_TROUBLE},
    {4002, 4002, NULL, VERDICT_REJECTED},
    {0, 0, rejected, VERDICT_REJECTED},
    {4001, 4001, NULL, VERDICT_EXPIRED},
    {62002, 62002, NULL, VERDICT_EXPIRED},
    {0, 0, expired, VERDICT_EXPIRED},
    {401, 401, NULL, VERDICT_SERVICE_AUTH},
    {403, 403, NULL, VERDICT_NOT_PERMITTED},
    {404, 404, NULL, VERDICT_UNKNOWN_ID},
    {0, 0, absent, VERDICT_UNKNOWN_ID},
    {429, 429, NULL, VERDICT_BUSY},
    {500, 599, NULL, VERDICT_TROUBLE},
    {300, 399, NULL, VERDICT_TROUBLE},
    {405, 405, NULL, VERDICT_FAILED},
    {0, 0, failed, VERDICT_FAILED},
    {4000, 4000, NULL, VERDICT_WAITING},
    {0, 0, waiting, VERDICT_WAITING},
    {400, 499, NULL, VERDICT_FAILED},
};

/* What v2 says before it comes to what v1 says as well; 1003 may travel as another code. */
static const struct rule person_rules[] = {
    {1003, 1003, NULL, VERDICT_OTP_REFUSED}, {400, 401, otps, VERDICT_OTP_REFUSED},
    {400, 403, sads, VERDICT_EXPIRED},       {401, 401, providers, VERDICT_SERVICE_AUTH},
    {401, 401, NULL, VERDICT_USER_AUTH},
};

static const struct rule certificates_rules[] = {
    {65000, 65000, NULL, VERDICT_EXHAUSTED}, {0, 0, exhausted, VERDICT_EXHAUSTED},
    {401, 401, NULL, VERDICT_SERVICE_AUTH},  {403, 403, NULL, VERDICT_NOT_PERMITTED},
    {404, 404, NULL, VERDICT_ACCEPTED},      {429, 429, NULL, VERDICT_BUSY},
    {500, 599, NULL, VERDICT_TROUBLE},       {408, 408, NULL, VERDICT_TROUBLE},
    {300, 399, NULL, VERDICT_TROUBLE},       {400, 499, NULL, VERDICT_FAILED},
};

/* An answer as the rules see it. */
struct answer {
    long http_status;
    long status_code;
    bool has_envelope;
    bool has_id;
    char words[FOLD_WORDS_SIZE];
};

static void answer_read(long http_status, const struct codec_reply *reply, struct answer *answer)
{
    answer->http_status = http_status;
    answer->status_code = reply ? reply->status_code : CODEC_NO_STATUS;
    answer->has_envelope = reply != NULL;
    answer->has_id = reply && (reply->transaction_id[0] || reply->tran_code[0]);
    fold_words(reply ? reply->message : "", answer->words);
}

static bool is_in(const struct rule *rule, long code)
{
    return code >= rule->first && code <= rule->last;
}

static const struct rule *find_rule(const struct rule *rules, size_t count,
                                    const struct answer *answer)
{
    for (const struct rule *rule = rules; rule < rules + count; rule++) {
        bool fits_code = rule->first == 0 || is_in(rule, answer->status_code) ||
                         is_in(rule, answer->http_status);
        if (fits_code && (!rule->words || fold_has(answer->words, rule->words)))
            return rule;
    }
    return NULL;
}

enum outcome { OUTCOME_UNCLEAR, OUTCOME_GOOD, OUTCOME_BAD };

/* For answers no rule speaks of. 0 means success to some clients of the service. */
static enum outcome outcome_of(const struct answer *answer)
{
    long code = answer->status_code;

    if (answer->http_status < 200 || answer->http_status > 299 || !answer->has_envelope ||
        code == CODEC_NO_STATUS)
        return OUTCOME_UNCLEAR;
    return code == 0 || (code >= 200 && code <= 299) ? OUTCOME_GOOD : OUTCOME_BAD;
}

enum verdict verdict_of_sign(long http_status, const struct codec_reply *reply)
{
    struct answer answer;

    if (reply && reply->signature_count > 0)
        return VERDICT_SIGNED;
    answer_read(http_status, reply, &answer);
    const struct rule *rule = find_rule(sign_rules, ARRAY_LEN(sign_rules), &answer);
    if (rule)
        return rule->verdict;

    enum outcome outcome = outcome_of(&answer);
    bool has_begun = answer.has_id || fold_has(answer.words, waiting);
    if (outcome == OUTCOME_UNCLEAR)
        return has_begun ? VERDICT_ACCEPTED : VERDICT_TROUBLE;
    if (outcome == OUTCOME_BAD || (!has_begun && fold_has(answer.words, failed)))
        return VERDICT_FAILED;
    return VERDICT_ACCEPTED;
}

enum verdict verdict_of_status(long http_status, const struct codec_reply *reply)
{
    static const enum verdict otherwise[] = {
        [OUTCOME_UNCLEAR] = VERDICT_TROUBLE,
        [OUTCOME_GOOD] = VERDICT_WAITING,
        [OUTCOME_BAD] = VERDICT_FAILED,
    };
    struct answer answer;

    if (reply && reply->signature_count > 0)
        return VERDICT_SIGNED;
    answer_read(http_status, reply, &answer);
    const struct rule *rule = find_rule(status_rules, ARRAY_LEN(status_rules), &answer);
    return rule ? rule->verdict : otherwise[outcome_of(&answer)];
}

enum verdict verdict_of_certificates(long http_status, const struct codec_reply *reply)
{
    static const enum verdict otherwise[] = {
        [OUTCOME_UNCLEAR] = VERDICT_TROUBLE,
        [OUTCOME_GOOD] = VERDICT_ACCEPTED,
        [OUTCOME_BAD] = VERDICT_FAILED,
    };
    struct answer answer;

    answer_read(http_status, reply, &answer);
    /* Not the service's own 404: nothing is at this URL, which says nothing of certificates. */
    if (http_status == 404 && answer.status_code == CODEC_NO_STATUS)
        return VERDICT_UNKNOWN_ID;
    const struct rule *rule = find_rule(certificates_rules, ARRAY_LEN(certificates_rules), &answer);
    return rule ? rule->verdict : otherwise[outcome_of(&answer)];
}

/* The documented name of 401 stands for either side; what is said behind it tells which. */
static void hide_name_of_401(char *words)
{
    static const char name[] = "sp credential invalid";
    char *at = strstr(words, name);

    if (at)
        memset(at, '?', sizeof(name) - 1);
}

bool verdict_blames_user(const struct codec_reply *reply)
{
    char words[FOLD_WORDS_SIZE];

    fold_words(reply->message, words);
    hide_name_of_401(words);
    return fold_has(words, users) && !fold_has(words, providers);
}

/* NULL: v2 says nothing of its own. */
static const struct rule *find_person_rule(long http_status, const struct codec_reply *reply)
{
    struct answer answer;

    answer_read(http_status, reply, &answer);
    hide_name_of_401(answer.words);
    return find_rule(person_rules, ARRAY_LEN(person_rules), &answer);
}

enum verdict verdict_of_sign2(long http_status, const struct codec_reply *reply)
{
    const struct rule *rule = find_person_rule(http_status, reply);
    return rule ? rule->verdict : verdict_of_sign(http_status, reply);
}

enum verdict verdict_of_confirm(long http_status, const struct codec_reply *reply)
{
    const struct rule *rule = find_person_rule(http_status, reply);

    if (reply && reply->signature_count > 0)
        return VERDICT_SIGNED;
    return rule ? rule->verdict : verdict_of_status(http_status, reply);
}
