/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Real files, told by libelf as well, and files that are made to harm. */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <gnu/libc-version.h>
#include <libgen.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/elf_symbols.h"
#include "test/unit/elf_compose.h"

static struct elf_symbols *load_path(const char *path)
{
	struct elf_symbols *s = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(elf_symbols_load(&s, fd, NULL, ""), 0);
	close(fd);
	return s;
}

/* What libelf says of a file offset; UINT64_MAX: not in an executable segment. */
static uint64_t offset_of(Elf *elf, uint64_t address)
{
	GElf_Phdr segment;
	size_t n = 0;

	assert_int_equal(elf_getphdrnum(elf, &n), 0);
	for (size_t i = 0; i < n; i++)
		if (gelf_getphdr(elf, (int)i, &segment) && segment.p_type == PT_LOAD &&
		    segment.p_flags & PF_X && address - segment.p_vaddr < segment.p_filesz)
			return address - segment.p_vaddr + segment.p_offset;
	return UINT64_MAX;
}

/* A function that libelf sees must be found by its first byte and its last one, and by name. */
static unsigned check_symbol(const struct elf_symbols *s, Elf *elf, const GElf_Sym *symbol,
			     const char *raw)
{
	uint64_t offset = offset_of(elf, symbol->st_value);
	unsigned type = GELF_ST_TYPE(symbol->st_info);
	struct elf_symbol found;
	char name[4096];

	if ((type != STT_FUNC && type != STT_GNU_IFUNC) || symbol->st_shndx == SHN_UNDEF ||
	    symbol->st_shndx >= SHN_LORESERVE || offset == UINT64_MAX || !raw || !*raw)
		return 0;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(raw, "@"), raw);
	assert_true(elf_symbols_find(s, offset, &found));
	assert_int_equal(found.start, offset);
	assert_true(found.size >= symbol->st_size);
	assert_true(elf_symbols_named(s, name, &found));
	return 1;
}

static unsigned check_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct elf_symbols *s = load_path(path);
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	GElf_Sym symbol;
	unsigned n = 0;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	assert_non_null(elf);
	while ((section = elf_nextscn(elf, section))) {
		if (!gelf_getshdr(section, &header) ||
		    (header.sh_type != SHT_SYMTAB && header.sh_type != SHT_DYNSYM))
			continue;
		for (size_t i = 0; i < header.sh_size / header.sh_entsize; i++)
			if (gelf_getsym(elf_getdata(section, NULL), (int)i, &symbol))
				n += check_symbol(s, elf, &symbol,
						  elf_strptr(elf, header.sh_link, symbol.st_name));
	}
	elf_end(elf);
	close(fd);
	elf_symbols_free(s);
	return n;
}

static void own_path(char *path)
{
	ssize_t len = readlink("/proc/self/exe", path, 255);

	assert_true(len > 0);
	path[len] = '\0';
}

static void every_function_of_our_own_executable_is_found(void **state)
{
	struct elf_symbols *s;
	struct elf_symbol symbol;
	char path[256];

	(void)state;
	own_path(path);
	assert_true(check_file(path) > 20);
	s = load_path(path);
	assert_true(elf_symbols_named(s, "every_function_of_our_own_executable_is_found", &symbol));
	elf_symbols_free(s);
}

/* Where code of this process lies in the file that it comes from. */
static bool find_mapped(uint64_t address, char *path, uint64_t *offset)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long start = 0, end = 0, pgoff = 0;
	bool found = false;
	char line[512];

	while (maps && !found && fgets(line, sizeof(line), maps))
		found = sscanf(line, "%lx-%lx %*s %lx %*s %*s %255s", &start, &end, &pgoff, path) ==
			    4 &&
			address >= start && address < end;
	if (maps)
		fclose(maps);
	*offset = address - start + pgoff;
	return found;
}

static void every_function_of_the_c_library_is_found(void **state)
{
	static const struct {
		const char *worse, *better;
	} names[] = {{"__read", "read"},           {"__libc_malloc", "malloc"},
		     {"__nanosleep", "nanosleep"}, {"__write", "write"},
		     {"__poll", "poll"},           {"_IO_puts", "puts"}};
	struct elf_symbols *s;
	struct elf_symbol symbol;
	uint8_t id[BUILD_ID_MAX];
	char path[256];
	uint64_t offset;

	(void)state;
	assert_true(find_mapped((uint64_t)(uintptr_t)gnu_get_libc_version, path, &offset));
	assert_true(check_file(path) > 1000);
	s = load_path(path);
	assert_true(elf_symbols_find(s, offset, &symbol));
	assert_string_equal(symbol.name, "gnu_get_libc_version");
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_true(elf_symbols_named(s, names[i].worse, &symbol));
		assert_true(elf_symbols_find(s, symbol.start + 1, &symbol));
		assert_string_equal(symbol.name, names[i].better);
	}
	assert_true(elf_symbols_build_id(s, id) > 0);
	elf_symbols_free(s);
}

static void every_function_of_a_static_program_is_found(void **state)
{
	char own[256], path[300];

	(void)state;
	own_path(own);
	snprintf(path, sizeof(path), "%s/../workload/sleeper", dirname(own));
	if (access(path, R_OK))
		skip(); /* built only beside the static executable */
	assert_true(check_file(path) > 500);
}

