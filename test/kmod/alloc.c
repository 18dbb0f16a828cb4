// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory: so many objects of each allocator, which are then freed or leaked.
 * Objects are chained through themselves, so that keeping them costs no further
 * allocation. What leaks stays on a chain until "free" or the module's end.
 */
#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/sched.h>

#include "alloc.h"

#define BULK 64
#define MAX_OBJECTS 200000

static u64 leaked_bytes;

static struct object *link_of(const struct kind *kind, void *object)
{
	return kind->link ? kind->link(object) : object;
}

static u64 put_chain(const struct kind *kind, void *chain, void (*put)(void *object))
{
	u64 count = 0;

	while (chain) {
		void *object = chain;

		chain = link_of(kind, object)->next;
		put(object);
		if (!(++count % 256))
			cond_resched();
	}
	return count;
}

/* Adds chain, which ends in last, to what has leaked. */
static void leak_chain(struct kind *kind, void *chain, void *last)
{
	if (!chain)
		return;
	link_of(kind, last)->next = kind->leaked;
	kind->leaked = chain;
}

static void free_chain(struct kind *kind, const struct truth_args *args, void *chain)
{
	void (*put)(void *object) = kind->put;

	if (args->rcu)
		put = kind == &truth_kinds[CACHE] ? truth_cache_free_rcu : truth_kfree_rcu;
	truth_say("freed", put_chain(kind, chain, put));
	if (args->rcu)
		rcu_barrier();
}

static int run_kind(const struct truth_args *args, struct kind *kind, u64 bytes_each)
{
	u64 count = args->value[TRUTH_N], done;
	void *chain = NULL, *last = NULL;

	for (done = 0; done < count; done++) {
		void *object = kind->get(args);

		if (!object)
			break;
		link_of(kind, object)->next = chain;
		last = last ?: object;
		chain = object;
		if (!(done % 256))
			cond_resched();
	}
	truth_say("count", done);
	truth_say("size", bytes_each);
	truth_say("bytes", done * bytes_each);
	if (args->leak) {
		leak_chain(kind, chain, last);
		leaked_bytes += done * bytes_each;
		truth_say("leaked", done);
	} else {
		free_chain(kind, args, chain);
	}
	return done == count ? 0 : -ENOMEM;
}

static int run_kmalloc(const struct truth_args *args)
{
	return run_kind(args, &truth_kinds[KMALLOC], args->value[TRUTH_SIZE]);
}

static int run_kmalloc_node(const struct truth_args *args)
{
	return run_kind(args, &truth_kinds[KMALLOC_NODE], args->value[TRUTH_SIZE]);
}

static int run_kvmalloc(const struct truth_args *args)
{
	return run_kind(args, &truth_kinds[KVMALLOC], args->value[TRUTH_SIZE]);
}

static int run_cache(const struct truth_args *args)
{
	return run_kind(args, &truth_kinds[CACHE], CACHE_OBJECT);
}

static int run_pages(const struct truth_args *args)
{
	truth_say("pages", (u64)args->value[TRUTH_N] << args->value[TRUTH_ORDER]);
	return run_kind(args, &truth_kinds[PAGES], PAGE_SIZE << args->value[TRUTH_ORDER]);
}

static int run_exact(const struct truth_args *args)
{
	return run_kind(args, &truth_kinds[EXACT], args->value[TRUTH_SIZE]);
}

static int run_percpu(const struct truth_args *args)
{
	truth_say("cpus", num_possible_cpus());
	return run_kind(args, &truth_kinds[PERCPU], args->value[TRUTH_SIZE]);
}

static void leak_bulk(void **objects, size_t count)
{
	while (count--) {
		leak_chain(&truth_kinds[CACHE], objects[count], objects[count]);
		leaked_bytes += CACHE_OBJECT;
	}
}

