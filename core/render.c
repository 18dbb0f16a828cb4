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
