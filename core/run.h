/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One tool, from its command line to its exit status. */
#ifndef KTRACE_RUN_H
#define KTRACE_RUN_H

#include "core/tool.h"

/* argv[0] is the tool's name. Returns the exit status; what went wrong was said. */
enum status run_tool(const struct tool *, int argc, char **argv);

#endif
