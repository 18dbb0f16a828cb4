/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/elf_symbols.h"
#include "test/unit/elf_compose.h"

static struct elf_symbols *loaded(const struct recipe *recipe)
{
	struct composed c = compose(recipe);
	struct elf_symbols *s = NULL;

	assert_int_equal(elf_symbols_load_memory(&s, c.bytes, c.size), 0);
	free(c.bytes);
	return s;
}

static struct elf_symbols *loaded_symtab(const struct sym *syms)
{
	return loaded(&(struct recipe){.symtab = syms});
}

/* want NULL: nothing has this name. */
static void assert_at(const struct elf_symbols *s, uint64_t offset, const char *want)
{
	struct elf_symbol symbol = {.name = "nothing"};

	if (!want) {
		if (elf_symbols_find(s, offset, &symbol))
			fail_msg("0x%llx is %s", (unsigned long long)offset, symbol.name);
		return;
	}
	assert_true(elf_symbols_find(s, offset, &symbol));
	assert_string_equal(symbol.name, want);
	assert_true(offset - symbol.start < symbol.size);
}

static void check_extent(bool narrow)
{
	const struct sym syms[] = {
	    FUNCTION("one", TEXT, 0x10), FUNCTION("two", TEXT + 0x20, 4), {0}};
	struct elf_symbols *s = loaded(&(struct recipe){.symtab = syms, .narrow = narrow});
	struct elf_symbol two;

	assert_at(s, TEXT - 1, NULL);
	assert_at(s, TEXT, "one");
	assert_at(s, TEXT + 0xf, "one");
	assert_at(s, TEXT + 0x10, NULL);
	assert_at(s, TEXT + 0x20, "two");
	assert_at(s, TEXT + 0x24, NULL);
	assert_at(s, UINT32_MAX, NULL);
	assert_at(s, UINT64_MAX, NULL);
	assert_true(elf_symbols_named(s, "two", &two));
	assert_int_equal(two.start, TEXT + 0x20);
	assert_int_equal(two.size, 4);
	assert_false(elf_symbols_named(s, "three", &two));
	elf_symbols_free(s);
}

static void a_function_has_its_bytes_and_no_others(void **state)
{
	(void)state;
	check_extent(false);
}

static void so_it_is_in_files_of_32_bits(void **state)
{
	(void)state;
	check_extent(true);
}

/* Two names of one address, in both orders: the first is to win. */
static void assert_better(struct sym better, struct sym worse)
{
	const struct sym orders[2][3] = {{better, worse, {0}}, {worse, better, {0}}};
	struct elf_symbol found;

	for (unsigned i = 0; i < 2; i++) {
		struct elf_symbols *s = loaded_symtab(orders[i]);

		assert_at(s, TEXT, better.name);
		assert_true(elf_symbols_named(s, better.name, &found));
		assert_true(elf_symbols_named(s, worse.name, &found));
		assert_int_equal(found.start, TEXT);
		elf_symbols_free(s);
	}
}

static struct sym alias(const char *name, unsigned bind)
{
	return (struct sym){name, TEXT, 16, bind, STT_FUNC, IN_TEXT};
}

static void of_several_names_people_get_the_one_they_write(void **state)
{
	(void)state;
	assert_better(alias("malloc", STB_GLOBAL), alias("__libc_malloc", STB_GLOBAL));
	assert_better(alias("read", STB_WEAK), alias("__read", STB_GLOBAL));
	assert_better(alias("__read", STB_GLOBAL), alias("__GI___libc_read", STB_LOCAL));
	assert_better(alias("__global", STB_GLOBAL), alias("local", STB_LOCAL));
	assert_better(alias("strchr", STB_GLOBAL), alias("index", STB_WEAK));
	assert_better(alias("open", STB_WEAK), alias("open64", STB_WEAK));
	assert_better(alias("same_a", STB_WEAK), alias("same_b", STB_WEAK));
}

static void a_version_is_no_part_of_the_name(void **state)
{
	const struct sym syms[] = {
	    FUNCTION("old@GLIBC_2.2", TEXT, 4), FUNCTION("new@@GLIBC_2.4", TEXT + 4, 4), {0}};
	struct elf_symbols *s = loaded_symtab(syms);

	(void)state;
	assert_at(s, TEXT, "old");
	assert_at(s, TEXT + 4, "new");
	elf_symbols_free(s);
}

