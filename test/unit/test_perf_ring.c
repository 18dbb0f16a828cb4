/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/perf_event.h>

#include "core/perf_ring.h"

#define RING_BYTES 4096

/* Bytes in the making. */
struct bytes {
	_Alignas(8) unsigned char at[RING_BYTES];
	size_t len;
};

static void put(struct bytes *b, const void *from, size_t len)
{
	memcpy(b->at + b->len, from, len);
	b->len += len;
}

static void put_u32(struct bytes *b, uint32_t value)
{
	put(b, &value, sizeof(value));
}

static void put_u64(struct bytes *b, uint64_t value)
{
	put(b, &value, sizeof(value));
}

static struct bytes begun(uint32_t type, uint16_t misc)
{
	struct perf_event_header header = {.type = type, .misc = misc};
	struct bytes b = {.len = 0};

	put(&b, &header, sizeof(header));
	return b;
}

/* Ends with its time, and says its size. */
static void end(struct bytes *b, uint64_t time_ns)
{
	uint16_t size;

	put_u64(b, time_ns);
	size = (uint16_t)b->len;
	memcpy(b->at + offsetof(struct perf_event_header, size), &size, sizeof(size));
}

static struct bytes task(uint32_t type, uint32_t tgid, uint32_t parent, uint32_t tid,
			 uint64_t time_ns)
{
	struct bytes b = begun(type, 0);

	put_u32(&b, tgid);
	put_u32(&b, parent);
	put_u32(&b, tid);
	put_u32(&b, parent);
	put_u64(&b, time_ns);
	end(&b, time_ns);
	return b;
}

static struct bytes comm(uint16_t misc, uint32_t tgid)
{
	struct bytes b = begun(PERF_RECORD_COMM, misc);

	put_u32(&b, tgid);
	put_u32(&b, tgid);
	put(&b, "name\0\0\0", 8);
	end(&b, 1);
	return b;
}

static struct bytes mapped(uint16_t misc, uint64_t start, uint64_t len, uint64_t inode,
			   const char *path, size_t path_bytes)
{
	struct bytes b = begun(PERF_RECORD_MMAP2, misc);

	put_u32(&b, 12);
	put_u32(&b, 13);
	put_u64(&b, start);
	put_u64(&b, len);
	put_u64(&b, 0x3000);
	put_u32(&b, 0xfe);
	put_u32(&b, 1);
	put_u64(&b, inode);
	put_u64(&b, 99);
	put_u32(&b, 5);
	put_u32(&b, 2);
	put(&b, path, path_bytes);
	end(&b, 1);
	return b;
}

static struct perf_record parsed(struct bytes *b)
{
	struct perf_record record;

	perf_record_parse(b->at, b->len, &record);
	return record;
}

static enum perf_record_kind kind_of(struct bytes b)
{
	return parsed(&b).kind;
}

static void forks_and_exits_are_those_of_processes(void **state)
{
	struct bytes fork = task(PERF_RECORD_FORK, 7, 6, 7, 1);
	struct perf_record record = parsed(&fork);

	(void)state;
	assert_int_equal(record.kind, PERF_FORK);
	assert_int_equal(record.tgid, 7);
	assert_int_equal(record.parent, 6);
	assert_int_equal(kind_of(task(PERF_RECORD_EXIT, 7, 6, 7, 1)), PERF_EXIT);
	assert_int_equal(kind_of(task(PERF_RECORD_FORK, 7, 7, 8, 1)), PERF_OTHER);
	assert_int_equal(kind_of(task(PERF_RECORD_EXIT, 7, 7, 8, 1)), PERF_OTHER);
}

static void a_name_is_an_exec_only_when_it_says_so(void **state)
{
	struct bytes exec = comm(PERF_RECORD_MISC_COMM_EXEC, 7);

	(void)state;
	assert_int_equal(parsed(&exec).kind, PERF_EXEC);
	assert_int_equal(parsed(&exec).tgid, 7);
	assert_int_equal(kind_of(comm(0, 7)), PERF_OTHER);
}

static void lost_records_are_counted(void **state)
{
	struct bytes b = begun(PERF_RECORD_LOST, 0);

	(void)state;
	put_u64(&b, 1);
	put_u64(&b, 42);
	end(&b, 1);
	assert_int_equal(parsed(&b).kind, PERF_LOST);
	assert_int_equal(parsed(&b).lost, 42);
}

