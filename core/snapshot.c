/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows are found by a hash of their key cells, so that one costs the same in a
 * snapshot of ten and of a hundred thousand.
 */
#include "core/snapshot.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hist.h"
#include "core/intern.h"

static bool is_shown(const struct column *c, const struct column *const *shown, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (shown[i] == c)
			return true;
	return false;
}

int snapshot_init(struct snapshot *s, const struct tool *tool, const struct column *const *group,
		  unsigned n_group, const struct column *const *shown_optional, unsigned n_optional)
{
	*s = (struct snapshot){.tool = tool};
	for (int keys = 1; keys >= 0; keys--) {
		for (const struct column *c = tool->columns; c->name; c++) {
			bool shown = !c->optional || is_shown(c, shown_optional, n_optional);

			if (c->key && n_group > 0)
				shown = is_shown(c, group, n_group);
			if (c->key != keys || !shown)
				continue;
			if (s->n_columns == MAX_COLUMNS)
				return -E2BIG;
			s->column[s->n_columns++] = c;
			s->n_keys += c->key;
		}
	}
	s->store = calloc(1, sizeof(*s->store));
	return s->store ? 0 : -ENOMEM;
}

void snapshot_free(struct snapshot *s)
{
	store_free(s->store);
	free(s->cells);
	*s = (struct snapshot){0};
}

uint64_t *snapshot_hist(struct snapshot *s)
{
	return store_alloc(s->store, HIST_SLOTS * sizeof(uint64_t), _Alignof(uint64_t));
}

/* A key cell as one word: interned pointers and numbers alike. */
static uint64_t key_word(const struct column *c, const union cell *cell)
{
	if (kind_is_text(c->kind))
		return (uintptr_t)cell->s;
	if (kind_is_stack(c->kind))
		return (uintptr_t)cell->stack;
	if (c->kind == KIND_CHAIN)
		return (uintptr_t)cell->chain;
	return cell->u;
}

struct row_key {
	const struct snapshot *s;
	const union cell *cells;
};

static bool same_row(uintptr_t ref, const void *want)
{
	const struct row_key *key = want;
	const union cell *row = snapshot_row(key->s, ref - 1);

	for (unsigned i = 0; i < key->s->n_keys; i++) {
		const struct column *c = key->s->column[i];

		if (key_word(c, &row[i]) != key_word(c, &key->cells[i]))
			return false;
	}
	return true;
}

static void merge_cell(const struct column *c, union cell *into, const union cell *from)
{
	bool is_max = strncmp(c->name, "max_", 4) == 0;

	if (c->kind == KIND_HIST_NS)
		hist_add(into->hist, from->hist);
	else if (is_max && c->kind == KIND_DIFF_BYTES)
		into->i = from->i > into->i ? from->i : into->i;
	else if (is_max)
		into->u = from->u > into->u ? from->u : into->u;
	else
		into->u += from->u; /* of signed values too: two's complement */
}

