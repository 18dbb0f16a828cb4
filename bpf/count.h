/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* funccount: what the BPF programs and the tool agree on. */
#ifndef KTRACE_COUNT_H
#define KTRACE_COUNT_H

#include "bpf/shared.h"

/* Stands for the target's number in programs that are copied for each target. */
#define COUNT_SLOT_MARK 0x51075107

struct count_cfg {
	struct filter filter;
	__u32 table_mask; /* entries of map table less one */
	__u32 unused;
};

/* No padding: compared as words. */
struct count_key {
	__u32 func; /* number of the target */
	__u32 cpu;  /* filled in by the reader: each CPU counts for itself */
	__u32 tgid, tid;
	char comm[COMM_LEN];
	__u64 cgroup;
};

#define COUNT_KEY_WORDS (sizeof(struct count_key) / sizeof(__u64))

struct count_value {
	__u64 count;
};

/*
 * One slot of a CPU's table. Whoever adds the first claim owns it, writes the key, and
 * says so; a claim by another meanwhile makes it nobody's.
 */
struct count_entry {
	__u32 claims, ready;
	struct count_key key;
	__u64 count;
};

#endif
