// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * offcputime: an interval opens when a task leaves its CPU and closes when it
 * is switched in again. One entry per thread, written only by that thread's own
 * switches, which the run queue orders: no lock, no atomic.
 *
 * Stacks are walked at switch-out. Under --min and --budget that would be paid
 * for many intervals that are not kept. Where the kernel can, those of kept ones
 * are walked at the end of the switch (bpf/late.bpf.h); else, where the verifier
 * knows the task (tp_btf), the kernel's are at switch-in, at the price that
 * bpf_get_task_stack() leaves out functions of the scheduler (.sched.text) such as
 * do_nanosleep.
 */
#include "bpf/kernel.h"
#include "bpf/offcpu.h"

const volatile struct offcpu_cfg cfg SEC(".rodata.cfg");

#include "bpf/ktrace.bpf.h"
#include "bpf/sample.bpf.h"
#include "bpf/kstack.bpf.h"
#include "bpf/budget.bpf.h"

/* ts 0: on its CPU. Kept until the thread ends, for a rewrite is cheaper than delete and insert. */
struct start {
	__u64 ts, kstack, ustack, cgroup;
	__u32 tgid, state;
	__u32 begun;  /* made when tracing began, not by a switch */
	__u32 weight; /* how many it counts for */
	char comm[COMM_LEN];
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
	__type(key, struct offcpu_key);
	__type(value, struct offcpu_value);
} rows SEC(".maps");

static const struct offcpu_value zero;

/* When the stacks of an interval are walked; a constant in each program. */
enum walk_when {
	WALK_OUT,  /* as it opens */
	WALK_IN,   /* the user's so, the kernel's when it has ended and is kept */
	WALK_LATE, /* both when it is kept and the thread has its CPU */
};

/* Are there intervals that are not kept, whose stacks would be walked in vain? */
#define DROPS_INTERVALS (cfg.filter.min_ns || cfg.budget_ns)

static __always_inline bool keep_state(__u32 raw)
{
	if (!cfg.state.on)
		return true;
	if (cfg.state.by_raw)
		return cfg.state.raw_mask ? raw & cfg.state.raw_mask : !raw;
	return cfg.state.letters & (1U << state_index_of_raw(raw));
}

/* But for the kernel's stack. */
static __always_inline void key_fill(struct offcpu_key *key, const struct start *start, __u32 tid)
{
	__builtin_memcpy(key->comm, start->comm, sizeof(key->comm));
	key->ustack = start->ustack;
	key->cgroup = start->cgroup;
	key->tgid = WANT(WANT_TGID | WANT_USTACK) ? start->tgid : 0;
	key->tid = WANT(WANT_TID) ? tid : 0;
	key->state = WANT(WANT_STATE) ? start->state : 0;
}

static __noinline void row_count(const struct start *start, __u32 tid, __u64 delta_ns)
{
	struct offcpu_key key = {};
	struct offcpu_value *row;

	key_fill(&key, start, tid);
	key.kstack = start->kstack;
	row = row_get(&rows, &key, &zero);
	if (!row)
		return;
	if (is_sampled(delta_ns))
		row_sampled(row, delta_ns);
	else
		row_intervals(row, delta_ns, start->weight);
}

#include "bpf/late.bpf.h"

/* It is kept. */
static __always_inline void interval_end(struct start *start, __u64 delta_ns, __u32 tid,
					 struct task_struct *task, enum walk_when when)
{
	if (WANT(WANT_KSTACK) && when == WALK_IN && !start->begun)
		start->kstack = stack_of_task(task);
	row_count(start, tid, delta_ns);
}

/* It is kept, and what is still to be walked cannot be any more: the task has run since. */
static __always_inline void interval_end_unseen(struct start *start, __u64 delta_ns, __u32 tid,
						struct task_struct *task, enum walk_when when)
{
	if (WANT(WANT_KSTACK) && when != WALK_OUT) {
		start->kstack = STACK_LOST;
		lose(stacks);
	}
	if (WANT(WANT_USTACK) && when == WALK_LATE && task->mm) {
		start->ustack = STACK_LOST;
		lose(stacks);
	}
	row_count(start, tid, delta_ns);
}

/*
 * A task leaves its CPU that was never seen to get it: some kernels lose the
 * switch (6.18 under a hypervisor, out of idle; ftrace misses the same ones).
 * An entry made when tracing began may be of a task that was just getting its
 * CPU.
 */
static __always_inline void switch_in_unseen(struct start *start, struct task_struct *task,
					     __u32 tid, enum walk_when when)
{
	__u64 in_ns, out_ns = start->ts;

	start->ts = 0;
	if (start->begun)
		return;
	in_ns = picked_ns(task);
	if (in_ns <= out_ns)
		lose(events);
	else if (keep_interval(in_ns - out_ns) && keep_sampled(in_ns - out_ns))
		interval_end_unseen(start, in_ns - out_ns, tid, task, when);
}

/* prev leaves its CPU; it still is the running task, so its own stacks can be walked. */
static __always_inline void switch_out(void *ctx, struct task_struct *prev, __u32 raw, bool btf,
				       enum walk_when when)
{
	__u32 tid = TASK(btf, prev, pid);
	struct start *start, new = {};
	__u32 weight;

