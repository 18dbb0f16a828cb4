// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/load.h"
#include "core/opts.h"
#include "core/session.h"

struct loads_cfg {
	struct filter filter; /* unused: there is no BPF */
};

struct loads_row {
	uint64_t load1, load5, load15, running, uninterruptible;
};

static const struct column columns[] = {
    VAL(struct loads_row, load1, KIND_LOAD),
    VAL(struct loads_row, load5, KIND_LOAD),
    VAL(struct loads_row, load15, KIND_LOAD),
    VAL_OPTIONAL(struct loads_row, running, KIND_COUNT),
    VAL_OPTIONAL(struct loads_row, uninterruptible, KIND_COUNT),
    {0},
};

static enum status parse_decompose(const struct option_row *row, const char *arg, struct opts *opts)
{
	(void)row;
	(void)arg;
	opts->n_optional = 0;
	opts->optional[opts->n_optional++] = tool_column(opts->tool, "running");
	opts->optional[opts->n_optional++] = tool_column(opts->tool, "uninterruptible");
	return OK;
}

static const struct option_row options[] = {
    {'D', "decompose", NULL, "with the tasks that make the load now: runnable, uninterruptible",
     UNIT_CUSTOM, .parse = parse_decompose},
    {0},
};

/* The kernel's own averages, at the resolution it keeps them in. */
static enum status collect(struct session *session, struct snapshot *snap)
{
	struct loads_row row = {snap->load[0], snap->load[1], snap->load[2], 0, 0};

	if (session->plan->opts->n_optional && load_count(&row.running, &row.uninterruptible))
		return fail(FAILED, "cannot read the tasks in /proc");
	return session_row(session, snap, &row, &row);
}

const struct tool tool_loads = {
    .name = "loads",
    .summary = "the three load averages at full precision",
    .about = "Printed each interval, from the kernel's own figures (1/65536). With -D also how "
	     "many tasks\n"
	     "make the load at that moment: runnable, and in uninterruptible sleep.",
    .example = "-D 1 5",
    .columns = columns,
    .options = options,
    .at_interval = AT_RATE,
    .interval_ns = 1000000000,
    .layout = {.cfg_size = sizeof(struct loads_cfg), .value_size = sizeof(struct loads_row)},
    .collect = collect,
};
