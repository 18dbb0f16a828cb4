/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What spinlock's BPF object and collector share. */
#ifndef KTRACE_SPIN_H
#define KTRACE_SPIN_H

#include "bpf/lock_name.h"

enum spin_type {
	SPIN_LOCK,  /* spinlock_t, raw_spinlock_t: a queued spin lock */
	SPIN_READ,  /* rwlock_t, to read */
	SPIN_WRITE, /* rwlock_t, to write */
	SPIN_RT,    /* PREEMPT_RT's spinlock_t and rwlock_t, whose waiters sleep */
	N_SPIN_TYPES,
};

/* The last one holds what is longer, too: from 2^39 ns, nine minutes. */
#define SPIN_HIST_SLOTS 40

struct spin_cfg {
	struct filter filter;
	struct slots slots;
	struct lock_filter locks;
	__u32 types;     /* 1 << enum spin_type; 0: all */
	__u32 functions; /* tracepoints add only what the functions do not show */
};

struct spin_key {
	__u64 lock, kstack, cgroup;
	char comm[COMM_LEN];
	__u32 tgid, tid;
	__u32 type; /* enum spin_type */
	__u32 unused;
};

struct spin_value {
	struct lock_object object; /* of the key's lock, as of the row's first wait */
	__u64 count, total_ns, max_ns;
	__u64 hist_ns[SPIN_HIST_SLOTS];
};

#endif