	if (!tid || !keep_task(prev, btf))
		return;
	start = bpf_map_lookup_elem(&starts, &tid);
	if (start && start->ts)
		switch_in_unseen(start, prev, tid, when);
	if (raw & STATE_RAW_DEAD) {
		if (start)
			bpf_map_delete_elem(&starts, &tid);
		return;
	}
	weight = keep_state(raw) ? sample_weight() : 0;
	if (!weight) {
		if (start)
			start->ts = 0;
		return;
	}
	if (!start)
		start = start_new(&starts, &tid, &new);
	if (!start)
		return;
	start->tgid = TASK(btf, prev, tgid);
	start->state = state_index_of_raw(raw);
	start->ustack = when == WALK_LATE ? STACK_NONE : ustack_of(ctx, prev, btf);
	start->kstack = when == WALK_OUT ? kstack_of_current(ctx) : STACK_NONE;
	start->cgroup = WANT(WANT_CGROUP) ? cgroup_id(prev) : 0;
	if (WANT(WANT_COMM))
		bpf_probe_read_kernel(start->comm, sizeof(start->comm), prev->comm);
	start->begun = 0;
	start->weight = weight;
	start->ts = bpf_ktime_get_ns();
}

/* Closes tid's interval. next: NULL where the hook has no task pointer, and WALK_OUT. */
static __always_inline void switch_in(__u32 tid, struct task_struct *next, enum walk_when when)
{
	struct start *start = bpf_map_lookup_elem(&starts, &tid);
	__u64 delta_ns;

	if (!start || !start->ts)
		return;
	delta_ns = bpf_ktime_get_ns() - start->ts;
	start->ts = 0;
	if (keep_interval(delta_ns) && keep_sampled(delta_ns))
		interval_end(start, delta_ns, tid, next, when);
}

static __always_inline void on_switch(void *ctx, struct task_struct *prev, __u32 raw,
				      struct task_struct *next, bool btf)
{
	enum walk_when when = btf && DROPS_INTERVALS ? WALK_IN : WALK_OUT;

	switch_out(ctx, prev, raw, btf, when);
	switch_in(TASK(btf, next, pid), next, when);
}

static __always_inline void on_record(struct trace_event_raw_sched_switch *ctx,
				      struct task_struct *prev, __u32 raw)
{
	switch_out(ctx, prev, raw, false, WALK_OUT);
	switch_in(ctx->next_pid, NULL, WALK_OUT);
}

#include "bpf/switch.bpf.h"

SEC("tp_btf/sched_switch")
int BPF_PROG(switch_late, bool preempt, struct task_struct *prev, struct task_struct *next,
	     unsigned int prev_state)
{
	switch_out(ctx, prev, preempt ? 0 : prev_state, true, WALK_LATE);
	late_begin();
	return 0;
}

SEC("tp_btf/sched_exit_tp")
int switched_btf(void *ctx)
{
	late_end(ctx);
	return 0;
}

/*
 * Threads that sleep when tracing begins have no switch-out to see: their
 * interval opens now. A task that is woken meanwhile leaves an entry that its
 * next switch-out rewrites; the report below looks at on_cpu and state again.
 */
SEC("iter/task")
int tasks_begin(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct start start = {};
	__u32 raw, tid;

	if (!task || !sleeps(task) || (__u32)task->tgid == cfg.command_tgid)
		return 0;
	raw = task_state(task, true);
	if (!keep_state(raw) || !keep_task(task, true))
		return 0;
	tid = task->pid;
	start.ts = bpf_ktime_get_ns();
	start.begun = 1;
	start.weight = 1;
	if (WANT(WANT_COMM))
		bpf_probe_read_kernel(start.comm, sizeof(start.comm), task->comm);
	start.tgid = task->tgid;
	start.state = state_index_of_raw(raw);
	start.cgroup = WANT(WANT_CGROUP) ? cgroup_id(task) : 0;
	if (WANT(WANT_KSTACK))
		start.kstack = stack_of_task(task);
	start_new(&starts, &tid, &start);
	return 0;
}

/* Threads off their CPU at the time of a report: their interval up to now. */
static __always_inline void task_blocked(struct bpf_iter__task *ctx, bool late)
{
	struct task_struct *task = ctx->task;
	struct offcpu_blocked out = {};
	struct start *start;
	__u64 since;
	__u32 tid;

	if (!task || !task->pid)
		return;
	tid = task->pid;
	start = bpf_map_lookup_elem(&starts, &tid);
	if (!start)
		return;
	since = start->ts;
	if (!since || task->exit_state || on_cpu(task))
		return;
	out.delta_ns = bpf_ktime_get_ns() - since;
	if (!keep_interval(out.delta_ns))
		return;
	key_fill(&out.key, start, tid);
	out.key.kstack = start->kstack;
	out.weight = start->weight;
	if (WANT(WANT_KSTACK) && DROPS_INTERVALS && !start->begun)
		out.key.kstack = stack_of_task(task);
	if (late)
		out.key.ustack = ustack_of_blocked(task);
	if (start->ts == since)
		bpf_seq_write(ctx->meta->seq, &out, sizeof(out));
}

SEC("iter/task")
int tasks_blocked(struct bpf_iter__task *ctx)
{
	task_blocked(ctx, false);
	return 0;
}

/* May sleep, and so read what others have in their memory. */
SEC("iter.s/task")
int tasks_blocked_late(struct bpf_iter__task *ctx)
{
	task_blocked(ctx, true);
	return 0;
}
