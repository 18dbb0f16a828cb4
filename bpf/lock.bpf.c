// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * mlock: from the call that locks a mutex to its return. mheld: from that return
 * to the unlock, kept by the lock, so that it does not matter who unlocks.
 * From the locking functions themselves, which sees every acquisition, or from
 * lock:contention_*, which costs nothing where nobody waits; mlock also by the
 * functions' returns beside these events, which tell how long it took.
 */
#include "bpf/kernel.h"
#include "bpf/lock.h"

const volatile struct lock_cfg cfg SEC(".rodata.cfg");

#include "bpf/ktrace.bpf.h"
#include "bpf/sample.bpf.h"
#include "bpf/kstack.bpf.h"
#include "bpf/lock_name.bpf.h"

/* mlock and every kretprobe: by tid. mheld: by lock. A tid is never a kernel address. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, struct lock_start);
} starts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct lock_key);
	__type(value, struct lock_value);
} rows SEC(".maps");

static const struct lock_value zero;

static __always_inline __u64 current_tid(void)
{
	return (__u32)bpf_get_current_pid_tgid();
}

static __always_inline struct task_struct *mutex_owner(__u64 lock)
{
	struct mutex___rt_old *old = (void *)lock;
	struct mutex___rt *rt = (void *)lock;
	struct mutex *mutex = (void *)lock;
	__u64 owner = 0;

	if (bpf_core_field_exists(mutex->owner))
		owner = BPF_CORE_READ(mutex, owner.counter);
	else if (bpf_core_field_exists(rt->rtmutex))
		owner = (__u64)BPF_CORE_READ(rt, rtmutex.owner);
	else if (bpf_core_field_exists(old->lock))
		owner = (__u64)BPF_CORE_READ(old, lock.owner);
	return (void *)(owner & ~7ULL);
}

/* Who has the lock now. It may let go of it, and end, while it is read: then the name is. */
static __always_inline void key_owner(struct lock_key *key, __u64 lock)
{
	struct task_struct *owner;

	if (!WANT(WANT_OWNER))
		return;
	owner = mutex_owner(lock);
	if (!owner)
		return;
	bpf_probe_read_kernel(key->owner, sizeof(key->owner), owner->comm);
	key->owner_tgid = BPF_CORE_READ(owner, tgid);
	key->owner_tid = BPF_CORE_READ(owner, pid);
}

static __always_inline void key_fill(struct lock_key *key, __u64 lock)
{
	if (WANT(WANT_LOCK))
		key->lock = lock;
	key_current(key);
}

static __always_inline struct lock_value *lock_row(const struct lock_key *key)
{
	struct lock_value *row = bpf_map_lookup_elem(&rows, key);
	__u64 lock;

	if (row)
		return row;
	row = row_get(&rows, key, &zero);
	/* a copy: the lock itself may be a pointer to the verifier, which is not to be reckoned
	 * with */
	if (row && WANT(WANT_LOCK) && !bpf_probe_read_kernel(&lock, sizeof(lock), &key->lock))
		lock_object_find(&row->object, lock);
	return row;
}

static __always_inline void row_count(struct lock_value *row, __u64 delta_ns, __u32 weight)
{
	row_intervals(row, delta_ns, weight);
	hist_add(row->hist_ns, delta_ns, weight);
}

static __always_inline void start_put(__u64 id, const struct lock_start *start)
{
	if (bpf_map_update_elem(&starts, &id, start, BPF_ANY))
		lose(events);
}

/* One that is there already is lost. */
static __always_inline void start_put_new(__u64 id, const struct lock_start *start)
{
	if (!bpf_map_update_elem(&starts, &id, start, BPF_NOEXIST))
		return;
	lose(events);
	bpf_map_update_elem(&starts, &id, start, BPF_EXIST);
}

/*
 * The call begins. mutex_lock_io() calls mutex_lock(), which is then no call of
 * its own; contention may begin more than once for one wait. So what hides others like
 * it is kept with no weight when it is not drawn.
 */
static __always_inline void wait_begin(void *ctx, __u64 lock, __u32 how, bool walk)
{
	__u64 tid = current_tid();
	struct lock_start *before, start = {};

	if (!keep_lock(lock) || !keep_current())
		return;
	before = bpf_map_lookup_elem(&starts, &tid);
	if (before && before->lock == lock &&
	    (before->how == LOCK_CALL_IO || before->how == LOCK_CONTENDED))
		return;
	start.weight = sample_weight();
	if (!start.weight && how == LOCK_CALL)
		return;
	start.how = how;
	start.lock = lock;
	if (start.weight) {
		key_fill(&start.key, lock);
		if (!cfg.held)
			key_owner(&start.key, lock);
		if (walk)
			start.key.kstack = kstack_of_current(ctx);
	}
	start.ts = bpf_ktime_get_ns();
	start_put(tid, &start);
}