static void without_a_size_it_reaches_to_what_follows(void **state)
{
	const struct sym syms[] = {FUNCTION("first", TEXT, 0),
				   FUNCTION("sized", TEXT + 0x10, 4),
				   FUNCTION("last", TEXT_END - 8, 0),
				   {0}};
	struct elf_symbols *s = loaded_symtab(syms);

	(void)state;
	assert_at(s, TEXT + 0xf, "first");
	assert_at(s, TEXT + 0x14, NULL);
	assert_at(s, TEXT_END - 1, "last");
	assert_at(s, TEXT_END, NULL); /* its section ends, though the segment goes on */
	elf_symbols_free(s);
}

static void labels_name_what_nothing_else_names(void **state)
{
	const struct sym syms[] = {
	    FUNCTION("real", TEXT + 0x20, 0x20),
	    {"_start", TEXT, 0, STB_GLOBAL, STT_NOTYPE, IN_TEXT},
	    {"$x", TEXT + 8, 0, STB_LOCAL, STT_NOTYPE, IN_TEXT},
	    {"$d.1", TEXT + 8, 0, STB_LOCAL, STT_NOTYPE, IN_TEXT},
	    {".Llocal", TEXT + 8, 0, STB_LOCAL, STT_NOTYPE, IN_TEXT},
	    {"same", TEXT + 0x20, 0, STB_GLOBAL, STT_NOTYPE, IN_TEXT},
	    {"inside", TEXT + 0x30, 0, STB_GLOBAL, STT_NOTYPE, IN_TEXT},
	    {"behind", TEXT + 0x40, 0, STB_GLOBAL, STT_NOTYPE, IN_TEXT},
	    {"etext", TEXT_END, 0, STB_GLOBAL, STT_NOTYPE, IN_TEXT},
	    {0},
	};
	struct elf_symbols *s = loaded_symtab(syms);

	(void)state;
	assert_at(s, TEXT + 8, "_start");
	assert_at(s, TEXT + 0x20, "real");
	assert_at(s, TEXT + 0x3f, "real");
	assert_at(s, TEXT + 0x41, "behind");
	assert_at(s, TEXT_END, NULL);
	elf_symbols_free(s);
}

static void what_is_no_function_of_the_file_is_left_out(void **state)
{
	const struct sym syms[] = {
	    {"object", TEXT, 8, STB_GLOBAL, STT_OBJECT, IN_TEXT},
	    {"file.c", TEXT, 8, STB_LOCAL, STT_FILE, SHN_ABS},
	    {".text", TEXT, 8, STB_LOCAL, STT_SECTION, IN_TEXT},
	    {"data", TEXT_END, 0, STB_GLOBAL, STT_NOTYPE, IN_DATA},
	    {"import", TEXT, 8, STB_GLOBAL, STT_FUNC, SHN_UNDEF},
	    {"absolute", TEXT, 8, STB_GLOBAL, STT_FUNC, SHN_ABS},
	    {"beyond", 0x3000, 8, STB_GLOBAL, STT_FUNC, IN_TEXT},
	    {"@VERSION", TEXT, 8, STB_GLOBAL, STT_FUNC, IN_TEXT},
	    {0},
	};
	struct elf_symbols *s = loaded_symtab(syms);

	(void)state;
	for (uint64_t offset = 0; offset < 0x4000; offset += 4)
		assert_at(s, offset, NULL);
	elf_symbols_free(s);
}

static void behind_an_inner_function_the_outer_one_goes_on(void **state)
{
	const struct sym syms[] = {FUNCTION("outer", TEXT, 0x100),
				   FUNCTION("inner", TEXT + 0x10, 0x10),
				   FUNCTION("other", TEXT + 0x40, 0x10),
				   {0}};
	struct elf_symbols *s = loaded_symtab(syms);

	(void)state;
	assert_at(s, TEXT + 0x1f, "inner");
	assert_at(s, TEXT + 0x20, "outer");
	assert_at(s, TEXT + 0x50, "outer");
	assert_at(s, TEXT + 0x100, NULL);
	elf_symbols_free(s);
}

