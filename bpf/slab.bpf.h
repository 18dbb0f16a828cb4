/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the programs on slab events share: their arguments, and the names of caches. */
#ifndef KTRACE_SLAB_BPF_H
#define KTRACE_SLAB_BPF_H

/* Newer than 6.12, there from 6.16 on at the latest. Called only where cfg.kfunc_cache says so. */
extern struct kmem_cache *bpf_get_kmem_cache(__u64 addr) __ksym __weak;

/*
 * Argument n of a tp_btf program that the kernel calls const void *. Not every
 * verifier (5.10 to 6.12, at least) lets a program load it from the context: it looks
 * for a struct behind the const.
 */
static __always_inline __u64 void_arg(void *ctx, int n)
{
	__u64 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), (__u64 *)ctx + n);
	return value;
}

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
