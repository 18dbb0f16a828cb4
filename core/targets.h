/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a tool's patterns match on the running system: the functions and events
 * that one program is to be attached to, each with a number of its own, by which
 * the program counts. Found before anything is loaded.
 */
#ifndef KTRACE_TARGETS_H
#define KTRACE_TARGETS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/opts.h"
#include "core/pattern.h"

struct target {
	enum target_kind kind;
	bool attached;
	uint32_t binary; /* TARGET_USER, _HEAP: index in binaries */
	char *name; /* as reports show it: "vfs_read", "ext4_iget [ext4]", "sched:sched_switch" */
	uint64_t address;  /* of a kernel function; TARGET_USER, _HEAP: offset in the file */
	unsigned function; /* TARGET_HEAP: enum heap_function */
};

struct targets {
	struct target *at;
	size_t n, room;
	char **binaries; /* paths */
	size_t n_binaries, room_binaries;
	struct patterns patterns, excluded;
	bool verbose;
	bool by_trying; /* the kernel does not tell which functions can be traced */
	size_t n_skipped;
	char first_skipped[192]; /* its name and the reason */
};

/*
 * Finds what the tool's patterns match. Returns OK; USAGE when a pattern matches
 * nothing; CANNOT when nothing of it may be traced; FAILED; said.
 */
enum status targets_find(struct targets *, const struct opts *);
void targets_free(struct targets *);

/* Counts what will not be traced, and names it with -v. */
void targets_skip(struct targets *, const char *name, const char *reason);
/* "12 functions traced, 3 skipped" on stderr. */
void targets_say(const struct targets *);
/* Is it one of those that the hook is for? */
bool target_is_for(const struct target *, const struct hook *);
/* How many of the hook's are attached. */
size_t targets_attached(const struct targets *, const struct hook *);

/* For the finders: 0, or -ENOMEM. name is copied. */
int targets_add(struct targets *, const struct target *, const char *name);
/*
 * Does a pattern of this kind that allows the scope match the name? Each that does is marked
 * as used.
 */
bool targets_match(struct targets *, enum target_kind, const char *name,
		   bool (*allows)(const struct pattern *, const void *scope), const void *scope);
/* The number of the path among the binaries, which then own it. 0, or -ENOMEM: it is freed. */
int targets_binary(struct targets *, char *path, uint32_t *number);
/* Is the name, or the last part of "category:event", excluded? */
bool targets_excluded(const struct targets *, const char *name);

/* One finder for each kind. 0, or -errno, or a positive enum status, said. */
int targets_find_functions(struct targets *);
int targets_find_events(struct targets *);
int targets_find_user(struct targets *, const struct opts *);

/* Why a kernel function is never traced; NULL: it may be. */
const char *deny_reason(const char *function);

#endif
