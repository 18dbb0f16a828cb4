// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/guard.h"

#include <bpf/libbpf.h>

#include "core/session.h"

#define LOOK_EVERY_NS 1000000000ULL

double guard_percent(uint64_t run_ns, uint64_t wall_ns, unsigned n_cpus)
{
	return wall_ns && n_cpus ? 100.0 * (double)run_ns / (double)wall_ns / n_cpus : 0;
}

enum status guard_begin(struct guard *guard, const struct session *session, double max_percent)
{
	*guard = (struct guard){.max_percent = max_percent, .look_ns = UINT64_MAX};
	if (max_percent <= 0 || !session->obj)
		return OK;
	if (session->stats_fd < 0)
		return fail(CANNOT, "--max-overhead: this kernel does not count what BPF programs "
				    "take (BPF_ENABLE_STATS was refused)");
	guard->last_ns = session->start_ns;
	guard->look_ns = guard->last_ns + LOOK_EVERY_NS;
	return OK;
}

void guard_look(struct guard *guard, struct session *session, uint64_t now_ns)
{
	uint64_t run_ns;
	double percent;

	if (now_ns < guard->look_ns)
		return;
	run_ns = session_run_ns(session);
	percent = guard_percent(run_ns - guard->last_run_ns, now_ns - guard->last_ns,
				(unsigned)libbpf_num_possible_cpus());
	guard->last_ns = now_ns;
	guard->last_run_ns = run_ns;
	guard->look_ns = now_ns + LOOK_EVERY_NS;
	if (percent <= guard->max_percent)
		return;
	session_stop(session,
		     "--max-overhead %g: the tracing ended early, for it took %.3g %% of "
		     "the machine's CPU time",
		     guard->max_percent, percent);
	guard->look_ns = UINT64_MAX;
}
