/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is read of memory management: part of kernel.h, which says how. */
#ifndef KTRACE_KERNEL_MM_H
#define KTRACE_KERNEL_MM_H

struct kmem_cache {
	const char *name;
	unsigned int size;
	unsigned int object_size;
	unsigned int red_left_pad; /* CONFIG_SLUB_DEBUG */
};

/* Its slab cache, while an object of one is in it. */
struct page {
	unsigned long flags;
	unsigned long compound_head;
	unsigned int page_type; /* since 6.12 its top byte is a type (4ffca5a96678) */
};

struct page___old {
	struct kmem_cache *slab_cache; /* before 5.17 (d122019bf061) */
};

struct slab {
	struct kmem_cache *slab_cache;
};

enum pageflags {
	PG_slab = 7, /* before 6.10 (46df8e73a4a3) */
};

enum pagetype {
	PGTY_slab = 0xf5, /* since 6.12 */
};

enum kmalloc_cache_type {
	KMALLOC_RANDOM_START, /* since 6.6 */
};

struct trace_event_raw_kmalloc {
	struct trace_entry ent;
	unsigned long call_site;
	const void *ptr;
	size_t bytes_req;
	size_t bytes_alloc;
};

/* Before 6.1 kmalloc and kmem_cache_alloc share one record (11e9734bcb6a merged them anew). */
struct trace_event_raw_kmem_alloc {
	struct trace_entry ent;
	unsigned long call_site;
	const void *ptr;
	size_t bytes_req;
	size_t bytes_alloc;
};

struct trace_event_raw_kmem_alloc_node {
	struct trace_entry ent;
	unsigned long call_site;
	const void *ptr;
	size_t bytes_req;
	size_t bytes_alloc;
};

/* Before 5.12 kfree and kmem_cache_free share one record. */
struct trace_event_raw_kmem_free {
	struct trace_entry ent;
	unsigned long call_site;
	const void *ptr;
};

struct trace_event_raw_kmem_cache_alloc {
	struct trace_entry ent;
	unsigned long call_site;
	const void *ptr;
	__u32 __data_loc_name; /* since 6.18 */
	size_t bytes_req;
	size_t bytes_alloc;
};

struct trace_event_raw_kfree {
	struct trace_entry ent;
	unsigned long call_site;
	const void *ptr;
};

struct trace_event_raw_kmem_cache_free {
	struct trace_entry ent;
	unsigned long call_site;
	const void *ptr;
	__u32 __data_loc_name; /* since 5.12 */
};

struct trace_event_raw_mm_page_alloc {
	struct trace_entry ent;
	unsigned long pfn;
	unsigned int order;
	int migratetype;
};

struct trace_event_raw_mm_page_free {
	struct trace_entry ent;
	unsigned long pfn;
	unsigned int order;
};

struct trace_event_raw_percpu_alloc_percpu {
	struct trace_entry ent;
	size_t size;
	void *ptr;
};

struct trace_event_raw_percpu_free_percpu {
	struct trace_entry ent;
	void *ptr;
};

enum migrate_reason {
	MR_NUMA_MISPLACED = 5, /* on all kernels from 5.10 to 7.3 */
};

struct trace_event_raw_mm_migrate_pages {
	struct trace_entry ent;
	unsigned long succeeded;
	unsigned long failed;
	int reason;
};

struct trace_event_raw_mm_migrate_pages___enum {
	enum migrate_reason reason; /* as 7.3 has it: CO-RE takes no enum for an int */
};

struct trace_event_raw_mm_migrate_pages_start {
	struct trace_entry ent;
	int reason;
};

struct trace_event_raw_mm_migrate_pages_start___enum {
	enum migrate_reason reason;
};

#endif
