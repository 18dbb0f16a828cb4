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

/* Which columns of a row: where it has both sides of a wakeup, those of one. */
enum side { SIDE_ALL, SIDE_TARGET, SIDE_WAKER };

static bool on_side(const struct column *c, enum side side)
{
	return side == SIDE_ALL || render_is_waker_side(c) == (side == SIDE_WAKER);
}

static void put_keys(FILE *f, const struct snapshot *s, const union cell *row, enum side side)
{
	bool any = false;

	for (unsigned i = 0; i < s->n_keys; i++) {
		const struct column *c = s->column[i];

		if (kind_is_stack(c->kind) || c->kind == KIND_CHAIN || !on_side(c, side))
			continue;
		if (any)
			fputs("   ", f);
		put_field(f, c, &row[i]);
		any = true;
	}
	if (any)
		putc('\n', f);
}

static void put_frame(FILE *f, const char *frame)
{
	fputs("    ", f);
	fmt_put_text(f, frame);
	putc('\n', f);
}

static void put_stack(FILE *f, const struct stack *stack)
{
	for (uint32_t i = 0; i < stack->n; i++)
		put_frame(f, stack->frame[i]);
	if (stack->cut)
		put_frame(f, "[cut]");
}

static void put_stack_outer_first(FILE *f, const struct stack *stack)
{
	if (stack->cut)
		put_frame(f, "[cut]");
	for (uint32_t i = stack->n; i > 0; i--)
		put_frame(f, stack->frame[i - 1]);
}

/* Kernel and user stack, leaf first, or the other way around in both respects. */
static void put_stacks(FILE *f, const struct snapshot *s, const union cell *row, enum side side,
		       bool outer_first)
{
	bool any = false;

	for (unsigned k = 0; k < s->n_keys; k++) {
		unsigned i = outer_first ? s->n_keys - 1 - k : k;

		if (!kind_is_stack(s->column[i]->kind) || !on_side(s->column[i], side) ||
		    (row[i].stack->n == 0 && !row[i].stack->cut))
			continue;
		if (any)
			put_frame(f, "-");
		if (outer_first)
			put_stack_outer_first(f, row[i].stack);
		else
			put_stack(f, row[i].stack);
		any = true;
	}
}

/* The furthest waker comes first: read downwards it is what happened, one after the other. */
static void put_chain(FILE *f, const struct chain *chain)
{
	for (uint32_t i = chain->n; i > 0; i--) {
		fprintf(f, "waker %u: ", i + 1);
		fmt_put_text(f, chain->link[i - 1].waker);
		putc('\n', f);
		put_stack_outer_first(f, chain->link[i - 1].kstack);
		put_frame(f, "--");
	}
}

static bool has_side(const struct snapshot *s, enum side side)
{
	for (unsigned i = 0; i < s->n_keys; i++)
		if (on_side(s->column[i], side))
			return true;
	return false;
}

/* The waker stands upside down on the target, so that both leaves meet at the wakeup. */
static void put_both_sides(FILE *f, const struct snapshot *s, const union cell *row)
{
	int chain = snapshot_column(s, "chain");

	if (chain >= 0)
		put_chain(f, row[chain].chain);
	put_keys(f, s, row, SIDE_WAKER);
	put_stacks(f, s, row, SIDE_WAKER, true);
	if (has_side(s, SIDE_WAKER) && has_side(s, SIDE_TARGET))
		put_frame(f, "--");
	put_stacks(f, s, row, SIDE_TARGET, false);
	put_keys(f, s, row, SIDE_TARGET);
}

/* A mark rather than a number: most rows have none, most others one. */
static bool is_mark(const struct column *c)
{
	return strcmp(c->name, "blocked") == 0;
}

/* Stands behind the value it is of. None where the value is exact. */
static void put_error(FILE *f, const struct column *c, const union cell *cell)
{
	char buf[CELL_BYTES];

	if (cell->u)
		fprintf(f, " +- %s", text_cell(buf, sizeof(buf), c, cell));
}

static void put_values(FILE *f, const struct snapshot *s, const union cell *row)
{
	const char *gap = "    ";

	for (unsigned i = s->n_keys; i < s->n_columns; i++) {
		const struct column *c = s->column[i];

		if (c->kind == KIND_HIST_NS || (is_mark(c) && row[i].u == 0))
			continue;
		if (c->kind == KIND_ERROR || c->kind == KIND_ERROR_NS) {
			put_error(f, c, &row[i]);
			continue;
		}
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
		if (render_both_sides(s->tool)) {
			put_both_sides(f, s, row);
		} else {
			put_keys(f, s, row, SIDE_ALL);
			put_stacks(f, s, row, SIDE_ALL, false);
		}
		put_values(f, s, row);
		put_hists(f, s, row);
	}
}
