// SPDX-License-Identifier: GPL-2.0-or-later
/* What a JIT compiler writes of its functions: /tmp/perf-TGID.map. */
#include <stdlib.h>

#include "core/perf_map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_up(const struct perf_map *map, uint64_t ip)
{
	uint64_t start = 0;
	const char *name = perf_map_find(map, ip, &start);

	if (name && (start > ip || !*name))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct perf_map *map = perf_map_parse((const char *)data, size);

	if (!map)
		abort();
	for (unsigned shift = 0; shift < 64; shift++)
		look_up(map, UINT64_MAX >> shift);
	for (uint64_t ip = 0; ip < 0x10000; ip += 0x800)
		look_up(map, ip);
	perf_map_free(map);
	return 0;
}
