/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* wakeuptime: what the BPF programs and the tool agree on. */
#ifndef KTRACE_WAKEUP_H
#define KTRACE_WAKEUP_H

#include "bpf/shared.h"

struct wakeup_cfg {
	struct filter filter;
	__u32 command_tgid; /* waits for its start at the gate: not blocked by its own doing */
};

/* tgid and tid are the target's; the stacks are the waker's, whose tgid owns ustack. */
struct wakeup_key {
	__u64 kstack, ustack, cgroup;
	__u32 target_tgid, target_tid, waker_tgid, waker_tid;
	char target[COMM_LEN];
	char waker[COMM_LEN];
};

struct wakeup_value {
	__u64 count, total_ns, max_ns;
};

#endif
