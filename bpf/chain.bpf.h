/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Chains of wakers, kept under a hash of their content as stacks are: what many
 * wakeups have in common is there once, and a row carries one number for it.
 */
#ifndef KTRACE_CHAIN_BPF_H
#define KTRACE_CHAIN_BPF_H

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, struct chain_link);
} links SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, struct chain_links);
} chains SEC(".maps");

/* The id under which n words lie in map; STACK_LOST when they do not fit. */
static __always_inline __u64 words_keep(void *map, const __u64 *word, int n)
{
	__u64 hash = n;
	int err; /* see stack_keep() */
	int i;

	for (i = 0; i < n; i++)
		hash = stack_mix(hash, word[i]);
	if (hash <= STACK_LOST)
		hash += 2;
	if (bpf_map_lookup_elem(map, &hash))
		return hash;
	err = bpf_map_update_elem(map, &hash, word, BPF_NOEXIST);
	if (err && err != -EEXIST /* another CPU was first */) {
		lose(stacks);
		return STACK_LOST;
	}
	return hash;
}

/* The chain of a waker, and behind it the chain of who woke that one, cut to cfg.chain links. */
static __always_inline __u64 chain_push(__u64 kstack, const char *comm, __u64 tail)
{
	struct chain_link link = {.kstack = kstack};
	struct chain_links all = {}, *rest = NULL;
	__u32 i;

	__builtin_memcpy(link.comm, comm, sizeof(link.comm));
	all.link[0] = words_keep(&links, (const __u64 *)&link, sizeof(link) / sizeof(__u64));
	if (tail == STACK_LOST)
		all.link[1] = cfg.chain > 1 ? STACK_LOST : 0;
	else if (tail != STACK_NONE)
		rest = bpf_map_lookup_elem(&chains, &tail);
	for (i = 1; rest && i < CHAIN_MAX && i < cfg.chain; i++)
		all.link[i] = rest->link[i - 1];
	return words_keep(&chains, all.link, CHAIN_MAX);
}

#endif
