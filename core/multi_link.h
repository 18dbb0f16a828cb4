/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One link, by whichever way the hook goes; the bpf(2) and perf_event_open(2) of core/multi.c. */
#ifndef KTRACE_MULTI_LINK_H
#define KTRACE_MULTI_LINK_H

#include <bpf/libbpf.h>

#include "core/targets.h"

struct link_maker {
	const struct hook *hook;
	const struct bpf_program *program;
	uint32_t pmu;  /* type of perf events: of kprobes or uprobes */
	int tracefs;   /* -1: not needed, or not to be had */
	uint32_t tgid; /* only in this process, where the way allows that; 0: in all */
};

/* 0 or -errno. link_maker_end() takes also what failed here. */
int link_maker_init(struct link_maker *, const struct hook *, const struct bpf_program *);
void link_maker_end(struct link_maker *);

/* A descriptor that keeps the program on all of these targets, of one file each; -errno. */
int link_of_set(const struct link_maker *, const struct targets *, const uint32_t *list, size_t n);
/* On one. *copy: the program made for it, where hook.copies. */
int link_of_one(const struct link_maker *, const struct targets *, uint32_t number, int *copy);

#endif
