/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reports for people: what stands around the rows, and which layout shows them. */
#include "core/render_text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "core/fmt.h"

static const char *unit_suffix(enum kind kind)
{
	switch (kind) {
	case KIND_NS:
	case KIND_RATIO_NS:
	case KIND_QUANTILE_NS:
	case KIND_ERROR_NS:
	case KIND_HIST_NS:
		return "_ns";
	case KIND_BYTES:
	case KIND_DIFF_BYTES:
	case KIND_RATIO_BYTES:
		return "_bytes";
	default:
		return "";
	}
}

char *text_title(char *buf, size_t size, const struct column *c)
{
	const char *suffix = unit_suffix(c->kind);
	size_t n = strlen(c->name), tail = strlen(suffix);

	if (n > tail && strcmp(c->name + n - tail, suffix) == 0)
		n -= tail;
	snprintf(buf, size, "%.*s", (int)n, c->name);
	return buf;
}

const char *text_cell(char *buf, size_t size, const struct column *c, const union cell *cell)
{
	if (kind_is_text(c->kind))
		return cell->s;
	switch (c->kind) {
	case KIND_STATE:
		snprintf(buf, size, "%c", (int)cell->u);
		return buf;
	case KIND_NS:
	case KIND_RATIO_NS:
	case KIND_QUANTILE_NS:
	case KIND_ERROR_NS:
		return fmt_ns(buf, size, cell->u);
	case KIND_BYTES:
	case KIND_RATIO_BYTES:
		return fmt_bytes(buf, size, cell->u > INT64_MAX ? INT64_MAX : (int64_t)cell->u);
	case KIND_DIFF_BYTES:
		return fmt_bytes(buf, size, cell->i);
	case KIND_LOAD:
		return fmt_load(buf, size, cell->u, 3);
	case KIND_RATE:
		return fmt_milli(buf, size, cell->u, 1);
	default:
		snprintf(buf, size, "%" PRIu64, cell->u);
		return buf;
	}
}

static bool has_blocks(const struct snapshot *s)
{
	for (unsigned i = 0; i < s->n_columns; i++)
		if (kind_is_stack(s->column[i]->kind) || s->column[i]->kind == KIND_HIST_NS ||
		    s->column[i]->kind == KIND_CHAIN)
			return true;
	return false;
}

static void put_head(FILE *f, const struct snapshot *s, const struct style *style, bool lines)
{
	char buf[CELL_BYTES];

	if (style->clear)
		fputs("\033[H\033[2J", f);
	else if (style->report > 0 && !lines)
		putc('\n', f);
	/* Lines begin with the time anyway. */
	if (!s->tool->load_header && (!style->timestamp || lines))
		return;
	fputs(fmt_time_clock(buf, sizeof(buf), s->end_ns, style->utc), f);
	if (s->tool->load_header) {
		fputs(" loadavg:", f);
		for (unsigned i = 0; i < 3; i++)
			fprintf(f, " %s", fmt_load(buf, sizeof(buf), s->load[i], 2));
	}
	putc('\n', f);
}

static size_t put_rows(FILE *f, const struct snapshot *s, const struct style *style, bool lines)
{
	size_t n = s->n_rows;
	char buf[CELL_BYTES];

	if (s->tool->text_top && !style->explicit_top && n > s->tool->text_top)
		n = s->tool->text_top;
	if (lines)
		text_put_lines(f, s, style, n);
	else if (n > 0 && has_blocks(s))
		text_put_blocks(f, s, n);
	else if (n > 0)
		text_put_table(f, s, style, n);
	if (s->n_rows + s->n_hidden == 0)
		fprintf(f, "(nothing seen in %s)\n", fmt_ns(buf, sizeof(buf), s->elapsed_ns));
	return n;
}

static void put_estimate(FILE *f, const struct estimate *e)
{
	char budget[CELL_BYTES], total[CELL_BYTES], error[CELL_BYTES], exact[CELL_BYTES];

	if (!e->budget_ns)
		return;
	fprintf(f,
		"estimated from %" PRIu64 " of %" PRIu64
		" intervals (budget %s): total %s +- %s, exactly %s; count %" PRIu64 " +- %" PRIu64
		", exactly %" PRIu64 "\n",
		e->kept, e->exact_count, fmt_ns(budget, sizeof(budget), e->budget_ns),
		fmt_ns(total, sizeof(total), e->total_ns),
		fmt_ns(error, sizeof(error), e->total_error_ns),
		fmt_ns(exact, sizeof(exact), e->exact_total_ns), e->count, e->count_error,
		e->exact_count);
}

static void put_sample(FILE *f, const struct sample *sample)
{
	if (sample->every)
		fprintf(f,
			"estimated from %" PRIu64 " of %" PRIu64 " events, at least one in %" PRIu32
			": a count C is off by about %.1f times the root of C, or less\n",
			sample->followed, sample->events, sample->every, sqrt(sample->every - 1.0));
}

static void put_cost(FILE *f, const struct snapshot *s)
{
	char buf[CELL_BYTES];

	if (!s->cost.known)
		fputs("cost: not known, the kernel did not count\n", f);
	else
		fprintf(f, "cost: %" PRIu64 " events, %s in BPF, %.2f%% of one CPU\n",
			s->cost.events, fmt_ns(buf, sizeof(buf), s->cost.run_ns),
			s->cost.cpu_percent);
	for (unsigned i = 0; i < s->n_hooks; i++) {
		const struct hook_used *hook = &s->hook[i];

		fprintf(f, "hook: %s via %s ", hook->role, hook->via);
		fmt_put_text(f, hook->target);
		putc('\n', f);
	}
}

static void put_lost(FILE *f, const struct snapshot *s, const struct style *style)
{
	const struct {
		uint64_t n;
		const char *what;
	} lost[] = {
	    {s->loss.events, "events"},
	    {s->loss.rows, "rows"},
	    {s->loss.stacks, "stacks"},
	    {s->missed, "missed runs"},
	};
	const char *before = style->color ? "\033[1mlost: " : "lost: ";
	bool any = false;

	for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++) {
		if (lost[i].n == 0)
			continue;
		fprintf(f, "%s%" PRIu64 " %s", any ? ", " : before, lost[i].n, lost[i].what);
		any = true;
	}
	if (any)
		fputs(style->color ? "\033[0m\n" : "\n", f);
}

static int render(const struct snapshot *s, const struct style *style, FILE *f)
{
	bool lines = s->n_keys == 0 && !has_blocks(s);
	size_t shown, more;

	put_head(f, s, style, lines);
	shown = put_rows(f, s, style, lines);
	more = s->n_rows - shown + s->n_hidden;
	if (more > 0)
		fprintf(f, "(%zu more rows)\n", more);
	put_sample(f, &s->sample);
	put_estimate(f, &s->estimate);
	for (unsigned i = 0; i < s->n_notes; i++) {
		fputs("note: ", f);
		fmt_put_text(f, s->note[i]);
		putc('\n', f);
	}
	if (style->verbose)
		put_cost(f, s);
	put_lost(f, s, style);
	return 0;
}

const struct renderer renderer_text = {
    .name = "text",
    .summary = "aligned columns, stacks and histograms for people",
    .render = render,
};
