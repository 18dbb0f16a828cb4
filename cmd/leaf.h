/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions that are what is traced and not who did it, globs for a tool's leaf[]: cut from
 * the leaf of a stack, so that it begins with what called the allocator, the scheduler, ...
 */
#ifndef KTRACE_LEAF_H
#define KTRACE_LEAF_H

#define LEAF_SLAB                                                                         \
	"kmem_cache_alloc*", "__kmem_cache_alloc*", "kmalloc_*", "__kmalloc*",            \
	    "__do_kmalloc_node", "kvmalloc_*", "__kvmalloc*", "krealloc*", "__krealloc*", \
	    "kmem_cache_zalloc*", "slab_post_alloc_hook", "___kmalloc*"

#define LEAF_PAGES                                                                             \
	"__alloc_pages*", "alloc_pages*", "__alloc_frozen_pages*", "__folio_alloc*",           \
	    "folio_alloc*", "vma_alloc_folio*", "get_page_from_freelist", "__get_free_pages*", \
	    "get_free_pages*", "get_zeroed_page*", "alloc_frozen_pages*"

#define LEAF_PERCPU "pcpu_alloc*", "__alloc_percpu*"

/* By which a thread leaves its CPU, and by which one is woken. */
#define LEAF_SWITCH "__schedule", "schedule", "__traceiter_sched_switch"
#define LEAF_WAKE                                                                            \
	"try_to_wake_up", "wake_up_process", "default_wake_function", "ttwu_*", "wake_up_q", \
	    "wake_up_state"

#endif
