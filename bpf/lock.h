/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* mlock and mheld: what the BPF programs and the tools agree on. */
#ifndef KTRACE_LOCK_H
#define KTRACE_LOCK_H

#include "bpf/lock_name.h"

#define RT_OTHERS 8

struct lock_cfg {
	struct filter filter;
	struct lock_filter locks;
	__u8 held; /* mheld: from acquisition to unlock; else mlock: from call to acquisition */
	__u8 contended; /* --contended */
	__u8 unused[6];
	/*
	 * PREEMPT_RT: a mutex, a spin lock and an rwsem all contend as rt_mutex. Where one of
	 * these functions is among the innermost frames it is no mutex.
	 */
	struct address_range rt_others[RT_OTHERS];
	__u32 n_rt_others, unused2;
};

struct lock_key {
	__u64 lock, kstack, cgroup;
	__u32 tgid, tid;
	char comm[COMM_LEN];
	/* who had the lock when the wait began; all 0: nobody */
	char owner[COMM_LEN];
	__u32 owner_tgid, owner_tid;
};

struct lock_value {
	__u64 count, total_ns, max_ns;
	union {
		__u64 aborted; /* mlock: waits that ended without the lock, not in count */
		__u64 held;    /* mheld: holds that went on at the report */
	};
	__u64 waiting; /* mlock: waits that went on at the report */
	__u64 hist_ns[HIST_SLOTS];
	struct lock_object object;
};

/* What is under way: the function that was called, or what told of the wait. */
enum lock_how {
	LOCK_CALL = 1,
	LOCK_CALL_IO,
	LOCK_CONTENDED,
	LOCK_GOT, /* that wait is over, and the function that waited has not returned */
};

/* One wait (by tid) or one hold (by lock); the two kinds of key never meet. */
struct lock_start {
	__u64 ts; /* of LOCK_GOT: how long it took */
	__u64 lock;
	__u32 how;            /* enum lock_how */
	__u32 tid;            /* of a hold */
	__u32 weight, unused; /* how many it counts for; 0: not to be counted */
	struct lock_key key;
};

#endif
