// SPDX-License-Identifier: GPL-2.0-or-later
/* What tracing cost, by the kernel's own count. */
#include <bpf/bpf.h>

#include "core/session.h"

/* run_cnt and run_time_ns of a program; runs skipped for recursion are there since 5.12. */
static void add_cost(int program_fd, struct snapshot *snap)
{
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(program_fd, &info, &len))
		return;
	snap->cost.events += info.run_cnt;
	snap->cost.run_ns += info.run_time_ns;
	snap->missed += info.recursion_misses;
}

static void add_costs(const struct session *session, struct snapshot *snap)
{
	size_t i;

	for (i = 0; i < session->n_links; i++)
		add_cost(bpf_program__fd(session_program(session, session->used[i]->hook)), snap);
	for (i = 0; i < session->multi.n_copies; i++)
		add_cost(session->multi.copies[i], snap);
}

uint64_t session_run_ns(const struct session *session)
{
	struct snapshot snap = {};

	add_costs(session, &snap);
	return snap.cost.run_ns;
}

void session_read_cost(struct session *session, struct snapshot *snap)
{
	snap->cost.known = session->stats_fd >= 0 || !session->obj;
	add_costs(session, snap);
	snap->cost.events -= session->cost_before.events;
	snap->cost.run_ns -= session->cost_before.run_ns;
	snap->missed -= session->missed_before;
	if (snap->elapsed_ns)
		snap->cost.cpu_percent =
		    100.0 * (double)snap->cost.run_ns / (double)snap->elapsed_ns;
}
