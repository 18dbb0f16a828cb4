/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text rows with stacks or histograms, a block of lines each. */
#include <inttypes.h>
#include <string.h>

#include "core/fmt.h"
#include "core/hist.h"
#include "core/render_text.h"

#define BAR_COLUMNS 40

static void put_field(FILE *f, const struct column *c, const union cell *cell)
{
	char title[TITLE_BYTES], buf[CELL_BYTES];

	fprintf(f, "%s: ", text_title(title, sizeof(title), c));
	fmt_put_text(f, text_cell(buf, sizeof(buf), c, cell));
}

static void put_keys(FILE *f, const struct snapshot *s, const union cell *row)
{
	bool any = false;

	for (unsigned i = 0; i < s->n_keys; i++) {
		if (kind_is_stack(s->column[i]->kind))
			continue;
		if (any)
			fputs("   ", f);
		put_field(f, s->column[i], &row[i]);
		any = true;
	}
	if (any)
		putc('\n', f);
}

/* Whose stack it is: "waker_" of "waker_kstack". */
static size_t owner_length(const char *name)
{
	size_t n = strlen(name), kind = strlen("kstack");

	return n > kind ? n - kind : 0;
}

static bool same_owner(const char *a, const char *b)
{
	size_t n = owner_length(a);

	return n == owner_length(b) && strncmp(a, b, n) == 0;
}

static void put_stacks(FILE *f, const struct snapshot *s, const union cell *row)
{
	const char *before = NULL;

	for (unsigned i = 0; i < s->n_keys; i++) {
		const char *name = s->column[i]->name;
		const struct stack *stack = row[i].stack;

		if (!kind_is_stack(s->column[i]->kind) || (stack->n == 0 && !stack->cut))
			continue;
		if (before)
			fprintf(f, "    %s\n", same_owner(before, name) ? "-" : "--");
		for (uint32_t k = 0; k < stack->n; k++) {
			fputs("    ", f);
			fmt_put_text(f, stack->frame[k]);
			putc('\n', f);
		}
		if (stack->cut)
			fputs("    [cut]\n", f);
		before = name;
	}
}

/* A mark rather than a number: most rows have none, most others one. */
static bool is_mark(const struct column *c)
{
	return strcmp(c->name, "blocked") == 0;
}

static void put_values(FILE *f, const struct snapshot *s, const union cell *row)
{
	const char *gap = "    ";

	for (unsigned i = s->n_keys; i < s->n_columns; i++) {
		const struct column *c = s->column[i];

		if (c->kind == KIND_HIST_NS || (is_mark(c) && row[i].u == 0))
			continue;
		fputs(gap, f);
		if (is_mark(c) && row[i].u == 1)
			fputs(c->name, f);
		else
			put_field(f, c, &row[i]);
		gap = "   ";
	}
	if (strlen(gap) == 3)
		putc('\n', f);
}

static int digits(uint64_t value)
{
	return snprintf(NULL, 0, "%" PRIu64, value);
}

/* The last value a slot counts, for people read both bounds as inclusive. */
static uint64_t last_value(unsigned slot)
{
	return slot == HIST_SLOTS - 1 ? UINT64_MAX : hist_hi(slot) - 1;
}

static void put_bar(FILE *f, uint64_t count, uint64_t most)
{
	char bar[BAR_COLUMNS + 1];
	size_t n = most ? (size_t)((unsigned __int128)count * BAR_COLUMNS / most) : 0;

	memset(bar, '*', n);
	memset(bar + n, ' ', BAR_COLUMNS - n);
	bar[BAR_COLUMNS] = '\0';
	fprintf(f, "|%s|\n", bar);
}

static void put_hist(FILE *f, const uint64_t *slots)
{
	unsigned first, last;
	uint64_t most = 0;
	int bound = 10, count = 8;

	if (!hist_range(slots, &first, &last))
		return;
	for (unsigned i = first; i <= last; i++)
		most = slots[i] > most ? slots[i] : most;
	if (digits(last_value(last)) > bound)
		bound = digits(last_value(last));
	if (digits(most) > count)
		count = digits(most);
	fprintf(f, "        %*s%-*s : %-*s  distribution\n", bound / 2, "",
		2 * bound + 4 - bound / 2, "nsecs", count, "count");
	for (unsigned i = first; i <= last; i++) {
		fprintf(f, "        %*" PRIu64 " -> %-*" PRIu64 " : %-*" PRIu64 " ", bound,
			hist_lo(i), bound, last_value(i), count, slots[i]);
		put_bar(f, slots[i], most);
	}
}

/* "delay" of "delay_hist_ns": what is measured, without how. */
static void put_hist_title(FILE *f, const struct column *c)
{
	char title[TITLE_BYTES];
	size_t n = strlen(text_title(title, sizeof(title), c));
	const char *rest = title;

	if (strcmp(title, "hist") == 0)
		rest = "time";
	else if (strncmp(title, "hist_", 5) == 0)
		rest = title + 5;
	else if (n > 5 && strcmp(title + n - 5, "_hist") == 0)
		title[n - 5] = '\0';
	fprintf(f, "    %s:\n", rest);
}

static void put_hists(FILE *f, const struct snapshot *s, const union cell *row)
{
	unsigned n = 0, first, last;

	for (unsigned i = s->n_keys; i < s->n_columns; i++)
		n += s->column[i]->kind == KIND_HIST_NS;
	for (unsigned i = s->n_keys; i < s->n_columns; i++) {
		if (s->column[i]->kind != KIND_HIST_NS || !hist_range(row[i].hist, &first, &last))
			continue;
		if (n > 1)
			put_hist_title(f, s->column[i]);
		put_hist(f, row[i].hist);
	}
}

void text_put_blocks(FILE *f, const struct snapshot *s, size_t n_rows)
{
	for (size_t i = 0; i < n_rows; i++) {
		const union cell *row = snapshot_row(s, i);

		if (i)
			putc('\n', f);
		put_keys(f, s, row);
		put_stacks(f, s, row);
		put_values(f, s, row);
		put_hists(f, s, row);
	}
}
