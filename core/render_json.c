/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One object per report on one line, of the same shape for every tool (docs/OUTPUT.md). */
#include <inttypes.h>
#include <math.h>

#include "core/fmt.h"
#include "core/hist.h"
#include "core/render.h"

static void put_string(FILE *f, const char *key, const char *value)
{
	fprintf(f, "\"%s\":", key);
	fmt_put_json(f, value ? value : "");
}

static void put_stack(FILE *f, const struct stack *stack)
{
	putc_unlocked('[', f);
	for (uint32_t i = 0; i < stack->n; i++) {
		if (i)
			putc_unlocked(',', f);
		fmt_put_json(f, stack->frame[i]);
	}
	if (stack->cut)
		fputs(stack->n ? ",\"[cut]\"" : "\"[cut]\"", f);
	putc_unlocked(']', f);
}

static void put_chain(FILE *f, const struct chain *chain)
{
	putc('[', f);
	for (uint32_t i = 0; i < chain->n; i++) {
		fputs(i ? ",{" : "{", f);
		put_string(f, "waker", chain->link[i].waker);
		fputs(",\"kstack\":", f);
		put_stack(f, chain->link[i].kstack);
		putc('}', f);
	}
	putc(']', f);
}

static void put_hist(FILE *f, const uint64_t *slots)
{
	const char *comma = "";

	putc('[', f);
	for (unsigned i = 0; i < HIST_SLOTS; i++) {
		if (slots[i] == 0)
			continue;
		fprintf(f, "%s{\"lo\":%" PRIu64 ",\"hi\":%" PRIu64 ",\"count\":%" PRIu64 "}", comma,
			hist_lo(i), hist_hi(i), slots[i]);
		comma = ",";
	}
	putc(']', f);
}

/* A report of many rows is numbers for a third of its time, where printf makes them. */
static void put_number(FILE *f, uint64_t value)
{
	char digits[20], *first = digits + sizeof(digits);

	do {
		*--first = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	fwrite_unlocked(first, 1, (size_t)(digits + sizeof(digits) - first), f);
}

static void put_cell(FILE *f, enum kind kind, const union cell *cell)
{
	char buf[48];

	if (kind_is_text(kind)) {
		fmt_put_json(f, cell->s);
	} else if (kind_is_stack(kind)) {
		put_stack(f, cell->stack);
	} else if (kind == KIND_CHAIN) {
		put_chain(f, cell->chain);
	} else if (kind == KIND_HIST_NS) {
		put_hist(f, cell->hist);
	} else if (kind == KIND_STATE) {
		char letter[] = {(char)cell->u, '\0'};

		fmt_put_json(f, letter);
	} else if (kind == KIND_LOAD) {
		fputs(fmt_load(buf, sizeof(buf), cell->u, 5), f);
	} else if (kind == KIND_RATE) {
		fputs(fmt_milli(buf, sizeof(buf), cell->u, 3), f);
	} else if (kind == KIND_DIFF_BYTES) {
		fprintf(f, "%" PRId64, cell->i);
	} else {
		put_number(f, cell->u);
	}
}

static void put_hooks(FILE *f, const struct snapshot *s)
{
	fputs(",\"hooks\":[", f);
	for (unsigned i = 0; i < s->n_hooks; i++) {
		fputs(i ? ",{" : "{", f);
		put_string(f, "role", s->hook[i].role);
		putc(',', f);
		put_string(f, "via", s->hook[i].via);
		putc(',', f);
		put_string(f, "target", s->hook[i].target);
		putc('}', f);
	}
	fputs("],\"notes\":[", f);
	for (unsigned i = 0; i < s->n_notes; i++) {
		if (i)
			putc(',', f);
		fmt_put_json(f, s->note[i]);
	}
	putc(']', f);
}

static void put_rows(FILE *f, const struct snapshot *s)
{
	fputs(",\"rows\":[", f);
	for (size_t row = 0; row < s->n_rows; row++) {
		const union cell *cells = snapshot_row(s, row);

		fputs(row ? ",{" : "{", f);
		for (unsigned i = 0; i < s->n_columns; i++) {
			fputs_unlocked(i ? ",\"" : "\"", f);
			fputs_unlocked(s->column[i]->name, f);
			fputs_unlocked("\":", f);
			put_cell(f, s->column[i]->kind, &cells[i]);
		}
		putc('}', f);
	}
	putc(']', f);
	if (s->n_hidden)
		fprintf(f, ",\"rows_hidden\":%zu", s->n_hidden);
}

static void put_estimate(FILE *f, const struct estimate *e)
{
	if (!e->budget_ns)
		return;
	fprintf(f,
		",\"estimate\":{\"budget_ns\":%" PRIu64 ",\"kept\":%" PRIu64 ",\"count\":%" PRIu64
		",\"count_error\":%" PRIu64 ",\"total_ns\":%" PRIu64 ",\"total_error_ns\":%" PRIu64
		",\"exact_count\":%" PRIu64 ",\"exact_total_ns\":%" PRIu64 "}",
		e->budget_ns, e->kept, e->count, e->count_error, e->total_ns, e->total_error_ns,
		e->exact_count, e->exact_total_ns);
}

static void put_cost(FILE *f, const struct cost *cost)
{
	if (!cost->known) {
		fputs(",\"cost\":{\"events\":null,\"run_ns\":null,\"cpu_percent\":null}", f);
		return;
	}
	fprintf(f, ",\"cost\":{\"events\":%" PRIu64 ",\"run_ns\":%" PRIu64 ",\"cpu_percent\":",
		cost->events, cost->run_ns);
	/* JSON has no word for what a division by zero gives. */
	if (isfinite(cost->cpu_percent))
		fprintf(f, "%.6g}", cost->cpu_percent);
	else
		fputs("null}", f);
}

static int render(const struct snapshot *s, const struct style *style, FILE *f)
{
	char start[48];

	(void)style;
	fputs("{\"schema\":1,", f);
	put_string(f, "tool", s->tool->name);
	putc(',', f);
	put_string(f, "version", s->version);
	putc(',', f);
	put_string(f, "host", s->host);
	putc(',', f);
	put_string(f, "kernel", s->kernel);
	fmt_time_iso(start, sizeof(start), s->start_ns);
	fprintf(f, ",\"start\":\"%s\",\"elapsed_ns\":%" PRIu64, start, s->elapsed_ns);
	put_hooks(f, s);
	put_rows(f, s);
	put_estimate(f, &s->estimate);
	fprintf(f,
		",\"loss\":{\"events\":%" PRIu64 ",\"rows\":%" PRIu64 ",\"stacks\":%" PRIu64
		",\"missed\":%" PRIu64 "}",
		(uint64_t)s->loss.events, (uint64_t)s->loss.rows, (uint64_t)s->loss.stacks,
		s->missed);
	put_cost(f, &s->cost);
	fputs("}\n", f);
	return 0;
}

const struct renderer renderer_json = {
    .name = "json",
    .summary = "one JSON object per report and line",
    .render = render,
};
