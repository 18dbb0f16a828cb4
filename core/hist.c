/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/hist.h"

uint64_t hist_lo(unsigned slot)
{
	return slot == 0 ? 0 : 1ULL << slot;
}

uint64_t hist_hi(unsigned slot)
{
	return slot + 1 >= HIST_SLOTS ? UINT64_MAX : 1ULL << (slot + 1);
}

unsigned hist_slot(uint64_t value)
{
	/* value | 1: the builtin is undefined for 0, which shares its slot with 1. */
	return 63 - (unsigned)__builtin_clzll(value | 1);
}

int hist_range(const uint64_t *slots, unsigned *first, unsigned *last)
{
	int found = 0;

	for (unsigned i = 0; i < HIST_SLOTS; i++) {
		if (slots[i] == 0)
			continue;
		if (!found)
			*first = i;
		*last = i;
		found = 1;
	}
	return found;
}

uint64_t hist_total(const uint64_t *slots)
{
	uint64_t total = 0;

	for (unsigned i = 0; i < HIST_SLOTS; i++)
		total += slots[i];
	return total;
}

void hist_add(uint64_t *into, const uint64_t *from)
{
	for (unsigned i = 0; i < HIST_SLOTS; i++)
		into[i] += from[i];
}

uint64_t hist_quantile(const uint64_t *slots, unsigned permille)
{
	double wanted = (double)hist_total(slots) * permille / 1000, below = 0;

	for (unsigned i = 0; i < HIST_SLOTS; i++) {
		double count = (double)slots[i];

		if (!slots[i] || below + count < wanted) {
			below += count;
			continue;
		}
		return hist_lo(i) +
		       (uint64_t)((double)(hist_hi(i) - hist_lo(i)) * ((wanted - below) / count));
	}
	return 0;
}
