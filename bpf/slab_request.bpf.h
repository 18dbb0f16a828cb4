/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What kmem and memleak ask of an allocation. Part of an object whose cfg has min_bytes,
 * max_bytes and large_bytes, behind slab.bpf.h.
 */
#ifndef KTRACE_SLAB_REQUEST_BPF_H
#define KTRACE_SLAB_REQUEST_BPF_H

static __always_inline bool keep_bytes(__u64 requested)
{
	if (requested < cfg.min_bytes)
		return false;
	return !cfg.max_bytes || requested <= cfg.max_bytes;
}

/* s: the cache where the event says it, else NULL. */
static __always_inline void cache_name(char *out, __u64 ptr, struct kmem_cache *s, __u64 bytes)
{
	if (!s && bytes <= cfg.large_bytes)
		s = object_cache(ptr);
	if (s)
		bpf_probe_read_kernel_str(out, NAME_LEN, BPF_CORE_READ(s, name));
	else if (bytes <= cfg.large_bytes)
		kmalloc_name(out, bytes);
	else
		__builtin_memcpy(out, "kmalloc-large", 14);
}

#endif