/* A call ended, failed without the lock. walk: unless its beginning did. */
static __always_inline void wait_count(void *ctx, struct lock_key *key, __u64 delta_ns,
				       __u32 weight, int failed, bool walk)
{
	struct lock_value *row;

	if (!weight || !keep_interval(delta_ns))
		return;
	if (walk && key->kstack == STACK_NONE)
		key->kstack = kstack_of_current(ctx);
	row = lock_row(key);
	if (!row)
		return;
	if (failed)
		row_add(row->aborted, weight);
	else
		row_count(row, delta_ns, weight);
}

static __always_inline void wait_end(void *ctx, struct lock_start *start, int failed, bool walk)
{
	wait_count(ctx, &start->key, bpf_ktime_get_ns() - start->ts, start->weight, failed, walk);
}

/*
 * The running task has the lock from now on, and the filters keep it. An entry that is there
 * already is of a hold whose end was not seen: by lock:contended_release that is nothing unusual.
 * kstack: walked already; with walk it is not.
 */
static __always_inline void hold_begin(void *ctx, __u64 lock, __u32 how, __u64 kstack, bool walk,
				       __u32 weight)
{
	struct lock_start start = {.weight = weight};

	start.lock = lock;
	start.how = how;
	start.tid = current_tid();
	key_fill(&start.key, lock);
	start.key.kstack = walk ? kstack_of_current(ctx) : kstack;
	start.ts = bpf_ktime_get_ns();
	if (how == LOCK_CONTENDED)
		start_put(lock, &start);
	else
		start_put_new(lock, &start);
}

/* Whoever runs unlocks it: the row is of the task that locked. */
static __noinline void hold_end(__u64 lock)
{
	struct lock_start *start = bpf_map_lookup_elem(&starts, &lock);
	struct lock_value *row;
	__u64 delta_ns;

	if (!start)
		return;
	delta_ns = bpf_ktime_get_ns() - start->ts;
	row = keep_interval(delta_ns) ? lock_row(&start->key) : NULL;
	if (row)
		row_count(row, delta_ns, start->weight);
	bpf_map_delete_elem(&starts, &lock);
}

/*
 * What a program does stands in functions of their own, each with no more than it needs: the
 * verifier goes through all that a program contains, also what its configuration rules out.
 */
static __noinline void on_enter(void *ctx, __u64 lock, __u32 how)
{
	wait_begin(ctx, lock, how, false);
}

static __noinline void on_enter_walk(void *ctx, __u64 lock, __u32 how)
{
	wait_begin(ctx, lock, how, true);
}

/* lock: 0 where the hook does not have it (kretprobe) */
static __always_inline struct lock_start *start_of(__u64 tid, __u64 lock, __u32 how)
{
	struct lock_start *start = bpf_map_lookup_elem(&starts, &tid);

	return start && start->how == how && (!lock || start->lock == lock) ? start : NULL;
}

static __always_inline void wait_exit(void *ctx, __u64 lock, __u32 how, bool failed, bool walk)
{
	__u64 tid = current_tid();
	struct lock_start *start = start_of(tid, lock, how);

	if (!start)
		return;
	wait_end(ctx, start, failed, walk);
	bpf_map_delete_elem(&starts, &tid);
}

static __noinline void on_exit(void *ctx, __u64 lock, __u32 how, bool failed)
{
	wait_exit(ctx, lock, how, failed, false);
}

static __noinline void on_exit_walk(void *ctx, __u64 lock, __u32 how, bool failed)
{
	wait_exit(ctx, lock, how, failed, true);
}

/*
 * By the return alone, beside lock:contention_*: who met no contention took no time, and
 * mutex_lock() in mutex_lock_io() is that one's.
 */
static __noinline void on_return(void *ctx, __u64 lock, int failed)
{
	__u64 tid = current_tid(), delta_ns = 0;
	struct lock_key key = {};
	struct lock_start *start;
	__u32 weight;

	if (!keep_lock(lock) || !keep_current())
		return;
	start = bpf_map_lookup_elem(&starts, &tid);
	if (start && start->lock == lock) {
		if (start->how == LOCK_CALL_IO)
			return;
		key = start->key;
		weight = start->weight;
		delta_ns = start->how == LOCK_GOT ? start->ts : bpf_ktime_get_ns() - start->ts;
		bpf_map_delete_elem(&starts, &tid);
	} else {
		weight = sample_weight();
		if (weight)
			key_fill(&key, lock);
	}
	wait_count(ctx, &key, delta_ns, weight, failed, true);
}

static __noinline void on_locked(void *ctx, __u64 lock)
{
	__u32 weight = keep_lock(lock) ? keep_weight() : 0;

	if (weight)
		hold_begin(ctx, lock, LOCK_CALL, STACK_NONE, true, weight);
}

