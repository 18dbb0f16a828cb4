// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/slab_find.h"

#include "core/symbols.h"

/* arm64 has constants in their place, which no symbol tells. */
#ifdef __x86_64__
#define HAS_BASES true
#else
#define HAS_BASES false
#endif

void slab_find_prepare(struct slab_find *find, const struct plan *plan, bool offsets)
{
	find->kfunc = plan->kfunc_cache;
	if (!HAS_BASES || (find->kfunc && !offsets))
		return;
	find->vmemmap_base = symbols_address(plan->symbols, "vmemmap_base", KSYMS_DATA);
	find->page_offset_base = symbols_address(plan->symbols, "page_offset_base", KSYMS_DATA);
}
