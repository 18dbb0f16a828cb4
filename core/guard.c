// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/guard.h"

#include <bpf/libbpf.h>
#include <stdio.h>

#include "core/fmt.h"
#include "core/opts.h"
#include "core/sample.h"
#include "core/session.h"

#define LOOK_EVERY_NS 1000000000ULL
/* What a step brings is to last, and the second of them to be found wanting is soon. */
#define STEP_FIRST 4
#define STEP_NEXT 16
/* So long it must have been quiet before more are followed: a load may come in bursts. */
#define QUIET_LOOKS 5
/* Beyond it the rest is what each event costs that is not followed. */
#define EVERY_MAX 4096

double guard_percent(uint64_t run_ns, uint64_t wall_ns, unsigned n_cpus)
{
	return wall_ns && n_cpus ? 100.0 * (double)run_ns / (double)wall_ns / n_cpus : 0;
}

uint32_t guard_every(uint32_t every, double percent, double max_percent)
{
	uint32_t now = every ? every : 1, next = now > 1 ? now * STEP_NEXT : STEP_FIRST;

	if (now > EVERY_MAX / STEP_FIRST)
		return 0;
	while (next < EVERY_MAX && next < now * percent / max_percent)
		next *= 2;
	return next < EVERY_MAX ? next : EVERY_MAX;
}

uint32_t guard_finer(uint32_t every, uint32_t least, double percent, double max_percent)
{
	uint32_t next = every / STEP_FIRST;

	if (every <= least || percent * STEP_FIRST > max_percent / 2)
		return every;
	return next > least ? next : least;
}

enum status guard_begin(struct guard *guard, const struct session *session, double max_percent)
{
	*guard = (struct guard){.max_percent = max_percent, .look_ns = UINT64_MAX};
	if (max_percent <= 0 || !session->obj)
		return OK;
	if (session->stats_fd < 0)
		return fail(CANNOT, "--max-overhead: this kernel does not count what BPF programs "
				    "take (BPF_ENABLE_STATS was refused)");
	guard->begin_ns = guard->last_ns = session->start_ns;
	guard->look_ns = guard->last_ns + LOOK_EVERY_NS;
	return OK;
}

/* Follows fewer events from now on; false: it cannot, or not any more. */
static bool back_off(struct guard *guard, struct session *session, double percent)
{
	uint32_t every = guard_every(session->sample_every, percent, guard->max_percent);
	char time[32];

	guard->quiet = 0;
	if (!every || sample_change(session, every))
		return false;
	if (!*session->sample_why)
		snprintf(session->sample_why, sizeof(session->sample_why),
			 "--max-overhead %g: tracing took %.3g %% of the machine's CPU time, so %s "
			 "after its start it went over to a sample",
			 guard->max_percent, percent,
			 fmt_ns(time, sizeof(time), guard->last_ns - guard->begin_ns));
	return true;
}

/* Follows more events again, where it has been quiet for long enough. */
static void ease(struct guard *guard, struct session *session, double percent)
{
	uint32_t now = session->sample_every, asked = session->plan->opts->sample;
	uint32_t every = guard_finer(now, asked > 1 ? asked : 1, percent, guard->max_percent);

	guard->quiet = every < now ? guard->quiet + 1 : 0;
	/* a change that is refused is tried again at the next look */
	if (guard->quiet >= QUIET_LOOKS && !sample_change(session, every))
		guard->quiet = 0;
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
	if (percent <= guard->max_percent) {
		ease(guard, session, percent);
		return;
	}
	if (back_off(guard, session, percent))
		return;
	session_stop(session,
		     "--max-overhead %g: the tracing ended early, for it took %.3g %% of "
		     "the machine's CPU time",
		     guard->max_percent, percent);
	guard->look_ns = UINT64_MAX;
}
