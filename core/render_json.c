/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One object per report on one line, of the same shape for every tool (docs/OUTPUT.md). */
#include <errno.h>
#include <inttypes.h>
#include <math.h>

#include "core/buffer.h"
#include "core/fmt.h"
#include "core/hist.h"
#include "core/render.h"

#define PIECE_BYTES (64 * 1024) /* written at once */

static void put_string(struct buffer *b, const char *key, const char *value)
{
	buffer_printf(b, "\"%s\":", key);
	fmt_put_json(b, value ? value : "");
}

/* name: interned. Mostly there is nothing to escape in it. */
static void put_name(struct buffer *b, const char *name)
{
	const struct text *text = text_of(name);

	if (!text->plain) {
		fmt_put_json(b, name);
	} else if (buffer_reserve(b, text->len + strlen("\"\""))) {
		b->at[b->n] = '"';
		memcpy(b->at + b->n + 1, name, text->len);
		b->n += text->len + strlen("\"\"");
		b->at[b->n - 1] = '"';
	}
}

static void put_stack(struct buffer *b, const struct stack *stack)
{
	buffer_putc(b, '[');
	for (uint32_t i = 0; i < stack->n; i++) {
		if (i)
			buffer_putc(b, ',');
		put_name(b, stack->frame[i]);
	}
	if (stack->cut)
		buffer_puts(b, stack->n ? ",\"[cut]\"" : "\"[cut]\"");
	buffer_putc(b, ']');
}

static void put_chain(struct buffer *b, const struct chain *chain)
{
	buffer_putc(b, '[');
	for (uint32_t i = 0; i < chain->n; i++) {
		buffer_puts(b, i ? ",{" : "{");
		put_string(b, "waker", chain->link[i].waker);
		buffer_puts(b, ",\"kstack\":");
		put_stack(b, chain->link[i].kstack);
		buffer_putc(b, '}');
	}
	buffer_putc(b, ']');
}

static void put_hist(struct buffer *b, const uint64_t *slots)
{
	const char *comma = "";

	buffer_putc(b, '[');
	for (unsigned i = 0; i < HIST_SLOTS; i++) {
		if (slots[i] == 0)
			continue;
		buffer_printf(b, "%s{\"lo\":%" PRIu64 ",\"hi\":%" PRIu64 ",\"count\":%" PRIu64 "}",
			      comma, hist_lo(i), hist_hi(i), slots[i]);
		comma = ",";
	}
	buffer_putc(b, ']');
}

static void put_cell(struct buffer *b, enum kind kind, const union cell *cell)
{
	char buf[48];

	if (kind_is_text(kind)) {
		put_name(b, cell->s);
	} else if (kind_is_stack(kind)) {
		put_stack(b, cell->stack);
	} else if (kind == KIND_CHAIN) {
		put_chain(b, cell->chain);
	} else if (kind == KIND_HIST_NS) {
		put_hist(b, cell->hist);
	} else if (kind == KIND_STATE) {
		char letter[] = {(char)cell->u, '\0'};

		fmt_put_json(b, letter);
	} else if (kind == KIND_LOAD) {
		buffer_puts(b, fmt_load(buf, sizeof(buf), cell->u, 5));
	} else if (kind == KIND_RATE) {
		buffer_puts(b, fmt_milli(buf, sizeof(buf), cell->u, 3));
	} else if (kind == KIND_DIFF_BYTES) {
		buffer_printf(b, "%" PRId64, cell->i);
	} else {
		buffer_put_number(b, cell->u);
	}
}

static void put_hooks(struct buffer *b, const struct snapshot *s)
{
	buffer_puts(b, ",\"hooks\":[");
	for (unsigned i = 0; i < s->n_hooks; i++) {
		buffer_puts(b, i ? ",{" : "{");
		put_string(b, "role", s->hook[i].role);
		buffer_putc(b, ',');
		put_string(b, "via", s->hook[i].via);
		buffer_putc(b, ',');
		put_string(b, "target", s->hook[i].target);
		buffer_putc(b, '}');
	}
	buffer_puts(b, "],\"notes\":[");
	for (unsigned i = 0; i < s->n_notes; i++) {
		if (i)
			buffer_putc(b, ',');
		fmt_put_json(b, s->note[i]);
	}
	buffer_putc(b, ']');
}

/* Where the text of a row begins, and from there the end of each of its columns. */
struct row_text {
	size_t begin, end[MAX_COLUMNS];
};

/* Rows that follow each other often begin with the same task and kernel stack: what is copied. */
static unsigned put_same(struct buffer *b, unsigned n_columns, const union cell *cells,
			 const union cell *before, const struct row_text *text)
{
	unsigned n = 0;

	while (before && n < n_columns && cells[n].u == before[n].u)
		n++;
	if (n && buffer_reserve(b, text->end[n - 1]))
		buffer_put(b, b->at + text->begin, text->end[n - 1]);
	return n;
}

