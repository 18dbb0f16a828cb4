/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/render.h"

#include <string.h>

const struct renderer *const renderers[] = {
    &renderer_text,
    &renderer_json,
    &renderer_folded,
    NULL,
};

const struct renderer *renderer_find(const char *name)
{
	for (const struct renderer *const *r = renderers; *r; r++)
		if (strcmp((*r)->name, name) == 0)
			return *r;
	return NULL;
}

bool render_both_sides(const struct tool *tool)
{
	for (const struct column *c = tool->columns; c->name; c++)
		if (kind_is_stack(c->kind) && render_is_waker_side(c))
			return true;
	return false;
}

bool render_is_waker_side(const struct column *c)
{
	return strncmp(c->name, "waker", 5) == 0 || c->kind == KIND_CONTEXT ||
	       c->kind == KIND_CHAIN;
}
