/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --max-overhead: looks each second at what our BPF programs took. Where it was too much they
 * follow fewer events, and where that cannot be, or does not do, the tracing ends, not the run.
 * Once the load is over they follow more again.
 */
#ifndef KTRACE_GUARD_H
#define KTRACE_GUARD_H

#include <stdint.h>

#include "core/fail.h"

struct session;

struct guard {
	double max_percent;   /* of the machine's CPU time; 0: no limit */
	uint64_t look_ns;     /* when to look next, CLOCK_MONOTONIC; UINT64_MAX: never */
	uint64_t begin_ns;    /* of the tracing */
	uint64_t last_ns;     /* of the last look */
	uint64_t last_run_ns; /* what the programs had taken then */
	unsigned quiet;       /* looks in a row that allow to follow more */
};

/* Part of the machine's CPU time in percent: run_ns on n_cpus in wall_ns. Pure. */
double guard_percent(uint64_t run_ns, uint64_t wall_ns, unsigned n_cpus);
/*
 * One event in so many is to be followed, where it was one in every (0: each) and took percent.
 * 0: fewer would not help. Pure.
 */
uint32_t guard_every(uint32_t every, double percent, double max_percent);
/*
 * The same, where that took percent and the limit is kept: fewer than every where the next step up
 * would take half of the limit at most, and never below least. Pure.
 */
uint32_t guard_finer(uint32_t every, uint32_t least, double percent, double max_percent);
/* Returns OK, or CANNOT, said: the kernel does not count. */
enum status guard_begin(struct guard *, const struct session *, double max_percent);
/* Looks when it is time to; what comes of it is in the session's next reports. */
void guard_look(struct guard *, struct session *, uint64_t now_ns);

#endif
