/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Renderers turn a snapshot into bytes. Each is one row of renderers[]; a new
 * format is a new row and a new file. None of them knows a tool by name.
 */
#ifndef KTRACE_RENDER_H
#define KTRACE_RENDER_H

#include <stdbool.h>
#include <stdio.h>

#include "core/snapshot.h"

/* How a report is shown; the part of the options that renderers may see. */
struct style {
	bool timestamp;    /* -T */
	bool verbose;      /* -v */
	bool explicit_top; /* -n was given: text_top does not apply */
	bool clear;        /* replace the report before (a terminal, and the tool asks for it) */
	bool color;        /* a terminal, and NO_COLOR is not set */
	bool utc;          /* local times in UTC: golden files */
	unsigned width;    /* columns of the terminal; 0: not a terminal, no limit */
	unsigned report;   /* number of this report, from 0 */
};

struct renderer {
	const char *name; /* as -o has it */
	const char *summary;
	unsigned needs; /* ACCEPT_ bits: refused for tools without them (folded needs stacks) */
	/* Writes one report. Write errors are left in ferror(); returns 0 or -ENOMEM. */
	int (*render)(const struct snapshot *, const struct style *, FILE *);
};

/*
 * Do the tool's rows have both sides of a wakeup, the target's and in columns
 * named "waker...", "context" and "chain" the waker's?
 */
bool render_both_sides(const struct tool *);
bool render_is_waker_side(const struct column *);

extern const struct renderer renderer_text, renderer_json, renderer_folded;
extern const struct renderer *const renderers[]; /* ends with NULL */
const struct renderer *renderer_find(const char *name);

#endif
