/* SPDX-License-Identifier: Apache-2.0 */
/* smartca sign: a detached CMS signature for each of many files, with one confirmation. */
#include <stdlib.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/cli/cms_check.h"
#include "remote/cli/meter.h"
#include "remote/cli/output.h"
#include "remote/cli/sign_memory.h"
#include "remote/cli/sign_output.h"
#include "remote/cli/sign_prepare.h"
#include "remote/cli/sign_report.h"
#include "remote/cli/workspace.h"

enum { CMS_OVERHEAD = 4096 };

/* Everything that a run owns. */
struct run {
    const struct cli *cli;
    struct sign_slot slot;
    struct sign_files files;
    struct sign_memory memory; /* both: of the cloud only, where somebody is asked */
    struct sign_note note;
    struct trouble trouble;
};

static void run_fini(struct run *run)
{
    sign_note_end(&run->note, &run->files);
    sign_memory_end(&run->memory, &run->files);
    sign_files_fini(&run->files);
    sign_slot_fini(&run->slot);
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

/* A PIN takes its time, and another run may have ended meanwhile. */
static bool is_free_still(struct run *run)
{
    for (size_t i = 0; i < run->files.count; i++)
        if (!sign_output_check(&run->files.items[i], run->files.is_forced, &run->trouble))
            return false;
    return true;
}

/* Room for the signatures and, where somebody will be asked, a note of what for. */
static bool reserve(struct run *run, const char *state_dir)
{
    if (!sign_output_reserve_all(&run->files, size_of_signature(run), &run->trouble))
        return false;
    if (!run->slot.is_cloud)
        return true;
    if (!sign_note_write(state_dir, &run->files, &run->note, &run->trouble))
        return false;
    /* What is signed by now is collected at the first look: then it is too late to learn it. */
    if (run->memory.count > 0)
        sign_note_learn(&run->note, &run->files);
    return is_free_still(run);
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
        if (meter_is_stopped())
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

static enum cli_exit sign(struct run *run, const char *state_dir)
{
    struct sign_work work = {
        .cli = run->cli, .slot = &run->slot, .files = &run->files, .note = &run->note};

    meter_begin();
    bool is_whole = reserve(run, state_dir);
    if (is_whole) {
        sign_report_ahead(&work);
        sign_work_run(&work);
        is_whole = finish(run);
    }
    bool is_stopped = meter_is_stopped();
    meter_end();
    if (is_stopped)
        return sign_report_stopped(run->cli, sign_work_has_phone(&work));
    return is_whole ? conclude(run, &work) : trouble_print(run->cli, &run->trouble);
}

enum cli_exit sign_run(const struct cli *cli)
{
    AUTO(workspace_fini) struct workspace workspace = {.log = {.sink = LOG_SINK_NONE, .fd = -1}};
    AUTO(module_fini) struct module module = {0};
    AUTO(run_fini) struct run run = {.cli = cli, .memory = {.folder = -1}, .note = {.fd = -1}};

    if (!sign_files_collect(cli, &run.files, &run.trouble))
        return trouble_print(cli, &run.trouble);
    enum cli_exit result = workspace_open(cli, &workspace);
    if (result == CLI_OK)
        result = module_use(cli, &module);
    if (result != CLI_OK)
        return result;
    if (!sign_slot_open(cli, &module, workspace.config, &run.slot, &run.trouble))
        return trouble_print(cli, &run.trouble);
    const char *state_dir = workspace.config->state_dir;
    if (!sign_prepare(&run.slot, state_dir, &run.files, &run.memory, &run.trouble))
        return meter_is_stopped() ? sign_report_stopped(cli, false)
                                  : trouble_print(cli, &run.trouble);
    if (!sign_slot_login(cli, &run.slot, &run.trouble))
        return trouble_print(cli, &run.trouble);
    return sign(&run, state_dir);
}
