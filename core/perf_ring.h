/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records of perf events as they lie in a ring buffer: checked, taken apart, and put in
 * the order of time over the rings of all CPUs. Pure: where the bytes are from does not matter.
 */
#ifndef KTRACE_PERF_RING_H
#define KTRACE_PERF_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/user_files.h"

#define PERF_RECORD_BYTES 65536 /* no record has as many */

enum perf_record_kind {
	PERF_OTHER, /* of no interest, as a thread's begin, or malformed */
	PERF_MAP,
	PERF_EXEC,
	PERF_FORK, /* a process, not a thread */
	PERF_EXIT, /* of a process's first thread */
	PERF_LOST,
};

struct perf_record {
	enum perf_record_kind kind;
	uint32_t tgid, parent; /* parent: PERF_FORK; its tgid */
	uint64_t lost;         /* PERF_LOST: how many records */
	/* PERF_MAP; the path lies in the record's bytes */
	struct user_file_seen seen;
	uint64_t pgoff; /* bytes */
};

/*
 * Takes one record apart that ends with its time (attr.sample_id_all, PERF_SAMPLE_TIME). size:
 * bytes there are; the record itself may say less. " (deleted)" is cut off where it lies.
 */
void perf_record_parse(void *bytes, size_t size, struct perf_record *);

struct perf_ring {
	const unsigned char *data;
	uint64_t size;       /* bytes of data, a power of two */
	uint64_t head, tail; /* what is to be read lies from tail up to head; they only grow */
};

/*
 * Takes the oldest record of n rings into bytes (aligned to 8, PERF_RECORD_BYTES) when it is
 * not younger than until_ns. Returns its ring, whose tail has moved behind it, or NULL: there is
 * none. A ring with a record that cannot be is emptied, and *broken counts it.
 */
struct perf_ring *perf_rings_take(struct perf_ring *, unsigned n, uint64_t until_ns,
				  unsigned char *bytes, uint64_t *broken);

#endif
