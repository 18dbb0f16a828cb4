/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Entries of the maps of rows and of what has begun, and sums in them. Part of ktrace.bpf.h. */
#ifndef KTRACE_ROWS_BPF_H
#define KTRACE_ROWS_BPF_H

/* The entry of a key, made of this unless another CPU was first; NULL: it does not fit. */
static __always_inline void *entry_new(void *map, const void *key, const void *made)
{
	bpf_map_update_elem(map, key, made, BPF_NOEXIST);
	return bpf_map_lookup_elem(map, key);
}

/* Of a map of what has begun. What does not fit is counted. */
static __always_inline void *start_new(void *starts, const void *key, const void *made)
{
	void *start = entry_new(starts, key, made);

	if (!start)
		lose(events);
	return start;
}

/* The row of a key, made with zeros when new; NULL: it does not fit, and is counted. */
static __always_inline void *row_get(void *map, const void *key, const void *zero)
{
	void *row = bpf_map_lookup_elem(map, key);

	if (row)
		return row;
	row = entry_new(map, key, zero);
	if (!row)
		lose(rows);
	return row;
}

#define row_add(field, amount) __sync_fetch_and_add(&(field), amount)

/*
 * A maximum without cmpxchg, which 5.10 refuses even in dead code. Two CPUs
 * that store in the same few nanoseconds can lose the larger one; the second
 * look leaves only the store itself as a window.
 */
#define row_max(field, amount)                   \
	do {                                     \
		volatile __u64 *max_ = &(field); \
		if (*max_ < (amount))            \
			*max_ = (amount);        \
		if (*max_ < (amount))            \
			*max_ = (amount);        \
	} while (0)

/* An interval in a row of count, total_ns and max_ns, which counts for so many. */
#define row_intervals(row, ns, times)                     \
	do {                                              \
		row_add((row)->count, times);             \
		row_add((row)->total_ns, (ns) * (times)); \
		row_max((row)->max_ns, ns);               \
	} while (0)
#define row_interval(row, ns) row_intervals(row, ns, 1)

#endif
