/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* offcputime: what the BPF programs and the tool agree on. */
#ifndef KTRACE_OFFCPU_H
#define KTRACE_OFFCPU_H

#include "bpf/shared.h"
#include "bpf/state.h"

struct offcpu_cfg {
	struct filter filter;
	struct state_filter state;
	__u32 command_tgid; /* waits for its start at the gate: not blocked by its own doing */
	__u64 budget_ns;    /* shorter intervals are sampled: bpf/budget.bpf.h; 0: none are */
};

struct offcpu_key {
	__u64 kstack, ustack, cgroup;
	__u32 tgid, tid, state;
	char comm[COMM_LEN];
	__u32 unused;
};

struct offcpu_value {
	__u64 count, total_ns, max_ns, blocked;
	__u64 count_error;    /* its square, summed */
	__u64 total_error_ns; /* its square, summed, in units of budget_ns */
};

/* What no sampling touches: every interval that the filters keep. Of each CPU, then of all. */
struct offcpu_exact {
	__u64 count, total_ns;
	__u64 kept; /* those of them that are in rows */
};

/* What the iterator writes for each thread that is off its CPU now. */
struct offcpu_blocked {
	struct offcpu_key key;
	__u64 delta_ns;
	__u64 weight; /* how many it counts for */
};

#endif
