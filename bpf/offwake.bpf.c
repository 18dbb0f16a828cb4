// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * offwaketime: a task that gives up its CPU to wait opens an interval, its
 * switch-in closes it, and who woke it in between is put beside where it
 * blocked. A preempted task was not woken and opens nothing.
 *
 * One entry per thread. The interval's side is written only by the thread's own
 * switches, which the run queue orders. The waker's side is written under the
 * thread's pi_lock by whoever wakes it, and no wakeup of it can come between the
 * end of the last one and its switch-in. So of several wakings before a
 * switch-in the last is the one that ended the wait: those before it found the
 * thread still running. What they left is told by time, see stale_ns.
 */
#include "bpf/kernel.h"
#include "bpf/offwake.h"

const volatile struct offwake_cfg cfg SEC(".rodata.cfg");

#include "bpf/ktrace.bpf.h"
#include "bpf/sample.bpf.h"
#include "bpf/kstack.bpf.h"
#include "bpf/chain.bpf.h"

struct waker {
	__u64 ns; /* when it woke the thread; 0: nobody has since it ran */
	__u64 kstack, ustack;
	__u64 chain; /* of the waker */
	__u64 own;   /* what becomes the chain of the thread */
	__u32 tgid, tid;
	char comm[COMM_LEN];
};

/* ts 0: on its CPU. Kept until the thread ends, for a rewrite is cheaper than delete and insert. */
struct start {
	__u64 ts, kstack, ustack, cgroup;
	__u64 stale_ns; /* a waking of that time came before this wait */
	__u64 chain;    /* who woke it from its last wait, and so on */
	__u32 tgid, state;
	__u32 begun;          /* made when tracing began, not by a switch */
	__u32 kept;           /* the filter wants it; others are here for their chain only */
	__u32 weight, unused; /* how many it counts for; 0: here for its chain only */
	char comm[COMM_LEN];
	struct waker waker;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct start);
} starts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct offwake_key);
	__type(value, struct offwake_value);
} rows SEC(".maps");

static const struct offwake_value zero;
static const struct start new_start;

#define WANT_WAKER \
	(WANT_COMM | WANT_TGID | WANT_TID | WANT_CONTEXT | WANT_WAKER_KSTACK | WANT_WAKER_USTACK)

static __always_inline void key_fill(struct offwake_key *key, const struct start *start, __u32 tid)
{
	key->kstack = start->kstack;
	key->ustack = start->ustack;
	key->cgroup = start->cgroup;
	key->state = WANT(WANT_STATE) ? start->state : 0;
	__builtin_memcpy(key->target, start->comm, sizeof(key->target));
	if (WANT(WANT_TARGET_IDS | WANT_USTACK))
		key->target_tgid = start->tgid;
	if (WANT(WANT_TARGET_IDS))
		key->target_tid = tid;
}

static __always_inline void key_waker(struct offwake_key *key, const struct waker *waker)
{
	key->waker_kstack = waker->kstack;
	key->waker_ustack = waker->ustack;
	key->waker_tgid = waker->tgid;
	key->waker_tid = waker->tid;
	key->chain = waker->chain;
	__builtin_memcpy(key->waker, waker->comm, sizeof(key->waker));
}

/* The kernel did not report the wakeup: see switch_in_unseen(). */
static __always_inline void key_waker_unknown(struct offwake_key *key)
{
	if (!WANT(WANT_WAKER))
		return;
	key->waker_kstack = STACK_LOST;
	lose(stacks);
}

/*
 * Copies who ended the wait, before in_ns; false when nobody was seen to. After a
 * switch-in that was not seen a waker of the next wait may be writing meanwhile.
 */
static __always_inline bool waker_read(const struct start *start, struct waker *waker, __u64 in_ns)
{
	__u64 ns = *(volatile const __u64 *)&start->waker.ns;

	if (!ns || ns == start->stale_ns || ns > in_ns)
		return false;
	*waker = start->waker;
	barrier();
	return *(volatile const __u64 *)&start->waker.ns == ns;
}

