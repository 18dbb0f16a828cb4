/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* workq: what the BPF programs and the tool agree on. */
#ifndef KTRACE_WORK_H
#define KTRACE_WORK_H

#include "bpf/shared.h"

struct work_cfg {
	struct filter filter;     /* of the task that queued the work */
	char workqueue[NAME_LEN]; /* only this one; empty: all */
	__u8 by_requester; /* the filter says something: works not seen queued are left out */
};

struct work_key {
	__u64 func;
	char workqueue[NAME_LEN];
	char worker[NAME_LEN];
	char requester[COMM_LEN];
};

struct work_value {
	__u64 count, total_ns, max_ns;
	__u64 hist_ns[HIST_SLOTS];
	__u64 delay_hist_ns[HIST_SLOTS];
};

#endif
