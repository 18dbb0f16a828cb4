/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of opts: how single arguments are read, and how options go together. */
#ifndef KTRACE_OPTS_ROWS_H
#define KTRACE_OPTS_ROWS_H

#include "core/opts.h"

/* Options against each other, after all are read. Returns OK or USAGE, said. */
enum status opts_check(struct opts *);

#endif