/* before: the row before, whose text is still in the buffer; NULL: none. */
static void put_row(struct buffer *b, const struct snapshot *s, const union cell *cells,
		    const union cell *before, struct row_text *text)
{
	size_t begin = b->n;
	unsigned i = put_same(b, s->n_columns, cells, before, text);

	text->begin = begin;
	for (; i < s->n_columns; i++) {
		buffer_puts(b, i ? ",\"" : "{\"");
		buffer_puts(b, s->column[i]->name);
		buffer_puts(b, "\":");
		put_cell(b, s->column[i]->kind, &cells[i]);
		text->end[i] = b->n - begin;
	}
	buffer_putc(b, '}');
}

static void put_rows(struct buffer *b, const struct snapshot *s, FILE *f)
{
	const union cell *cells, *before = NULL;
	struct row_text text = {0};

	buffer_puts(b, ",\"rows\":[");
	for (size_t row = 0; row < s->n_rows; row++, before = cells) {
		cells = snapshot_row(s, row);
		if (row)
			buffer_putc(b, ',');
		if (b->n >= PIECE_BYTES) {
			buffer_flush(b, f);
			before = NULL;
		}
		put_row(b, s, cells, before, &text);
	}
	buffer_putc(b, ']');
	if (s->n_hidden)
		buffer_printf(b, ",\"rows_hidden\":%zu", s->n_hidden);
}

static void put_estimate(struct buffer *b, const struct estimate *e)
{
	if (!e->budget_ns)
		return;
	buffer_printf(b,
		      ",\"estimate\":{\"budget_ns\":%" PRIu64 ",\"kept\":%" PRIu64
		      ",\"count\":%" PRIu64 ",\"count_error\":%" PRIu64 ",\"total_ns\":%" PRIu64
		      ",\"total_error_ns\":%" PRIu64 ",\"exact_count\":%" PRIu64
		      ",\"exact_total_ns\":%" PRIu64 "}",
		      e->budget_ns, e->kept, e->count, e->count_error, e->total_ns,
		      e->total_error_ns, e->exact_count, e->exact_total_ns);
}

static void put_sample(struct buffer *b, const struct sample *sample)
{
	if (sample->every)
		buffer_printf(b,
			      ",\"sample\":{\"every\":%" PRIu32 ",\"events\":%" PRIu64
			      ",\"followed\":%" PRIu64 "}",
			      sample->every, sample->events, sample->followed);
}

static void put_cost(struct buffer *b, const struct cost *cost)
{
	if (!cost->known) {
		buffer_puts(b, ",\"cost\":{\"events\":null,\"run_ns\":null,\"cpu_percent\":null}");
		return;
	}
	buffer_printf(b,
		      ",\"cost\":{\"events\":%" PRIu64 ",\"run_ns\":%" PRIu64 ",\"cpu_percent\":",
		      cost->events, cost->run_ns);
	/* JSON has no word for what a division by zero gives. */
	if (isfinite(cost->cpu_percent))
		buffer_printf(b, "%.6g}", cost->cpu_percent);
	else
		buffer_puts(b, "null}");
}

static int render(const struct snapshot *s, const struct style *style, FILE *f)
{
	struct buffer buffer = {0}, *b = &buffer;
	char start[48];
	int err;

	(void)style;
	buffer_puts(b, "{\"schema\":1,");
	put_string(b, "tool", s->tool->name);
	buffer_putc(b, ',');
	put_string(b, "version", s->version);
	buffer_putc(b, ',');
	put_string(b, "host", s->host);
	buffer_putc(b, ',');
	put_string(b, "kernel", s->kernel);
	fmt_time_iso(start, sizeof(start), s->start_ns);
	buffer_printf(b, ",\"start\":\"%s\",\"elapsed_ns\":%" PRIu64, start, s->elapsed_ns);
	put_hooks(b, s);
	put_rows(b, s, f);
	put_sample(b, &s->sample);
	put_estimate(b, &s->estimate);
	buffer_printf(b,
		      ",\"loss\":{\"events\":%" PRIu64 ",\"rows\":%" PRIu64 ",\"stacks\":%" PRIu64
		      ",\"missed\":%" PRIu64 "}",
		      (uint64_t)s->loss.events, (uint64_t)s->loss.rows, (uint64_t)s->loss.stacks,
		      s->missed);
	put_cost(b, &s->cost);
	buffer_puts(b, "}\n");
	buffer_flush(b, f);
	err = buffer.failed ? -ENOMEM : 0;
	buffer_free(b);
	return err;
}

const struct renderer renderer_json = {
    .name = "json",
    .summary = "one JSON object per report and line",
    .render = render,
};
