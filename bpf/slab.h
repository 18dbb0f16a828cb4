/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* slabratetop: what the BPF programs and the tool agree on. */
#ifndef KTRACE_SLAB_H
#define KTRACE_SLAB_H

#include "bpf/shared.h"
#include "bpf/slab_find.h"

struct slab_cfg {
	struct filter filter;
	__u64 large_bytes; /* kmallocs above are no slab objects */
	struct slab_find find;
};

/* The cache's address, or the size of a kmalloc whose cache cannot be told. */
struct slab_key {
	__u64 cache;
};

struct slab_value {
	__u64 allocs, bytes, frees;
	__s64 net_bytes;
	char cache[NAME_LEN];
};

#endif
