/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The programs on sched_switch, the same for every tool that sees it. The
 * including file has defined
 *   on_switch(ctx, prev, raw, next, btf)  raw: prev's state, 0 when it was preempted
 *   on_record(ctx, prev, raw)             the classic record, which has no task pointers
 */
#ifndef KTRACE_SWITCH_BPF_H
#define KTRACE_SWITCH_BPF_H

SEC("tp_btf/sched_switch")
int BPF_PROG(switch_btf, bool preempt, struct task_struct *prev, struct task_struct *next,
	     unsigned int prev_state)
{
	on_switch(ctx, prev, preempt ? 0 : prev_state, next, true);
	return 0;
}

/* Without prev_state, which came as last argument with 5.19 (fa2c3254d7cf, 9c2136be0878). */
SEC("tp_btf/sched_switch")
int BPF_PROG(switch_btf_old, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	on_switch(ctx, prev, preempt ? 0 : task_state(prev, true), next, true);
	return 0;
}

SEC("raw_tp/sched_switch")
int BPF_PROG(switch_raw, bool preempt, struct task_struct *prev, struct task_struct *next,
	     unsigned int prev_state)
{
	on_switch(ctx, prev, preempt ? 0 : prev_state, next, false);
	return 0;
}

SEC("raw_tp/sched_switch")
int BPF_PROG(switch_raw_old, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	on_switch(ctx, prev, preempt ? 0 : task_state(prev, false), next, false);
	return 0;
}

/*
 * The record's prev_state is the report's own code: one bit per letter, 0x80
 * for I, 0x100 for a preempted task; killable is not told from D, so that is
 * taken from the task where a racing wakeup has not changed it yet.
 */
#define RECORD_IDLE 0x80
#define RECORD_PREEMPTED 0x100

SEC("tp/sched/sched_switch")
int switch_tp(struct trace_event_raw_sched_switch *ctx)
{
	struct task_struct *prev = (void *)bpf_get_current_task();
	__u32 raw = ctx->prev_state;

	if (raw & RECORD_PREEMPTED)
		raw = 0;
	else if (raw & RECORD_IDLE)
		raw = STATE_RAW_IDLE;
	else if (raw == STATE_RAW_UNINTERRUPTIBLE)
		raw |= task_state(prev, false) & STATE_RAW_WAKEKILL;
	on_record(ctx, prev, raw);
	return 0;
}

#endif
