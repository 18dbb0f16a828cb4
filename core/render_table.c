/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text rows of one line each. */
#include <ctype.h>
#include <string.h>

#include "core/fmt.h"
#include "core/render_text.h"

#define GAP 2
/* A name cut shorter than this says nothing. */
#define NAME_MIN 4
/* Of a value that may grow from line to line under a header that was printed once. */
#define LINE_VALUE_MIN 8

static void pad(FILE *f, size_t columns)
{
	fprintf(f, "%*s", (int)columns, "");
}

static void bold(FILE *f, const struct style *style, bool on)
{
	if (style->color)
		fputs(on ? "\033[1m" : "\033[0m", f);
}

static bool is_left(enum kind kind)
{
	return kind_is_text(kind) || kind == KIND_STATE;
}

static void upper(char *s)
{
	for (; *s; s++)
		*s = (char)toupper((unsigned char)*s);
}

static void measure(const struct snapshot *s, size_t n_rows, size_t *width)
{
	char buf[TITLE_BYTES];

	for (unsigned i = 0; i < s->n_columns; i++)
		width[i] = strlen(text_title(buf, sizeof(buf), s->column[i]));
	for (size_t row = 0; row < n_rows; row++) {
		const union cell *cells = snapshot_row(s, row);

		for (unsigned i = 0; i < s->n_columns; i++) {
			size_t w =
			    fmt_text_width(text_cell(buf, sizeof(buf), s->column[i], &cells[i]));

			if (w > width[i])
				width[i] = w;
		}
	}
}

/* Takes columns from the widest names until the line fits, or nothing is left to take. */
static void shrink(const struct snapshot *s, size_t limit, size_t *width)
{
	size_t total = GAP * (s->n_columns - 1);

	for (unsigned i = 0; i < s->n_columns; i++)
		total += width[i];
	for (; total > limit; total--) {
		int widest = -1;

		for (unsigned i = 0; i < s->n_columns; i++)
			if (kind_is_text(s->column[i]->kind) && width[i] > NAME_MIN &&
			    (widest < 0 || width[i] > width[widest]))
				widest = (int)i;
		if (widest < 0)
			return;
		width[widest]--;
	}
}

/* Blanks in front of what follows, so that nothing trails at the end of a line. */
struct line {
	FILE *f;
	size_t owed;
};

static void put_item(struct line *line, const char *item, bool left, size_t width)
{
	size_t needs = fmt_text_width(item), used = needs < width ? needs : width;

	if (needs == 0) {
		line->owed += width + GAP;
		return;
	}
	pad(line->f, line->owed + (left ? 0 : width - used));
	/* A number is never cut: a wrong one is worse than a line too long. */
	used = fmt_put_text_cut(line->f, item, left ? width : needs);
	line->owed = GAP + (left && used < width ? width - used : 0);
}

void text_put_table(FILE *f, const struct snapshot *s, const struct style *style, size_t n_rows)
{
	size_t width[MAX_COLUMNS] = {0};
	char buf[TITLE_BYTES];
	struct line line = {.f = f};

	measure(s, n_rows, width);
	if (style->width)
		shrink(s, style->width, width);
	bold(f, style, true);
	for (unsigned i = 0; i < s->n_columns; i++) {
		upper(text_title(buf, sizeof(buf), s->column[i]));
		put_item(&line, buf, is_left(s->column[i]->kind), width[i]);
	}
	bold(f, style, false);
	putc('\n', f);
	for (size_t row = 0; row < n_rows; row++) {
		const union cell *cells = snapshot_row(s, row);

		line.owed = 0;
		for (unsigned i = 0; i < s->n_columns; i++) {
			const struct column *c = s->column[i];

			put_item(&line, text_cell(buf, sizeof(buf), c, &cells[i]), is_left(c->kind),
				 width[i]);
		}
		putc('\n', f);
	}
}

void text_put_lines(FILE *f, const struct snapshot *s, const struct style *style, size_t n_rows)
{
	size_t width[MAX_COLUMNS] = {0};
	char buf[TITLE_BYTES];

	measure(s, n_rows, width);
	for (unsigned i = 0; i < s->n_columns; i++)
		if (s->column[i]->kind != KIND_LOAD && width[i] < LINE_VALUE_MIN)
			width[i] = LINE_VALUE_MIN;
	if (style->report == 0 || style->clear) {
		struct line line = {.f = f};

		bold(f, style, true);
		put_item(&line, "TIME", true, strlen("HH:MM:SS"));
		line.owed--;
		for (unsigned i = 0; i < s->n_columns; i++)
			put_item(&line, text_title(buf, sizeof(buf), s->column[i]), false,
				 width[i]);
		bold(f, style, false);
		putc('\n', f);
	}
	for (size_t row = 0; row < n_rows; row++) {
		struct line line = {.f = f};

		put_item(&line, fmt_time_clock(buf, sizeof(buf), s->end_ns, style->utc), true,
			 strlen("HH:MM:SS"));
		line.owed--;
		for (unsigned i = 0; i < s->n_columns; i++)
			put_item(
			    &line,
			    text_cell(buf, sizeof(buf), s->column[i], &snapshot_row(s, row)[i]),
			    false, width[i]);
		putc('\n', f);
	}
}
