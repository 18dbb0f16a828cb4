/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Help texts, rendered from the tools' tables. */
#ifndef KTRACE_HELP_H
#define KTRACE_HELP_H

#include "core/tool.h"

/* All print to stdout; OK, or FAILED, said, when that cannot be written. */
enum status help_tool(const struct tool *);
enum status help_main(void);
/* Flushes stdout; a full disk or a closed stdout is an error. */
enum status help_flush(void);

#endif
