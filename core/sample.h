/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --sample, and what --max-overhead does first: fewer events are followed, each of which counts
 * for more. bpf/sample.bpf.h is the kernel's side.
 */
#ifndef KTRACE_SAMPLE_H
#define KTRACE_SAMPLE_H

#include <stdint.h>

#include "core/fail.h"

/* bpf/sample.bpf.h: how many, and what came of it. Only where events are left out. */
#define SAMPLE_MAP ".data.sample"
#define SAMPLE_COUNTS_MAP "sample_counts"

struct session;
struct snapshot;

/* Before the object is loaded: one event in every. Returns 0 or -errno. */
int sample_begin(struct session *, uint32_t every);
/* From now on. Returns 0 or -errno; -ENOENT: the tool's programs follow each event. */
int sample_change(struct session *, uint32_t every);
/* Says in the report that its rows are estimates, where they are. Returns OK, or FAILED, said. */
enum status sample_report(struct session *, struct snapshot *);
/* AT_RATE: behind that report another period begins. */
void sample_next_period(struct session *, const struct snapshot *);

#endif
