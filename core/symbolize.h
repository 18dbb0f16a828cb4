/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From addresses to names: stacks are trimmed of tracing machinery, named,
 * interned in the snapshot, and the context that ran (task, softirq, ...) is
 * told from them. Tables are loaded when first needed and kept.
 */
#ifndef KTRACE_SYMBOLIZE_H
#define KTRACE_SYMBOLIZE_H

#include "core/plan.h"
#include "core/snapshot.h"
#include "core/stack_store.h"

struct lock_object;
struct usyms;
struct cgroup_names;
struct named_stack;

struct symbolize {
	const struct plan *plan;
	struct stack_store stacks;
	int links_fd, chains_fd; /* maps links and chains; negative: none */
	struct usyms *usyms;     /* NULL: no user stacks are shown */
	struct cgroup_names *cgroups;
	bool cgroups_tried;
	/* kernel stacks of the snapshot in the making, by id */
	struct named_stack *named;
	size_t n_named, size_named;
	struct table ustacks; /* and user stacks, by id and process */
};

struct named_stack {
	uint64_t id;
	const struct stack *stack;
	const char *context; /* static string */
	bool interrupted;    /* the running task has nothing to do with it */
};

/* A snapshot begins: user mappings, and kernel symbols that may be stale, are read anew. */
void symbolize_begin(struct symbolize *);
/* All of it is named: forgets what was of this snapshot only. */
void symbolize_done(struct symbolize *);
void symbolize_end(struct symbolize *);

/*
 * Stacks by id; a lost one has the single frame "[lost]". Return 0, -ENOMEM, or
 * -errno when the map could not be read.
 */
int symbolize_kstack(struct symbolize *, struct snapshot *, uint64_t id, struct named_stack *out);
int symbolize_ustack(struct symbolize *, struct snapshot *, uint64_t id, uint32_t tgid,
		     const struct stack **out);
/*
 * The chain of wakers by its id, nearest first. Where an interrupt did a link's
 * wakeup the chain ends with it: what the interrupted task waited for says
 * nothing. Returns as above.
 */
int symbolize_chain(struct symbolize *, struct snapshot *, uint64_t id, const struct chain **out);
/* NULL when out of memory. */
const char *symbolize_function(struct symbolize *, struct snapshot *, uint64_t address);
/* Does the address lie in one of these functions (NULL-terminated)? */
bool symbolize_is_in(struct symbolize *, struct snapshot *, uint64_t address,
		     const char *const *functions);
/*
 * The first function of a kernel stack, leaf first, that is none of leaf (globs); NULL: not
 * to be told. The string lives until something else is named.
 */
const char *symbolize_caller(struct symbolize *, struct snapshot *, uint64_t id,
			     const char *const *leaf);
/*
 * "name [module]", or where the lock lies in something static "name+0x1f [module]"; else
 * the slab cache and where in the object, "dentry+0x58"; else the address. NULL when out of
 * memory.
 */
const char *symbolize_lock(struct symbolize *, struct snapshot *, uint64_t address,
			   const struct lock_object *);
const char *symbolize_cgroup(struct symbolize *, struct snapshot *, uint64_t id);

#endif
