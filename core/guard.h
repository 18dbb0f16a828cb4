/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --max-overhead: looks each second at what our BPF programs took, and ends the
 * tracing, not the run, when it was too much.
 */
#ifndef KTRACE_GUARD_H
#define KTRACE_GUARD_H

#include <stdint.h>

#include "core/fail.h"

struct session;

struct guard {
	double max_percent;   /* of the machine's CPU time; 0: no limit */
	uint64_t look_ns;     /* when to look next, CLOCK_MONOTONIC; UINT64_MAX: never */
	uint64_t last_ns;     /* of the last look */
	uint64_t last_run_ns; /* what the programs had taken then */
};

/* Part of the machine's CPU time in percent: run_ns on n_cpus in wall_ns. Pure. */
double guard_percent(uint64_t run_ns, uint64_t wall_ns, unsigned n_cpus);
/* Returns OK, or CANNOT, said: the kernel does not count. */
enum status guard_begin(struct guard *, const struct session *, double max_percent);
/* Looks when it is time to; where it was too much the session is stopped, with a note. */
void guard_look(struct guard *, struct session *, uint64_t now_ns);

#endif
