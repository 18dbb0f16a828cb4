// SPDX-License-Identifier: GPL-2.0-or-later
/* What the options mean for the report's columns and for the kernel's filter. */
#include <string.h>

#include "core/opts.h"

bool opts_shows(const struct opts *opts, const struct column *column)
{
	unsigned i;

	for (i = 0; i < opts->n_optional; i++)
		if (opts->optional[i] == column)
			return true;
	if (column->stats && opts->stats)
		return true;
	if (column->key && opts->n_group) {
		for (i = 0; i < opts->n_group; i++)
			if (opts->group[i] == column)
				return true;
		return false;
	}
	if (column->kind == KIND_KSTACK && (opts->user_stacks || !opts->stack_depth))
		return false;
	if (column->kind == KIND_USTACK && (opts->kernel_stacks || !opts->stack_depth))
		return false;
	/* -U asks for them where they are not shown by default. */
	return !column->optional || (column->kind == KIND_USTACK && opts->user_stacks);
}

void opts_filter(const struct opts *opts, struct filter *filter)
{
	const struct column *column;

	filter->want = opts->want;
	for (column = opts->tool->columns; column->name; column++)
		if (opts_shows(opts, column))
			filter->want |= column->want;
	filter->by_tgid = opts->tgids.n || opts->command;
	filter->by_tid = opts->tids.n != 0;
	filter->follow = opts->command != NULL;
	filter->by_comm = opts->by_comm;
	memcpy(filter->comm, opts->comm, COMM_LEN);
	filter->by_cgroup = opts->cgroup != NULL;
	filter->user_threads = opts->user_threads;
	filter->kernel_threads = opts->kernel_threads;
	filter->by_any = filter->by_tgid || filter->by_tid || filter->by_comm ||
			 filter->by_cgroup || filter->user_threads || filter->kernel_threads;
	filter->sampled =
	    opts->sample > 1 ||
	    (opts->max_overhead > 0 && (opts->tool->accepts & ACCEPT_SAMPLE) && !opts->exact);
	filter->min_ns = opts->min_ns;
	filter->max_ns = opts->max_ns;
}
