// SPDX-License-Identifier: GPL-2.0-or-later
#include "bpf/hooks.h"
#include "bpf/tasklet.h"
#include "core/opts.h"
#include "core/plan.h"
#include "tasklet.skel.h"

enum { BY_TASKLET = 1, BY_SOFTIRQ };

static const struct mode modes[] = {
    {"tasklet", NULL},
    {"softirq",
     "this kernel does not tell tasklets apart (no irq:tasklet_entry): a run of the softirq, with "
     "what surrounds the function, counts as its tasklet's when one was scheduled on the CPU since "
     "the run before, as one run of [several] when more were, as [tasklet] or [hi] (high priority) "
     "when none was seen"},
    {0},
};

#define SCHEDULE(role, base, target)                                           \
	HOOK(tasklet, role, VIA_FENTRY, base##_fentry, target, NOT_SCHEDULED), \
	    HOOK(tasklet, role, VIA_KPROBE, base##_kprobe, target, NOT_SCHEDULED)
#define NOT_SCHEDULED                                                                            \
	.when = HOOK_OPTIONAL, .without =                                                        \
				   "the delay from scheduling to running is not seen: there is " \
				   "no hook on the functions that schedule tasklets"

/* Both are called from everywhere but softirq.c: no compiler merges or inlines them. */
static const struct hook hooks[] = {
    SCHEDULE("schedule", schedule, "__tasklet_schedule"),
    SCHEDULE("schedule_hi", schedule_hi, "__tasklet_hi_schedule"),
    HOOKS_EVENT(tasklet, "entry", entry, "irq:tasklet_entry", .mode = BY_TASKLET, .param = 1,
		.param_type = "void *"),
    HOOKS_EVENT(tasklet, "exit", exit, "irq:tasklet_exit", .mode = BY_TASKLET),
    HOOKS_EVENT(tasklet, "entry", softirq_entry, "irq:softirq_entry", .mode = BY_SOFTIRQ),
    HOOKS_EVENT(tasklet, "exit", softirq_exit, "irq:softirq_exit", .mode = BY_SOFTIRQ),
    {0},
};

static const struct column columns[] = {
    KEY(struct tasklet_key, func, KIND_FUNC, WANT_FUNC),
    VALS_INTERVAL(struct tasklet_value),
    VAL(struct tasklet_value, hist_ns, KIND_HIST_NS),
    VAL(struct tasklet_value, delay_hist_ns, KIND_HIST_NS),
    STATS_MEAN,
    STATS_QUANTILES,
    {0},
};

static enum status prepare(const struct plan *plan, void *cfg)
{
	((struct tasklet_cfg *)cfg)->by_softirq = plan->mode == BY_SOFTIRQ;
	return OK;
}

const struct tool tool_tasklets = {
    .name = "tasklets",
    .summary = "run time and scheduling delay of tasklets, by function",
    .about = "How long each tasklet function runs, and how long it waited from being scheduled\n"
	     "until it ran, where the scheduling can be seen. Tasklets belong to no task: with\n"
	     "a command all of them are counted while it runs. -m and -M choose run times.",
    .example = "-m 100us 10",
    .object = &object_tasklet,
    .hooks = hooks,
    .modes = modes,
    .columns = columns,
    .accepts = ACCEPT_STATS | ACCEPT_LATENCY | ACCEPT_ROWS | ACCEPT_HOOK,
    .sort = "total_ns",
    .layout =
	{
	    .cfg_size = sizeof(struct tasklet_cfg),
	    .key_size = sizeof(struct tasklet_key),
	    .value_size = sizeof(struct tasklet_value),
	},
    .prepare = prepare,
};
