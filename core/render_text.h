/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The layouts of the text renderer. Each shows the first n_rows rows. */
#ifndef KTRACE_RENDER_TEXT_H
#define KTRACE_RENDER_TEXT_H

#include "core/render.h"

#define TITLE_BYTES 64
#define CELL_BYTES 32

/* A column's name without the unit that its values are printed with; returns buf. */
char *text_title(char *buf, size_t size, const struct column *);
/* A cell other than a stack or histogram as a string that is not yet escaped: its own or buf. */
const char *text_cell(char *buf, size_t size, const struct column *, const union cell *);

/* Key line, stacks, value line and histograms of each row. */
void text_put_blocks(FILE *, const struct snapshot *, size_t n_rows);
/* One line a row under a header. */
void text_put_table(FILE *, const struct snapshot *, const struct style *, size_t n_rows);
/* Time and values, the header only once. */
void text_put_lines(FILE *, const struct snapshot *, const struct style *, size_t n_rows);

#endif
