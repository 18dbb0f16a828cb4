/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* tasklets: what the BPF programs and the tool agree on. */
#ifndef KTRACE_TASKLET_H
#define KTRACE_TASKLET_H

#include "bpf/shared.h"

struct tasklet_cfg {
	struct filter filter; /* of it only min_ns and max_ns: a tasklet belongs to no task */
	__u8 by_softirq;      /* the kernel tells runs of the softirq, not of tasklets */
};

struct tasklet_key {
	__u64 func; /* or enum func_special */
};

struct tasklet_value {
	__u64 count, total_ns, max_ns;
	__u64 hist_ns[HIST_SLOTS];
	__u64 delay_hist_ns[HIST_SLOTS];
};

#endif
