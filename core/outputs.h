/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where reports go: stdout, and files that appear whole or not at all (written
 * beside their name and renamed at the end).
 */
#ifndef KTRACE_OUTPUTS_H
#define KTRACE_OUTPUTS_H

#include <stdio.h>

#include "core/opts.h"

struct open_output {
	const struct renderer *renderer;
	const char *path; /* NULL: stdout */
	char *temporary;  /* NULL: written in place (stdout, a pipe, a device) */
	FILE *file;
};

struct outputs {
	struct open_output output[MAX_OUTPUTS];
	unsigned n;
	unsigned reports;
	struct style style;
};

/* Opens all; no file of a name asked for is touched yet. OK, FAILED or USAGE, said. */
enum status outputs_open(struct outputs *, const struct opts *);
/* Renders and flushes to each. OK or FAILED, said. */
enum status outputs_write(struct outputs *, const struct snapshot *);
/* Gives the files their names. OK or FAILED, said. */
enum status outputs_commit(struct outputs *);
/* Closes, and removes what was not committed. */
void outputs_close(struct outputs *);

#endif
