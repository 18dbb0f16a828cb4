/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <lzma.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "core/elf_symbols.h"
#include "core/open_regular.h"
#include "test/unit/elf_compose.h"

#define ID "\xab\xcd\xef\x01"
#define BY_ID "/usr/lib/debug/.build-id/ab/cdef01.debug"

static const struct sym hidden[] = {
    FUNCTION("hidden", TEXT, 8),
    {0},
};

/* A root directory of our own, with a stripped file and what each test adds. */
struct place {
	char root[32];
	struct composed file, debug;
};

static void make_parents(char *path)
{
	for (char *at = path + 1; (at = strchr(at, '/')); *at++ = '/') {
		*at = '\0';
		(void)mkdir(path, 0700);
	}
}

static void path_of(const struct place *p, const char *path, char *full)
{
	snprintf(full, 256, "%s%s", p->root, path);
	make_parents(full);
}

static void put(const struct place *p, const char *path, const struct composed *file)
{
	char full[256];
	int fd;

	path_of(p, path, full);
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, file->bytes, file->size), file->size);
	close(fd);
}

static struct place make_place(const char *id, const char *debug_id)
{
	struct place p = {.root = "/tmp/ktrace-debug-XXXXXX"};

	assert_non_null(mkdtemp(p.root));
	p.file = compose(&(struct recipe){.id = id, .id_len = 4});
	p.debug = compose(&(struct recipe){.symtab = hidden, .id = debug_id, .id_len = 4});
	return p;
}

static void leave_place(struct place *p)
{
	char command[64];

	free(p->file.bytes);
	free(p->debug.bytes);
	snprintf(command, sizeof(command), "rm -rf %s", p->root);
	assert_int_equal(system(command), 0);
}

/* The file says that its symbols are in name, of the CRC that the debug file has plus wrong. */
static void link_to(struct place *p, const char *name, unsigned wrong)
{
	uint8_t link[64] = {0};
	size_t at = (strlen(name) + 4) & ~(size_t)3;
	uint32_t crc = (uint32_t)crc32(0, p->debug.bytes, (uInt)p->debug.size) + wrong;

	memcpy(link, name, strlen(name));
	memcpy(link + at, &crc, sizeof(crc));
	free(p->file.bytes);
	p->file = compose(&(struct recipe){
	    .extra_name = ".gnu_debuglink", .extra = link, .extra_size = at + sizeof(crc)});
}

/* Does the file get its name, when it lies in /opt? */
static bool is_named(const struct place *p)
{
	struct elf_symbols *s = NULL;
	struct elf_symbol symbol;
	char full[256];
	bool found;
	int fd;

	put(p, "/opt/file", &p->file);
	path_of(p, "/opt/file", full);
	fd = open(full, O_RDONLY | O_CLOEXEC);
	assert_int_equal(elf_symbols_load(&s, fd, "/opt", p->root), 0);
	found = elf_symbols_find(s, TEXT + 7, &symbol);
	if (found)
		assert_string_equal(symbol.name, "hidden");
	elf_symbols_free(s);
	close(fd);
	return found;
}

static void a_build_id_leads_to_the_symbols(void **state)
{
	struct place p = make_place(ID, ID);

	(void)state;
	assert_false(is_named(&p));
	put(&p, BY_ID, &p.debug);
	assert_true(is_named(&p));
	leave_place(&p);
}

static void only_of_the_same_build(void **state)
{
	struct place p = make_place(ID, "\xab\xcd\xef\x02");

	(void)state;
	put(&p, BY_ID, &p.debug);
	assert_false(is_named(&p));
	leave_place(&p);
}

static void a_link_is_looked_for_in_three_places(void **state)
{
	static const char *const paths[] = {"/opt/it.debug", "/opt/.debug/it.debug",
					    "/usr/lib/debug/opt/it.debug"};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct place p = make_place(NULL, NULL);

		link_to(&p, "it.debug", 0);
		assert_false(is_named(&p));
		put(&p, paths[i], &p.debug);
		assert_true(is_named(&p));
		leave_place(&p);
	}
}

static void a_link_counts_with_its_crc_alone(void **state)
{
	struct place p = make_place(NULL, NULL);

	(void)state;
	put(&p, "/opt/it.debug", &p.debug);
	link_to(&p, "it.debug", 1);
	assert_false(is_named(&p));
	leave_place(&p);
}

