/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/library_parts.h"

#include "module/backend/backend.h"
#include "module/token/audit.h"
#include "module/token/event.h"
#include "module/token/failure.h"
#include "module/token/session.h"
#include "module/token/slot.h"
#include "remote/base/log.h"
#include "remote/config/config.h"

static struct {
    struct config *config;
    struct backends *backends;
    struct log log;
} parts;

static void stop_log(void)
{
    log_attach(NULL);
    log_close(&parts.log);
}

static void start_log(const struct config *config)
{
    bool is_open = log_open(&parts.log, config->log_target, config->log_level) == SCA_OK;
    if (!is_open)
        (void)log_open(&parts.log, "syslog", config->log_level);
    log_attach(&parts.log);
    if (!is_open)
        log_line(LOG_LEVEL_WARNING, "log = %s cannot be opened; check its folder and owner",
                 config->log_target);
    for (size_t i = 0; i < config->problem_count; i++)
        log_line(LOG_LEVEL_WARNING, "%s:%u: %s", config->problems[i].file, config->problems[i].line,
                 config->problems[i].reason);
}

CK_RV library_parts_start(void)
{
    enum sca_status st = config_load(&parts.config);
    if (st != SCA_OK)
        return failure_of(st, NULL);
    start_log(parts.config);

    st = backends_open(parts.config, &parts.backends);
    if (st == SCA_OK)
        st = slot_start(parts.backends);
    if (st == SCA_OK) {
        session_start();
        audit_start(parts.config);
        return CKR_OK;
    }
    backends_close(parts.backends);
    parts.backends = NULL;
    config_freep(&parts.config);
    log_line(LOG_LEVEL_ERROR, "C_Initialize failed: %s", sca_status_name(st));
    stop_log();
    return failure_of(st, NULL);
}

void library_parts_stop(bool is_empty)
{
    event_stop(is_empty);
    audit_stop(is_empty); /* first of what writes: it still asks slots and tokens */
    if (is_empty) {
        session_stop();
        slot_stop();
        backends_close(parts.backends);
        config_free(parts.config);
    } else {
        /* Somebody is stuck in the host's or the system's code: give up the memory, not the host.
         */
        session_abandon_all();
        slot_abandon_all();
    }
    parts.backends = NULL;
    parts.config = NULL;
    stop_log();
}

void library_parts_abandon(void)
{
    stop_log(); /* the child's copy of the descriptor */
    parts.config = NULL;
    parts.backends = NULL;
    backends_abandon();
    session_abandon_all();
    session_forget_notifying();
    slot_abandon_all();
    event_abandon();
    audit_abandon();
}
