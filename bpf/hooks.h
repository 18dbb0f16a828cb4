/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Roles that several tools have, as rows for their hook tables. */
#ifndef KTRACE_HOOKS_H
#define KTRACE_HOOKS_H

/* A tracepoint seen in three ways: programs BASE_btf, BASE_raw, BASE_tp. */
#define HOOKS_EVENT(object, role, base, target, ...)                           \
	HOOK(object, role, VIA_TP_BTF, base##_btf, target, ##__VA_ARGS__),     \
	    HOOK(object, role, VIA_RAW_TP, base##_raw, target, ##__VA_ARGS__), \
	    HOOK(object, role, VIA_TRACEPOINT, base##_tp, target, ##__VA_ARGS__)

/*
 * The same of an event that tells an object or a lock by its address, which a raw program reads as
 * it is: a typed one has to copy it out of its context, see void_arg() of bpf/slab.bpf.h.
 */
#define HOOKS_ADDRESS(object, role, base, target, ...)                         \
	HOOK(object, role, VIA_RAW_TP, base##_raw, target, ##__VA_ARGS__),     \
	    HOOK(object, role, VIA_TP_BTF, base##_btf, target, ##__VA_ARGS__), \
	    HOOK(object, role, VIA_TRACEPOINT, base##_tp, target, ##__VA_ARGS__)

/* sched_switch hands over prev_state since 5.19; before, the task is asked. */
#define HOOKS_SWITCH(object, ...)                                                            \
	HOOK(object, "switch", VIA_TP_BTF, switch_btf, "sched:sched_switch", .param = 3,     \
	     .param_type = "unsigned int", ##__VA_ARGS__),                                   \
	    HOOK(object, "switch", VIA_TP_BTF, switch_btf_old, "sched:sched_switch",         \
		 ##__VA_ARGS__),                                                             \
	    HOOK(object, "switch", VIA_RAW_TP, switch_raw, "sched:sched_switch", .param = 3, \
		 .param_type = "unsigned int", ##__VA_ARGS__),                               \
	    HOOK(object, "switch", VIA_RAW_TP, switch_raw_old, "sched:sched_switch",         \
		 ##__VA_ARGS__),                                                             \
	    HOOK(object, "switch", VIA_TRACEPOINT, switch_tp, "sched:sched_switch", ##__VA_ARGS__)

/* Threads that sleep when tracing begins. */
#define HOOKS_BEGIN(object)                                                         \
	HOOK(object, "begin", VIA_ITER, tasks_begin, "task", .when = HOOK_OPTIONAL, \
	     .without =                                                             \
		 "threads that slept when tracing began are not seen until they sleep again")

/* bpf/slab_alloc.bpf.h. Before 6.1 four events, with the sizes; from then on two, and the cache
 * instead of its sizes. */
#define HOOKS_KMALLOC(object, ...)                                                   \
	HOOKS_ADDRESS(object, "kmalloc", kmalloc, "kmem:kmalloc", ##__VA_ARGS__),    \
	    HOOK(object, "kmalloc", VIA_TRACEPOINT, kmalloc_tp_old, "kmem:kmalloc",  \
		 ##__VA_ARGS__),                                                     \
	    HOOKS_ADDRESS(object, "kmalloc_node", kmalloc_node, "kmem:kmalloc_node", \
			  .when = HOOK_IF_PRESENT, ##__VA_ARGS__)
#define HOOKS_CACHE_ALLOC(object, ...)                                                            \
	HOOK(object, "cache", VIA_TP_BTF, cache_btf, "kmem:kmem_cache_alloc", .param = 2,         \
	     .param_type = "struct kmem_cache *", ##__VA_ARGS__),                                 \
	    HOOK(object, "cache", VIA_TP_BTF, cache_btf_old, "kmem:kmem_cache_alloc", .param = 2, \
		 .param_type = "size_t", ##__VA_ARGS__),                                          \
	    HOOK(object, "cache", VIA_RAW_TP, cache_raw, "kmem:kmem_cache_alloc", .param = 2,     \
		 .param_type = "struct kmem_cache *", ##__VA_ARGS__),                             \
	    HOOK(object, "cache", VIA_RAW_TP, cache_raw_old, "kmem:kmem_cache_alloc", .param = 2, \
		 .param_type = "size_t", ##__VA_ARGS__),                                          \
	    HOOK(object, "cache", VIA_TRACEPOINT, cache_tp, "kmem:kmem_cache_alloc",              \
		 ##__VA_ARGS__),                                                                  \
	    HOOK(object, "cache", VIA_TRACEPOINT, cache_tp_old, "kmem:kmem_cache_alloc",          \
		 ##__VA_ARGS__),                                                                  \
	    HOOKS_ADDRESS(object, "cache_node", cache_node, "kmem:kmem_cache_alloc_node",         \
			  .when = HOOK_IF_PRESENT, ##__VA_ARGS__)

/* Children of a followed command. */
#define HOOKS_FOLLOW(object, ...)                                                            \
	HOOKS_EVENT(object, "follow", fork, "sched:sched_process_fork", .when = HOOK_FOLLOW, \
		    ##__VA_ARGS__)

#endif
