/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How a program finds the slab cache of an object. */
#ifndef KTRACE_SLAB_FIND_H
#define KTRACE_SLAB_FIND_H

struct slab_find {
	__u8 kfunc; /* bpf_get_kmem_cache() is to be had */
	/* Else, where these kernel variables stand; 0: not to be had, and the cache is not told. */
	__u64 vmemmap_base, page_offset_base;
};

#endif
