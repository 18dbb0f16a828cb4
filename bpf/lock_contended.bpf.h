/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Mutexes seen by lock:contention_*. Part of lock.bpf.c. */
#ifndef KTRACE_LOCK_CONTENDED_BPF_H
#define KTRACE_LOCK_CONTENDED_BPF_H

/* LCB_F_*, include/trace/events/lock.h: macros, the same from 5.19 to 7.3 */
#define CONTENDED_RT 8
#define CONTENDED_MUTEX 32

#define INNERMOST 12

/* Is one of the innermost frames in one of cfg's functions? */
static __always_inline bool is_other_rt_lock(void *ctx)
{
	/* raw programs may not leave it uninitialized (6.1) */
	__u64 ip[INNERMOST] = {};
	long bytes = bpf_get_stack(ctx, ip, sizeof(ip), 0);
	__u32 i, j;

	for (i = 0; i < INNERMOST; i++)
		for (j = 0; j < RT_OTHERS; j++)
			if (bytes >= (long)(i + 1) * 8 && j < cfg.n_rt_others &&
			    ip[i] >= cfg.rt_others[j].lo && ip[i] < cfg.rt_others[j].hi)
				return true;
	return false;
}

static __always_inline bool is_mutex(void *ctx, __u32 flags)
{
	if (flags & CONTENDED_MUTEX)
		return true;
	return cfg.n_rt_others && flags == CONTENDED_RT && !is_other_rt_lock(ctx);
}

/* mlock under --min and --max: at the end, for what is kept only. */
static __always_inline bool walk_late(void)
{
	return cfg.filter.min_ns || cfg.filter.max_ns;
}

static __noinline void on_contention(void *ctx, __u64 lock, __u32 flags)
{
	if (is_mutex(ctx, flags))
		wait_begin(ctx, lock, LOCK_CONTENDED, !cfg.held && !walk_late());
}

static __noinline void on_contention_end(void *ctx, __u64 lock, int ret)
{
	__u64 tid = current_tid();
	struct lock_start *start = bpf_map_lookup_elem(&starts, &tid);

	if (!start || start->lock != lock)
		return;
	if (!cfg.held)
		wait_end(ctx, start, ret != 0, walk_late());
	else if (!ret && start->weight)
		hold_begin(ctx, lock, LOCK_CONTENDED, STACK_NONE, true, start->weight);
	else if (!ret) /* an older hold whose release was not seen is not to be taken for this */
		bpf_map_delete_elem(&starts, &lock);
	bpf_map_delete_elem(&starts, &tid);
}

/* The wait is over; its function's return counts it, and says whether it has the lock. */
static __noinline void on_contention_got(__u64 lock)
{
	__u64 tid = current_tid();
	struct lock_start *start = bpf_map_lookup_elem(&starts, &tid);

	if (!start || start->lock != lock || start->how != LOCK_CONTENDED)
		return;
	start->ts = bpf_ktime_get_ns() - start->ts;
	start->how = LOCK_GOT;
}

/*
 * Someone waits as the lock is let go. Of whose acquisition nobody knows is left out, and
 * so is an acquisition by another task than this one, whose release nobody waited for.
 */
static __always_inline void on_contended_release(__u64 lock)
{
	struct lock_start *start = bpf_map_lookup_elem(&starts, &lock);

	if (!start)
		return;
	if (start->tid == current_tid())
		hold_end(lock);
	else
		bpf_map_delete_elem(&starts, &lock);
}

ON_EVENT_ADDRESS(begin_btf, begin_raw, contention_begin, 0, on_contention(ctx, address, flags),
		 void *lock, unsigned int flags)

SEC("tp/lock/contention_begin")
int begin_tp(struct trace_event_raw_contention_begin *ctx)
{
	on_contention(ctx, (__u64)ctx->lock_addr, ctx->flags);
	return 0;
}

ON_EVENT_ADDRESS(end_btf, end_raw, contention_end, 0, on_contention_end(ctx, address, ret),
		 void *lock, int ret)

SEC("tp/lock/contention_end")
int end_tp(struct trace_event_raw_contention_end *ctx)
{
	on_contention_end(ctx, (__u64)ctx->lock_addr, ctx->ret);
	return 0;
}

ON_EVENT_ADDRESS(got_btf, got_raw, contention_end, 0, on_contention_got(address), void *lock,
		 int ret)

SEC("tp/lock/contention_end")
int got_tp(struct trace_event_raw_contention_end *ctx)
{
	on_contention_got((__u64)ctx->lock_addr);
	return 0;
}

ON_EVENT_ADDRESS(release_btf, release_raw, contended_release, 0, on_contended_release(address))

SEC("tp/lock/contended_release")
int release_tp(struct trace_event_raw_contended_release *ctx)
{
	on_contended_release((__u64)ctx->lock_addr);
	return 0;
}

#endif
