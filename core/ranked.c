/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/ranked.h"

#include <stdbool.h>
#include <stdlib.h>

/* Orders by one byte of the rank, and what is the same there as it was. False: all are. */
static bool sort_by_byte(const struct ranked *from, struct ranked *to, size_t n, unsigned shift)
{
	size_t place[256] = {0}, next = 0;

	for (size_t i = 0; i < n; i++)
		place[from[i].rank >> shift & 0xff]++;
	if (place[from[0].rank >> shift & 0xff] == n)
		return false;
	for (unsigned byte = 0; byte < 256; byte++) {
		size_t count = place[byte];

		place[byte] = next;
		next += count;
	}
	for (size_t i = 0; i < n; i++)
		to[place[from[i].rank >> shift & 0xff]++] = from[i];
	return true;
}

struct ranked *ranked_sort(struct ranked *from, struct ranked *other, size_t n)
{
	for (unsigned shift = 0; n && shift < 64; shift += 8) {
		struct ranked *to = other;

		if (!sort_by_byte(from, to, n, shift))
			continue;
		other = from;
		from = to;
	}
	return from;
}

void ranked_sort_equals(struct ranked *sorted, size_t n,
			int (*compare)(const void *, const void *, void *), void *context)
{
	for (size_t i = 0, next; i < n; i = next) {
		for (next = i + 1; next < n && sorted[next].rank == sorted[i].rank; next++)
			;
		if (next > i + 1)
			qsort_r(sorted + i, next - i, sizeof(*sorted), compare, context);
	}
}
