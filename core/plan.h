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

#define MAX_CANDIDATES 96
#define REASON_LEN 160

struct symbols;

struct candidate {
	const struct hook *hook;
	/* Of the hook's targets the one that this kernel has; its first where it has none. */
	char target[TARGET_LEN];
	bool rejected;
	char reason[REASON_LEN]; /* why, when rejected */
};

struct role {
	const char *name;
	unsigned first, n; /* its candidates */
	bool optional;
	uint8_t mode; /* 0: in every mode */
};

struct plan {
	const struct opts *opts;
	struct symbols *symbols; /* of the running kernel, for who carries the plan out */
	struct candidate candidate[MAX_CANDIDATES];
	unsigned n_candidates;
	struct role role[MAX_HOOKS];
	unsigned n_roles;
	const char *missing;  /* why the tool cannot run whatever is hooked; NULL: nothing is */
	const char *idle[4];  /* why there may be nothing to see; ends with NULL */
	unsigned mode;        /* in use, from 1; 0: the tool has none */
	struct filter filter; /* as BPF will read it, less what only the running system knows */
	uint32_t max_stacks, max_rows;
	uint32_t max_chains; /* as many links, too */
	bool kfunc_cache;    /* slab objects tell their cache */
	bool rt;             /* PREEMPT_RT: sleeping locks are rt_mutexes */
};

/* Do the options ask for the hook, whatever the kernel? Of no other is any fact looked at. */
bool plan_asks(const struct opts *, const struct hook *);
/* Never fails: a role without a usable candidate is for plan_check() to tell. */
void plan_make(const struct opts *, const struct caps *, struct plan *);
/* Can the tool run: has it what it depends on, and each role of the mode in use a candidate? */
bool plan_works(struct plan *);
/* The object of the mode in use; NULL: none. */
const struct object *plan_object(const struct plan *);
/* Is the role one of the mode in use? */
bool plan_uses(const struct plan *, const struct role *);
/* Has its mode a role of this name? */
bool plan_uses_role(const struct plan *, const char *name);
/* The candidate that a role would use first; NULL: none is left, or its mode is not in use. */
struct candidate *plan_chosen(struct plan *, const struct role *);
/* The role that keeps a mode (0: those common to all) from running; NULL: none does. */
const struct role *plan_obstacle(struct plan *, unsigned mode);
/*
 * OK, or CANNOT, said with each rejected hook's reason in one line. Where a mode cannot be
 * had any more, the next is in use from now on.
 */
enum status plan_check(struct plan *);
/* Marks a candidate that the kernel refused. */
void plan_reject(struct candidate *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Finds the candidate's target and rejects it where this kernel cannot hook it. */
void plan_judge(struct candidate *, const struct opts *, const struct caps *);
/* Has this kernel none of the hook's targets, so that there is nothing to see? */
bool plan_absent(const struct hook *, const struct caps *);
/* The whole plan for people. */
void plan_print(struct plan *, FILE *);

#endif
