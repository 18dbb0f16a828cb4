// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/lock_find.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/slab_find.h"
#include "core/ksyms.h"
#include "core/symbols.h"

static enum status find_address(struct lock_filter *filter, const char *lock)
{
	char *end;
	uint64_t address = strtoull(lock + 2, &end, 16);

	if (!lock[2] || *end || !address)
		return fail(USAGE,
			    "--lock takes a symbol or an address such as "
			    "0xffffffff82a1b2c8, not '%s'",
			    lock);
	filter->range[0] = (struct address_range){address, address + 1};
	filter->n = 1;
	return OK;
}

static enum status find_symbol(struct lock_filter *filter, const char *lock,
			       const struct ksyms *data)
{
	struct ksym_range found[LOCK_RANGES];
	size_t n, i;

	n = ksyms_ranges(data, lock, found, LOCK_RANGES);
	if (n > LOCK_RANGES)
		n = LOCK_RANGES;
	for (i = 0; i < n; i++)
		filter->range[i] = (struct address_range){found[i].lo, found[i].hi};
	filter->n = (uint32_t)n;
	return n ? OK
		 : fail(USAGE,
			"no static lock '%s' in /proc/kallsyms (some kernels list no data there: "
			"give the address)",
			lock);
}

enum status lock_find_prepare(struct lock_filter *filter, const struct plan *plan)
{
	if (plan->filter.want & WANT_LOCK)
		slab_find_prepare(&filter->find, plan, true);
	if (!filter->name[0])
		return OK;
	return strncmp(filter->name, "0x", 2)
		   ? find_symbol(filter, filter->name, symbols_data(plan->symbols))
		   : find_address(filter, filter->name);
}

uint32_t lock_find_functions(const struct plan *plan, const char *const *functions,
			     struct address_range *out, uint32_t max)
{
	const struct ksyms *ksyms = symbols_text(plan->symbols);
	uint64_t lo, hi;
	uint32_t n = 0;

	for (; *functions && n < max; functions++)
		if (ksyms_range(ksyms, *functions, &lo, &hi))
			out[n++] = (struct address_range){lo, hi};
	return n;
}