/* The task off its CPU since out_ns got it again. */
static __always_inline void interval_end(struct start *start, __u32 tid, __u64 out_ns, __u64 in_ns)
{
	struct offwake_key key = {};
	struct offwake_value *row;
	struct waker waker = {}; /* 5.10 refuses a look at what is not set, even if unused */
	bool known = waker_read(start, &waker, in_ns);

	start->chain = known ? waker.own : start->begun ? STACK_NONE : STACK_LOST;
	if (!start->weight || !keep_interval(in_ns - out_ns))
		return;
	key_fill(&key, start, tid);
	if (known)
		key_waker(&key, &waker);
	else
		key_waker_unknown(&key);
	row = row_get(&rows, &key, &zero);
	if (!row)
		return;
	row_intervals(row, in_ns - out_ns, start->weight);
}

/*
 * A task leaves its CPU that was never seen to get it: see offcpu.bpf.c. Its
 * waker may already be that of the wait that begins now: then the old one is
 * not known any more.
 */
static __always_inline void switch_in_unseen(struct start *start, struct task_struct *task,
					     __u32 tid)
{
	__u64 out_ns = start->ts, in_ns;

	start->ts = 0;
	start->chain = start->begun ? STACK_NONE : STACK_LOST;
	if (start->begun)
		return;
	in_ns = picked_ns(task);
	if (in_ns <= out_ns)
		lose(events);
	else
		interval_end(start, tid, out_ns, in_ns);
}

static __always_inline void target_fill(struct start *start, void *ctx, struct task_struct *task,
					__u32 raw, bool btf)
{
	start->tgid = TASK(btf, task, tgid);
	start->state = state_index_of_raw(raw);
	start->ustack = ustack_of(ctx, task, btf);
	start->kstack = kstack_of_current(ctx);
	start->cgroup = WANT(WANT_CGROUP) ? cgroup_id(task) : 0;
	if (WANT(WANT_TARGET))
		bpf_probe_read_kernel(start->comm, sizeof(start->comm), task->comm);
}

/* prev leaves its CPU; it still is the running task, so its own stacks can be walked. */
static __always_inline void switch_out(void *ctx, struct task_struct *prev, __u32 raw, bool btf)
{
	__u32 tid = TASK(btf, prev, pid);
	struct start *start;
	bool kept;

	if (!tid)
		return;
	kept = keep_task(prev, btf);
	if (!kept && !cfg.chain)
		return;
	start = bpf_map_lookup_elem(&starts, &tid);
	if (start && start->ts)
		switch_in_unseen(start, prev, tid);
	if (raw & STATE_RAW_DEAD) {
		if (start)
			bpf_map_delete_elem(&starts, &tid);
		return;
	}
	/* The entry is there before the walks: a waker may come meanwhile. */
	if (!start)
		start = start_new(&starts, &tid, &new_start);
	if (!start)
		return;
	start->kept = kept;
	start->weight = kept && raw ? sample_weight() : 0;
	if (!raw || (!start->weight && !cfg.chain))
		return;
	start->stale_ns = start->waker.ns;
	if (start->stale_ns && being_woken(prev))
		start->stale_ns = 0;
	if (start->weight)
		target_fill(start, ctx, prev, raw, btf);
	start->begun = 0;
	start->ts = bpf_ktime_get_ns();
}

static __always_inline void switch_in(__u32 tid)
{
	struct start *start = bpf_map_lookup_elem(&starts, &tid);
	__u64 out_ns;

	if (!start)
		return;
	out_ns = start->ts;
	if (out_ns) {
		start->ts = 0;
		interval_end(start, tid, out_ns, bpf_ktime_get_ns());
	}
	start->waker.ns = 0;
}

static __always_inline void on_switch(void *ctx, struct task_struct *prev, __u32 raw,
				      struct task_struct *next, bool btf)
{
	switch_out(ctx, prev, raw, btf);
	switch_in(TASK(btf, next, pid));
}

static __always_inline void on_record(struct trace_event_raw_sched_switch *ctx,
				      struct task_struct *prev, __u32 raw)
{
	switch_out(ctx, prev, raw, false);
	switch_in(ctx->next_pid);
}

#include "bpf/switch.bpf.h"

/*
 * The chain of the running task. Idle never waits: an interrupt runs then, and
 * has none. An open interval is one whose end was not seen.
 */
static __always_inline __u64 chain_of_current(__u32 tid)
{
	struct start *start = tid ? bpf_map_lookup_elem(&starts, &tid) : NULL;
	struct waker waker = {};
	__u64 chain;

	if (!start)
		return STACK_NONE;
	chain = start->chain;
	if (start->ts)
		chain = waker_read(start, &waker, bpf_ktime_get_ns()) ? waker.own : STACK_LOST;
	if (chain == STACK_LOST)
		lose(stacks);
	return chain;
}

