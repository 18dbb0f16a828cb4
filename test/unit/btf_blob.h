/* SPDX-License-Identifier: GPL-2.0-or-later */
/* BTF as bytes, right or wrong, for the tests of what reads it. */
#ifndef KTRACE_TEST_BTF_BLOB_H
#define KTRACE_TEST_BTF_BLOB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/btf_types.h"

#define WORD(kind, vlen) ((uint32_t)(kind) << 24 | (uint32_t)(vlen))
#define ROOM 4096

/* Before the types, so that nothing is behind these: \0int\0task\0task___old\0task_work\0, to a
 * word's end. */
static const char strings[] = "\0int\0task\0task___old\0task_work\0";
#define INT 1
#define TASK 5
#define TASK_OLD 10
#define TASK_WORK 21

struct blob {
	struct btf_header header;
	uint32_t word[ROOM];
	uint32_t n;
	bool strings_last;
	uint8_t *mapped, *bytes;
	size_t len;
	struct btf_types types;
	uint32_t found[64];
	size_t n_found;
};

static inline void add(struct blob *blob, uint32_t name, uint32_t info, uint32_t size)
{
	assert_true(blob->n + 3 <= ROOM);
	blob->word[blob->n++] = name;
	blob->word[blob->n++] = info;
	blob->word[blob->n++] = size;
}

static inline void add_word(struct blob *blob, uint32_t word)
{
	assert_true(blob->n < ROOM);
	blob->word[blob->n++] = word;
}

static inline void add_int(struct blob *blob)
{
	add(blob, INT, WORD(BTF_KIND_INT, 0), 4);
	add_word(blob, 32);
}

static inline void unmap(struct blob *blob)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	btf_types_close(&blob->types);
	if (blob->mapped)
		munmap(blob->mapped, sizeof(blob->word) + 2 * page);
	blob->mapped = NULL;
}

static inline int begin(void **state)
{
	static struct blob blob;

	unmap(&blob);
	memset(&blob, 0, sizeof(blob));
	blob.header = (struct btf_header){
	    .magic = BTF_MAGIC,
	    .version = BTF_VERSION,
	    .hdr_len = sizeof(blob.header),
	    .str_len = sizeof(strings),
	};
	*state = &blob;
	return 0;
}

static inline int end(void **state)
{
	unmap(*state);
	return 0;
}

/* Its first len bytes, so that the last of them is the last that can be read. */
static inline void lay_out_cut(struct blob *blob, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), room = sizeof(blob->word) + page;
	uint8_t whole[sizeof(blob->header) + sizeof(strings) + sizeof(blob->word)];

	unmap(blob);
	blob->header.type_len = blob->n * 4;
	blob->header.type_off = blob->strings_last ? 0 : sizeof(strings);
	blob->header.str_off = blob->strings_last ? blob->n * 4 : 0;
	memcpy(whole, &blob->header, sizeof(blob->header));
	memcpy(whole + sizeof(blob->header) + blob->header.str_off, strings, sizeof(strings));
	memcpy(whole + sizeof(blob->header) + blob->header.type_off, blob->word, blob->n * 4);
	blob->mapped =
	    mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(blob->mapped != MAP_FAILED);
	assert_int_equal(mprotect(blob->mapped + room, page, PROT_NONE), 0);
	blob->len = len;
	blob->bytes = blob->mapped + room - len;
	memcpy(blob->bytes, whole, len);
}

static inline size_t whole_length(const struct blob *blob)
{
	return sizeof(blob->header) + sizeof(strings) + blob->n * 4;
}

static inline void lay_out(struct blob *blob)
{
	lay_out_cut(blob, whole_length(blob));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

#endif
