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

/* Addresses of data symbols, which core/ksyms.c does not keep. */
static void find_symbols(struct slab_find *find, FILE *kallsyms)
{
	char *line = NULL, name[64];
	size_t size = 0;
	uint64_t address;

	while (getline(&line, &size, kallsyms) > 0) {
		/* Nearly every line ends here, before it is parsed. */
		if (!strstr(line, "_base"))
			continue;
		if (sscanf(line, "%lx %*c %63s", &address, name) != 2)
			continue;
		if (!strcmp(name, "vmemmap_base"))
			find->vmemmap_base = address;
		else if (!strcmp(name, "page_offset_base"))
			find->page_offset_base = address;
	}
	free(line);
}

void slab_find_prepare(struct slab_find *find, const struct plan *plan)
{
	FILE *kallsyms;

	find->kfunc = plan->kfunc_cache;
	if (find->kfunc || !HAS_BASES)
		return;
	kallsyms = fopen("/proc/kallsyms", "re");
	if (!kallsyms)
		return;
	find_symbols(find, kallsyms);
	fclose(kallsyms);
}
