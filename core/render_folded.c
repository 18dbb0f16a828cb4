/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Folded stacks, one line per row, for flame graph tools. The value is the
 * tool's sort column as it is in the row: times are in ns.
 */
#include <inttypes.h>
#include <string.h>

#include "core/fmt.h"
#include "core/render.h"

/* Columns that make a line; -1 where the snapshot has none. */
struct parts {
	int name, kstack, ustack;
	int waker, waker_kstack, waker_ustack, chain;
	int value;
	bool both; /* the waker's side is beside the target's, not instead of it */
};

static bool is_value(const struct column *c)
{
	return !c->key && c->kind != KIND_HIST_NS && c->kind != KIND_LOAD;
}

static int find_name(const struct snapshot *s)
{
	int comm = snapshot_column(s, "comm");

	for (unsigned i = 0; comm < 0 && i < s->n_keys; i++)
		if (kind_is_text(s->column[i]->kind))
			return (int)i;
	return comm;
}

static int find_value(const struct snapshot *s)
{
	int sort = s->tool->sort ? snapshot_column(s, s->tool->sort) : -1;

	if (sort >= 0 && is_value(s->column[sort]))
		return sort;
	for (unsigned i = s->n_keys; i < s->n_columns; i++)
		if (is_value(s->column[i]))
			return (int)i;
	return -1;
}

static struct parts find_parts(const struct snapshot *s)
{
	struct parts p = {
	    .name = find_name(s),
	    .kstack = snapshot_column(s, "kstack"),
	    .ustack = snapshot_column(s, "ustack"),
	    .waker = snapshot_column(s, "waker"),
	    .waker_kstack = snapshot_column(s, "waker_kstack"),
	    .waker_ustack = snapshot_column(s, "waker_ustack"),
	    .chain = snapshot_column(s, "chain"),
	    .value = find_value(s),
	    .both = render_both_sides(s->tool),
	};

	return p;
}

/* Parts of a line joined by ';'. The last one is known only when the line ends. */
struct line {
	FILE *f;
	const char *pending;
};

static void put_part(struct line *line, const char *part, bool last)
{
	/* An empty part would make readers see a frame less. */
	fmt_put_folded(line->f, *part ? part : "[unnamed]", last);
}

static void add_part(struct line *line, const char *part)
{
	if (line->pending) {
		put_part(line, line->pending, false);
		putc(';', line->f);
	}
	line->pending = part;
}

static const struct stack *stack_at(const union cell *row, int at)
{
	return at >= 0 && (row[at].stack->n > 0 || row[at].stack->cut) ? row[at].stack : NULL;
}

static void add_outer_first(struct line *line, const struct stack *stack)
{
	if (stack->cut)
		add_part(line, "[cut]");
	for (uint32_t i = stack->n; i > 0; i--)
		add_part(line, stack->frame[i - 1]);
}

static void add_leaf_first(struct line *line, const struct stack *stack)
{
	for (uint32_t i = 0; i < stack->n; i++)
		add_part(line, stack->frame[i]);
	if (stack->cut)
		add_part(line, "[cut]");
}

static void add_target(struct line *line, const struct parts *p, const union cell *row)
{
	const struct stack *user = stack_at(row, p->ustack), *kernel = stack_at(row, p->kstack);

	if (user)
		add_outer_first(line, user);
	if (user && kernel)
		add_part(line, "-");
	if (kernel)
		add_outer_first(line, kernel);
}

/* The waker's side hangs upside down, so that both meet at the wakeup. */
static void add_waker(struct line *line, const struct parts *p, const union cell *row)
{
	const struct stack *kernel = stack_at(row, p->waker_kstack);
	const struct stack *user = stack_at(row, p->waker_ustack);

	add_part(line, "--");
	if (kernel)
		add_leaf_first(line, kernel);
	if (user && kernel)
		add_part(line, "-");
	if (user)
		add_leaf_first(line, user);
	if (p->waker >= 0)
		add_part(line, row[p->waker].s);
}

static void add_chain(struct line *line, const struct chain *chain)
{
	for (uint32_t i = 0; i < chain->n; i++) {
		add_part(line, "--");
		add_leaf_first(line, chain->link[i].kstack);
		add_part(line, chain->link[i].waker);
	}
}

static void put_row(FILE *f, const struct snapshot *s, const struct parts *p, const union cell *row)
{
	struct line line = {.f = f};
	const char *name = p->name >= 0 ? row[p->name].s : s->tool->name;
	bool by_waker = !p->both && p->waker >= 0 && p->waker != p->name;

	add_part(&line, by_waker ? row[p->waker].s : name);
	add_target(&line, p, row);
	if (by_waker)
		add_part(&line, name);
	if (p->both && (p->waker >= 0 || p->waker_kstack >= 0 || p->waker_ustack >= 0))
		add_waker(&line, p, row);
	if (p->chain >= 0)
		add_chain(&line, row[p->chain].chain);
	put_part(&line, line.pending, true);
	fprintf(f, " %" PRIu64 "\n", row[p->value].u);
}

static int render(const struct snapshot *s, const struct style *style, FILE *f)
{
	struct parts p = find_parts(s);

	(void)style;
	if (p.value < 0)
		return 0;
	for (size_t i = 0; i < s->n_rows; i++) {
		const union cell *row = snapshot_row(s, i);
		bool negative = s->column[p.value]->kind == KIND_DIFF_BYTES && row[p.value].i < 0;

		/* A flame graph has no width for nothing, nor for less. */
		if (row[p.value].u > 0 && !negative)
			put_row(f, s, &p, row);
	}
	return 0;
}

const struct renderer renderer_folded = {
    .name = "folded",
    .summary = "folded stacks for flame graph tools",
    .needs = ACCEPT_KSTACK,
    .render = render,
};
