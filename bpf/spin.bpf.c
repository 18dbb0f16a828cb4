// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * spinlock: how long a lock was spun for, from the slow-path functions' entry
 * to their return, or between the contention tracepoints.
 *
 * Whoever waits here may hold any lock of the kernel, and any of ours may be the
 * one that is waited for: a program that takes one (to write a hash map does)
 * can deadlock. So there are arrays only, and each CPU writes its own part. Who
 * spins stays on its CPU; what comes on top (an interrupt) ends before it goes
 * on: the waits of a CPU are a stack. Waiters of PREEMPT_RT's sleeping locks are
 * scheduled away: they are kept by thread, in a hash map. That is safe, for no
 * lock of a hash map is held where a thread may sleep.
 */
#include "bpf/kernel.h"
#include "bpf/spin.h"

const volatile struct spin_cfg cfg SEC(".rodata.cfg");

#include "bpf/ktrace.bpf.h"
#include "bpf/sample.bpf.h"
#include "bpf/lock_name.bpf.h"
#include "bpf/slots.bpf.h"

/* include/trace/events/lock.h, the same since 5.19 */
enum {
	LCB_SPIN = 1,
	LCB_READ = 2,
	LCB_WRITE = 4,
	LCB_RT = 8,
	LCB_MUTEX = 32,
};

/* The lock that guards a qrwlock's queue lies inside of it. */
#define QRWLOCK_BYTES 8

struct wait {
	__u64 ts; /* 0: over */
	__u64 lock;
	/* Where the trampoline keeps the arguments: entry and return of one call have the same. 0:
	 * a tracepoint. */
	__u64 frame;
	__u32 type;
	__u32 weight; /* how many it counts for; 0: it is here for the order of the others */
};

/* Task, softirq, hardirq, NMI, and each may wait for a rwlock's inner lock. */
#define LEVELS 8
struct cpu {
	__u32 depth; /* of wait[], 0: nobody waits here */
	__u32 busy;  /* a program writes this CPU's slots */
	__u32 ending, unused;
	struct wait wait[LEVELS];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cpu);
} cpus SEC(".maps");

/* Waits of threads that sleep meanwhile, by tid. PREEMPT_RT only. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wait);
} starts SEC(".maps");

struct spin_slot {
	struct slot_head head;
	struct spin_key key;
	struct spin_value value;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct spin_slot);
} cpu_rows SEC(".maps");

static __always_inline volatile struct cpu *this_cpu(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&cpus, &zero);
}

static __always_inline bool preempt_rt(void)
{
	return bpf_core_field_exists(((struct spinlock___rt *)0)->lock);
}

static __always_inline bool keep(__u64 lock)
{
	return keep_lock(lock) && keep_current();
}

static __always_inline bool keep_wait(volatile struct wait *wait, __u64 now)
{
	return wait->weight && (!cfg.types || (cfg.types & (1U << (wait->type & 31)))) &&
	       keep_interval(now - wait->ts);
}

static __always_inline void row_count(struct spin_value *row, __u64 delta_ns, __u32 weight)
{
	__u32 slot = log2_slot(delta_ns);

	row->count += weight;
	row->total_ns += delta_ns * weight;
	if (row->max_ns < delta_ns)
		row->max_ns = delta_ns;
	if (slot >= SPIN_HIST_SLOTS)
		slot = SPIN_HIST_SLOTS - 1;
	row->hist_ns[slot] += weight;
}

/*
 * The CPU's slots are ours. The lock too is of the map: an argument of the program is a pointer,
 * not to be hashed.
 */
static __always_inline void wait_write(void *ctx, volatile struct wait *wait, __u64 now)
{
	__u64 lock = wait->lock, delta_ns = now - wait->ts;
	__u32 cpu = bpf_get_smp_processor_id();
	struct spin_key key = {};
	struct spin_slot *slot;

	if (cpu >= cfg.slots.cpus) {
		lose(rows);
		return;
	}
	if (WANT(WANT_LOCK))
		key.lock = lock;
	if (WANT(WANT_LOCK_TYPE))
		key.type = wait->type;
	if (WANT(WANT_KSTACK | WANT_CONTEXT))
		key.kstack = slot_kstack(ctx, cpu);
	key_current(&key);
	slot = slot_row(&cpu_rows, (__u64 *)&key, sizeof(key) / sizeof(__u64), cpu);
	if (!slot)
		return;
	if (!slot->head.gen && key.lock)
		lock_object_find(&slot->value.object, lock);
	slot_open(&slot->head);
	slot->key = key;
	row_count(&slot->value, delta_ns, wait->weight);
	slot_close(&slot->head);
}

