/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps the mappings of the traced processes known while tracing goes on, so that who
 * exits before the report has names in it: reads those that lived before, and
 * follows the kernel's records from then on.
 */
#ifndef KTRACE_USER_SPACE_H
#define KTRACE_USER_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/perf_records.h"
#include "core/processes.h"
#include "core/snapshot.h"
#include "core/symbolize.h"

struct user_space {
	struct processes *processes;  /* of symbolize; NULL: no user stacks are shown */
	struct perf_records *records; /* NULL: the kernel refused */
	int err;                      /* why */
	enum processes_heed heed;
	uint32_t *unread; /* processes whose maps are to be read, the last first */
	size_t n_unread;
	bool to_list;     /* unread is to be filled yet */
	uint64_t rest_ns; /* when records are taken next; 0: when there are any */
};

/*
 * To be called before anything is attached. Begins with what is traced already: the processes
 * given and the followed command (0: none). Makes what symbolize names user frames by, if any
 * are shown. Returns OK or FAILED, said.
 */
enum status user_space_open(struct user_space *, struct symbolize *, uint32_t command_tgid);
void user_space_close(struct user_space *);
/* To be polled: readable when there is work. -1: there is none, or not yet. */
int user_space_fd(const struct user_space *);
/*
 * Does what there is to do, for some milliseconds at most: a process's maps are read as a
 * whole. Returns when it is to be called again at the latest, by CLOCK_MONOTONIC: 0 at once,
 * UINT64_MAX when the descriptor is readable.
 */
uint64_t user_space_work(struct user_space *);
/* Takes what the kernel told until now. To be called when stacks were read, before they are named.
 */
void user_space_drain(struct user_space *);
/* Says in the report what may have no names, and why. */
void user_space_report(struct user_space *, struct snapshot *);

#endif
