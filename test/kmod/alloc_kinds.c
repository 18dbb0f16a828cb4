// SPDX-License-Identifier: GPL-2.0-or-later
/* What calls the allocators: functions of telling names, for they are what a stack shows. */
#include <linux/cpumask.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/slab.h>

#include "alloc.h"

static struct kmem_cache *cache;

static noinline void *truth_kmalloc(const struct truth_args *args)
{
	void *object = kmalloc(args->value[TRUTH_SIZE], GFP_KERNEL);

	barrier(); /* no tail call: this function is to be seen in the stack */
	return object;
}

static noinline void *truth_kmalloc_node(const struct truth_args *args)
{
	void *object = kmalloc_node(args->value[TRUTH_SIZE], GFP_KERNEL, args->value[TRUTH_NODE]);

	barrier();
	return object;
}

static noinline void truth_kfree(void *object)
{
	kfree(object);
	barrier();
}

noinline void truth_kfree_rcu(void *data)
{
	struct object *object = data;

	kfree_rcu(object, rcu);
	barrier();
}

static noinline void *truth_kvmalloc(const struct truth_args *args)
{
	void *object = kvmalloc(args->value[TRUTH_SIZE], GFP_KERNEL);

	barrier();
	return object;
}

static noinline void truth_kvfree(void *object)
{
	kvfree(object);
	barrier();
}

static noinline void *truth_cache_alloc(const struct truth_args *args)
{
	void *object = kmem_cache_alloc(cache, GFP_KERNEL);

	barrier();
	return object;
}

static noinline void truth_cache_free(void *object)
{
	kmem_cache_free(cache, object);
	barrier();
}

static noinline void truth_rcu_fn(struct rcu_head *rcu)
{
	kmem_cache_free(cache, container_of(rcu, struct object, rcu));
	barrier();
}

/* Not kfree_rcu(), whose batches a cache's end does not await in older kernels. */
noinline void truth_cache_free_rcu(void *data)
{
	struct object *object = data;

	call_rcu(&object->rcu, truth_rcu_fn);
	barrier();
}

static noinline void *truth_alloc_pages(const struct truth_args *args)
{
	struct page *page = alloc_pages(GFP_KERNEL, args->value[TRUTH_ORDER]);
	struct object *object = page ? page_address(page) : NULL;

	if (object)
		object->order = args->value[TRUTH_ORDER];
	return object;
}

static noinline void truth_free_pages(void *data)
{
	struct object *object = data;

	__free_pages(virt_to_page(data), object->order);
	barrier();
}

/* A block that is split into its pages, which are given back one after the other. */
static noinline void *truth_alloc_exact(const struct truth_args *args)
{
	struct object *object = alloc_pages_exact(args->value[TRUTH_SIZE], GFP_KERNEL);

	if (object)
		object->size = args->value[TRUTH_SIZE];
	return object;
}

static noinline void truth_free_exact(void *data)
{
	struct object *object = data;

	free_pages_exact(data, object->size);
	barrier();
}

static noinline void *truth_alloc_percpu(const struct truth_args *args)
{
	void __percpu *object = __alloc_percpu(args->value[TRUTH_SIZE], sizeof(void *));

	barrier();
	return (void *)(unsigned long __force)object;
}

/* __percpu may be an address space of its own, to and from which only integers are cast. */
static void __percpu *percpu_of(void *object)
{
	return (void __percpu *)(unsigned long __force)object;
}

static noinline void truth_free_percpu(void *object)
{
	free_percpu(percpu_of(object));
	barrier();
}

static struct object *percpu_link(void *object)
{
	return per_cpu_ptr(percpu_of(object), cpumask_first(cpu_possible_mask));
}

struct kind truth_kinds[KINDS] = {
    [KMALLOC] = {"kmalloc", truth_kmalloc, truth_kfree},
    [KMALLOC_NODE] = {"kmalloc_node", truth_kmalloc_node, truth_kfree},
    [KVMALLOC] = {"kvmalloc", truth_kvmalloc, truth_kvfree},
    [CACHE] = {"cache", truth_cache_alloc, truth_cache_free},
    [PAGES] = {"pages", truth_alloc_pages, truth_free_pages},
    [EXACT] = {"exact", truth_alloc_exact, truth_free_exact},
    [PERCPU] = {"percpu", truth_alloc_percpu, truth_free_percpu, percpu_link},
};

/* Up to BULK of them; newer kernels return whether, older ones how many, which is all or none. */
noinline bool truth_bulk_alloc(void **objects, size_t count)
{
	bool all = kmem_cache_alloc_bulk(cache, GFP_KERNEL, count, objects);

	barrier();
	return all;
}

noinline void truth_bulk_free(void **objects, size_t count)
{
	kmem_cache_free_bulk(cache, count, objects);
	barrier();
}

/* Keeps the cache from being merged with another of that size. */
static void truth_ctor(void *object)
{
}

int truth_cache_init(void)
{
	cache = kmem_cache_create("ktrace_truth", CACHE_OBJECT, 0, 0, truth_ctor);
	return cache ? 0 : -ENOMEM;
}

void truth_cache_exit(void)
{
	rcu_barrier(); /* what was given to call_rcu() is still to be freed into it */
	kmem_cache_destroy(cache);
}
