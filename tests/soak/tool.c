/* SPDX-License-Identifier: Apache-2.0 */
/* The process that runs `smartca sign` now and then, and looks at what it wrote. */
#include <stdio.h>
#include <unistd.h>

#include <openssl/cms.h>

#include "tests/soak/program.h"
#include "tests/soak/signer.h"
#include "tests/soak/worker.h"

enum { TOOL_LIMIT_MS = CONFIRM_MS + 10000, PAUSE_MS = 3000, TOOL_TRIES = 3 };

static bool write_text(const char *path, struct dice *dice)
{
    FILE *file = fopen(path, "we");
    if (!file)
        return false;
    (void)fprintf(file, "a contract, number %08x\n", dice_below(dice, UINT32_MAX));
    return fclose(file) == 0;
}

/* The detached CMS signature beside the file; its signer's key has to be user's. */
static bool verifies(const char *path, const struct job *job)
{
    char name[160];
    (void)snprintf(name, sizeof(name), "%s.p7s", path);
    BIO *der = BIO_new_file(name, "rb");
    BIO *content = BIO_new_file(path, "rb");
    CMS_ContentInfo *cms = der ? d2i_CMS_bio(der, NULL) : NULL;
    bool is_right =
        cms && content &&
        CMS_verify(cms, NULL, NULL, content, NULL, CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY) == 1;
    STACK_OF(X509) *signers = is_right ? CMS_get0_signers(cms) : NULL;
    EVP_PKEY *key = certificate_key(job->world, TOOL_USER);
    is_right = is_right && key && sk_X509_num(signers) == 1 &&
               EVP_PKEY_eq(X509_get0_pubkey(sk_X509_value(signers, 0)), key) == 1;
    EVP_PKEY_free(key);
    sk_X509_free(signers);
    CMS_ContentInfo_free(cms);
    BIO_free(content);
    BIO_free(der);
    return is_right;
}

static int sign_once(const struct job *job, struct dice *dice)
{
    char path[96];
    char made[112];
    char out[96];
    (void)snprintf(path, sizeof(path), "%s/contract", job->world->folder);
    (void)snprintf(made, sizeof(made), "%s.p7s", path);
    (void)snprintf(out, sizeof(out), "%s/tool.out", job->world->folder);
    const char *const args[] = {"sign", "--slot", "SOAK TOOL", path, NULL};
    struct post post = {.kind = POST_TOOL_BEGUN, .desk = DESK_TOOL};
    (void)unlink(made);
    if (!write_text(path, dice))
        post_broken(DESK_TOOL, "%s cannot be written", path);
    post_send(&post);
    uint64_t begun = world_now_ms();
    int code = program_run(args, out, TOOL_LIMIT_MS);
    post.took_ms = world_now_ms() - begun;
    post.kind = POST_TOOL_ENDED;
    post.rv = (unsigned long)code;
    post_send(&post);
    if (code != 0 && code != 1)
        post_broken(DESK_TOOL, "smartca sign ended with %d", code);
    if (code == 0 && !verifies(path, job))
        post_broken(DESK_TOOL, "smartca sign wrote a signature that does not verify");
    if (code == 1 && access(made, F_OK) == 0)
        post_broken(DESK_TOOL, "smartca sign failed, and wrote a file");
    return code;
}

int tool_run(const struct job *job)
{
    struct dice dice = dice_of(job->seed, DESK_TOOL + 1);
    while (atomic_load(&job->office->phase) == PHASE_RUN) {
        (void)sign_once(job, &dice);
        uint64_t until_ms = world_now_ms() + dice_below(&dice, 2 * PAUSE_MS);
        while (atomic_load(&job->office->phase) == PHASE_RUN && world_now_ms() < until_ms)
            signer_rest(100);
    }
    for (int i = 0; i < TOOL_TRIES; i++)
        if (sign_once(job, &dice) == 0)
            return 0;
    post_broken(DESK_TOOL, "smartca sign fails at the end, when nothing is wrong");
    return 1;
}
