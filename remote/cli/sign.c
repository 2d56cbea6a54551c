/* SPDX-License-Identifier: Apache-2.0 */
/* smartca sign: a detached CMS signature for each of many files, with one confirmation. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/cli/cms_check.h"
#include "remote/cli/output.h"
#include "remote/cli/progress.h"
#include "remote/cli/sign_output.h"
#include "remote/cli/sign_report.h"
#include "remote/cli/workspace.h"

enum { CMS_OVERHEAD = 4096 };

/* Everything that a run owns. */
struct run {
    const struct cli *cli;
    struct sign_slot slot;
    struct sign_files files;
    struct trouble trouble;
};

static void run_fini(struct run *run)
{
    sign_files_fini(&run->files);
    sign_slot_fini(&run->slot);
}

/* What goes to the service is SHA-256 of the attributes: the control code is made of that. */
static bool fill_code(struct sign_file *file, struct trouble *trouble)
{
    struct span attributes = cms_draft_attributes(file->draft);
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    if (EVP_Digest(attributes.ptr, attributes.len, digest, &len, crypto_md(CRYPTO_SHA256), NULL) !=
        1)
        return trouble_no_memory(trouble);
    confirm_code(span_of(digest, len), file->code);
    return true;
}

static bool prepare_one(struct run *run, const struct cms_plan *plan, struct sign_file *file)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    const EVP_MD *md = crypto_md(plan->scheme->digest);

    if (!sign_file_digest(file, md, digest, &run->trouble))
        return false;
    struct span bytes = span_of(digest, crypto_hash_len(plan->scheme->digest));
    if (cms_draft_new(plan, bytes, &file->draft) != SCA_OK ||
        cms_scheme_input(plan->scheme, run->slot.input, cms_draft_attributes(file->draft),
                         &file->input) != SCA_OK)
        return trouble_no_memory(&run->trouble);
    return fill_code(file, &run->trouble);
}

/* All digests, before anybody is asked for anything. */
static bool prepare(struct run *run)
{
    const struct cms_plan plan = {.signer = run->slot.signer,
                                  .chain = run->slot.chain,
                                  .scheme = run->slot.scheme,
                                  .signing_time = (int64_t)time(NULL)};
    bool is_prepared = true;

    progress_begin();
    for (size_t i = 0; is_prepared && i < run->files.count; i++) {
        is_prepared = prepare_one(run, &plan, &run->files.items[i]);
        progress_show(i + 1, run->files.count);
    }
    progress_end();
    return is_prepared;
}

static size_t size_of_signature(const struct run *run)
{
    int len = i2d_X509(run->slot.signer, NULL);
    size_t size = CMS_OVERHEAD + (len > 0 ? (size_t)len : 0);

    for (int i = 0; i < sk_X509_num(run->slot.chain); i++) {
        len = i2d_X509(sk_X509_value(run->slot.chain, i), NULL);
        size += len > 0 ? (size_t)len : 0;
    }
    return run->cli->is_pem ? size * 3 / 2 : size;
}

static bool reserve(struct run *run)
{
    size_t size = size_of_signature(run);

    for (size_t i = 0; i < run->files.count; i++)
        if (!sign_output_reserve(&run->files.items[i], size, &run->trouble))
            return false;
    return true;
}

/* Nothing gets its name before it was verified against the file as it is now. */
static bool is_signature_of(const struct run *run, const struct sign_file *file, struct span cms,
                            struct trouble *trouble)
{
    AUTO(cms_report_fini) struct cms_report report = {0};
    AUTO(fd_closep) int fd = -1;

    return sign_file_open(file, &fd, trouble) && cms_check(cms, fd, &report) == SCA_OK &&
           report.count == 1 && report.items[0].state == CMS_STATE_RIGHT &&
           X509_cmp(report.items[0].signer, run->slot.signer) == 0;
}

/* False only where going on makes no sense. */
static bool finish_one(struct run *run, struct sign_file *file)
{
    AUTO(buf_fini) struct buf cms;
    struct trouble ignored;

    enum sca_status st = cms_draft_finish(file->draft, span_of(file->value, file->value_len),
                                          run->cli->is_pem, &cms);
    if (st == SCA_NOMEM)
        return trouble_no_memory(&run->trouble);
    if (st != SCA_OK || !is_signature_of(run, file, buf_span(&cms), &ignored)) {
        file->state = SIGN_FALSE;
        return true;
    }
    cms_draft_free(TAKE(file->draft));
    return sign_output_write(file, buf_span(&cms), &run->trouble);
}

static bool finish(struct run *run)
{
    for (size_t i = 0; i < run->files.count; i++) {
        struct sign_file *file = &run->files.items[i];
        if (progress_is_stopped())
            return false;
        if (file->state == SIGN_DONE && !finish_one(run, file))
            return false;
    }
    return true;
}

static enum cli_exit conclude(struct run *run, const struct sign_work *work)
{
    size_t failed = sign_report_count_failed(&run->files);
    bool writes_others = run->cli->keeps_going && failed < run->files.count;

    if (failed > 0 && !writes_others)
        return sign_report_failure(work, false);
    if (!sign_output_place(&run->files, &run->trouble))
        return trouble_print(run->cli, &run->trouble);
    enum cli_exit result = sign_report_done(work);
    return failed > 0 ? sign_report_failure(work, true) : result;
}

static enum cli_exit sign(struct run *run)
{
    struct sign_work work = {.cli = run->cli, .slot = &run->slot, .files = &run->files};

    progress_begin();
    bool is_whole = reserve(run);
    if (is_whole) {
        sign_report_ahead(&work);
        sign_work_run(&work);
        is_whole = finish(run);
    }
    bool is_stopped = progress_is_stopped();
    progress_end();
    if (is_stopped)
        return sign_report_stopped(run->cli, sign_work_has_phone(&work));
    return is_whole ? conclude(run, &work) : trouble_print(run->cli, &run->trouble);
}

enum cli_exit sign_run(const struct cli *cli)
{
    AUTO(workspace_fini) struct workspace workspace = {.log = {.sink = LOG_SINK_NONE, .fd = -1}};
    AUTO(module_fini) struct module module = {0};
    AUTO(run_fini) struct run run = {.cli = cli};

    if (!sign_files_collect(cli, &run.files, &run.trouble))
        return trouble_print(cli, &run.trouble);
    enum cli_exit result = workspace_open(cli, &workspace);
    if (result == CLI_OK)
        result = module_use(cli, &module);
    if (result != CLI_OK)
        return result;
    if (!sign_slot_open(cli, &module, workspace.config, &run.slot, &run.trouble))
        return trouble_print(cli, &run.trouble);
    if (!prepare(&run))
        return progress_is_stopped() ? sign_report_stopped(cli, false)
                                     : trouble_print(cli, &run.trouble);
    if (!sign_slot_login(cli, &run.slot, &run.trouble))
        return trouble_print(cli, &run.trouble);
    return sign(&run);
}