static int run_bulk(const struct truth_args *args)
{
	u64 left = args->value[TRUTH_N], calls = 0;
	void *objects[BULK];

	for (; left; calls++) {
		size_t count = min_t(u64, left, BULK);

		if (!truth_bulk_alloc(objects, count))
			return -ENOMEM;
		if (args->leak)
			leak_bulk(objects, count);
		else
			truth_bulk_free(objects, count);
		left -= count;
		cond_resched();
	}
	truth_say("count", args->value[TRUTH_N]);
	truth_say("calls", calls);
	truth_say("size", CACHE_OBJECT);
	truth_say("bytes", args->value[TRUTH_N] * CACHE_OBJECT);
	truth_say(args->leak ? "leaked" : "freed", args->value[TRUTH_N]);
	return 0;
}

static int run_free(const struct truth_args *args)
{
	struct kind *kind;

	for (kind = truth_kinds; kind < truth_kinds + KINDS; kind++) {
		truth_say(kind->name, put_chain(kind, kind->leaked, kind->put));
		kind->leaked = NULL;
	}
	leaked_bytes = 0;
	return 0;
}

static bool bytes_are_bounded(const struct truth_args *args, u64 bytes_each)
{
	return leaked_bytes + args->value[TRUTH_N] * bytes_each <= TRUTH_MAX_BYTES;
}

static bool size_allows(const struct truth_args *args)
{
	int node = args->value[TRUTH_NODE];

	return bytes_are_bounded(args, args->value[TRUTH_SIZE]) &&
	       (node < 0 || (node < MAX_NUMNODES && node_online(node)));
}

static bool percpu_allows(const struct truth_args *args)
{
	return bytes_are_bounded(args, args->value[TRUTH_SIZE] * num_possible_cpus());
}

static bool cache_allows(const struct truth_args *args)
{
	return bytes_are_bounded(args, CACHE_OBJECT);
}

static bool pages_allows(const struct truth_args *args)
{
	return bytes_are_bounded(args, PAGE_SIZE << args->value[TRUTH_ORDER]);
}

#define N_OF                                        \
	{                                           \
		TRUTH_N, 1, MAX_OBJECTS, TRUTH_MUST \
	}
#define SIZE_TO(max)                                               \
	{                                                          \
		TRUTH_SIZE, sizeof(struct object), max, TRUTH_MUST \
	}

const struct truth_command truth_alloc_commands[] = {
    {"kmalloc",
     NULL,
     size_allows,
     run_kmalloc,
     {N_OF, SIZE_TO(4 << 20)},
     .has_then = true,
     .has_rcu = true},
    {"kmalloc_node",
     NULL,
     size_allows,
     run_kmalloc_node,
     {N_OF, SIZE_TO(4 << 20), {TRUTH_NODE, -1, MAX_NUMNODES, -1}},
     .has_then = true,
     .has_rcu = true},
    {"kvmalloc", NULL, size_allows, run_kvmalloc, {N_OF, SIZE_TO(16 << 20)}, .has_then = true},
    {"cache", NULL, cache_allows, run_cache, {N_OF}, .has_then = true, .has_rcu = true},
    {"bulk", NULL, cache_allows, run_bulk, {N_OF}, .has_then = true},
    {"pages", NULL, pages_allows, run_pages, {N_OF, {TRUTH_ORDER, 0, 9, 0}}, .has_then = true},
    {"exact", NULL, size_allows, run_exact, {N_OF, SIZE_TO(1 << 20)}, .has_then = true},
    {"percpu", NULL, percpu_allows, run_percpu, {N_OF, SIZE_TO(4096)}, .has_then = true},
    {"free", NULL, NULL, run_free},
    {},
};

int truth_alloc_init(void)
{
	return truth_cache_init();
}

void truth_alloc_exit(void)
{
	struct kind *kind;

	for (kind = truth_kinds; kind < truth_kinds + KINDS; kind++)
		put_chain(kind, kind->leaked, kind->put);
	truth_cache_exit();
}
