// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "cmd/commands.h"
#include "core/run.h"

/* The tool that the program was called as, through a symlink. */
static const struct tool *called_as(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	return tool_find(!strncmp(name, "ktrace-", 7) ? name + 7 : name);
}

int main(int argc, char **argv)
{
	const struct tool *tool = argc ? called_as(argv[0]) : NULL;

	if (tool)
		return run_tool(tool, argc, argv);
	if (argc < 2)
		return command_none();
	tool = tool_find(argv[1]);
	if (tool)
		return run_tool(tool, argc - 1, argv + 1);
	return command_run(argc - 1, argv + 1);
}