static void a_mapping_is_told_whole(void **state)
{
	struct bytes b = mapped(0, 0x7000, 0x2000, 77, "/lib/x.so (deleted)\0\0\0\0", 24);
	struct perf_record record = parsed(&b);

	(void)state;
	assert_int_equal(record.kind, PERF_MAP);
	assert_int_equal(record.tgid, 12);
	assert_int_equal(record.seen.tgid, 12);
	assert_int_equal(record.seen.start, 0x7000);
	assert_int_equal(record.seen.end, 0x9000);
	assert_int_equal(record.seen.major, 0xfe);
	assert_int_equal(record.seen.minor, 1);
	assert_int_equal(record.seen.inode, 77);
	assert_string_equal(record.seen.path, "/lib/x.so");
	assert_true(record.seen.deleted);
	assert_int_equal(record.pgoff, 0x3000);
}

static void what_is_no_file_has_no_offset(void **state)
{
	struct bytes anon = mapped(0, 0x7000, 0x2000, 0, "//anon\0", 8);
	struct bytes vdso = mapped(0, 0x7000, 0x2000, 0, "[vdso]\0", 8);
	struct perf_record record = parsed(&anon);

	(void)state;
	assert_string_equal(record.seen.path, "");
	assert_int_equal(record.pgoff, 0);
	record = parsed(&vdso);
	assert_string_equal(record.seen.path, "[vdso]");
	assert_int_equal(record.pgoff, 0);
}

static void mappings_that_cannot_be_are_no_records(void **state)
{
	(void)state;
	assert_int_equal(kind_of(mapped(0, 0x1000, 0, 7, "/x\0\0\0\0\0", 8)), PERF_OTHER);
	assert_int_equal(kind_of(mapped(0, UINT64_MAX, 2, 7, "/x\0\0\0\0\0", 8)), PERF_OTHER);
	assert_int_equal(kind_of(mapped(0, 0x1000, 1, 7, "/without", 8)), PERF_OTHER);
	assert_int_equal(kind_of(mapped(0, 0x1000, 1, 7, "", 0)), PERF_OTHER);
	/* in place of the inode stands a build id */
	assert_int_equal(
	    kind_of(mapped(PERF_RECORD_MISC_MMAP_BUILD_ID, 0x1000, 1, 7, "/x\0\0\0\0\0", 8)),
	    PERF_OTHER);
}

