/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The allocators, each as a pair of functions: alloc_kinds.c has them, alloc.c calls them. */
#ifndef KTRACE_TRUTH_ALLOC_H
#define KTRACE_TRUTH_ALLOC_H

#include <linux/rcupdate.h>

#include "truth.h"

#define CACHE_OBJECT 320

/* What is written at the head of each object while it is on a chain. */
struct object {
	union {
		struct object *next;
		struct rcu_head rcu;
		struct {
			struct object *page_next; /* is next */
			union {
				unsigned int order;
				size_t size;
			};
		};
	};
};

struct kind {
	const char *name;
	void *(*get)(const struct truth_args *args);
	void (*put)(void *object);
	struct object *(*link)(void *object); /* where the chain is; NULL: in the object */
	void *leaked;
};

enum kind_id { KMALLOC, KMALLOC_NODE, KVMALLOC, CACHE, PAGES, EXACT, PERCPU, KINDS };

extern struct kind truth_kinds[KINDS];

/* Other ways out than a kind's put(). */
void truth_kfree_rcu(void *object);
void truth_cache_free_rcu(void *object);

bool truth_bulk_alloc(void **objects, size_t count);
void truth_bulk_free(void **objects, size_t count);

int truth_cache_init(void);
void truth_cache_exit(void);

#endif