/* By a return probe, which knows neither the lock nor the stack: its entry has kept them. */
static __noinline void on_locked_probe(void *ctx, __u32 how, bool failed)
{
	__u64 tid = current_tid();
	struct lock_start *start = start_of(tid, 0, how);

	if (!start)
		return;
	if (!failed && start->weight)
		hold_begin(ctx, start->lock, how, start->key.kstack, false, start->weight);
	bpf_map_delete_elem(&starts, &tid);
}

/*
 * A locking function. failed says what its result means. Behind that are the arguments after the
 * lock, and the result, as the program on its return has them.
 * mlock: NAME_fentry, _fexit; where the stack is walked at the end, for what is kept only
 * (--min and --max), NAME_fentry_late, _fexit_late; NAME_return_fexit; NAME_kprobe, _kretprobe.
 * mheld: NAME_hold_fexit; NAME_kprobe, _hold_kretprobe.
 */
#define LOCKING(name, how, failed, ...)                            \
	SEC("fentry")                                              \
	int BPF_PROG(name##_fentry, void *lock)                    \
	{                                                          \
		on_enter_walk(ctx, (__u64)lock, how);              \
		return 0;                                          \
	}                                                          \
	SEC("fexit")                                               \
	int BPF_PROG(name##_fexit, void *lock, ##__VA_ARGS__)      \
	{                                                          \
		on_exit(ctx, (__u64)lock, how, failed);            \
		return 0;                                          \
	}                                                          \
	SEC("fentry")                                              \
	int BPF_PROG(name##_fentry_late, void *lock)               \
	{                                                          \
		on_enter(ctx, (__u64)lock, how);                   \
		return 0;                                          \
	}                                                          \
	SEC("fexit")                                               \
	int BPF_PROG(name##_fexit_late, void *lock, ##__VA_ARGS__) \
	{                                                          \
		on_exit_walk(ctx, (__u64)lock, how, failed);       \
		return 0;                                          \
	}                                                          \
	SEC("kretprobe")                                           \
	int BPF_KRETPROBE(name##_kretprobe, int ret)               \
	{                                                          \
		on_exit(ctx, 0, how, failed);                      \
		return 0;                                          \
	}                                                          \
	HOLDING(name, how, failed, ##__VA_ARGS__)

/* mlock: by its return alone. A result that is not 0 says that it failed. */
#define RETURNING(name, ret, ...)                                    \
	SEC("fexit")                                                 \
	int BPF_PROG(name##_return_fexit, void *lock, ##__VA_ARGS__) \
	{                                                            \
		on_return(ctx, (__u64)lock, ret);                    \
		return 0;                                            \
	}

/* One that does not wait: mheld only. */
#define HOLDING(name, how, failed, ...)                            \
	SEC("fexit")                                               \
	int BPF_PROG(name##_hold_fexit, void *lock, ##__VA_ARGS__) \
	{                                                          \
		if (!(failed))                                     \
			on_locked(ctx, (__u64)lock);               \
		return 0;                                          \
	}                                                          \
	SEC("kprobe")                                              \
	int BPF_KPROBE(name##_kprobe, void *lock)                  \
	{                                                          \
		on_enter_walk(ctx, (__u64)lock, how);              \
		return 0;                                          \
	}                                                          \
	SEC("kretprobe")                                           \
	int BPF_KRETPROBE(name##_hold_kretprobe, int ret)          \
	{                                                          \
		on_locked_probe(ctx, how, failed);                 \
		return 0;                                          \
	}

LOCKING(lock, LOCK_CALL, false)
LOCKING(io, LOCK_CALL_IO, false)
LOCKING(interruptible, LOCK_CALL, ret != 0, int ret)
LOCKING(killable, LOCK_CALL, ret != 0, int ret)
LOCKING(ww, LOCK_CALL, ret != 0, void *acquire, int ret)
LOCKING(ww_interruptible, LOCK_CALL, ret != 0, void *acquire, int ret)
HOLDING(trylock, LOCK_CALL, ret != 1, int ret)
HOLDING(ww_trylock, LOCK_CALL, ret != 1, void *acquire, int ret)

RETURNING(lock, 0)
RETURNING(interruptible, ret, int ret)
RETURNING(killable, ret, int ret)
RETURNING(ww, ret, void *acquire, int ret)
RETURNING(ww_interruptible, ret, void *acquire, int ret)

ON_ENTRY(unlock, hold_end((__u64)lock), void *lock)

/* Calls mutex_unlock() in the end on some kernels, which then finds nothing. */
ON_ENTRY(ww_unlock, hold_end((__u64)lock), void *lock)

#include "bpf/lock_contended.bpf.h"
