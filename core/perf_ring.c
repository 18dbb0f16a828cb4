/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/perf_ring.h"

#include <linux/perf_event.h>
#include <string.h>

#include "core/maps.h"

/* What follows the header in a record, up to its time at the end. */
struct task_body {
	uint32_t tgid, parent, tid, parent_tid;
	uint64_t time_ns;
};

struct comm_body {
	uint32_t tgid, tid;
};

struct lost_body {
	uint64_t id, lost;
};

struct map_body {
	uint32_t tgid, tid;
	uint64_t start, len, pgoff;
	uint32_t major, minor;
	uint64_t inode, generation;
	uint32_t prot, flags;
};

#define TIME_BYTES sizeof(uint64_t)

static void parse_task(const unsigned char *body, size_t len, enum perf_record_kind kind,
		       struct perf_record *out)
{
	struct task_body task;

	if (len < sizeof(task))
		return;
	memcpy(&task, body, sizeof(task));
	if (task.tgid != task.tid)
		return;
	out->kind = kind;
	out->tgid = task.tgid;
	out->parent = task.parent;
}

static void parse_exec(const unsigned char *body, size_t len, struct perf_record *out)
{
	struct comm_body comm;

	if (len < sizeof(comm))
		return;
	memcpy(&comm, body, sizeof(comm));
	out->kind = PERF_EXEC;
	out->tgid = comm.tgid;
}

static void parse_lost(const unsigned char *body, size_t len, struct perf_record *out)
{
	struct lost_body lost;

	if (len < sizeof(lost))
		return;
	memcpy(&lost, body, sizeof(lost));
	out->kind = PERF_LOST;
	out->lost = lost.lost;
}

static void parse_map(unsigned char *body, size_t len, struct perf_record *out)
{
	struct user_file_seen *seen = &out->seen;
	struct map_body map;
	char *path = (char *)body + sizeof(map);

	if (len <= sizeof(map) || !memchr(path, '\0', len - sizeof(map)))
		return;
	memcpy(&map, body, sizeof(map));
	if (!map.len || map.start + map.len < map.start)
		return;
	out->kind = PERF_MAP;
	out->tgid = map.tgid;
	out->pgoff = map.inode ? map.pgoff : 0;
	if (!strcmp(path, "//anon"))
		*path = '\0';
	seen->deleted = maps_cut_deleted(path);
	seen->path = path;
	seen->tgid = map.tgid;
	seen->major = map.major;
	seen->minor = map.minor;
	seen->inode = map.inode;
	seen->start = map.start;
	seen->end = map.start + map.len;
}

void perf_record_parse(void *bytes, size_t size, struct perf_record *out)
{
	unsigned char *body = (unsigned char *)bytes + sizeof(struct perf_event_header);
	struct perf_event_header header;
	size_t len;

	memset(out, 0, sizeof(*out));
	if (size < sizeof(header))
		return;
	memcpy(&header, bytes, sizeof(header));
	if (header.size > size || header.size < sizeof(header) + TIME_BYTES)
		return;
	len = header.size - sizeof(header) - TIME_BYTES;
	if (header.type == PERF_RECORD_FORK)
		parse_task(body, len, PERF_FORK, out);
	else if (header.type == PERF_RECORD_EXIT)
		parse_task(body, len, PERF_EXIT, out);
	else if (header.type == PERF_RECORD_COMM && header.misc & PERF_RECORD_MISC_COMM_EXEC)
		parse_exec(body, len, out);
	else if (header.type == PERF_RECORD_MMAP2 &&
		 !(header.misc & PERF_RECORD_MISC_MMAP_BUILD_ID))
		parse_map(body, len, out);
	else if (header.type == PERF_RECORD_LOST)
		parse_lost(body, len, out);
}

/* Everything in a ring is aligned to 8 bytes, so that none of these is cut by its end. */
static uint64_t word_at(const struct perf_ring *ring, uint64_t at)
{
	uint64_t word;

	memcpy(&word, ring->data + (at & (ring->size - 1)), sizeof(word));
	return word;
}

/* Size of the next record, 0: there is none. */
static uint64_t next_size(struct perf_ring *ring, uint64_t *broken)
{
	uint64_t there = ring->head - ring->tail, word;
	struct perf_event_header header;

	if (!there)
		return 0;
	if (there <= ring->size && there >= sizeof(header) + TIME_BYTES &&
	    ring->tail % sizeof(word) == 0) {
		word = word_at(ring, ring->tail);
		memcpy(&header, &word, sizeof(header));
		if (header.size >= sizeof(header) + TIME_BYTES && header.size % sizeof(word) == 0 &&
		    header.size <= there)
			return header.size;
	}
	ring->tail = ring->head;
	(*broken)++;
	return 0;
}

static void copy_out(const struct perf_ring *ring, unsigned char *to, uint64_t len)
{
	uint64_t at = ring->tail & (ring->size - 1);
	uint64_t first = ring->size - at < len ? ring->size - at : len;

	memcpy(to, ring->data + at, first);
	memcpy(to + first, ring->data, len - first);
}

struct perf_ring *perf_rings_take(struct perf_ring *rings, unsigned n, uint64_t until_ns,
				  unsigned char *bytes, uint64_t *broken)
{
	uint64_t oldest_ns = until_ns, oldest_size = 0;
	struct perf_ring *oldest = NULL;

	for (struct perf_ring *ring = rings; ring < rings + n; ring++) {
		uint64_t size = next_size(ring, broken), time_ns;

		if (!size)
			continue;
		time_ns = word_at(ring, ring->tail + size - TIME_BYTES);
		if (time_ns > oldest_ns || (oldest && time_ns == oldest_ns))
			continue;
		oldest = ring;
		oldest_ns = time_ns;
		oldest_size = size;
	}
	if (!oldest)
		return NULL;
	copy_out(oldest, bytes, oldest_size);
	oldest->tail += oldest_size;
	return oldest;
}
