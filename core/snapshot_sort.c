// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The order of rows. Numbers are sorted by their bytes, and only rows of the same number are
 * compared, for that reads their stacks. Each row is moved once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/hist.h"
#include "core/ranked.h"
#include "core/snapshot.h"

static int compare_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* Interned: what is the same is the same pointer. */
static int compare_texts(const char *a, const char *b)
{
	return a == b ? 0 : strcmp(a, b);
}

static int compare_stacks(const struct stack *a, const struct stack *b)
{
	if (a == b)
		return 0;
	for (uint32_t i = 0; i < a->n && i < b->n; i++) {
		int order = compare_texts(a->frame[i], b->frame[i]);

		if (order)
			return order;
	}
	return a->n != b->n ? compare_u64(a->n, b->n) : a->cut - b->cut;
}

static int compare_chains(const struct chain *a, const struct chain *b)
{
	int order = 0;

	for (uint32_t i = 0; i < a->n && i < b->n && !order; i++) {
		order = compare_texts(a->link[i].waker, b->link[i].waker);
		if (!order)
			order = compare_stacks(a->link[i].kstack, b->link[i].kstack);
	}
	return order ? order : compare_u64(a->n, b->n);
}

/* Ascending. */
static int compare_cells(enum kind kind, const union cell *a, const union cell *b)
{
	if (kind_is_text(kind))
		return compare_texts(a->s, b->s);
	if (kind_is_stack(kind))
		return compare_stacks(a->stack, b->stack);
	if (kind == KIND_CHAIN)
		return compare_chains(a->chain, b->chain);
	if (kind == KIND_HIST_NS)
		return compare_u64(hist_total(a->hist), hist_total(b->hist));
	if (kind == KIND_DIFF_BYTES)
		return (a->i > b->i) - (a->i < b->i);
	return compare_u64(a->u, b->u);
}

struct order {
	const struct snapshot *s;
	int by; /* column; -1: by the keys only */
};

/* Text has no rank, nor has what the keys alone decide. */
static uint64_t rank_of(enum kind kind, const union cell *cell)
{
	if (kind_is_text(kind) || kind_is_stack(kind) || kind == KIND_CHAIN)
		return 0;
	if (kind == KIND_STATE)
		return cell->u;
	if (kind == KIND_HIST_NS)
		return ~hist_total(cell->hist);
	if (kind == KIND_DIFF_BYTES)
		return ~(cell->u ^ 1ULL << 63);
	return ~cell->u;
}

/* Keys differ between rows, so this is a total order and needs no stable sort. */
static int compare_entries(const void *left, const void *right, void *context)
{
	const struct order *order = context;
	const struct snapshot *s = order->s;
	const union cell *a = snapshot_row(s, ((const struct ranked *)left)->item);
	const union cell *b = snapshot_row(s, ((const struct ranked *)right)->item);
	int result = 0;

	if (order->by >= 0)
		result = compare_cells(s->column[order->by]->kind, &a[order->by], &b[order->by]);
	for (unsigned i = 0; i < s->n_keys && result == 0; i++)
		if (a[i].u != b[i].u)
			result = compare_cells(s->column[i]->kind, &a[i], &b[i]);
	return result;
}

/* Moves each row to where its entry is, along the cycles of the permutation. */
static void move_rows(struct snapshot *s, struct ranked *entry)
{
	const size_t size = s->n_columns * sizeof(*s->cells);
	union cell aside[MAX_COLUMNS];

	for (size_t i = 0; i < s->n_rows; i++) {
		size_t to = i, from;

		if (entry[i].item == i)
			continue;
		memcpy(aside, snapshot_row(s, i), size);
		for (; (from = entry[to].item) != i; to = from) {
			memcpy(snapshot_row(s, to), snapshot_row(s, from), size);
			entry[to].item = to;
		}
		memcpy(snapshot_row(s, to), aside, size);
		entry[to].item = to;
	}
}

int snapshot_sort(struct snapshot *s, int by)
{
	struct ranked *entry = calloc(s->n_rows, 2 * sizeof(*entry)), *sorted;
	struct order order = {s, by};

	if (!entry)
		return -ENOMEM;
	for (size_t i = 0; i < s->n_rows; i++) {
		entry[i].item = i;
		if (by >= 0)
			entry[i].rank = rank_of(s->column[by]->kind, &snapshot_row(s, i)[by]);
	}
	sorted = ranked_sort(entry, entry + s->n_rows, s->n_rows);
	ranked_sort_equals(sorted, s->n_rows, compare_entries, &order);
	move_rows(s, sorted);
	free(entry);
	return 0;
}