/* Takes the CPU's slots; false: a program that this one interrupted has them. Then the wait is
 * lost. */
static __always_inline bool slots_take(volatile struct cpu *cpu)
{
	if (cpu->busy) {
		lose(events);
		return false;
	}
	cpu->busy = 1;
	barrier();
	return true;
}

static __always_inline void slots_give(volatile struct cpu *cpu)
{
	barrier();
	cpu->busy = 0;
}

/* From level on nobody waits any more. */
static __always_inline void waits_drop(volatile struct cpu *cpu, __u32 level)
{
	__u32 i;

#pragma unroll
	for (i = 0; i < LEVELS; i++)
		if (i >= level)
			cpu->wait[i].ts = 0;
	cpu->depth = level;
}

/* Is it the lock inside of the rwlock that this CPU waits for? That wait is counted already. */
static __always_inline bool is_inner(volatile struct cpu *cpu, __u64 lock)
{
	__u32 level = cpu->depth - 1;
	volatile struct wait *outer;

	if (level >= LEVELS)
		return false;
	outer = &cpu->wait[level];
	return outer->ts && (outer->type == SPIN_READ || outer->type == SPIN_WRITE) &&
	       lock >= outer->lock && lock < outer->lock + QRWLOCK_BYTES;
}

static __always_inline int spin_begin(__u64 lock, __u64 frame, __u32 type)
{
	volatile struct cpu *cpu = this_cpu();
	volatile struct wait *wait;
	__u32 level;

	if (!cpu || !keep(lock))
		return 0;
	if (type == SPIN_LOCK && is_inner(cpu, lock))
		return 0;
	level = cpu->depth;
	if (level >= LEVELS) {
		/* Waits whose end was never seen: the kernel skips a program that is interrupted
		 * by itself. */
		__sync_fetch_and_add(&loss.events, LEVELS);
		waits_drop(cpu, 0);
		level = 0;
	}
	/* An interrupt from here on puts its waits above. */
	cpu->depth = level + 1;
	wait = &cpu->wait[level];
	wait->lock = lock;
	wait->frame = frame;
	wait->type = type;
	wait->weight = sample_weight();
	wait->ts = bpf_ktime_get_ns();
	return 0;
}

/* The innermost such wait; LEVELS: none. Those above it ended unseen. */
static __always_inline __u32 wait_find(volatile struct cpu *cpu, __u64 lock, __u64 frame)
{
	__u32 level = cpu->depth, i;

	for (i = 0; i < LEVELS; i++) {
		level--;
		if (level >= LEVELS)
			break;
		if (cpu->wait[level].ts && cpu->wait[level].lock == lock &&
		    cpu->wait[level].frame == frame)
			return level;
	}
	return LEVELS;
}

/*
 * A wait without a begin was not kept, or not seen: that is no loss of its own.
 *
 * By way of the map, for which the slots are taken, the verifier forgets which level it is, and
 * looks at what follows once and not for each.
 */
static __always_inline int spin_end(void *ctx, __u64 lock, __u64 frame)
{
	__u64 now = bpf_ktime_get_ns();
	volatile struct cpu *cpu = this_cpu();
	__u32 level;

	if (!cpu || !cpu->depth)
		return 0;
	level = wait_find(cpu, lock, frame);
	if (level >= LEVELS)
		return 0;
	if (keep_wait(&cpu->wait[level], now) && slots_take(cpu)) {
		cpu->ending = level;
		wait_write(ctx, &cpu->wait[cpu->ending & (LEVELS - 1)], now);
		level = cpu->ending;
		slots_give(cpu);
	}
	waits_drop(cpu, level);
	return 0;
}