static int load_bytes(const void *bytes, size_t size)
{
	struct elf_symbols *s = NULL;
	struct elf_symbol symbol;
	int err = elf_symbols_load_memory(&s, bytes, size);

	for (uint64_t offset = 0; !err && offset < 0x4000; offset += 16)
		elf_symbols_find(s, offset, &symbol);
	elf_symbols_free(s);
	return err;
}

static const struct sym few[] = {
    FUNCTION("one", TEXT, 8),
    FUNCTION("two", TEXT + 8, 0),
    {0},
};

static void a_file_cut_anywhere_harms_nobody(void **state)
{
	struct composed c = compose(&(struct recipe){.symtab = few, .id = "abcd", .id_len = 4});

	(void)state;
	for (size_t size = 0; size <= c.size; size++) {
		uint8_t *exact = malloc(size + !size); /* so that a byte too far is seen */
		int err;

		memcpy(exact, c.bytes, size);
		err = load_bytes(exact, size);
		assert_true(err == 0 || err == -ENOEXEC);
		free(exact);
	}
	free(c.bytes);
}

static void bytes_changed_anywhere_harm_nobody(void **state)
{
	static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};

	(void)state;
	for (unsigned narrow = 0; narrow < 2; narrow++) {
		struct composed c = compose(&(struct recipe){.symtab = few, .narrow = narrow});

		for (size_t i = 0; i < c.size; i++)
			for (size_t v = 0; v < sizeof(values); v++) {
				uint8_t old = c.bytes[i];

				c.bytes[i] = values[v];
				(void)load_bytes(c.bytes, c.size);
				c.bytes[i] = old;
			}
		assert_int_equal(load_bytes(c.bytes, c.size), 0);
		free(c.bytes);
	}
}

static void what_is_no_program_is_refused(void **state)
{
	static const struct {
		unsigned at;
		uint8_t value;
	} changes[] = {{0, 'x'},     {EI_CLASS, 3}, {EI_DATA, 0},
		       {EI_DATA, 2}, {16, ET_REL},  {16, ET_CORE}};
	struct composed c = compose(&(struct recipe){.symtab = few});

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		uint8_t old = c.bytes[changes[i].at];

		c.bytes[changes[i].at] = changes[i].value;
		assert_int_equal(load_bytes(c.bytes, c.size), -ENOEXEC);
		c.bytes[changes[i].at] = old;
	}
	assert_int_equal(load_bytes("", 0), -ENOEXEC);
	free(c.bytes);
}

static void what_is_no_file_is_refused(void **state)
{
	struct elf_symbols *s;
	int fds[2], null = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(elf_symbols_load(&s, fds[0], "/", ""), -ENOEXEC);
	assert_int_equal(elf_symbols_load(&s, null, "/", ""), -ENOEXEC);
	assert_int_equal(elf_symbols_load(&s, -1, "/", ""), -ENOEXEC);
	close(fds[0]);
	close(fds[1]);
	close(null);
}

/* A file with a hole of a terabyte, which its tables claim. */
static int load_huge(uint64_t symbols, uint64_t strings)
{
	struct composed c = compose(&(struct recipe){.symtab = few});
	Elf64_Shdr *sections = (Elf64_Shdr *)(c.bytes + c.size - sizeof(c.sections));
	int fd = memfd_create("huge", MFD_CLOEXEC), err;
	struct elf_symbols *s = NULL;

	sections[3].sh_size = symbols;
	sections[4].sh_size = strings;
	assert_int_equal(write(fd, c.bytes, c.size), c.size);
	assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
	err = elf_symbols_load(&s, fd, NULL, "");
	elf_symbols_free(s);
	free(c.bytes);
	close(fd);
	return err;
}

static void tables_without_end_are_refused(void **state)
{
	(void)state;
	assert_int_equal(load_huge((uint64_t)1 << 39, 64), -EFBIG);
	assert_int_equal(load_huge(240, (uint64_t)1 << 39), -EFBIG);
	assert_int_equal(load_huge(UINT64_MAX, 64), 0); /* not in the file: as if there was none */
	assert_int_equal(load_huge(240, UINT64_MAX - 8), 0);
}

/* All names end in the same bytes, which are not to be walked for each of them. */
static void names_within_each_other_have_a_bound(void **state)
{
	char *name = malloc(60001);
	struct sym syms[2000];
	struct composed c;

	(void)state;
	memset(name, 'n', 60000);
	name[60000] = '\0';
	for (unsigned i = 0; i < 1999; i++)
		syms[i] = (struct sym)FUNCTION(i ? "" : name, TEXT + i, 1);
	syms[1999] = (struct sym){0};
	c = compose(&(struct recipe){.symtab = syms});
	for (unsigned i = 0; i < 1999; i++) {
		Elf64_Sym *symbol = (Elf64_Sym *)(c.bytes + c.sections[3].sh_offset) + 1 + i;

		symbol->st_name = 1 + i % 32;
	}
	assert_int_equal(load_bytes(c.bytes, c.size), -EFBIG);
	free(c.bytes);
	free(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_function_of_our_own_executable_is_found),
	    cmocka_unit_test(every_function_of_the_c_library_is_found),
	    cmocka_unit_test(every_function_of_a_static_program_is_found),
	    cmocka_unit_test(a_file_cut_anywhere_harms_nobody),
	    cmocka_unit_test(bytes_changed_anywhere_harm_nobody),
	    cmocka_unit_test(what_is_no_program_is_refused),
	    cmocka_unit_test(what_is_no_file_is_refused),
	    cmocka_unit_test(tables_without_end_are_refused),
	    cmocka_unit_test(names_within_each_other_have_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
