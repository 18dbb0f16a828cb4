/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plan: which program fills which role, by which hook, and why not the
 * others. A pure function of the options and of what a kernel offers, so
 * --explain loads nothing and every kernel ever seen is a unit test.
 */
#ifndef KTRACE_PLAN_H
#define KTRACE_PLAN_H

#include <stdbool.h>
#include <stdio.h>

#include "core/caps.h"
#include "core/opts.h"

#define MAX_CANDIDATES 48
#define REASON_LEN 160

struct candidate {
	const struct hook *hook;
	bool rejected;
	char reason[REASON_LEN]; /* why, when rejected */
};

struct role {
	const char *name;
	unsigned first, n; /* its candidates */
	bool optional;
};

struct plan {
	const struct opts *opts;
	struct candidate candidate[MAX_CANDIDATES];
	unsigned n_candidates;
	struct role role[MAX_HOOKS];
	unsigned n_roles;
	struct filter filter; /* as BPF will read it, less what only the running system knows */
	uint32_t max_stacks, max_rows;
	bool kfunc_cache; /* slab objects tell their cache */
};

/* Never fails: a role without a usable candidate is for plan_check() to tell. */
void plan_make(const struct opts *, const struct caps *, struct plan *);
/* The candidate that a role would use first; NULL: none is left. */
struct candidate *plan_chosen(struct plan *, const struct role *);
/* OK, or CANNOT, said with each rejected hook's reason in one line. */
enum status plan_check(struct plan *);
/* Marks a candidate that the kernel refused. */
void plan_reject(struct candidate *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The whole plan for people. */
void plan_print(struct plan *, FILE *);

#endif