/* A thread of PREEMPT_RT is about to sleep for a lock. It holds the lock's own raw lock. */
static __always_inline int sleep_begin(__u64 lock, __u64 frame)
{
	struct wait wait = {.lock = lock, .frame = frame, .type = SPIN_RT};
	__u32 tid = bpf_get_current_pid_tgid();

	if (!keep(lock))
		return 0;
	wait.weight = sample_weight();
	wait.ts = bpf_ktime_get_ns();
	if (bpf_map_update_elem(&starts, &tid, &wait, BPF_ANY))
		lose(events);
	return 0;
}

static __always_inline int sleep_end(void *ctx, __u64 lock, __u64 frame)
{
	__u64 now = bpf_ktime_get_ns();
	__u32 tid = bpf_get_current_pid_tgid();
	volatile struct wait *wait = bpf_map_lookup_elem(&starts, &tid);
	volatile struct cpu *cpu = this_cpu();

	if (!cpu || !wait || wait->lock != lock || wait->frame != frame)
		return 0;
	if (keep_wait(wait, now) && slots_take(cpu)) {
		wait_write(ctx, wait, now);
		slots_give(cpu);
	}
	bpf_map_delete_elem(&starts, &tid);
	return 0;
}

#define SLOWPATH(name, type)                                      \
	SEC("fentry")                                             \
	int BPF_PROG(name##_entry, void *lock)                    \
	{                                                         \
		return spin_begin((__u64)lock, (__u64)ctx, type); \
	}                                                         \
	SEC("fexit")                                              \
	int BPF_PROG(name##_return, void *lock)                   \
	{                                                         \
		return spin_end(ctx, (__u64)lock, (__u64)ctx);    \
	}

SLOWPATH(native, SPIN_LOCK)
SLOWPATH(pv, SPIN_LOCK)
SLOWPATH(read, SPIN_READ)
SLOWPATH(write, SPIN_WRITE)

SEC("fentry")
int BPF_PROG(rt_entry, void *lock)
{
	return sleep_begin((__u64)lock, (__u64)ctx);
}

SEC("fexit")
int BPF_PROG(rt_return, void *lock)
{
	return sleep_end(ctx, (__u64)lock, (__u64)ctx);
}

/*
 * PREEMPT_RT: mutexes and semaphores begin with the same flags, but only waits
 * for spin locks and rwlocks have this task state. With the functions hooked, just
 * the writer that waits for readers is left to see.
 */
static __always_inline int rt_contention_begin(__u64 lock, __u32 flags)
{
	if (cfg.functions && !(flags & LCB_WRITE))
		return 0;
	if (!(task_state((void *)bpf_get_current_task(), false) & STATE_RAW_RTLOCK))
		return 0;
	return sleep_begin(lock, 0);
}

static __always_inline int contention_begin(__u64 lock, __u32 flags)
{
	if (preempt_rt() && (flags & LCB_RT))
		return rt_contention_begin(lock, flags);
	if (cfg.functions || !(flags & LCB_SPIN) || (flags & LCB_MUTEX))
		return 0;
	return spin_begin(lock, 0,
			  flags & LCB_READ    ? SPIN_READ
			  : flags & LCB_WRITE ? SPIN_WRITE
					      : SPIN_LOCK);
}

static __always_inline int contention_end(void *ctx, __u64 lock)
{
	if (!cfg.functions)
		spin_end(ctx, lock, 0);
	return preempt_rt() ? sleep_end(ctx, lock, 0) : 0;
}

SEC("tp_btf/contention_begin")
int BPF_PROG(begin_btf, void *lock, unsigned int flags)
{
	return contention_begin((__u64)lock, flags);
}

SEC("raw_tp/contention_begin")
int BPF_PROG(begin_raw, void *lock, unsigned int flags)
{
	return contention_begin((__u64)lock, flags);
}

SEC("tp/lock/contention_begin")
int begin_tp(struct trace_event_raw_contention_begin *ctx)
{
	return contention_begin((__u64)ctx->lock_addr, ctx->flags);
}

SEC("tp_btf/contention_end")
int BPF_PROG(end_btf, void *lock)
{
	return contention_end(ctx, (__u64)lock);
}

SEC("raw_tp/contention_end")
int BPF_PROG(end_raw, void *lock)
{
	return contention_end(ctx, (__u64)lock);
}

SEC("tp/lock/contention_end")
int end_tp(struct trace_event_raw_contention_end *ctx)
{
	return contention_end(ctx, (__u64)ctx->lock_addr);
}
