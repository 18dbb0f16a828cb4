/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * --sample, and what --max-overhead does first: one event in sample_every is followed, at random,
 * and counts for so many, so that the expected sums are the true ones. A row tells C events give
 * or take the root of C * (sample_every - 1). Of the others nothing is done but this.
 *
 * An interval is drawn as it begins, and its weight kept with it: sample_every may be raised until
 * it ends.
 */
#ifndef KTRACE_SAMPLE_BPF_H
#define KTRACE_SAMPLE_BPF_H

__u32 sample_every SEC(".data.sample") = 1; /* user space may write it at any time */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sample_count);
} sample_counts SEC(".maps");

/* From 0 to n - 1, n below 2^32: each as likely as the others to 2^-32. */
static __always_inline __u64 random_below(__u64 n)
{
	return (__u64)bpf_get_prandom_u32() * n >> 32;
}

/* How many events this one counts for; 0: it is left out. */
static __always_inline __u32 sample_weight(void)
{
	struct sample_count *count;
	__u32 zero = 0, every;

	if (!cfg.filter.sampled)
		return 1;
	count = bpf_map_lookup_elem(&sample_counts, &zero);
	if (!count)
		return 0;
	every = *(volatile __u32 *)&sample_every;
	/* a program in an interrupt of this CPU may do the same */
	__sync_fetch_and_add(&count->events, 1);
	if (random_below(every))
		return 0;
	__sync_fetch_and_add(&count->followed, 1);
	return every;
}

/* The same of the running task's event, which the filter may leave out, too. */
static __always_inline __u32 keep_weight(void)
{
	return keep_current() ? sample_weight() : 0;
}

#endif
