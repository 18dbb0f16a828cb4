/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* memleak, user heap: what the BPF programs and the tool agree on. cfg is struct leak_cfg. */
#ifndef KTRACE_HEAP_H
#define KTRACE_HEAP_H

#include "bpf/leak.h"

/* What functions of an allocator do, by what their arguments mean. */
enum heap_function {
	HEAP_MALLOC,         /* (size): malloc, valloc */
	HEAP_NEW,            /* (size): operator new, of an allocator */
	HEAP_MEMALIGN,       /* (alignment, size) */
	HEAP_CALLOC,         /* (n, size) */
	HEAP_REALLOC,        /* (old, size) */
	HEAP_REALLOCARRAY,   /* (old, n, size) */
	HEAP_POSIX_MEMALIGN, /* (&result, alignment, size) */
	HEAP_FREE,           /* (old) */
	HEAP_DELETE,         /* (old): operator delete, of an allocator: may call free() */
	HEAP_WRAPPER,        /* calls one of the above, and keeps no frame pointer */
	HEAP_MAPPER,         /* likewise a system call that changes mappings */
	HEAP_FUNCTIONS,
};

/* Key of map live. */
struct heap_key {
	__u64 addr;
	__u32 tgid;
	__u32 unused;
};

/* An allocation that was not freed yet. The map's value ends with the last member shown. */
struct heap_value {
	__u64 ts_ns, bytes, ustack;
	__u32 tid;
	__u32 class; /* enum leak_class */
	__u64 cgroup;
	char comm[COMM_LEN];
};

/* Of a process: when it was another program last, and when it ended; 0: never. */
struct heap_end {
	__u64 exec_ns, exit_ns;
};

struct heap_misses {
	__u64 frees;   /* of addresses that were not known */
	__u64 retaken; /* allocated again without a free that was seen */
};

/*
 * Memory that a process gave back to the kernel, or mapped anew over what was there, where
 * that was no mapping as a whole. Map cuts has a struct heap_key for it, unused being what
 * tells one from another of the same place.
 */
struct heap_cut {
	__u64 bytes, ts_ns;
};

#endif
