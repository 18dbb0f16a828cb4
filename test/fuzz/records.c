// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel's records of mappings in two rings, and what processes make of them. */
#include <stdlib.h>
#include <string.h>

#include "core/perf_ring.h"
#include "core/processes.h"

#define RING_BYTES 2048
#define NOBODY (1U << 31) /* no such process can be: /proc is not asked about it */

struct fuzz {
	_Alignas(8) unsigned char bytes[PERF_RECORD_BYTES];
	_Alignas(8) unsigned char data[2][RING_BYTES];
	struct perf_ring rings[2];
	struct user_files *files;
	struct processes *processes;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte of the input is where in the ring the rest begins. */
static void fill(struct fuzz *fuzz, unsigned i, const uint8_t *data, size_t size)
{
	uint64_t at = size ? *data * 8ULL : 0;

	size = size > RING_BYTES ? RING_BYTES : size;
	for (size_t k = 1; k < size; k++)
		fuzz->data[i][(at + k - 1) % RING_BYTES] = data[k];
	fuzz->rings[i] =
	    (struct perf_ring){fuzz->data[i], RING_BYTES, at + (size ? size - 1 : 0), at};
}

static void look_up(struct fuzz *fuzz, uint32_t tgid, uint64_t ip)
{
	for (unsigned image = processes_images(fuzz->processes, tgid); image--;) {
		const struct mapping *map = processes_find(fuzz->processes, tgid, image, ip);

		if (map && (ip < map->start || ip >= map->end ||
			    !*user_files_name(fuzz->files, map->file)))
			abort();
	}
}

static void apply(struct fuzz *fuzz, struct perf_record *record)
{
	struct processes *ps = fuzz->processes;
	uint32_t tgid = record->tgid | NOBODY;

	record->seen.tgid = tgid;
	if (record->kind == PERF_MAP)
		processes_map(ps, &record->seen, record->pgoff);
	else if (record->kind == PERF_EXEC)
		processes_exec(ps, tgid);
	else if (record->kind == PERF_FORK)
		processes_fork(ps, tgid, record->parent | NOBODY);
	else if (record->kind == PERF_EXIT)
		processes_exit(ps, tgid);
	else if (record->kind == PERF_LOST)
		processes_doubt(ps);
	if (record->kind == PERF_MAP) {
		look_up(fuzz, tgid, record->seen.start);
		look_up(fuzz, tgid, record->seen.end - 1);
		look_up(fuzz, tgid, record->seen.end);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz *fuzz = calloc(1, sizeof(*fuzz));
	uint64_t broken = 0;

	if (!fuzz)
		abort();
	fuzz->files = user_files_new();
	fuzz->processes = processes_new(fuzz->files);
	if (!fuzz->processes)
		abort();
	fill(fuzz, 0, data, size / 2);
	fill(fuzz, 1, data + size / 2, size - size / 2);
	while (perf_rings_take(fuzz->rings, 2, UINT64_MAX, fuzz->bytes, &broken)) {
		struct perf_record record;

		perf_record_parse(fuzz->bytes, sizeof(fuzz->bytes), &record);
		apply(fuzz, &record);
	}
	for (unsigned i = 0; i < 2; i++)
		if (fuzz->rings[i].tail != fuzz->rings[i].head)
			abort();
	processes_free(fuzz->processes);
	user_files_free(fuzz->files);
	free(fuzz);
	return 0;
}
