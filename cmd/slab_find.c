// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/slab_find.h"

#include "core/ksyms.h"
#include "core/symbols.h"

/* arm64 has constants in their place, which no symbol tells. */
#ifdef __x86_64__
#define HAS_BASES true
#else
#define HAS_BASES false
#endif

static uint64_t address_of(const struct ksyms *data, const char *name)
{
	uint64_t address, end;

	return ksyms_range(data, name, &address, &end) ? address : 0;
}

void slab_find_prepare(struct slab_find *find, const struct plan *plan, bool offsets)
{
	const struct ksyms *data;

	find->kfunc = plan->kfunc_cache;
	if (!HAS_BASES || (find->kfunc && !offsets))
		return;
	data = symbols_data(plan->symbols);
	find->vmemmap_base = address_of(data, "vmemmap_base");
	find->page_offset_base = address_of(data, "page_offset_base");
}
