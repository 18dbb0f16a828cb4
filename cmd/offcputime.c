// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/hooks.h"
#include "bpf/offcpu.h"
#include "cmd/leaf.h"
#include "core/opts.h"
#include "core/session.h"
#include "core/state.h"
#include "offcpu.skel.h"

/* Ways to come to the stacks: see bpf/late.bpf.h. The second has what it sees with one event. */
enum { LATE = 1, USUAL };

static const struct mode modes[] = {
    [LATE - 1] = {.name = "stacks of kept intervals"},
    [USUAL - 1] = {.name = "stacks of all intervals"},
    {0},
};

#define BLOCKED(prog_, mode_, ...)                                                             \
	HOOK(offcpu, "blocked", VIA_ITER, prog_, "task", .when = HOOK_OPTIONAL, .mode = mode_, \
	     .without = "threads that are blocked at the time of the report are not in it",    \
	     ##__VA_ARGS__)

static const struct hook hooks[] = {
    HOOK(offcpu, "switched", VIA_TP_BTF, switched_btf, "sched:sched_exit_tp", .mode = LATE),
    HOOK(offcpu, "switch", VIA_TP_BTF, switch_late, "sched:sched_switch", .mode = LATE, .param = 3,
	 .param_type = "unsigned int"),
    HOOKS_SWITCH(offcpu, .mode = USUAL),
    HOOKS_BEGIN(offcpu),
    BLOCKED(tasks_blocked_late, LATE),
    BLOCKED(tasks_blocked, LATE, .loses = "user stacks of threads that are blocked are missing"),
    BLOCKED(tasks_blocked, USUAL),
    HOOKS_FOLLOW(offcpu),
    {0},
};

/* Frames of blocked threads are read as x86-64's. */
static bool mode_allowed(const struct opts *opts, unsigned mode)
{
	const struct offcpu_cfg *cfg = (const struct offcpu_cfg *)opts->cfg;
	bool can = false;

#ifdef __x86_64__
	can = true;
#endif
	return mode != LATE || (can && (opts->min_ns || cfg->budget_ns));
}

static const struct column columns[] = {
    KEY(struct offcpu_key, comm, KIND_COMM, WANT_COMM),
    KEY(struct offcpu_key, tgid, KIND_U32, WANT_TGID),
    KEY(struct offcpu_key, tid, KIND_U32, WANT_TID),
    KEY(struct offcpu_key, state, KIND_STATE, WANT_STATE),
    KEY_OPTIONAL(struct offcpu_key, cgroup, KIND_CGROUP, WANT_CGROUP),
    KEY(struct offcpu_key, kstack, KIND_KSTACK, WANT_KSTACK),
    KEY(struct offcpu_key, ustack, KIND_USTACK, WANT_USTACK, OWNED_BY(struct offcpu_key, tgid)),
    VAL(struct offcpu_value, count, KIND_COUNT),
    VAL_OPTIONAL(struct offcpu_value, count_error, KIND_ERROR),
    VAL(struct offcpu_value, total_ns, KIND_NS),
    VAL_OPTIONAL(struct offcpu_value, total_error_ns, KIND_ERROR_NS),
    VAL(struct offcpu_value, max_ns, KIND_NS),
    VAL(struct offcpu_value, blocked, KIND_COUNT),
    STATS_MEAN,
    {0},
};

static enum status parse_state(const struct option_row *row, const char *arg, struct opts *opts)
{
	struct offcpu_cfg *cfg = (struct offcpu_cfg *)opts->cfg;

	if (state_parse(arg, &cfg->state))
		return fail(USAGE, "--%s takes letters such as D, S,D or !R, or a mask, not '%s'",
			    row->name, arg);
	return OK;
}

/* What is above is drawn with too few bits: see bpf/budget.bpf.h. */
#define BUDGET_MAX_NS 1000000000u

static enum status parse_budget(const struct option_row *row, const char *arg, struct opts *opts)
{
	static const struct option_row time = {
	    .name = "budget", .unit = UNIT_TIME, .size = sizeof(uint64_t), .min = 1};
	struct offcpu_cfg *cfg = (struct offcpu_cfg *)opts->cfg;
	enum status status = opts_store(&time, arg, &cfg->budget_ns);

	if (status)
		return status;
	if (cfg->budget_ns > BUDGET_MAX_NS)
		return fail(USAGE, "--%s takes a time of at most 1s, not '%s'", row->name, arg);
	opts->n_optional = 0;
	opts->optional[opts->n_optional++] = tool_column(opts->tool, "count_error");
	opts->optional[opts->n_optional++] = tool_column(opts->tool, "total_error_ns");
	return OK;
}

static enum status check(struct opts *opts)
{
	const struct offcpu_cfg *cfg = (const struct offcpu_cfg *)opts->cfg;

	if (cfg->budget_ns && opts->min_ns >= cfg->budget_ns)
		return fail(USAGE, "--budget is not longer than --min: nothing would be sampled");
	if (cfg->budget_ns && opts->sample > 1)
		return fail(USAGE, "--budget and --sample are two ways to sample: use one");
	opts->exact = cfg->budget_ns;
	return OK;
}

static const struct option_row options[] = {
    {256 + 100, "state", "STATES", "only intervals in these states: D, S,D, !R, or a mask",
     UNIT_CUSTOM, .parse = parse_state},
    {256 + 101, "budget", "TIME",
     "of intervals shorter than this keep a sample only, weighted up: rows are estimates",
     UNIT_CUSTOM, .parse = parse_budget},
    {0},
};

static const char *const leaf[] = {LEAF_SWITCH, NULL};

static enum status add_blocked(struct session *session, struct snapshot *snap,
			       const struct offcpu_blocked *blocked)
{
	const struct offcpu_value value = {
	    .count = blocked->weight,
	    .total_ns = blocked->delta_ns * blocked->weight,
	    .max_ns = blocked->delta_ns,
	    .blocked = blocked->weight,
	};

	return session_row(session, snap, &blocked->key, &value);
}

/* Stacks that a task iterator or sched_switch walks of another thread lack these functions. */
static void note_cut_stacks(const struct session *session, struct snapshot *snap, bool blocked)
{
	const struct plan *plan = session->plan;
	const struct offcpu_cfg *cfg = (const struct offcpu_cfg *)plan->opts->cfg;

	if (!(plan->filter.want & WANT_KSTACK) || !(plan->filter.min_ns || cfg->budget_ns))
		return;
	if (plan->mode == USUAL && session->used[0]->hook->via == VIA_TP_BTF)
		snapshot_note(snap,
			      "under --%s stacks are walked at switch-in and leave out functions "
			      "of the scheduler, such as do_nanosleep",
			      cfg->budget_ns ? "budget" : "min");
	else if (plan->mode == LATE && blocked)
		snapshot_note(snap, "stacks of threads that are still blocked leave out functions "
				    "of the scheduler, such as do_nanosleep");
}

/* What the filters kept, each interval counted: what has ended in the kernel, and what has not. */
static enum status read_exact(struct session *session, struct snapshot *snap,
			      const struct offcpu_blocked *blocked, size_t n)
{
	const struct offcpu_cfg *cfg = (const struct offcpu_cfg *)session->plan->opts->cfg;
	struct estimate *estimate = &snap->estimate;
	struct offcpu_exact exact = {};
	size_t i;
	int err;

	if (!cfg->budget_ns)
		return OK;
	err = session_sum_cpus(session, "exact", &exact, sizeof(exact));
	estimate->budget_ns = cfg->budget_ns;
	estimate->kept = exact.kept + n;
	estimate->exact_count = exact.count + n;
	estimate->exact_total_ns = exact.total_ns;
	for (i = 0; i < n; i++)
		estimate->exact_total_ns += blocked[i].delta_ns;
	return err ? fail(FAILED, "cannot read map exact of offcputime: %s", strerror(-err)) : OK;
}

/* What has ended, and for threads that are off their CPU still the interval up to now. */
static enum status collect(struct session *session, struct snapshot *snap)
{
	struct rowset rows;
	enum status status = session_read_rows(session, &rows);
	void *blocked = NULL;
	size_t n = 0, i;

	if (!status)
		status = session_iterate(session, "blocked", sizeof(struct offcpu_blocked),
					 &blocked, &n);
	if (!status)
		status = read_exact(session, snap, blocked, n);
	if (status)
		rowset_free(&rows);
	else
		status = session_add_rows(session, snap, &rows);
	for (i = 0; i < n && !status; i++)
		status = add_blocked(session, snap, (struct offcpu_blocked *)blocked + i);
	free(blocked);
	note_cut_stacks(session, snap, n > 0);
	return status;
}

const struct tool tool_offcputime = {
    .name = "offcputime",
    .summary = "time that threads spend off their CPU, by stack and task",
    .about =
	"From the moment a thread leaves its CPU until it runs again, summed by task, state and\n"
	"stack. State R is a thread that was preempted: it waits for a CPU, not for an event.\n"
	"A thread that is still off its CPU when the report is made counts up to then and is\n"
	"marked blocked.",
    .example = "-p 1234 -m 1ms 10",
    .object = &object_offcpu,
    .hooks = hooks,
    .modes = modes,
    .mode_allowed = mode_allowed,
    .columns = columns,
    .options = options,
    .accepts = ACCEPT_STATS | ACCEPT_TASK | ACCEPT_STACKS | ACCEPT_LATENCY | ACCEPT_ROWS |
	       ACCEPT_HOOK | ACCEPT_SAMPLE,
    .sort = "total_ns",
    .leaf = leaf,
    .layout =
	{
	    .cfg_size = sizeof(struct offcpu_cfg),
	    .key_size = sizeof(struct offcpu_key),
	    .value_size = sizeof(struct offcpu_value),
	    .command_tgid = offsetof(struct offcpu_cfg, command_tgid),
	},
    .check = check,
    .collect = collect,
};
