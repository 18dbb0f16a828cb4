/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sorting by a number, where a comparison would have to read what the number is of. It takes as
 * long for any order that there is before: a pass for each byte in which numbers differ.
 */
#ifndef KTRACE_RANKED_H
#define KTRACE_RANKED_H

#include <stddef.h>
#include <stdint.h>

struct ranked {
	uint64_t rank;
	size_t item; /* the caller's */
};

/*
 * Sorts n of them, ascending; those of the same rank stay in their order. other: room for as many.
 * Returns which of the two arrays it ends in.
 */
struct ranked *ranked_sort(struct ranked *, struct ranked *other, size_t n);

/* Orders those of the same rank among n sorted ones; compare as qsort_r()'s, of two struct ranked.
 */
void ranked_sort_equals(struct ranked *, size_t n,
			int (*compare)(const void *, const void *, void *), void *context);

#endif
