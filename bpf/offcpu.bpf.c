// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * offcputime: an interval opens when a task leaves its CPU and closes when it
 * is switched in again. One entry per thread, written only by that thread's own
 * switches, which the run queue orders: no lock, no atomic.
 *
 * The stack is walked at switch-out. Under --min and --budget that would be paid
 * for many intervals that are not kept: where the verifier knows the task (tp_btf) it is
 * walked at switch-in, at the price that bpf_get_task_stack() leaves out
 * functions of the scheduler (.sched.text) such as do_nanosleep.
 */
#include "bpf/kernel.h"
#include "bpf/offcpu.h"

const volatile struct offcpu_cfg cfg SEC(".rodata.cfg");

#include "bpf/ktrace.bpf.h"
#include "bpf/kstack.bpf.h"
#include "bpf/budget.bpf.h"

/* ts 0: on its CPU. Kept until the thread ends, for a rewrite is cheaper than delete and insert. */
struct start {
	__u64 ts, kstack, ustack, cgroup;
	__u32 tgid, state;
	__u64 begun; /* made when tracing began, not by a switch */
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

static __always_inline bool keep_state(__u32 raw)
{
	if (!cfg.state.on)
		return true;
	if (cfg.state.by_raw)
		return cfg.state.raw_mask ? raw & cfg.state.raw_mask : !raw;
	return cfg.state.letters & (1U << state_index_of_raw(raw));
}

static __always_inline bool walk_late(bool btf)
{
	return btf && (cfg.filter.min_ns || cfg.budget_ns);
}

static __always_inline void interval_end(const struct start *start, __u64 delta_ns, __u32 tid,
					 struct task_struct *task, bool late);

/*
 * A task leaves its CPU that was never seen to get it: some kernels lose the
 * switch (6.18 under a hypervisor, out of idle; ftrace misses the same ones).
 * An entry made when tracing began may be of a task that was just getting its
 * CPU.
 */
static __always_inline void switch_in_unseen(struct start *start, struct task_struct *task,
					     __u32 tid, bool btf)
{
	__u64 in_ns, out_ns = start->ts;

	start->ts = 0;
	if (start->begun)
		return;
	in_ns = picked_ns(task);
	if (in_ns <= out_ns)
		lose(events);
	else if (keep_interval(in_ns - out_ns) && keep_sampled(in_ns - out_ns))
		interval_end(start, in_ns - out_ns, tid, NULL, walk_late(btf));
}

/* prev leaves its CPU; it still is the running task, so its own stacks can be walked. */
static __always_inline void switch_out(void *ctx, struct task_struct *prev, __u32 raw, bool btf)
{
	__u32 tid = TASK(btf, prev, pid);
	struct start *start, new = {};

	if (!tid || !keep_task(prev, btf))
		return;
	start = bpf_map_lookup_elem(&starts, &tid);
	if (start && start->ts)
		switch_in_unseen(start, prev, tid, btf);
	if (raw & STATE_RAW_DEAD) {
		if (start)
			bpf_map_delete_elem(&starts, &tid);
		return;
	}
	if (!keep_state(raw)) {
		if (start)
			start->ts = 0;
		return;
	}
	if (!start) {
		if (bpf_map_update_elem(&starts, &tid, &new, BPF_NOEXIST))
			lose(events);
		start = bpf_map_lookup_elem(&starts, &tid);
		if (!start)
			return;
	}
	start->tgid = TASK(btf, prev, tgid);
	start->state = state_index_of_raw(raw);
	start->ustack = ustack_of(ctx, prev, btf);
	start->kstack = walk_late(btf) ? STACK_NONE : kstack_of_current(ctx);
	start->cgroup = WANT(WANT_CGROUP) ? cgroup_id(prev) : 0;
	if (WANT(WANT_COMM))
		bpf_probe_read_kernel(start->comm, sizeof(start->comm), prev->comm);
	start->begun = 0;
	start->ts = bpf_ktime_get_ns();
}

static __always_inline void key_fill(struct offcpu_key *key, const struct start *start, __u32 tid)
{
	__builtin_memcpy(key->comm, start->comm, sizeof(key->comm));
	key->ustack = start->ustack;
	key->cgroup = start->cgroup;
	key->tgid = WANT(WANT_TGID | WANT_USTACK) ? start->tgid : 0;
	key->tid = WANT(WANT_TID) ? tid : 0;
	key->state = WANT(WANT_STATE) ? start->state : 0;
}

static __always_inline void row_count(const struct offcpu_key *key, __u64 delta_ns)
{
	struct offcpu_value *row = row_get(&rows, key, &zero);

	if (!row)
		return;
	if (is_sampled(delta_ns))
		row_sampled(row, delta_ns);
	else
		row_interval(row, delta_ns);
}

/* late: the stack is still to be walked; task: NULL where that is not possible any more. */
static __always_inline void interval_end(const struct start *start, __u64 delta_ns, __u32 tid,
					 struct task_struct *task, bool late)
{
	struct offcpu_key key = {};