/* Each prefix of each record, with its size said and with that of the whole. */
static void truncated_records_are_no_records(void **state)
{
	struct bytes all[] = {
	    task(PERF_RECORD_FORK, 7, 6, 7, 1),
	    task(PERF_RECORD_EXIT, 7, 6, 7, 1),
	    comm(PERF_RECORD_MISC_COMM_EXEC, 7),
	    mapped(0, 0x1000, 0x1000, 7, "/lib/x.so\0\0\0\0\0\0", 16),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		for (size_t len = 0; len < all[i].len; len++) {
			/* the exact size, for the sanitizer to see a byte read too much */
			unsigned char *bytes = malloc(len + !len);
			struct perf_record record;
			uint16_t size = (uint16_t)len;

			assert_non_null(bytes);
			memcpy(bytes, all[i].at, len);
			perf_record_parse(bytes, len, &record);
			assert_int_equal(record.kind, PERF_OTHER);
			if (len >= sizeof(struct perf_event_header))
				memcpy(bytes + offsetof(struct perf_event_header, size), &size,
				       sizeof(size));
			perf_record_parse(bytes, len, &record);
			if (record.kind == PERF_MAP)
				assert_true(strlen(record.seen.path) < 16);
			free(bytes);
		}
}

/* A ring whose next byte goes to at, however often that is around. */
struct ring {
	_Alignas(8) unsigned char data[RING_BYTES];
};

static void append(struct perf_ring *ring, struct ring *in, struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		in->data[(ring->head + i) % RING_BYTES] = b.at[i];
	ring->head += b.len;
}

static struct perf_ring empty(struct ring *in, uint64_t at)
{
	return (struct perf_ring){.data = in->data, .size = RING_BYTES, .head = at, .tail = at};
}

struct taken {
	struct perf_ring *ring;
	struct perf_record record;
	uint64_t broken;
	_Alignas(8) unsigned char bytes[PERF_RECORD_BYTES];
};

static enum perf_record_kind take(struct taken *t, struct perf_ring *rings, unsigned n,
				  uint64_t until_ns)
{
	t->ring = perf_rings_take(rings, n, until_ns, t->bytes, &t->broken);
	if (t->ring)
		perf_record_parse(t->bytes, sizeof(t->bytes), &t->record);
	return t->ring ? t->record.kind : PERF_OTHER;
}

static void records_are_read_around_the_end_of_the_ring(void **state)
{
	struct taken *t = calloc(1, sizeof(*t));
	struct ring in;

	(void)state;
	assert_non_null(t);
	for (uint64_t at = 0; at < 160; at += 8) {
		struct perf_ring ring = empty(&in, 10 * RING_BYTES - at);

		append(&ring, &in, mapped(0, 0x1000, 0x1000, 7, "/lib/x.so\0\0\0\0\0\0", 16));
		append(&ring, &in, task(PERF_RECORD_FORK, 7, 6, 7, 1));
		assert_int_equal(take(t, &ring, 1, 1), PERF_MAP);
		assert_string_equal(t->record.seen.path, "/lib/x.so");
		assert_int_equal(take(t, &ring, 1, 1), PERF_FORK);
		assert_int_equal(t->record.tgid, 7);
		assert_int_equal(take(t, &ring, 1, 1), PERF_OTHER);
		assert_null(t->ring);
		assert_true(ring.tail == ring.head);
	}
	assert_int_equal(t->broken, 0);
	free(t);
}

static void records_of_several_rings_come_in_order_of_time(void **state)
{
	struct taken *t = calloc(1, sizeof(*t));
	struct ring in[3];
	struct perf_ring rings[] = {empty(&in[0], 0), empty(&in[1], 64), empty(&in[2], 0)};

	(void)state;
	assert_non_null(t);
	append(&rings[0], &in[0], task(PERF_RECORD_FORK, 2, 1, 2, 20));
	append(&rings[0], &in[0], task(PERF_RECORD_FORK, 4, 1, 4, 40));
	append(&rings[2], &in[2], task(PERF_RECORD_FORK, 1, 1, 1, 10));
	append(&rings[2], &in[2], task(PERF_RECORD_FORK, 3, 1, 3, 30));
	append(&rings[2], &in[2], task(PERF_RECORD_FORK, 5, 1, 5, 50));
	for (uint32_t i = 1; i <= 4; i++) {
		assert_int_equal(take(t, rings, 3, 49), PERF_FORK);
		assert_int_equal(t->record.tgid, i);
		assert_ptr_equal(t->ring, i % 2 ? &rings[2] : &rings[0]);
	}
	assert_int_equal(take(t, rings, 3, 49), PERF_OTHER); /* too young yet */
	assert_null(t->ring);
	assert_int_equal(take(t, rings, 3, 50), PERF_FORK);
	assert_int_equal(t->record.tgid, 5);
	free(t);
}

static void a_ring_that_is_no_ring_is_emptied_and_counted(void **state)
{
	struct taken *t = calloc(1, sizeof(*t));
	struct bytes none = task(PERF_RECORD_FORK, 7, 6, 7, 1);
	struct ring in[2];
	uint16_t sizes[] = {0, 8, 15, 17, 48, 56, UINT16_MAX};

	(void)state;
	assert_non_null(t);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct perf_ring rings[] = {empty(&in[0], 0), empty(&in[1], 0)};

		memcpy(none.at + offsetof(struct perf_event_header, size), &sizes[i], 2);
		append(&rings[0], &in[0], none);
		append(&rings[1], &in[1], task(PERF_RECORD_FORK, 7, 6, 7, 1));
		t->broken = 0;
		assert_int_equal(take(t, rings, 2, 1), PERF_FORK);
		assert_ptr_equal(t->ring, &rings[1]);
		assert_int_equal(t->broken, 1);
		assert_true(rings[0].tail == rings[0].head);
	}
	for (int i = 0; i < 3; i++) { /* a head that cannot be */
		struct perf_ring ring = empty(&in[0], 0);

		ring.head = i == 0 ? RING_BYTES + 8 : i == 1 ? 8 : UINT64_MAX;
		t->broken = 0;
		assert_int_equal(take(t, &ring, 1, 1), PERF_OTHER);
		assert_null(t->ring);
		assert_int_equal(t->broken, 1);
	}
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(forks_and_exits_are_those_of_processes),
	    cmocka_unit_test(a_name_is_an_exec_only_when_it_says_so),
	    cmocka_unit_test(lost_records_are_counted),
	    cmocka_unit_test(a_mapping_is_told_whole),
	    cmocka_unit_test(what_is_no_file_has_no_offset),
	    cmocka_unit_test(mappings_that_cannot_be_are_no_records),
	    cmocka_unit_test(truncated_records_are_no_records),
	    cmocka_unit_test(records_are_read_around_the_end_of_the_ring),
	    cmocka_unit_test(records_of_several_rings_come_in_order_of_time),
	    cmocka_unit_test(a_ring_that_is_no_ring_is_emptied_and_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
