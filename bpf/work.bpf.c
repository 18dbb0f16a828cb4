// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * workq: a work item is queued, starts on a worker, ends. The queueing is kept
 * by work address until the start; the run by work and thread, for the work may
 * be freed by its own function, and a work of a BH workqueue runs in a softirq,
 * on top of whatever the CPU did, be it another work or an idle task. The row is
 * written once, at the end, so that run times and delays count the same works.
 */
#include "bpf/kernel.h"
#include "bpf/work.h"

const volatile struct work_cfg cfg SEC(".rodata.cfg");

#include "bpf/ktrace.bpf.h"

#define KTHREAD_WORKER "kthread_worker:" /* before the name of its thread: its "workqueue" */
#define RESCUER "[rescuer] "

struct queueing {
	__u64 ts;
	char workqueue[NAME_LEN];
	char requester[COMM_LEN];
};

/*
 * A work that starts may be queued again before the event of its start: the
 * kernel gives it free first. So the queueing before the last is kept as well;
 * at the start it is the right one if the work is pending already. Where
 * it is not, that queueing was cancelled.
 */
struct queued {
	struct queueing last, before; /* before.ts 0: none */
};

struct run_id {
	__u64 work;
	__u64 tid;
};

struct running {
	__u64 ts, delay_ns, func;
	__u64 delay_known;
	char workqueue[NAME_LEN];
	char worker[NAME_LEN];
	char requester[COMM_LEN];
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
	__type(key, struct run_id);
	__type(value, struct running);
} workers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct work_key);
	__type(value, struct work_value);
} rows SEC(".maps");

static const struct work_value zero;

static __always_inline bool is_other_workqueue(const char *name)
{
	return cfg.workqueue[0] && !same_name(name, cfg.workqueue, NAME_LEN);
}

static __always_inline void name_kthread_worker(char *name, const char *comm)
{
	__builtin_memcpy(name, KTHREAD_WORKER, sizeof(KTHREAD_WORKER) - 1);
	bpf_probe_read_kernel_str(name + sizeof(KTHREAD_WORKER) - 1, COMM_LEN, comm);
}

/* The caller has named the workqueue in now. */
static __always_inline void queue(__u64 work, struct queued *now)
{
	struct queued *earlier;

	if (is_other_workqueue(now->last.workqueue))
		return;
	if (WANT(WANT_REQUESTER))
		bpf_get_current_comm(now->last.requester, COMM_LEN);
	earlier = bpf_map_lookup_elem(&starts, &work);
	if (earlier)
		now->before = earlier->last;
	now->last.ts = bpf_ktime_get_ns();
	if (bpf_map_update_elem(&starts, &work, now, BPF_ANY))
		lose(events);
}

static __always_inline void work_queued(__u64 work, const char *name)
{
	struct queued now = {};

	if (cfg.by_requester && !keep_current())
		return;
	bpf_probe_read_kernel_str(now.last.workqueue, NAME_LEN, name);
	queue(work, &now);
}

static __always_inline void kthread_work_queued(__u64 work, struct kthread_worker *worker)
{
	struct task_struct *thread = BPF_CORE_READ(worker, task);
	struct queued now = {};

	if (cfg.by_requester && !keep_current())
		return;
	name_kthread_worker(now.last.workqueue, thread->comm);
	queue(work, &now);
}

/* Takes the queueing that led to this start. */
static __always_inline void dequeue(__u64 work, struct queued *queued, bool pending,
				    struct running *run)
{
	struct queueing *of = &queued->last;
	bool again = queued->before.ts && pending;

	if (again)
		of = &queued->before;
	run->delay_known = 1;
	run->delay_ns = run->ts - of->ts;
	__builtin_memcpy(run->workqueue, of->workqueue, NAME_LEN);
	__builtin_memcpy(run->requester, of->requester, COMM_LEN);
	if (again)
		queued->before.ts = 0;
	else
		bpf_map_delete_elem(&starts, &work);
}

/* The kworker that the running task is; NULL: it is none. */
static __always_inline struct worker *current_worker(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct kthread *kthread;

	if (!(BPF_CORE_READ(task, flags) & PF_WQ_WORKER))
		return NULL;
	if (bpf_core_field_exists(task->worker_private))
		kthread = BPF_CORE_READ(task, worker_private);
	else
		kthread = (void *)BPF_CORE_READ(task, set_child_tid);
	return BPF_CORE_READ(kthread, data);
}

/* A work that the running task does not run itself is one of a BH workqueue. */
static __always_inline void name_worker(struct running *run, struct worker *worker, __u64 work)
{
	if (!worker || (__u64)BPF_CORE_READ(worker, current_work) != work) {
		__builtin_memcpy(run->worker, "[softirq]", sizeof("[softirq]"));
	} else if (BPF_CORE_READ(worker, rescue_wq)) {
		__builtin_memcpy(run->worker, RESCUER, sizeof(RESCUER) - 1);
		bpf_get_current_comm(run->worker + sizeof(RESCUER) - 1, COMM_LEN);
	} else {
		bpf_get_current_comm(run->worker, COMM_LEN);
	}
}

static __always_inline void start(__u64 work, const struct running *run)
{
	struct run_id id = {.work = work, .tid = (__u32)bpf_get_current_pid_tgid()};

	if (!is_other_workqueue(run->workqueue) && bpf_map_update_elem(&workers, &id, run, BPF_ANY))
		lose(events);
}

