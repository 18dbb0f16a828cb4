// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * workq: a work item is queued, starts on a worker, ends. The queueing is kept
 * by work address until the start; the run by the worker's tid, for the work
 * may be freed by its own function. The row is written once, at the end, so
 * that run times and delays count the same works.
 */
#include "bpf/kernel.h"
#include "bpf/work.h"

const volatile struct work_cfg cfg SEC(".rodata.cfg");

#include "bpf/ktrace.bpf.h"

struct queued {
	__u64 ts;
	char workqueue[NAME_LEN];
};

struct running {
	__u64 ts, delay_ns, func;
	__u64 delay_known;
	char workqueue[NAME_LEN];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, struct queued);
} starts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct running);
} workers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct work_key);
	__type(value, struct work_value);
} rows SEC(".maps");

static const struct work_value zero;

static __always_inline void work_queued(__u64 work, const char *name)
{
	struct queued queued = {};

	if (cfg.requester && !keep_current())
		return;
	bpf_probe_read_kernel_str(queued.workqueue, sizeof(queued.workqueue), name);
	if (cfg.workqueue[0] && !same_name(queued.workqueue, cfg.workqueue, NAME_LEN))
		return;
	queued.ts = bpf_ktime_get_ns();
	if (bpf_map_update_elem(&starts, &work, &queued, BPF_ANY))
		lose(events);
}

static __always_inline void work_started(__u64 work, __u64 func)
{
	struct queued *queued = bpf_map_lookup_elem(&starts, &work);
	__u32 tid = bpf_get_current_pid_tgid();
	struct running running = {};

	if (!queued && (cfg.requester || cfg.workqueue[0]))
		return;
	running.ts = bpf_ktime_get_ns();
	running.func = func;
	if (queued) {
		running.delay_known = 1;
		running.delay_ns = running.ts - queued->ts;
		__builtin_memcpy(running.workqueue, queued->workqueue, NAME_LEN);
		bpf_map_delete_elem(&starts, &work);
	}
	if (bpf_map_update_elem(&workers, &tid, &running, BPF_ANY))
		lose(events);
}

static __always_inline void work_ended(void)
{
	__u32 tid = bpf_get_current_pid_tgid();
	struct running *running = bpf_map_lookup_elem(&workers, &tid);
	struct work_key key = {};
	struct work_value *row;
	__u64 run_ns;

	if (!running)
		return;
	run_ns = bpf_ktime_get_ns() - running->ts;
	if (keep_interval(run_ns)) {
		if (WANT(WANT_FUNC))
			key.func = running->func;
		if (WANT(WANT_WORKQUEUE))
			__builtin_memcpy(key.workqueue, running->workqueue, NAME_LEN);
		row = row_get(&rows, &key, (const void *)&zero);
		if (row) {
			row_add(row->count, 1);
			row_add(row->total_ns, run_ns);
			row_max(row->max_ns, run_ns);
			hist_count(row->hist_ns, run_ns);
			if (running->delay_known)
				hist_count(row->delay_hist_ns, running->delay_ns);
		}
	}
	bpf_map_delete_elem(&workers, &tid);
}

SEC("tp_btf/workqueue_queue_work")
int BPF_PROG(queue_btf, unsigned int req_cpu, struct pool_workqueue *pwq, struct work_struct *work)
{
	work_queued((__u64)work, pwq->wq->name);
	return 0;
}

SEC("raw_tp/workqueue_queue_work")
int BPF_PROG(queue_raw, unsigned int req_cpu, struct pool_workqueue *pwq, struct work_struct *work)
{
	struct workqueue_struct *wq = BPF_CORE_READ(pwq, wq);

	work_queued((__u64)work, wq->name);
	return 0;
}

SEC("tp/workqueue/workqueue_queue_work")
int queue_tp(struct trace_event_raw_workqueue_queue_work *ctx)
{
	if (bpf_core_field_exists(ctx->__data_loc_workqueue)) {
		work_queued((__u64)ctx->work, (char *)ctx + (ctx->__data_loc_workqueue & 0xffff));
	} else {
		struct trace_event_raw_workqueue_queue_work___old *old = (void *)ctx;

		work_queued((__u64)ctx->work, old->workqueue->name);
	}
	return 0;
}

SEC("tp_btf/workqueue_execute_start")
int BPF_PROG(start_btf, struct work_struct *work)
{
	work_started((__u64)work, (__u64)work->func);
	return 0;
}

SEC("raw_tp/workqueue_execute_start")
int BPF_PROG(start_raw, struct work_struct *work)
{
	work_started((__u64)work, (__u64)BPF_CORE_READ(work, func));
	return 0;
}

SEC("tp/workqueue/workqueue_execute_start")
int start_tp(struct trace_event_raw_workqueue_execute_start *ctx)
{
	work_started((__u64)ctx->work, (__u64)ctx->function);
	return 0;
}

SEC("tp_btf/workqueue_execute_end")
int BPF_PROG(end_btf)
{
	work_ended();
	return 0;
}

SEC("raw_tp/workqueue_execute_end")
int BPF_PROG(end_raw)
{
	work_ended();
	return 0;
}

SEC("tp/workqueue/workqueue_execute_end")
int end_tp(struct trace_event_raw_workqueue_execute_end *ctx)
{
	work_ended();
	return 0;
}
