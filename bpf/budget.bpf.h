/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * --budget: of intervals shorter than cfg.budget_ns (T) only a sample is kept,
 * each of length L with probability L / T, and stands for T / L like it. So it
 * adds T to its row's time, whatever its length, and the expected sums are the
 * true ones: L / T * T = L.
 *
 * How far a sum may be off is told by the sample itself. What one interval adds
 * has the variance T * T * L / T - L * L = L * (T - L), and T * (T - L), added
 * when it is kept, has that as its mean. The same of its count N, T / L rounded
 * up or down at random: N * (N - 1). Rows hold the sums, reports their roots.
 *
 * Part of offcpu.bpf.c.
 */
#ifndef KTRACE_BUDGET_BPF_H
#define KTRACE_BUDGET_BPF_H

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct offcpu_exact);
} exact SEC(".maps");

static __always_inline bool is_sampled(__u64 delta_ns)
{
	return delta_ns < cfg.budget_ns;
}

/* Counts the interval, and says whether it goes into a row. */
static __always_inline bool keep_sampled(__u64 delta_ns)
{
	struct offcpu_exact *sums;
	__u32 zero = 0;

	if (!cfg.budget_ns)
		return true;
	sums = bpf_map_lookup_elem(&exact, &zero);
	if (!sums)
		return false;
	/* Only the CPU itself writes here, and nothing interrupts a switch. */
	sums->count++;
	sums->total_ns += delta_ns;
	if (is_sampled(delta_ns) && random_below(cfg.budget_ns) >= delta_ns)
		return false;
	sums->kept++;
	return true;
}

/* A kept interval that stands for others, in its row. */
static __always_inline void row_sampled(struct offcpu_value *row, __u64 delta_ns)
{
	__u64 times = cfg.budget_ns / delta_ns;

	if (random_below(delta_ns) < cfg.budget_ns - times * delta_ns)
		times++;
	row_add(row->count, times);
	row_add(row->total_ns, cfg.budget_ns);
	row_max(row->max_ns, delta_ns);
	row_add(row->count_error, times * (times - 1));
	row_add(row->total_error_ns, cfg.budget_ns - delta_ns);
}

#endif
