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

/*
 * One cache may have rows under several keys, which the report adds up by name; a word, which is
 * cheaper to hash than two:
 * - the cache's address, and over its last two bytes, in which all addresses are alike, those of
 * the size of an object with what surrounds it (0: of a kfree, which says none)
 * - flags and size of a kmalloc, where they fix the cache
 * - the size alone where the cache cannot be told
 */
union slab_key {
	__u64 cache;
	struct {
		__u32 flags;
		__u32 bytes;
	} kmalloc;
	__u16 word[4];
};

struct slab_value {
	__u64 allocs, frees;
	__u64 bytes;     /* allocs by object_bytes: set as rows are collected */
	__s64 net_bytes; /* allocs less frees likewise */
	__u64 object_bytes;
	char cache[NAME_LEN];
};

#endif
