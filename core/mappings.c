/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/mappings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 4

struct mappings {
	uint32_t shared; /* by that many beside the first */
	uint32_t count, room;
	struct mapping at[];
};

struct mappings *mappings_share(struct mappings *maps)
{
	if (maps)
		maps->shared++;
	return maps;
}

void mappings_drop(struct mappings *maps)
{
	if (maps && !maps->shared--)
		free(maps);
}

size_t mappings_bytes(const struct mappings *maps)
{
	return maps ? sizeof(*maps) + maps->room * sizeof(maps->at[0]) : 0;
}

size_t mappings_own_bytes(const struct mappings *maps)
{
	return maps && !maps->shared ? mappings_bytes(maps) : 0;
}

/* How many begin at or below ip. */
static uint32_t count_upto(const struct mappings *maps, uint64_t ip)
{
	uint32_t lo = 0, hi = maps->count;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (maps->at[mid].start <= ip)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct mapping *mappings_find(const struct mappings *maps, uint64_t ip)
{
	uint32_t n = maps ? count_upto(maps, ip) : 0;

	return n && ip < maps->at[n - 1].end ? &maps->at[n - 1] : NULL;
}

/* Makes them ours alone, with room for two more: one may be split by the one that is put. */
static int make_room(struct mappings **maps)
{
	struct mappings *old = *maps, *bigger;
	uint32_t count = old ? old->count : 0, room = old ? old->room : FIRST_ROOM;

	if (count + 2 > MAPPINGS_MAX)
		return -ENOSPC;
	if (old && !old->shared && count + 2 <= room)
		return 0;
	while (count + 2 > room)
		room *= 2;
	bigger = calloc(1, sizeof(*bigger) + room * sizeof(bigger->at[0]));
	if (!bigger)
		return -ENOMEM;
	if (count)
		memcpy(bigger->at, old->at, count * sizeof(old->at[0]));
	bigger->count = count;
	bigger->room = room;
	mappings_drop(old);
	*maps = bigger;
	return 0;
}

/* Puts n in place of the mappings from first up to last. */
static void replace(struct mappings *maps, uint32_t first, uint32_t last, const struct mapping *new,
		    uint32_t n)
{
	memmove(maps->at + first + n, maps->at + last, (maps->count - last) * sizeof(maps->at[0]));
	memcpy(maps->at + first, new, n * sizeof(maps->at[0]));
	maps->count += n - (last - first);
}

int mappings_put(struct mappings **maps, const struct mapping *new)
{
	uint32_t first, last, n = 0;
	struct mapping parts[3];
	int err = make_room(maps);

	if (err)
		return err;
	/* from first up to last they lie in the range of the new one, in parts at least */
	first = count_upto(*maps, new->start);
	if (first && (*maps)->at[first - 1].end > new->start)
		first--;
	last = new->end ? count_upto(*maps, new->end - 1) : first;
	if (last > first) {
		const struct mapping *low = &(*maps)->at[first], *high = &(*maps)->at[last - 1];

		if (low->start < new->start) {
			parts[n] = *low;
			parts[n++].end = new->start;
		}
		parts[n++] = *new;
		if (high->end > new->end) {
			parts[n] = *high;
			parts[n].pgoff += new->end - high->start;
			parts[n++].start = new->end;
		}
	} else {
		parts[n++] = *new;
	}
	replace(*maps, first, last, parts, n);
	return 0;
}
