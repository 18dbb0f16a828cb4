/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What both sides read: the filter, the loss ledger and the sizes that BPF
 * programs and the collector must agree on. Plain C, no kernel type.
 */
#ifndef KTRACE_SHARED_H
#define KTRACE_SHARED_H

#ifndef KTRACE_KERNEL_H
#include <linux/types.h>
#endif

#define COMM_LEN 16   /* TASK_COMM_LEN, part of the kernel's ABI (prctl PR_SET_NAME) */
#define MAX_DEPTH 127 /* PERF_MAX_STACK_DEPTH, the default of kernel.perf_event_max_stack */
#define HIST_SLOTS 64 /* slot i counts [2^i, 2^(i+1)); slot 0 counts 0 and 1 */
#define NAME_LEN 32   /* slab cache and workqueue names; longer ones are cut */

/*
 * Stack ids are hashes of the frames, whose low bits are left to number a stack's pieces; these
 * two are not.
 */
#define STACK_NONE 0ULL /* there is none: a kernel thread has no user stack */
#define STACK_LOST 1ULL /* the walk failed or the store was full: counted in loss.stacks */

/* Function addresses; these are none. */
enum func_special {
	FUNC_SEVERAL = 1, /* of several functions */
	FUNC_TASKLET = 2, /* of a tasklet that is not known */
	FUNC_HI = 3,      /* of a high priority one */
	FUNC_SPECIAL_END = 4,
};

/*
 * What the report needs of each event. A key column that is not shown is not
 * read in the kernel, its bytes in the key stay zero, and rows merge there.
 */
enum want {
	WANT_COMM = 1 << 0,
	WANT_TGID = 1 << 1,
	WANT_TID = 1 << 2,
	WANT_CGROUP = 1 << 3,
	WANT_KSTACK = 1 << 4,
	WANT_USTACK = 1 << 5,
	WANT_STATE = 1 << 6,
	WANT_CONTEXT = 1 << 7, /* task, hardirq, softirq: told from the kernel stack */
	WANT_CACHE = 1 << 8,
	WANT_ORDER = 1 << 9,
	WANT_NODE = 1 << 10,
	WANT_TARGET = 1 << 11,     /* name of the woken task */
	WANT_TARGET_IDS = 1 << 12, /* its tgid and tid */
	WANT_WORKQUEUE = 1 << 13,
	WANT_FUNC = 1 << 14,
	WANT_LOCK = 1 << 15,
	WANT_OWNER = 1 << 16, /* who had the lock that is waited for */
	WANT_LOCK_TYPE = 1 << 17,
	WANT_WAKER_KSTACK = 1 << 18, /* beside the target's, which has WANT_KSTACK */
	WANT_WAKER_USTACK = 1 << 19,
	WANT_CHAIN = 1 << 20,     /* who woke the waker */
	WANT_WORKER = 1 << 21,    /* name of the thread that ran the work */
	WANT_REQUESTER = 1 << 22, /* name of the task that queued it */
};

#define WANT_ANY_KSTACK (WANT_KSTACK | WANT_WAKER_KSTACK | WANT_CONTEXT | WANT_CHAIN)
#define WANT_ANY_USTACK (WANT_USTACK | WANT_WAKER_USTACK)

/* Which tasks and events are kept. First member of every object's cfg. */
struct filter {
	__u32 want;      /* enum want */
	__u32 depth;     /* frames walked, at most MAX_DEPTH */
	__u32 self_tgid; /* left out; 0: nobody is */
	__u8 by_tgid;    /* only tasks in map tgids */
	__u8 by_tid;     /* only tasks in map tids */
	__u8 by_comm;
	__u8 by_cgroup;
	__u8 user_threads;   /* only those */
	__u8 kernel_threads; /* only those */
	__u8 follow;         /* children of tasks in tgids enter it */
	__u8 cgroup_v1;      /* cgroup_subsys is valid: the hierarchy of that controller */
	__u8 by_any;         /* some of by_..., user_threads, kernel_threads is set */
	__u8 sampled;        /* not every event is followed: bpf/sample.bpf.h */
	__u8 unused[2];
	__u32 cgroup_subsys; /* index in css_set.subsys */
	char comm[COMM_LEN];
	__u64 unwind; /* enum unwind: how the running task's kernel stack is walked */
	__u64 cgroup; /* cgroup id (kernfs node id); this one and all below it */
	__u64 min_ns; /* shortest interval that is kept */
	__u64 max_ns; /* longest; 0: no limit */
};

/* The ledger: what happened and is in no row, or in a row without its stack. */
struct loss {
	__u64 events; /* intervals that could not be followed: a start map was full */
	__u64 rows;   /* events whose row did not fit */
	__u64 stacks; /* walks that failed, or stacks that did not fit */
};

enum unwind {
	UNWIND_KERNEL, /* by the kernel */
	UNWIND_RULES,  /* by what was learned from the kernel's walks: bpf/unwind.bpf.h */
	UNWIND_CHECK,  /* by the kernel, and compared with the other */
};

/* How often a stack by rules was walked as well, and how often the two were not the same. */
struct unwind_checks {
	__u64 done, differ;
};

#define CHAIN_MAX 8 /* links of a chain of wakers */

/* A waker with the kernel stack it woke from; lies in map links under a hash of its content. */
struct chain_link {
	__u64 kstack;
	char comm[COMM_LEN];
};

/*
 * Ids of links, the nearest waker first, 0 beyond the last; lies in map chains
 * under a hash of its content. STACK_LOST in place of an id: it did not fit.
 */
struct chain_links {
	__u64 link[CHAIN_MAX];
};

/* Of each CPU: events that the filter kept, and those of them that were drawn. */
struct sample_count {
	__u64 events, followed;
};

/* One walked stack. */
struct stack_frames {
	__u64 n;
	__u64 ip[MAX_DEPTH];
};

/*
 * In map stacks it lies in pieces of so many words, piece k under the stack's id + k: most stacks
 * are shallow, and room for the deepest in each entry is four times the memory. What lies in the
 * last piece behind the frames is nothing. A stack that is found has all its pieces.
 */
#define STACK_PIECE 32
#define STACK_PIECES 4
#define STACK_ID_MASK (~7ULL)

/*
 * Slots: rows and stacks of programs that must not take a lock, so that no hash
 * map may be written. Each CPU has an open-addressing table of its own; they lie
 * side by side in arrays, cpu_rows and cpu_stacks.
 */
struct slots {
	__u32 cpus;         /* highest CPU number and one */
	__u32 rows, stacks; /* slots of each CPU */
	__u32 unused;
};

/* A slot of cpu_rows begins with this; behind it lie key and value. */
struct slot_head {
	__u64 gen;  /* 0: free; odd: its CPU is writing it now */
	__u64 hash; /* of its key, which it stands for */
};

/* A slot of cpu_stacks, cut to filter.depth. */
struct slot_stack {
	__u64 id; /* 0: free */
	struct stack_frames frames;
};

#endif