static void both_tables_count(void **state)
{
	const struct sym dynsym[] = {FUNCTION("exported", TEXT, 8), {0}};
	const struct sym symtab[] = {FUNCTION("exported", TEXT, 8),
				     {"hidden", TEXT + 8, 8, STB_LOCAL, STT_FUNC, IN_TEXT},
				     {0}};
	struct elf_symbols *one = loaded(&(struct recipe){.dynsym = dynsym});
	struct elf_symbols *both = loaded(&(struct recipe){.dynsym = dynsym, .symtab = symtab});
	struct elf_symbols *same = loaded_symtab(symtab);

	(void)state;
	assert_at(one, TEXT, "exported");
	assert_at(one, TEXT + 8, NULL);
	assert_at(both, TEXT, "exported");
	assert_at(both, TEXT + 8, "hidden");
	assert_int_equal(elf_symbols_bytes(both), elf_symbols_bytes(same)); /* no double is kept */
	elf_symbols_free(one);
	elf_symbols_free(both);
	elf_symbols_free(same);
}

static void the_lowest_bit_of_thumb_code_is_no_address(void **state)
{
	const struct sym syms[] = {FUNCTION("thumb", TEXT + 1, 4), {0}};
	struct elf_symbols *s =
	    loaded(&(struct recipe){.symtab = syms, .narrow = true, .machine = EM_ARM});

	(void)state;
	assert_at(s, TEXT, "thumb");
	assert_at(s, TEXT + 4, NULL);
	elf_symbols_free(s);
}

static void a_build_id_is_told(void **state)
{
	struct elf_symbols *s =
	    loaded(&(struct recipe){.id = "0123456789abcdef0123", .id_len = 20});
	struct elf_symbols *none = loaded(&(struct recipe){0});
	uint8_t absurd[500] = {1}, id[BUILD_ID_MAX];
	struct elf_symbols *large =
	    loaded(&(struct recipe){.id = absurd, .id_len = sizeof(absurd)});

	(void)state;
	assert_int_equal(elf_symbols_build_id(s, id), 20);
	assert_memory_equal(id, "0123456789abcdef0123", 20);
	assert_int_equal(elf_symbols_build_id(none, id), 0);
	assert_int_equal(elf_symbols_build_id(large, id), 0);
	elf_symbols_free(s);
	elf_symbols_free(none);
	elf_symbols_free(large);
}

static void the_vdso_has_names(void **state)
{
	const Elf64_Ehdr *vdso = (const Elf64_Ehdr *)getauxval(AT_SYSINFO_EHDR);
	struct elf_symbols *s = NULL;
	struct elf_symbol symbol;

	(void)state;
	if (!vdso)
		skip();
	/* its section headers end it */
	assert_int_equal(
	    elf_symbols_load_memory(&s, vdso, vdso->e_shoff + vdso->e_shnum * sizeof(Elf64_Shdr)),
	    0);
#ifdef __x86_64__
	assert_true(elf_symbols_named(s, "__vdso_clock_gettime", &symbol));
	assert_at(s, symbol.start, "clock_gettime");
#else
	assert_true(elf_symbols_named(s, "__kernel_clock_gettime", &symbol));
#endif
	elf_symbols_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_function_has_its_bytes_and_no_others),
	    cmocka_unit_test(so_it_is_in_files_of_32_bits),
	    cmocka_unit_test(of_several_names_people_get_the_one_they_write),
	    cmocka_unit_test(a_version_is_no_part_of_the_name),
	    cmocka_unit_test(without_a_size_it_reaches_to_what_follows),
	    cmocka_unit_test(labels_name_what_nothing_else_names),
	    cmocka_unit_test(what_is_no_function_of_the_file_is_left_out),
	    cmocka_unit_test(behind_an_inner_function_the_outer_one_goes_on),
	    cmocka_unit_test(both_tables_count),
	    cmocka_unit_test(the_lowest_bit_of_thumb_code_is_no_address),
	    cmocka_unit_test(a_build_id_is_told),
	    cmocka_unit_test(the_vdso_has_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
