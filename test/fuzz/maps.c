// SPDX-License-Identifier: GPL-2.0-or-later
/* The text of /proc/TGID/maps. */
#include <stdlib.h>
#include <string.h>

#include "core/processes.h"

#define NOBODY 4194305U /* above PID_MAX_LIMIT: no such process can be */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_up(struct user_files *files, struct processes *processes, uint64_t ip)
{
	const struct mapping *map = processes_find(processes, NOBODY, 0, ip);

	if (map && (ip < map->start || ip >= map->end || !*user_files_name(files, map->file)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct user_files *files = user_files_new();
	struct processes *processes = processes_new(files);

	if (!processes)
		abort();
	(void)processes_learn_text(processes, NOBODY, (const char *)data, size);
	for (unsigned shift = 0; shift < 64; shift++)
		look_up(files, processes, UINT64_MAX >> shift);
	for (uint64_t ip = 0x1000; ip < 0x10000; ip += 0x1000)
		look_up(files, processes, ip);
	processes_free(processes);
	user_files_free(files);
	return 0;
}