static int reserve_row(struct snapshot *s)
{
	size_t cap = s->cap_rows ? s->cap_rows * 2 : 64;
	union cell *bigger;

	if (s->n_rows < s->cap_rows)
		return 0;
	bigger = realloc(s->cells, cap * s->n_columns * sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	s->cells = bigger;
	s->cap_rows = cap;
	return 0;
}

int snapshot_add(struct snapshot *s, const union cell *cells)
{
	struct table *t = &s->store->rows;
	struct row_key key = {s, cells};
	uint64_t hash = s->n_keys;
	struct slot *slot;

	if (table_reserve(t) || reserve_row(s))
		return -ENOMEM;
	for (unsigned i = 0; i < s->n_keys; i++)
		hash = hash_word(hash, key_word(s->column[i], &cells[i]));
	slot = table_slot(t, hash, same_row, &key);
	if (slot->ref) {
		union cell *row = snapshot_row(s, slot->ref - 1);

		for (unsigned i = s->n_keys; i < s->n_columns; i++)
			merge_cell(s->column[i], &row[i], &cells[i]);
		return 0;
	}
	memcpy(snapshot_row(s, s->n_rows), cells, s->n_columns * sizeof(*cells));
	table_put(t, slot, hash, ++s->n_rows);
	return 0;
}

static void fill_ratio(struct snapshot *s, unsigned at)
{
	int num = snapshot_column(s, s->column[at]->num);
	int den = snapshot_column(s, s->column[at]->den);

	for (size_t i = 0; i < s->n_rows; i++) {
		union cell *row = snapshot_row(s, i);
		uint64_t n = num < 0 ? 0 : row[num].u, d = den < 0 ? 0 : row[den].u;

		/* The remainder decides, for n + d / 2 could overflow. */
		row[at].u = d == 0 ? 0 : n / d + (n % d >= d - n % d);
	}
}

static void fill_rate(struct snapshot *s, unsigned at)
{
	int num = snapshot_column(s, s->column[at]->num);
	double seconds = (double)s->elapsed_ns / 1e9;

	for (size_t i = 0; i < s->n_rows; i++) {
		union cell *row = snapshot_row(s, i);

		row[at].u = num < 0 || seconds <= 0
				? 0
				: (uint64_t)((double)row[num].u * 1000 / seconds + 0.5);
	}
}

/* No quantile is above the largest of all, where the tool knows that. */
static void fill_quantile(struct snapshot *s, unsigned at)
{
	const struct column *column = s->column[at];
	int hist = snapshot_column(s, column->num), max = snapshot_column(s, "max_ns");

	for (size_t i = 0; i < s->n_rows; i++) {
		union cell *row = snapshot_row(s, i);

		row[at].u = hist < 0 ? 0 : hist_quantile(row[hist].hist, column->permille);
		if (max >= 0 && row[at].u > row[max].u)
			row[at].u = row[max].u;
	}
}

static uint64_t sum_column(const struct snapshot *s, const char *name)
{
	int at = snapshot_column(s, name);
	uint64_t sum = 0;

	for (size_t i = 0; at >= 0 && i < s->n_rows; i++)
		sum += snapshot_row(s, i)[at].u;
	return sum;
}

static uint64_t root(uint64_t square, uint64_t unit)
{
	return (uint64_t)llround(sqrt((double)square * (double)unit));
}

/* Before the rows' errors are: squares can be summed, and roots cannot. */
static void fill_estimate(struct snapshot *s)
{
	struct estimate *estimate = &s->estimate;

	if (!estimate->budget_ns)
		return;
	estimate->count = sum_column(s, "count");
	estimate->count_error = root(sum_column(s, "count_error"), 1);
	estimate->total_ns = sum_column(s, "total_ns");
	estimate->total_error_ns = root(sum_column(s, "total_error_ns"), estimate->budget_ns);
}

static void fill_error(struct snapshot *s, unsigned at, uint64_t unit)
{
	for (size_t i = 0; i < s->n_rows; i++) {
		union cell *row = snapshot_row(s, i);

		row[at].u = root(row[at].u, unit);
	}
}

static void fill_computed(struct snapshot *s, unsigned at)
{
	switch (s->column[at]->kind) {
	case KIND_ERROR:
		fill_error(s, at, 1);
		break;
	case KIND_ERROR_NS:
		fill_error(s, at, s->estimate.budget_ns);
		break;
	case KIND_RATIO_BYTES:
	case KIND_RATIO_NS:
		fill_ratio(s, at);
		break;
	case KIND_QUANTILE_NS:
		fill_quantile(s, at);
		break;
	case KIND_RATE:
		fill_rate(s, at);
		break;
	default:
		break;
	}
}

int snapshot_finish(struct snapshot *s, const struct column *sort)
{
	fill_estimate(s);
	for (unsigned i = 0; i < s->n_columns; i++)
		fill_computed(s, i);
	return sort && s->n_rows > 1 ? snapshot_sort(s, snapshot_column(s, sort->name)) : 0;
}

void snapshot_top(struct snapshot *s, size_t n)
{
	if (s->n_rows <= n)
		return;
	s->n_hidden += s->n_rows - n;
	s->n_rows = n;
}

void snapshot_note(struct snapshot *s, const char *fmt, ...)
{
	const char *note;
	char *text;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0)
		return;
	note = snapshot_text(s, text, (size_t)len);
	free(text);
	for (unsigned i = 0; i < s->n_notes; i++)
		if (s->note[i] == note)
			return;
	if (note && s->n_notes < MAX_NOTES)
		s->note[s->n_notes++] = note;
}

int snapshot_column(const struct snapshot *s, const char *name)
{
	for (unsigned i = 0; i < s->n_columns; i++)
		if (strcmp(s->column[i]->name, name) == 0)
			return (int)i;
	return -1;
}
