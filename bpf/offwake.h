/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* offwaketime: what the BPF programs and the tool agree on. */
#ifndef KTRACE_OFFWAKE_H
#define KTRACE_OFFWAKE_H

#include "bpf/shared.h"

struct offwake_cfg {
	struct filter filter; /* of the thread that is off its CPU */
	__u32 command_tgid;   /* waits for its start at the gate: not blocked by its own doing */
	__u32 chain;          /* links followed beyond the waker, at most CHAIN_MAX; 0: none */
};

/* kstack and ustack are the target's, where it blocked. chain begins with who woke the waker. */
struct offwake_key {
	__u64 kstack, ustack, waker_kstack, waker_ustack, chain, cgroup;
	__u32 target_tgid, target_tid, waker_tgid, waker_tid;
	__u32 state, unused;
	char target[COMM_LEN];
	char waker[COMM_LEN];
};

struct offwake_value {
	__u64 count, total_ns, max_ns;
};

#endif
