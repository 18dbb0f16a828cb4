/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* numamove: what the BPF programs and the tool agree on. */
#ifndef KTRACE_NUMA_H
#define KTRACE_NUMA_H

#include "bpf/shared.h"

struct numa_cfg {
	struct filter filter; /* of the task whose access found the page in the wrong node */
	__u32 huge_pages;     /* small pages in a transparent huge one */
};

struct numa_key {
	__u32 tgid;
	__u32 node;
	char comm[COMM_LEN];
};

struct numa_value {
	__u64 migrations, failed; /* pages */
	__u64 total_ns;
};

#endif
