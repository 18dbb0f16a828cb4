/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* memleak: what the BPF programs and the tool agree on. */
#ifndef KTRACE_LEAK_H
#define KTRACE_LEAK_H

#include "bpf/shared.h"
#include "bpf/slab_find.h"

enum leak_class {
	LEAK_SLAB,
	LEAK_KMALLOC,
	LEAK_PAGES,
	LEAK_PERCPU,
	LEAK_MALLOC, /* from here on of user processes: bpf/heap.bpf.c */
	LEAK_MMAP,
	LEAK_CLASSES,
};

/*
 * Key of map live: the address with the allocator in its lowest bits, for a page
 * is known by its struct page, or its frame number, and a percpu object by an offset.
 * kfree() frees objects of slab caches too, so both are of one allocator here.
 */
enum leak_space {
	LEAK_SPACE_SLAB,
	LEAK_SPACE_PAGES,
	LEAK_SPACE_PERCPU,
};
#define LEAK_SPACE_MASK 3ULL
#define LEAK_PFN_SHIFT 2 /* of a frame number, which has no free bits */

struct leak_cfg {
	struct filter filter;
	__u64 min_bytes, max_bytes; /* requested; max 0: no limit */
	__u64 page_bytes;
	__u64 large_bytes; /* kmallocs above go to the page allocator */
	__u64 sample;      /* 1 of so many addresses (of bytes, user heap) is followed; 0, 1: all */
	__u64 seed;        /* which ones */
	struct slab_find find;
	__u32 cpus; /* possible ones: each has its copy of a percpu object */
	__u8 user_pages;
	/* User heap: */
	__u8 session;        /* one program sees a function begin and end */
	__u8 mappings;       /* beside the allocator's blocks, or alone */
	__u8 count_misses;   /* a free of what is not known tells something */
	__u8 never;          /* 0 */
	__u64 max_new_bytes; /* what operator new is asked for beyond will fail */
	/* Not for the programs: */
	__u8 addresses, growth;
	__u64 older_ns;
	__u32 max_live;
};

/*
 * An allocation that was not freed yet. The map's value ends with the last
 * member that is shown: see leak_value_size().
 */
struct leak_value {
	__u64 ts_ns, bytes, kstack;
	__u32 tid;
	__u32 class; /* enum leak_class */
	__u64 ustack, cgroup;
	__u32 tgid, unused;
	char comm[COMM_LEN];
	char cache[NAME_LEN];
};

/* How often an address was allocated again whose free was not seen. */
struct leak_missed {
	__u64 frees;
};

#endif