static __always_inline void work_started(struct work_struct *work, __u64 func)
{
	__u64 key = (__u64)work;
	struct queued *queued = bpf_map_lookup_elem(&starts, &key);
	struct running run = {.ts = bpf_ktime_get_ns(), .func = func};
	struct worker *worker = NULL;

	if (!queued && cfg.by_requester)
		return;
	if (!queued || WANT(WANT_WORKER))
		worker = current_worker();
	if (queued)
		dequeue(key, queued, BPF_CORE_READ(work, data.counter) & 1, &run);
	else if (worker && (__u64)BPF_CORE_READ(worker, current_work) == key)
		bpf_probe_read_kernel_str(run.workqueue, NAME_LEN,
					  BPF_CORE_READ(worker, current_pwq, wq)->name);
	if (WANT(WANT_WORKER))
		name_worker(&run, worker, key);
	start(key, &run);
}

static __always_inline void kthread_work_started(struct kthread_work *work, __u64 func)
{
	__u64 key = (__u64)work;
	struct queued *queued = bpf_map_lookup_elem(&starts, &key);
	struct running run = {.ts = bpf_ktime_get_ns(), .func = func};

	if (!queued && cfg.by_requester)
		return;
	if (queued) {
		dequeue(key, queued, BPF_CORE_READ(work, node.next) != &work->node, &run);
	} else {
		struct task_struct *task = (void *)bpf_get_current_task();

		name_kthread_worker(run.workqueue, task->comm);
	}
	if (WANT(WANT_WORKER))
		bpf_get_current_comm(run.worker, COMM_LEN);
	start(key, &run);
}

static __always_inline void count_run(const struct running *run, __u64 run_ns)
{
	struct work_key key = {};
	struct work_value *row;

	if (WANT(WANT_FUNC))
		key.func = run->func;
	if (WANT(WANT_WORKQUEUE))
		__builtin_memcpy(key.workqueue, run->workqueue, NAME_LEN);
	if (WANT(WANT_WORKER))
		__builtin_memcpy(key.worker, run->worker, NAME_LEN);
	if (WANT(WANT_REQUESTER))
		__builtin_memcpy(key.requester, run->requester, COMM_LEN);
	row = row_get(&rows, &key, (const void *)&zero);
	if (!row)
		return;
	row_interval(row, run_ns);
	hist_count(row->hist_ns, run_ns);
	if (run->delay_known)
		hist_count(row->delay_hist_ns, run->delay_ns);
}

/* Of both kinds of work. */
static __always_inline void work_ended(__u64 work)
{
	struct run_id id = {.work = work, .tid = (__u32)bpf_get_current_pid_tgid()};
	struct running *run = bpf_map_lookup_elem(&workers, &id);
	__u64 run_ns;

	if (!run)
		return;
	run_ns = bpf_ktime_get_ns() - run->ts;
	if (keep_interval(run_ns))
		count_run(run, run_ns);
	bpf_map_delete_elem(&workers, &id);
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
	work_started(work, (__u64)work->func);
	return 0;
}

SEC("raw_tp/workqueue_execute_start")
int BPF_PROG(start_raw, struct work_struct *work)
{
	work_started(work, (__u64)BPF_CORE_READ(work, func));
	return 0;
}

SEC("tp/workqueue/workqueue_execute_start")
int start_tp(struct trace_event_raw_workqueue_execute_start *ctx)
{
	work_started(ctx->work, (__u64)ctx->function);
	return 0;
}

ON_EVENT(end_btf, end_raw, workqueue_execute_end, work_ended((__u64)work), struct work_struct *work)

SEC("tp/workqueue/workqueue_execute_end")
int end_tp(struct trace_event_raw_workqueue_execute_end *ctx)
{
	work_ended((__u64)ctx->work);
	return 0;
}

ON_EVENT(kthread_queue_btf, kthread_queue_raw, sched_kthread_work_queue_work,
	 kthread_work_queued((__u64)work, worker), struct kthread_worker *worker,
	 struct kthread_work *work)

SEC("tp/sched/sched_kthread_work_queue_work")
int kthread_queue_tp(struct trace_event_raw_sched_kthread_work_queue_work *ctx)
{
	kthread_work_queued((__u64)ctx->work, ctx->worker);
	return 0;
}

SEC("tp_btf/sched_kthread_work_execute_start")
int BPF_PROG(kthread_start_btf, struct kthread_work *work)
{
	kthread_work_started(work, (__u64)work->func);
	return 0;
}

SEC("raw_tp/sched_kthread_work_execute_start")
int BPF_PROG(kthread_start_raw, struct kthread_work *work)
{
	kthread_work_started(work, (__u64)BPF_CORE_READ(work, func));
	return 0;
}

SEC("tp/sched/sched_kthread_work_execute_start")
int kthread_start_tp(struct trace_event_raw_sched_kthread_work_execute_start *ctx)
{
	kthread_work_started(ctx->work, (__u64)ctx->function);
	return 0;
}

ON_EVENT(kthread_end_btf, kthread_end_raw, sched_kthread_work_execute_end, work_ended((__u64)work),
	 struct kthread_work *work)

SEC("tp/sched/sched_kthread_work_execute_end")
int kthread_end_tp(struct trace_event_raw_sched_kthread_work_execute_end *ctx)
{
	work_ended((__u64)ctx->work);
	return 0;
}
