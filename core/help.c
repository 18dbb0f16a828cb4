// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/help.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/opts.h"

enum status help_flush(void)
{
	errno = 0;
	if (fflush(stdout) || ferror(stdout))
		return fail(FAILED, "cannot write stdout: %s", strerror(errno ? errno : EBADF));
	return OK;
}

static void print_option(const struct option_row *row)
{
	char left[64], letter[8] = "   ";

	if (row->key < 256)
		snprintf(letter, sizeof(letter), "-%c,", row->key);
	snprintf(left, sizeof(left), "  %s --%s%s%s", letter, row->name, row->arg ? " " : "",
		 row->arg ? row->arg : "");
	printf("%-32s %s\n", left, row->help);
}

static const char *positional(const struct tool *tool)
{
	return tool->at_interval == AT_TOTAL ? "[DURATION]" : "[INTERVAL [COUNT]]";
}

static void print_columns(const struct tool *tool)
{
	const struct column *column;

	printf("\nColumns: ");
	for (column = tool->columns; column->name; column++)
		printf("%s%s%s", column == tool->columns ? "" : " ", column->name,
		       column->optional ? "*" : "");
	printf("\n  (* shown when asked for; names are those of -S, -g and JSON)\n");
}

enum status help_tool(const struct tool *tool)
{
	const struct option_row *row;

	printf("Usage: ktrace %s [OPTIONS]%s %s [-- COMMAND [ARG...]]\n", tool->name,
	       tool->patterns ? " PATTERN..." : "", positional(tool));
	printf("\n%s\n\n%s\n", tool->summary, tool->about);
	if (tool->options) {
		printf("\nOptions of %s:\n", tool->name);
		for (row = tool->options; row->key; row++)
			print_option(row);
	}
	printf("\nOptions:\n");
	for (row = opts_shared; row->key; row++)
		if (opts_accepted(tool, row))
			print_option(row);
	printf("  -- COMMAND [ARG...]            start COMMAND, follow it and its children, end "
	       "with it;\n"
	       "                                 what it prints goes to stderr\n");
	print_columns(tool);
	if (tool->example)
		printf("\nExample:\n  ktrace %s %s\n", tool->name, tool->example);
	return help_flush();
}

enum status help_main(void)
{
	size_t i;

	printf("Usage: ktrace TOOL [OPTIONS] [ARGS] [-- COMMAND [ARG...]]\n"
	       "\nAsks the kernel why tasks wait, who woke them, and where its memory goes.\n"
	       "A symlink named after a tool (or ktrace-TOOL) runs that tool.\n\nTools:\n");
	for (i = 0; tools[i]; i++)
		printf("  %-14s %s\n", tools[i]->name, tools[i]->summary);
	printf("\nOther commands:\n"
	       "  list           the tools, one line each\n"
	       "  doctor [TOOL]  which tools run here, with which hooks, and why not\n"
	       "  caps           what this kernel offers, as text for a bug report\n"
	       "  links DIR      make one symlink per tool in DIR\n"
	       "  --help, --version, TOOL --help, TOOL --explain\n"
	       "\nExit status: 0 done, 1 failed, 2 usage, 3 this kernel or these privileges "
	       "cannot.\n");
	return help_flush();
}