	key_fill(&key, start, tid);
	key.kstack = start->kstack;
	if (WANT(WANT_KSTACK) && late && task) {
		key.kstack = stack_of_task(task);
	} else if (WANT(WANT_KSTACK) && late) {
		key.kstack = STACK_LOST;
		lose(stacks);
	}
	row_count(&key, delta_ns);
}

/* Closes tid's interval. next: NULL where the hook has no task pointer. */
static __always_inline void switch_in(__u32 tid, struct task_struct *next, bool btf)
{
	struct start *start = bpf_map_lookup_elem(&starts, &tid);
	__u64 delta_ns;

	if (!start || !start->ts)
		return;
	delta_ns = bpf_ktime_get_ns() - start->ts;
	start->ts = 0;
	if (keep_interval(delta_ns) && keep_sampled(delta_ns))
		interval_end(start, delta_ns, tid, next, walk_late(btf) && !start->begun);
}

static __always_inline void on_switch(void *ctx, struct task_struct *prev, __u32 raw,
				      struct task_struct *next, bool btf)
{
	switch_out(ctx, prev, raw, btf);
	switch_in(TASK(btf, next, pid), next, btf);
}

static __always_inline void on_record(struct trace_event_raw_sched_switch *ctx,
				      struct task_struct *prev, __u32 raw)
{
	switch_out(ctx, prev, raw, false);
	switch_in(ctx->next_pid, NULL, false);
}

#include "bpf/switch.bpf.h"

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
	if (WANT(WANT_COMM))
		bpf_probe_read_kernel(start.comm, sizeof(start.comm), task->comm);
	start.tgid = task->tgid;
	start.state = state_index_of_raw(raw);
	start.cgroup = WANT(WANT_CGROUP) ? cgroup_id(task) : 0;
	if (WANT(WANT_KSTACK))
		start.kstack = stack_of_task(task);
	if (bpf_map_update_elem(&starts, &tid, &start, BPF_NOEXIST) &&
	    !bpf_map_lookup_elem(&starts, &tid))
		lose(events);
	return 0;
}

/* Threads off their CPU at the time of a report: their interval up to now. */
SEC("iter/task")
int tasks_blocked(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct offcpu_blocked out = {};
	struct start *start;
	__u64 since;
	__u32 tid;

	if (!task || !task->pid)
		return 0;
	tid = task->pid;
	start = bpf_map_lookup_elem(&starts, &tid);
	if (!start)
		return 0;
	since = start->ts;
	if (!since || task->exit_state || on_cpu(task))
		return 0;
	out.delta_ns = bpf_ktime_get_ns() - since;
	if (!keep_interval(out.delta_ns))
		return 0;
	key_fill(&out.key, start, tid);
	out.key.kstack = start->kstack;
	if (WANT(WANT_KSTACK) && walk_late(true) && !start->begun)
		out.key.kstack = stack_of_task(task);
	if (start->ts == since)
		bpf_seq_write(ctx->meta->seq, &out, sizeof(out));
	return 0;
}
