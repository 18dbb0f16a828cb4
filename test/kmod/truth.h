/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of ktrace_truth share: one command line, parsed, and the line
 * of JSON that answers it. One command runs at a time.
 */
#ifndef KTRACE_TRUTH_H
#define KTRACE_TRUTH_H

#include <linux/completion.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/types.h>

/* What "n=", "us=" ... may say; a command accepts those that mean something to it. */
enum truth_key {
	TRUTH_N,        /* how many times */
	TRUTH_US,       /* how long each, or T */
	TRUTH_DELAY_US, /* how long before */
	TRUTH_SIZE,     /* bytes of an object */
	TRUTH_ORDER,    /* of a block of pages */
	TRUTH_NODE,     /* NUMA node, -1 for any */
	TRUTH_WAITERS,  /* threads that contend with the holder */
	TRUTH_KEYS,
};

struct truth_limits {
	enum truth_key key;
	s64 min, max, init; /* init outside of min..max: must be given */
};

/* max of a sum: what a command may keep a CPU, or memory, for. */
#define TRUTH_MAX_US (20 * USEC_PER_SEC)
#define TRUTH_MAX_BYTES (64ULL << 20)
#define TRUTH_MUST -2

struct truth_args {
	unsigned int mode; /* index into the command's modes */
	bool leak, rcu;    /* "then=leak", "then=rcu"; else freed */
	bool sleep;        /* "how=sleep"; else busy */
	s64 value[TRUTH_KEYS];
};

struct truth_command {
	const char *name;
	const char *const *modes; /* the first is the default; ends with NULL */
	bool (*allows)(const struct truth_args *args); /* the sums; NULL: no matter */
	int (*run)(const struct truth_args *args);
	struct truth_limits keys[4]; /* ends where max is 0 */
	bool has_how, has_then, has_rcu;
};

/* Adds "key":value to the answer. */
void truth_say(const char *key, u64 value);

/* A sum of times, and the longest. */
struct truth_sum {
	u64 count, total, max;
};

static inline void truth_add(struct truth_sum *sum, u64 ns)
{
	sum->count++;
	sum->total += ns;
	sum->max = max(sum->max, ns);
}

void truth_say_sum(const char *what, const struct truth_sum *sum);

/* ns by the kernel's clock, on the CPU. */
void truth_busy_ns(u64 ns);
/* ... or asleep, when args ask for that. */
void truth_pass_us(const struct truth_args *args);

/* A thread of ours: start, then join, which returns what run() did. */
struct truth_thread {
	struct task_struct *task;
	struct completion done;
	int (*run)(void *data);
	void *data;
	int ret;
};

/* cpu: -1 for any */
int truth_start(struct truth_thread *thread, const char *name, int cpu);
int truth_join(struct truth_thread *thread);
/* The nth CPU that is online. */
int truth_cpu(unsigned int nth);

bool truth_time_is_bounded(const struct truth_args *args);

extern const struct truth_command truth_lock_commands[], truth_alloc_commands[],
    truth_defer_commands[], truth_block_commands[];

int truth_alloc_init(void);
void truth_alloc_exit(void);
int truth_defer_init(void);
void truth_defer_exit(void);

struct delayed_work;
/* Queues on "ktrace_truth_wq", which runs one work at a time. */
void truth_queue(struct delayed_work *work, u64 delay_us);

#endif
