// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * tasklets: a tasklet is scheduled, runs on the same CPU, ends. Softirqs of a
 * CPU run one at a time, so what runs is kept per CPU; a tid would not do, for
 * the idle tasks of all CPUs share one.
 *
 * Where the kernel does not tell tasklets apart (no irq:tasklet_entry), runs of
 * the two softirqs are seen. What was scheduled since the last run is what runs
 * now: when that is one tasklet, the run is its own.
 */
#include "bpf/kernel.h"
#include "bpf/tasklet.h"

const volatile struct tasklet_cfg cfg SEC(".rodata.cfg");

#include "bpf/ktrace.bpf.h"

/* include/linux/interrupt.h; part of the kernel's ABI through irq:softirq_entry */
enum {
	HI_SOFTIRQ = 0,
	TASKLET_SOFTIRQ = 6,
};

#define NO_VEC 0xff

struct running {
	__u64 ts; /* 0: nothing runs that was seen to begin */
	__u64 func;
	__u64 delay_ns;
	__u32 delay_known;
	__u32 vec; /* NO_VEC: a tasklet runs, not a whole softirq */
};

/* What was scheduled on this CPU since the softirq ran last. */
struct due {
	__u64 ts, func; /* of the first */
	__u64 n;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct running);
} running SEC(".maps");

/* By softirq: 0 tasklets, 1 high priority ones. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct due);
} due SEC(".maps");

/* When a tasklet was scheduled, by its address. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, __u64);
} starts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct tasklet_key);
	__type(value, struct tasklet_value);
} rows SEC(".maps");

static const struct tasklet_value zero;

static __always_inline struct running *this_cpu(void)
{
	__u32 first = 0;

	return bpf_map_lookup_elem(&running, &first);
}

static __always_inline struct due *due_on_this_cpu(__u32 vec)
{
	__u32 slot = vec == HI_SOFTIRQ;

	return bpf_map_lookup_elem(&due, &slot);
}

/* Only what is not scheduled yet comes here: the kernel's callers see to that. */
static __always_inline void scheduled(struct tasklet_struct *tasklet, __u32 vec)
{
	__u64 now_ns = bpf_ktime_get_ns(), key = (__u64)tasklet;
	struct due *slot;

	if (!cfg.by_softirq) {
		if (bpf_map_update_elem(&starts, &key, &now_ns, BPF_ANY))
			lose(events);
		return;
	}
	slot = due_on_this_cpu(vec);
	if (!slot)
		return;
	if (!slot->n) {
		slot->ts = now_ns;
		slot->func = (__u64)BPF_CORE_READ(tasklet, func);
	}
	slot->n++;
}

static __always_inline void tasklet_began(struct tasklet_struct *tasklet, __u64 func)
{
	struct running *run = this_cpu();
	__u64 key = (__u64)tasklet, *since;

	if (!run)
		return;
	run->ts = bpf_ktime_get_ns();
	run->func = func;
	run->vec = NO_VEC;
	since = bpf_map_lookup_elem(&starts, &key);
	run->delay_known = since != NULL;
	if (!since)
		return;
	run->delay_ns = run->ts - *since;
	bpf_map_delete_elem(&starts, &key);
}

static __always_inline void softirq_began(__u32 vec)
{
	struct running *run = this_cpu();
	struct due *slot;

	if (vec != HI_SOFTIRQ && vec != TASKLET_SOFTIRQ)
		return;
	slot = due_on_this_cpu(vec);
	if (!run || !slot)
		return;
	run->ts = bpf_ktime_get_ns();
	run->vec = vec;
	run->delay_known = slot->n == 1;
	run->delay_ns = run->ts - slot->ts;
	if (slot->n == 1)
		run->func = slot->func;
	else if (slot->n)
		run->func = FUNC_SEVERAL;
	else
		run->func = vec == HI_SOFTIRQ ? FUNC_HI : FUNC_TASKLET;
	slot->n = 0;
}

static __always_inline void ended(__u32 vec)
{
	struct running *run = this_cpu();
	struct tasklet_key key = {};
	struct tasklet_value *row;
	__u64 run_ns;

	if (!run || !run->ts || run->vec != vec)
		return;
	run_ns = bpf_ktime_get_ns() - run->ts;
	run->ts = 0;
	if (!keep_interval(run_ns))
		return;
	if (WANT(WANT_FUNC))
		key.func = run->func;
	row = row_get(&rows, &key, (const void *)&zero);
	if (!row)
		return;
	row_interval(row, run_ns);
	hist_count(row->hist_ns, run_ns);
	if (run->delay_known)
		hist_count(row->delay_hist_ns, run->delay_ns);
}

ON_ENTRY(schedule, scheduled(tasklet, TASKLET_SOFTIRQ), struct tasklet_struct *tasklet)

ON_ENTRY(schedule_hi, scheduled(tasklet, HI_SOFTIRQ), struct tasklet_struct *tasklet)

ON_EVENT(entry_btf, entry_raw, tasklet_entry, tasklet_began(tasklet, (__u64)func),
	 struct tasklet_struct *tasklet, void *func)

SEC("tp/irq/tasklet_entry")
int entry_tp(struct trace_event_raw_tasklet *ctx)
{
	tasklet_began(ctx->tasklet, (__u64)ctx->func);
	return 0;
}

ON_EVENT(exit_btf, exit_raw, tasklet_exit, ended(NO_VEC))

SEC("tp/irq/tasklet_exit")
int exit_tp(struct trace_event_raw_tasklet *ctx)
{
	ended(NO_VEC);
	return 0;
}

ON_EVENT(softirq_entry_btf, softirq_entry_raw, softirq_entry, softirq_began(vec), unsigned int vec)

SEC("tp/irq/softirq_entry")
int softirq_entry_tp(struct trace_event_raw_softirq *ctx)
{
	softirq_began(ctx->vec);
	return 0;
}

ON_EVENT(softirq_exit_btf, softirq_exit_raw, softirq_exit, ended(vec), unsigned int vec)

SEC("tp/irq/softirq_exit")
int softirq_exit_tp(struct trace_event_raw_softirq *ctx)
{
	ended(ctx->vec);
	return 0;
}
