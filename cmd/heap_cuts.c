// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/heap_cuts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
	const struct cut *x = a, *y = b;

	if (x->tgid != y->tgid)
		return x->tgid < y->tgid ? -1 : 1;
	return x->start < y->start ? -1 : x->start > y->start;
}

int cuts_make(struct cuts *cuts, const struct rowset *rows)
{
	size_t i;

	cuts->n = 0;
	cuts->at = calloc(rows->n + 1, sizeof(*cuts->at));
	if (!cuts->at)
		return -ENOMEM;
	for (i = 0; i < rows->n; i++) {
		const struct heap_key *key = rowset_key(rows, i);
		const struct heap_cut *cut = rowset_value(rows, i);

		cuts->at[cuts->n++] = (struct cut){
		    .start = key->addr,
		    .end = key->addr + cut->bytes < key->addr ? UINT64_MAX : key->addr + cut->bytes,
		    .ts_ns = cut->ts_ns,
		    .tgid = key->tgid,
		    .row = (uint32_t)i,
		};
	}
	qsort(cuts->at, cuts->n, sizeof(*cuts->at), compare);
	return 0;
}

void cuts_free(struct cuts *cuts)
{
	free(cuts->at);
	memset(cuts, 0, sizeof(*cuts));
}

/* The first cut of a process. */
static size_t first_of(const struct cuts *cuts, uint32_t tgid)
{
	size_t low = 0, high = cuts->n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (cuts->at[middle].tgid < tgid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint64_t cuts_left(struct cuts *cuts, const struct heap_key *key, const struct heap_value *value)
{
	uint64_t left = value->bytes, at = key->addr, end = key->addr + value->bytes;
	size_t first = first_of(cuts, key->tgid), i;

	for (i = first; i < cuts->n && cuts->at[i].tgid == key->tgid; i++) {
		const struct cut *cut = &cuts->at[i];
		uint64_t from = cut->start > at ? cut->start : at;
		uint64_t to = cut->end < end ? cut->end : end;

		if (cut->start >= end)
			break;
		if (cut->ts_ns <= value->ts_ns || from >= to)
			continue;
		left -= to - from;
		at = to;
	}
	while (left && left < value->bytes && i-- > first)
		if (cuts->at[i].ts_ns > value->ts_ns && cuts->at[i].end > key->addr)
			cuts->at[i].used = true;
	return left;
}
