/* SPDX-License-Identifier: Apache-2.0 */
/* The users of one run: one from the command line, or the lines of a file. */
#ifndef REMOTE_CLI_TASK_LIST_H
#define REMOTE_CLI_TASK_LIST_H

#include "remote/cli/csv.h"
#include "remote/cli/office.h"

struct task_list {
    struct task *tasks;
    size_t count;
    struct csv *csv; /* lends the texts of the forms; NULL: the command line does */
};

/*
 * base: what holds where a user's own line says nothing. A task whose form is not in order, or
 * whose user was named before, is TASK_REFUSED. False with trouble when the file itself cannot be
 * used. The caller task_list_fini()s ret_list, whatever is returned.
 */
bool task_list_load(const struct cli *cli, const struct form *base, bool only_user, int64_t now,
                    struct task_list *ret_list, struct trouble *trouble);
void task_list_fini(struct task_list *list);

/*
 * A row for each line of the file and CLI_FAILED if one of them failed; for one user from the
 * command line that user, or what went wrong.
 */
enum cli_exit task_list_print(const struct cli *cli, const struct task_list *list);

/* The number of tasks with that result. */
size_t task_list_count(const struct task_list *list, enum task_result result);

#endif
