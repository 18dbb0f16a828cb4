/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Names of slab caches, for every program that shows them. */
#ifndef KTRACE_SLAB_BPF_H
#define KTRACE_SLAB_BPF_H

/* Newer than 6.12, there from 6.16 on at the latest. Called only where cfg.kfunc_cache says so. */
extern struct kmem_cache *bpf_get_kmem_cache(__u64 addr) __ksym __weak;

/* "kmalloc-64", "kmalloc-2k": what the general cache of a size is called. */
static __always_inline void kmalloc_name(char *out, __u64 bytes)
{
	__u32 n = bytes >= 1024 ? bytes >> 10 : bytes;
	__u32 i = 8;

	__builtin_memcpy(out, "kmalloc-", 8);
	if (n >= 100)
		out[i++] = '0' + n / 100 % 10;
	if (n >= 10)
		out[i++] = '0' + n / 10 % 10;
	out[i++] = '0' + n % 10;
	if (bytes >= 1024)
		out[i++] = 'k';
	out[i] = 0;
}

#endif
