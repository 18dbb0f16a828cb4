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

struct slab_key {
	__u64 cache; /* its address; 0: of a kmalloc whose cache cannot be told */
	__u64 bytes; /* of an object of it, with what surrounds it */
};

struct slab_value {
	__u64 allocs, frees;
	__u64 bytes;     /* allocs by key.bytes: set as rows are collected */
	__s64 net_bytes; /* allocs less frees likewise */
	char cache[NAME_LEN];
};

#endif
