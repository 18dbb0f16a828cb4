// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * wakeuptime: a task that gives up its CPU to wait opens an interval, the wakeup
 * that ends the wait closes it. sched_waking runs in the waker's own context,
 * sched_wakeup may run on the target's CPU in an interrupt. A preempted task
 * waits for a CPU, not for a waker, and opens nothing.
 */
#include "bpf/kernel.h"
#include "bpf/wakeup.h"

const volatile struct wakeup_cfg cfg SEC(".rodata.cfg");

#include "bpf/ktrace.bpf.h"
#include "bpf/sample.bpf.h"
#include "bpf/kstack.bpf.h"

/* ts 0: it does not wait. Kept until the thread ends. */
struct start {
	__u64 ts, cgroup;
	__u32 tgid;
	__u32 weight; /* how many it counts for */
	__u8 begun;   /* made when tracing began, not by a switch */
	__u8 early;   /* woken while it ran: who did it is in earlies */
	__u8 unused[6];
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
	__type(key, struct wakeup_key);
	__type(value, struct wakeup_value);
} rows SEC(".maps");

/*
 * Wakers of tasks that were still on their CPU. sched_waking may come as soon as a task
 * has said that it is going to wait, long before its sched_switch. Some of these tasks
 * run on. Who takes the entry out counts the wait: the task as it leaves its CPU, or the
 * waker, when it sees that the task has left meanwhile.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct wakeup_key);
} earlies SEC(".maps");

static const struct wakeup_value zero;
static const struct start running;

/* The thread that waits, as far as it is shown. */
static __always_inline void key_target(struct wakeup_key *key, const struct start *start, __u32 tid,
				       const char *comm)
{
	if (WANT(WANT_TARGET))
		bpf_probe_read_kernel(key->target, sizeof(key->target), comm);
	if (WANT(WANT_TARGET_IDS)) {
		key->target_tgid = start->tgid;
		key->target_tid = tid;
	}
	key->cgroup = start->cgroup;
}

/* Who the running context is, and the thread it wakes, as far as they are shown. */
static __always_inline void key_fill(void *ctx, struct wakeup_key *key, const struct start *start,
				     __u32 tid, const char *comm)
{
	__u64 id = bpf_get_current_pid_tgid();

	key_target(key, start, tid, comm);
	if (WANT(WANT_COMM))
		bpf_get_current_comm(key->waker, sizeof(key->waker));
	if (WANT(WANT_TGID | WANT_USTACK))
		key->waker_tgid = id >> 32;
	if (WANT(WANT_TID))
		key->waker_tid = (__u32)id;
	if (WANT(WANT_KSTACK | WANT_CONTEXT))
		key->kstack = kernel_stack_of_current(ctx);
	key->ustack = ustack_of_current(ctx);
}

static __always_inline void row_count(const struct wakeup_key *key, __u64 delta_ns, __u32 weight)
{
	struct wakeup_value *row = row_get(&rows, key, &zero);

	if (!row)
		return;
	row_intervals(row, delta_ns, weight);
}

/*
 * The task ran although nobody was seen to wake it: some kernels lose the event,
 * see offcpu.bpf.c, and the classic record does not say that a task is leaving. It waited until it
 * was picked at most; its waker is unknown.
 */
static __always_inline void wakeup_unseen(const struct start *start, __u64 out_ns,
					  struct task_struct *task, __u32 tid)
{
	__u64 in_ns = picked_ns(task);
	struct wakeup_key key = {};

	if (in_ns <= out_ns) {
		lose(events);
		return;
	}
	if (!keep_interval(in_ns - out_ns))
		return;
	key_target(&key, start, tid, task->comm);
	if (WANT(WANT_KSTACK | WANT_CONTEXT))
		key.kstack = STACK_LOST;
	lose(stacks);
	row_count(&key, in_ns - out_ns, start->weight);
}

/*
 * The wait took no time, if nobody else counts it. No time is added: LLVM makes an atomic
 * of another kind of adding 0, and 5.10 knows no other.
 */
static __always_inline void early_count(struct start *start, __u32 tid,
					const struct wakeup_key *key)
{
	struct wakeup_value *row;

	if (bpf_map_delete_elem(&earlies, &tid))
		return;
	start->early = 0;
	start->ts = 0;
	if (!keep_interval(0))
		return;
	row = row_get(&rows, key, &zero);
	if (row)
		row_add(row->count, start->weight);
}

/* The task leaves its CPU, and somebody woke it before: from this wait, or did it run on? */
static __always_inline void early_decide(struct start *start, __u32 tid, struct task_struct *task,
					 bool waits)
{
	const struct wakeup_key *early;
	struct wakeup_key key;

	if (!waits || !being_woken(task)) {
		start->early = 0;
		bpf_map_delete_elem(&earlies, &tid);
		return;
	}
	early = bpf_map_lookup_elem(&earlies, &tid);
	if (!early)
		return;
	key = *early; /* which is another's as soon as it is deleted */
	early_count(start, tid, &key);
}

