// SPDX-License-Identifier: GPL-2.0-or-later
#include "bpf/hooks.h"
#include "bpf/work.h"
#include "core/opts.h"
#include "core/plan.h"
#include "work.skel.h"

/* Since 5.11 (f630c7c6f105), and in stable releases before. */
#define KTHREAD                                  \
	.when = HOOK_IF_PRESENT | HOOK_OPTIONAL, \
	.without = "works that a driver gives to a kthread_worker of its own are not seen"

static const struct hook hooks[] = {
    HOOKS_EVENT(work, "queue", queue, "workqueue:workqueue_queue_work"),
    HOOKS_EVENT(work, "start", start, "workqueue:workqueue_execute_start"),
    HOOKS_EVENT(work, "end", end, "workqueue:workqueue_execute_end"),
    HOOKS_EVENT(work, "kthread_queue", kthread_queue, "sched:sched_kthread_work_queue_work",
		KTHREAD),
    HOOKS_EVENT(work, "kthread_start", kthread_start, "sched:sched_kthread_work_execute_start",
		KTHREAD),
    HOOKS_EVENT(work, "kthread_end", kthread_end, "sched:sched_kthread_work_execute_end", KTHREAD),
    HOOKS_FOLLOW(work),
    {0},
};

static const struct column columns[] = {
    KEY(struct work_key, func, KIND_FUNC, WANT_FUNC),
    KEY(struct work_key, workqueue, KIND_TEXT, WANT_WORKQUEUE),
    KEY_OPTIONAL(struct work_key, worker, KIND_TEXT, WANT_WORKER),
    KEY_OPTIONAL(struct work_key, requester, KIND_COMM, WANT_REQUESTER),
    VALS_INTERVAL(struct work_value),
    VAL(struct work_value, hist_ns, KIND_HIST_NS),
    VAL(struct work_value, delay_hist_ns, KIND_HIST_NS),
    STATS_MEAN,
    STATS_QUANTILES,
    {0},
};

static const struct option_row options[] = {
    CFG_OPTION(struct work_cfg, workqueue, 'w', "workqueue", "NAME", UNIT_NAME,
	       "only works of this workqueue"),
    {0},
};

/* A work belongs to the task that queued it, which only its queueing tells. */
static enum status prepare(const struct plan *plan, void *cfg)
{
	const struct filter *filter = &plan->filter;

	((struct work_cfg *)cfg)->by_requester = filter->by_tgid || filter->by_tid ||
						 filter->by_comm || filter->by_cgroup ||
						 filter->user_threads || filter->kernel_threads;
	return OK;
}

const struct tool tool_workq = {
    .name = "workq",
    .summary = "run time and queueing delay of kernel work functions",
    .about =
	"How long each work function runs, and how long its works waited from being queued until\n"
	"a worker took them (a delayed work is queued when its timer fires). The queue of a\n"
	"kthread_worker is named after its thread, 'kthread_worker:NAME'. -g worker tells the "
	"thread\n"
	"that ran the work, -g requester the task that queued it. -p, -t, -C, -G, -u and -k "
	"choose\n"
	"the tasks that queued it; -m and -M its run time. A work that was queued before tracing\n"
	"began has no delay.",
    .example = "-w events 10",
    .object = &object_work,
    .hooks = hooks,
    .columns = columns,
    .options = options,
    .accepts = ACCEPT_STATS | ACCEPT_TASK | ACCEPT_LATENCY | ACCEPT_ROWS | ACCEPT_HOOK,
    .sort = "total_ns",
    .layout =
	{
	    .cfg_size = sizeof(struct work_cfg),
	    .key_size = sizeof(struct work_key),
	    .value_size = sizeof(struct work_value),
	},
    .prepare = prepare,
};