/* Who the running context is, as far as it is shown. */
static __always_inline void waker_fill(struct waker *waker, void *ctx, __u64 id, bool kept)
{
	bool ids = WANT(WANT_TGID | WANT_WAKER_USTACK);

	if (WANT(WANT_COMM) || cfg.chain)
		bpf_get_current_comm(waker->comm, sizeof(waker->comm));
	waker->tgid = ids ? id >> 32 : 0;
	waker->tid = WANT(WANT_TID) ? (__u32)id : 0;
	if (WANT(WANT_WAKER_KSTACK | WANT_CONTEXT))
		waker->kstack = kernel_stack_of_current(ctx);
	waker->ustack = WANT(WANT_WAKER_USTACK) && kept
			    ? user_stack_of(ctx, (void *)bpf_get_current_task(), false)
			    : STACK_NONE;
	if (cfg.chain) {
		waker->chain = chain_of_current((__u32)id);
		waker->own = chain_push(waker->kstack, waker->comm, waker->chain);
	}
}

/* Who wakes a thread that has left its CPU for a wait that was not drawn nobody wants to know. */
static __always_inline bool is_asked_for(const struct start *start, struct task_struct *task)
{
	return !cfg.filter.sampled || cfg.chain || start->ts || !task || on_cpu(task);
}

/*
 * tid is woken by the running context. One that wakes itself was not off its CPU; one that
 * has no entry may be leaving it for the first time. task: NULL where the hook has none.
 */
static __always_inline void on_waking(void *ctx, __u32 tid, struct task_struct *task, bool btf)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct start *start;
	bool kept;

	if (!WANT(WANT_WAKER) || tid == (__u32)id)
		return;
	start = bpf_map_lookup_elem(&starts, &tid);
	if (!start) {
		if (!task || !on_cpu(task))
			return;
		kept = keep_task(task, btf);
		start = kept || cfg.chain ? start_new(&starts, &tid, &new_start) : NULL;
		if (!start)
			return;
		start->kept = kept;
	}
	if (!is_asked_for(start, task))
		return;
	start->waker.ns = 0;
	waker_fill(&start->waker, ctx, id, start->kept);
	start->waker.ns = bpf_ktime_get_ns();
}

SEC("tp_btf/sched_waking")
int BPF_PROG(waking_btf, struct task_struct *task)
{
	on_waking(ctx, task->pid, task, true);
	return 0;
}

SEC("raw_tp/sched_waking")
int BPF_PROG(waking_raw, struct task_struct *task)
{
	on_waking(ctx, BPF_CORE_READ(task, pid), task, false);
	return 0;
}

SEC("tp/sched/sched_waking")
int waking_tp(struct trace_event_raw_sched_wakeup_template *ctx)
{
	on_waking(ctx, ctx->pid, NULL, false);
	return 0;
}

/*
 * Threads that wait when tracing begins: their interval opens now. Not that of
 * one whose waker comes while its entry is made: he does not see it yet.
 */
static __always_inline void begin_keep(struct task_struct *task, __u32 tid, const struct start *new)
{
	struct start *start;
	long err = bpf_map_update_elem(&starts, &tid, new, BPF_NOEXIST);

	start = bpf_map_lookup_elem(&starts, &tid);
	if (!start)
		lose(events);
	else if (!err && (!sleeps(task) || task_state(task, true) & STATE_RAW_WAKING))
		start->ts = 0;
}

SEC("iter/task")
int tasks_begin(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct start start = {};
	__u32 raw, tid;

	if (!task || !sleeps(task) || (__u32)task->tgid == cfg.command_tgid)
		return 0;
	raw = task_state(task, true);
	start.weight = start.kept = keep_task(task, true);
	if ((!start.kept && !cfg.chain) || raw & STATE_RAW_WAKING)
		return 0;
	tid = task->pid;
	start.ts = bpf_ktime_get_ns();
	start.begun = 1;
	start.tgid = task->tgid;
	start.state = state_index_of_raw(raw);
	start.cgroup = WANT(WANT_CGROUP) ? cgroup_id(task) : 0;
	if (WANT(WANT_TARGET))
		bpf_probe_read_kernel(start.comm, sizeof(start.comm), task->comm);
	if (WANT(WANT_KSTACK) && start.kept)
		start.kstack = stack_of_task(task);
	begin_keep(task, tid, &start);
	return 0;
}
