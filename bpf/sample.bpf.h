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

/* From 0 to n - 1, n below 2^32: each as likely as the others to 2^-32. */
static __always_inline __u64 random_below(__u64 n)
{
	return (__u64)bpf_get_prandom_u32() * n >> 32;
}

/* How many events this one counts for; 0: it is left out. */
static __always_inline __u32 sample_weight(void)
{
	__u32 every;

	if (!cfg.filter.sampled)
		return 1;
	every = *(volatile __u32 *)&sample_every;
	return random_below(every) ? 0 : every;
}

/* The same of the running task's event, which the filter may leave out, too. */
static __always_inline __u32 keep_weight(void)
{
	return keep_current() ? sample_weight() : 0;
}

#endif
