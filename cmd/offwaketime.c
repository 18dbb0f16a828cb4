// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "bpf/hooks.h"
#include "bpf/offwake.h"
#include "cmd/leaf.h"
#include "core/number.h"
#include "core/opts.h"
#include "offwake.skel.h"

static const struct hook hooks[] = {
    HOOKS_SWITCH(offwake),
    HOOKS_EVENT(offwake, "waking", waking, "sched:sched_waking"),
    HOOKS_BEGIN(offwake),
    HOOKS_FOLLOW(offwake),
    {0},
};

/* In an interrupt the running task is not the waker: those columns are marked running. */
static const struct column columns[] = {
    KEY(struct offwake_key, target, KIND_COMM, WANT_TARGET),
    KEY(struct offwake_key, target_tgid, KIND_U32, WANT_TARGET_IDS),
    KEY(struct offwake_key, target_tid, KIND_U32, WANT_TARGET_IDS),
    KEY_OPTIONAL(struct offwake_key, state, KIND_STATE, WANT_STATE),
    KEY_OPTIONAL(struct offwake_key, cgroup, KIND_CGROUP, WANT_CGROUP),
    KEY(struct offwake_key, kstack, KIND_KSTACK, WANT_KSTACK),
    KEY(struct offwake_key, ustack, KIND_USTACK, WANT_USTACK,
	OWNED_BY(struct offwake_key, target_tgid)),
    KEY_RUNNING(struct offwake_key, waker, KIND_COMM, WANT_COMM | WANT_CONTEXT),
    KEY_RUNNING(struct offwake_key, waker_tgid, KIND_U32, WANT_TGID | WANT_CONTEXT),
    KEY_RUNNING(struct offwake_key, waker_tid, KIND_U32, WANT_TID | WANT_CONTEXT),
    {.name = "context", .kind = KIND_CONTEXT, .key = true, .want = WANT_CONTEXT},
    KEY(struct offwake_key, waker_kstack, KIND_KSTACK, WANT_WAKER_KSTACK | WANT_CONTEXT),
    KEY_RUNNING(struct offwake_key, waker_ustack, KIND_USTACK, WANT_WAKER_USTACK | WANT_CONTEXT,
		OWNED_BY(struct offwake_key, waker_tgid)),
    KEY_RUNNING_OPTIONAL(struct offwake_key, chain, KIND_CHAIN, WANT_CHAIN | WANT_CONTEXT),
    VALS_INTERVAL(struct offwake_value),
    STATS_MEAN,
    {0},
};

static enum status parse_chain(const struct option_row *row, const char *arg, struct opts *opts)
{
	struct offwake_cfg *cfg = (struct offwake_cfg *)opts->cfg;
	uint64_t links;

	if (number_u64(arg, &links) || !links || links > CHAIN_MAX)
		return fail(USAGE, "--%s takes 1 to %d wakers, not '%s'", row->name, CHAIN_MAX,
			    arg);
	if (!cfg->chain)
		opts->optional[opts->n_optional++] = tool_column(opts->tool, "chain");
	cfg->chain = (uint32_t)links;
	return OK;
}

static const struct option_row options[] = {
    {256 + 100, "chain", "N",
     "who woke the waker, to depth N (1 to 8); watches all threads, so it costs more", UNIT_CUSTOM,
     .parse = parse_chain},
    {0},
};

static enum status check(struct opts *opts)
{
	const struct offwake_cfg *cfg = (const struct offwake_cfg *)opts->cfg;

	if (!cfg->chain && opts_shows(opts, tool_column(opts->tool, "chain")))
		return fail(USAGE, "column 'chain' needs --chain N");
	return OK;
}

static const char *const leaf[] = {LEAF_SWITCH, LEAF_WAKE, NULL};

const struct tool tool_offwaketime = {
    .name = "offwaketime",
    .summary = "time that threads spend off their CPU, with where they blocked and who woke them",
    .about =
	"From the moment a thread gives up its CPU to wait until it runs again, summed by where "
	"it\n"
	"blocked and by who woke it from where, joined wait by wait. Where an interrupt woke it\n"
	"the waker is [hardirq], [softirq] or [timer]. Filters choose the threads that wait. With\n"
	"--chain also who woke the waker from its own last wait, and so on.",
    .example = "-p 1234 -m 1ms --chain 2 10",
    .object = &object_offwake,
    .hooks = hooks,
    .columns = columns,
    .options = options,
    .accepts = ACCEPT_STATS | ACCEPT_TASK | ACCEPT_STACKS | ACCEPT_LATENCY | ACCEPT_ROWS |
	       ACCEPT_HOOK | ACCEPT_SAMPLE,
    .sort = "total_ns",
    .note = "threads that still wait at the time of the report are not in it: nobody has woken "
	    "them yet",
    .leaf = leaf,
    .layout =
	{
	    .cfg_size = sizeof(struct offwake_cfg),
	    .key_size = sizeof(struct offwake_key),
	    .value_size = sizeof(struct offwake_value),
	    .running_kstack = offsetof(struct offwake_key, waker_kstack),
	    .command_tgid = offsetof(struct offwake_cfg, command_tgid),
	},
    .check = check,
};