static void a_link_leads_to_no_other_directory(void **state)
{
	struct place p = make_place(NULL, NULL);

	(void)state;
	put(&p, "/it.debug", &p.debug);
	put(&p, "/opt/sub/it.debug", &p.debug);
	link_to(&p, "../it.debug", 0);
	assert_false(is_named(&p));
	link_to(&p, "sub/it.debug", 0);
	assert_false(is_named(&p));
	link_to(&p, "..", 0);
	assert_false(is_named(&p));
	leave_place(&p);
}

/* The link's file is the file itself: what has no symbols is not asked again. */
static void a_link_to_itself_ends(void **state)
{
	struct place p = make_place(NULL, NULL);

	(void)state;
	link_to(&p, "file", 0);
	assert_false(is_named(&p));
	leave_place(&p);
}

static void symbolic_links_stay_below_root(void **state)
{
	struct place p = make_place(ID, ID);
	char full[256], outside[] = "/tmp/ktrace-outside-XXXXXX";
	int fd = mkstemp(outside);

	(void)state;
	assert_int_equal(write(fd, p.debug.bytes, p.debug.size), p.debug.size);
	close(fd);
	path_of(&p, BY_ID, full);
	assert_int_equal(symlink(outside, full), 0);
	assert_false(is_named(&p));
	put(&p, outside, &p.debug); /* the same path, seen from root */
	assert_true(is_named(&p));
	unlink(outside);
	leave_place(&p);
}

static void what_is_no_file_is_not_opened(void **state)
{
	struct place p = make_place(ID, ID);
	char full[256];

	(void)state;
	path_of(&p, BY_ID, full);
	assert_int_equal(mkfifo(full, 0600), 0);
	assert_false(is_named(&p)); /* and does not wait for a writer */
	assert_int_equal(open_regular(p.root, BY_ID), -EINVAL);
	assert_int_equal(open_regular(p.root, "/opt"), -EINVAL);
	assert_int_equal(open_regular("", "/dev/null"), -EINVAL);
	assert_int_equal(open_regular(p.root, "/nowhere"), -ENOENT);
	assert_int_equal(open_regular("/proc/0/root", BY_ID), -ENOENT);
	leave_place(&p);
}

static struct composed packed(const void *bytes, size_t size)
{
	size_t room = lzma_stream_buffer_bound(size), used = 0;
	uint8_t *xz = malloc(room);
	struct composed c;

	assert_int_equal(
	    lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, NULL, bytes, size, xz, &used, room),
	    LZMA_OK);
	c = compose(
	    &(struct recipe){.extra_name = ".gnu_debugdata", .extra = xz, .extra_size = used});
	free(xz);
	return c;
}

static bool is_named_from_memory(const struct composed *c)
{
	struct elf_symbols *s = NULL;
	struct elf_symbol symbol;
	bool found;

	assert_int_equal(elf_symbols_load_memory(&s, c->bytes, c->size), 0);
	found = elf_symbols_find(s, TEXT, &symbol);
	elf_symbols_free(s);
	return found;
}

static void packed_symbols_are_found(void **state)
{
	struct composed inner = compose(&(struct recipe){.symtab = hidden});
	struct composed outer = packed(inner.bytes, inner.size);

	(void)state;
	assert_true(is_named_from_memory(&outer));
	outer.bytes[outer.sections[8].sh_offset + outer.sections[8].sh_size / 2] ^= 0x55;
	assert_false(is_named_from_memory(&outer));
	free(inner.bytes);
	free(outer.bytes);
}

static void a_pack_that_swells_is_left_out(void **state)
{
	size_t size = 65 << 20;
	struct composed inner = compose(&(struct recipe){.symtab = hidden}), outer;
	uint8_t *large = calloc(1, size);

	(void)state;
	memcpy(large, inner.bytes, inner.size);
	outer = packed(large, size);
	assert_false(is_named_from_memory(&outer));
	free(large);
	free(inner.bytes);
	free(outer.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_build_id_leads_to_the_symbols),
	    cmocka_unit_test(only_of_the_same_build),
	    cmocka_unit_test(a_link_is_looked_for_in_three_places),
	    cmocka_unit_test(a_link_counts_with_its_crc_alone),
	    cmocka_unit_test(a_link_leads_to_no_other_directory),
	    cmocka_unit_test(a_link_to_itself_ends),
	    cmocka_unit_test(symbolic_links_stay_below_root),
	    cmocka_unit_test(what_is_no_file_is_not_opened),
	    cmocka_unit_test(packed_symbols_are_found),
	    cmocka_unit_test(a_pack_that_swells_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
