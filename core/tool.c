// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/tool.h"

#include <stdio.h>
#include <string.h>

#define TOOL(name) extern const struct tool tool_##name;
#include "cmd/tools.def"
#undef TOOL

const struct tool *const tools[] = {
#define TOOL(name) &tool_##name,
#include "cmd/tools.def"
#undef TOOL
    NULL,
};

const struct tool *tool_find(const char *name)
{
	size_t i;

	for (i = 0; tools[i]; i++)
		if (!strcmp(tools[i]->name, name))
			return tools[i];
	return NULL;
}

const struct column *tool_column(const struct tool *tool, const char *name)
{
	const struct column *column;

	for (column = tool->columns; column->name; column++)
		if (!strcmp(column->name, name))
			return column;
	return NULL;
}

const char *via_name(enum via via)
{
	static const char *const names[N_VIA] = {
	    [VIA_NONE] = "none",
	    [VIA_TP_BTF] = "tp_btf",
	    [VIA_RAW_TP] = "raw_tp",
	    [VIA_TRACEPOINT] = "tracepoint",
	    [VIA_FENTRY] = "fentry",
	    [VIA_KPROBE] = "kprobe",
	    [VIA_KPROBE_MULTI] = "kprobe_multi",
	    [VIA_UPROBE] = "uprobe",
	    [VIA_UPROBE_MULTI] = "uprobe_multi",
	    [VIA_UPROBE_SESSION] = "uprobe_session",
	    [VIA_ITER] = "iter",
	};

	return names[via];
}

const char *column_enum_name(const struct column *column, uint32_t value)
{
	uint32_t i;

	for (i = 0; column->names[i]; i++)
		if (i == value)
			return column->names[i];
	return "?";
}

const char *tool_next_target(const char *targets, char target[TARGET_LEN])
{
	size_t len;

	if (!targets || !*targets)
		return NULL;
	len = strcspn(targets, "|");
	snprintf(target, TARGET_LEN, "%.*s", (int)len, targets);
	return targets + len + (targets[len] == '|');
}