static __always_inline void wait_begin(struct task_struct *task, __u32 raw, bool btf)
{
	__u32 tid = TASK(btf, task, pid);
	struct start *start;
	__u32 weight;
	__u64 out_ns;

	if (!tid || !keep_task(task, btf))
		return;
	weight = raw && !(raw & STATE_RAW_DEAD) ? sample_weight() : 0;
	start = bpf_map_lookup_elem(&starts, &tid);
	/* Read once: a waker on another CPU may clear it at any moment. */
	out_ns = start ? *(volatile __u64 *)&start->ts : 0;
	if (out_ns && !start->begun)
		wakeup_unseen(start, out_ns, task, tid);
	if (!start) {
		if (!weight)
			return;
		start = start_new(&starts, &tid, &running);
		if (!start)
			return;
	}
	start->ts = 0;
	if (weight) {
		start->tgid = TASK(btf, task, tgid);
		start->cgroup = WANT(WANT_CGROUP) ? cgroup_id(task) : 0;
		start->begun = 0;
		start->weight = weight;
		/* Added, which other CPUs see before early is read: see wake_early(). */
		__sync_fetch_and_add(&start->ts, bpf_ktime_get_ns());
	}
	if (*(volatile __u8 *)&start->early)
		early_decide(start, tid, task, weight);
	if (raw & STATE_RAW_DEAD)
		bpf_map_delete_elem(&starts, &tid);
}

/*
 * Keeps who woke the task until it leaves its CPU. Either the task sees that as it leaves, or
 * the waker that it has left: each writes its own and then, behind a barrier, reads the
 * other's.
 */
static __always_inline void wake_early(struct start *start, __u32 tid, const struct wakeup_key *key)
{
	if (!start)
		start = start_new(&starts, &tid, &running);
	if (!start)
		return;
	start->early = 1;
	if (bpf_map_update_elem(&earlies, &tid, key, BPF_ANY))
		lose(events);
	else if (*(volatile __u64 *)&start->ts)
		early_count(start, tid, key);
}

/*
 * tid is woken by the running context. task: NULL where the hook does not have it. Stacks
 * are walked in one place: the tracer's own frames are part of what a stack is kept under.
 */
static __always_inline void wait_end(void *ctx, __u32 tid, const char *comm,
				     struct task_struct *task, bool btf)
{
	struct start *start = bpf_map_lookup_elem(&starts, &tid);
	struct start of_target = {};
	struct wakeup_key key = {};
	__u64 out_ns, delta_ns = 0;
	__u32 weight = 0;

	out_ns = start ? *(volatile __u64 *)&start->ts : 0;
	if (start && out_ns) {
		delta_ns = bpf_ktime_get_ns() - out_ns;
		start->ts = 0;
		if (!keep_interval(delta_ns))
			return;
		weight = start->weight;
		of_target.tgid = start->tgid;
		of_target.cgroup = start->cgroup;
	} else {
		/* Who is interrupted as it is going to wait does not: nobody else woke it. */
		if (!task || !on_cpu(task) || tid == (__u32)bpf_get_current_pid_tgid() ||
		    !keep_task(task, btf))
			return;
		of_target.tgid = TASK(btf, task, tgid);
		of_target.cgroup = WANT(WANT_CGROUP) ? cgroup_id(task) : 0;
	}
	key_fill(ctx, &key, &of_target, tid, comm);
	if (out_ns)
		row_count(&key, delta_ns, weight);
	else
		wake_early(start, tid, &key);
}

/* Threads that wait when tracing begins: their interval opens now. */
SEC("iter/task")
int tasks_begin(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct start start = {};
	__u32 tid;

	if (!task || !sleeps(task) || (__u32)task->tgid == cfg.command_tgid ||
	    !keep_task(task, true))
		return 0;
	tid = task->pid;
	start.ts = bpf_ktime_get_ns();
	start.begun = 1;
	start.weight = 1;
	start.tgid = task->tgid;
	start.cgroup = WANT(WANT_CGROUP) ? cgroup_id(task) : 0;
	start_new(&starts, &tid, &start);
	return 0;
}

static __always_inline void on_switch(void *ctx, struct task_struct *prev, __u32 raw,
				      struct task_struct *next, bool btf)
{
	wait_begin(prev, raw, btf);
}

static __always_inline void on_record(struct trace_event_raw_sched_switch *ctx,
				      struct task_struct *prev, __u32 raw)
{
	wait_begin(prev, raw, false);
}

#include "bpf/switch.bpf.h"

SEC("tp_btf/sched_waking")
int BPF_PROG(waking_btf, struct task_struct *task)
{
	wait_end(ctx, task->pid, task->comm, task, true);
	return 0;
}

SEC("raw_tp/sched_waking")
int BPF_PROG(waking_raw, struct task_struct *task)
{
	wait_end(ctx, BPF_CORE_READ(task, pid), task->comm, task, false);
	return 0;
}

SEC("tp/sched/sched_waking")
int waking_tp(struct trace_event_raw_sched_wakeup_template *ctx)
{
	wait_end(ctx, ctx->pid, ctx->comm, NULL, false);
	return 0;
}
