/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* kmem and kpages: what the BPF programs and the tools agree on. */
#ifndef KTRACE_ALLOC_H
#define KTRACE_ALLOC_H

#include "bpf/shared.h"
#include "bpf/slab_find.h"

struct alloc_cfg {
	struct filter filter;
	__u64 min_bytes, max_bytes; /* requested; max 0: no limit */
	char cache[NAME_LEN];       /* only this slab cache; empty: all */
	__u32 order_plus_one;       /* only pages of this order; 0: all */
	struct slab_find find;
	__u64 page_bytes;
	__u64 large_bytes; /* requests above go to the page allocator */
};

/*
 * A kmalloc beyond the slab limit is traced twice since 6.12 (a0a44d9175b3): by
 * an inner function, large_tracer, whose call site lies in the allocator's own
 * wrapper, and by that wrapper with its caller's. Both are 0 for all smaller
 * ones and let the collector, which has the symbols, leave the inner one out.
 */
struct kmem_key {
	__u64 kstack, ustack, cgroup, large_call_site, large_tracer;
	__u32 tgid, tid;
	char comm[COMM_LEN];
	char cache[NAME_LEN];
};

struct kmem_value {
	__u64 count, bytes, requested_bytes;
};

struct kpages_key {
	__u64 kstack, ustack, cgroup;
	__u32 tgid, tid;
	char comm[COMM_LEN];
	__u32 order, unused;
};

struct kpages_value {
	__u64 count, pages, bytes;
};

#endif
