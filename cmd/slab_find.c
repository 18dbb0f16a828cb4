// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/slab_find.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* arm64 has constants in their place, which no symbol tells. */
#ifdef __x86_64__
#define HAS_BASES true
#else
#define HAS_BASES false
#endif

/* "ffffffff82a1b2c8 D vmemmap_base\n": addresses of data symbols, which core/ksyms.c does not keep.
 */
static void find_symbols(struct slab_find *find, FILE *kallsyms)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, kallsyms) > 0) {
		const char *name = strrchr(line, ' ');

		if (!name)
			continue;
		if (!strcmp(name, " vmemmap_base\n"))
			find->vmemmap_base = strtoull(line, NULL, 16);
		else if (!strcmp(name, " page_offset_base\n"))
			find->page_offset_base = strtoull(line, NULL, 16);
	}
	free(line);
}

void slab_find_prepare(struct slab_find *find, const struct plan *plan, bool offsets)
{
	FILE *kallsyms;

	find->kfunc = plan->kfunc_cache;
	if (!HAS_BASES || (find->kfunc && !offsets))
		return;
	kallsyms = fopen("/proc/kallsyms", "re");
	if (!kallsyms)
		return;
	find_symbols(find, kallsyms);
	fclose(kallsyms);
}
