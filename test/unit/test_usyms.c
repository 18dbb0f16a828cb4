/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dlfcn.h>
#include <link.h>
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
#include "core/processes.h"
#include "core/usyms.h"

#define NOBODY 4194305U /* above PID_MAX_LIMIT: no such process can be */

static const struct usyms_style plain;

#if defined(__aarch64__)
#define VDSO_FUNCTION "__kernel_clock_gettime"
#else
#define VDSO_FUNCTION "__vdso_clock_gettime"
#endif

static struct usyms *learned(const char *text)
{
	struct usyms *us = usyms_new(&plain);

	assert_non_null(us);
	assert_int_equal(processes_learn_text(usyms_processes(us), NOBODY, text, strlen(text)), 0);
	return us;
}

static void assert_frame(struct usyms *us, uint32_t tgid, uint64_t ip, const char *want)
{
	const struct usyms_frame *frame =
	    usyms_frame(us, &(struct usyms_walk){.tgid = tgid}, ip, false);

	assert_non_null(frame);
	assert_string_equal(frame->text, want);
}

static void a_walk_goes_from_one_mapping_to_another_and_where_none_is(void **state)
{
	struct usyms *us = learned("1000-2000 r-xp 0 0:0 1 /a\n2000-3000 r-xp 0 0:0 2 /b\n");
	const struct {
		uint64_t ip;
		const char *name;
	} walked[] = {{0x1fff, "a+0xfff"},  {0x2000, "b+0x0"}, {0x2001, "b+0x1"},
		      {0xfff, "[unknown]"}, {0x1000, "a+0x0"}, {0x3000, "[unknown]"},
		      {0x2fff, "b+0xfff"},  {0x1000, "a+0x0"}};
	struct usyms_walk walk = {.tgid = NOBODY};

	(void)state;
	for (size_t i = 0; i < sizeof(walked) / sizeof(walked[0]); i++)
		assert_string_equal(usyms_frame(us, &walk, walked[i].ip, false)->text,
				    walked[i].name);
	usyms_free(us);
}

static void a_frame_is_basename_and_file_offset(void **state)
{
	struct usyms *us =
	    learned("00400000-00401000 r--p 00000000 fe:00 12                 /usr/bin/cat\n"
		    "00401000-00405000 r-xp 00001000 fe:00 12                 /usr/bin/cat\n"
		    "7f0000000000-7f0000100000 r-xp 00026000 fe:00 99         /usr/lib/libc.so.6\n"
		    "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0  [vsyscall]\n");

	(void)state;
	assert_frame(us, NOBODY, 0x401234, "cat+0x1234");
	assert_frame(us, NOBODY, 0x401000, "cat+0x1000");
	assert_frame(us, NOBODY, 0x400000, "[unknown]"); /* no code */
	assert_frame(us, NOBODY, 0x7f0000000abc, "libc.so.6+0x26abc");
	assert_frame(us, NOBODY, 0xffffffffff600400, "[vsyscall]+0x400");
	usyms_free(us);
}

static void what_is_not_mapped_is_unknown(void **state)
{
	struct usyms *us = learned("1000-2000 r-xp 0 0:0 1 /a\n4000-5000 r-xp 0 0:0 1 /b\n");

	(void)state;
	assert_frame(us, NOBODY, 0, "[unknown]");
	assert_frame(us, NOBODY, 0xfff, "[unknown]");
	assert_frame(us, NOBODY, 0x1fff, "a+0xfff");
	assert_frame(us, NOBODY, 0x2000, "[unknown]");
	assert_frame(us, NOBODY, 0x5000, "[unknown]");
	assert_frame(us, NOBODY, UINT64_MAX, "[unknown]");
	assert_frame(us, NOBODY + 1, 0x1000, "[unknown]");
	usyms_free(us);
}

static void what_has_no_path_has_a_name_all_the_same(void **state)
{
	struct usyms *us = learned("1000-2000 rwxp 00001000 00:00 0 \n"
				   "3000-4000 r-xp 00000000 00:00 0          [vdso]\n"
				   "5000-6000 r-xp 00000000 00:00 0          [anon:a/b]\n"
				   "7000-8000 r-xp 0 0:1 7   /memfd:jit (deleted)\n"
				   "9000-a000 r-xp 0 0:1 7   anon_inode:[x]\n");

	(void)state;
	assert_frame(us, NOBODY, 0x1001, "[anon]+0x1");
	assert_frame(us, NOBODY, 0x3001, "[vdso]+0x1");
	assert_frame(us, NOBODY, 0x5001, "[anon:a/b]+0x1");
	assert_frame(us, NOBODY, 0x7001, "memfd:jit+0x1");
	assert_frame(us, NOBODY, 0x9001, "anon_inode:[x]+0x1");
	usyms_free(us);
}

static void an_overlong_name_is_cut_and_its_offset_kept(void **state)
{
	size_t len = 100000;
	const struct usyms_style verbose = {.offset = true};
	struct usyms *us = usyms_new(&verbose);
	char *text = malloc(len + 64);
	const char *frame;
	int at = sprintf(text, "1000-2000 r-xp 0 0:0 1 /");

	(void)state;
	memset(text + at, 'n', len);
	assert_int_equal(processes_learn_text(usyms_processes(us), NOBODY, text, at + len), 0);
	frame = usyms_frame(us, &(struct usyms_walk){.tgid = NOBODY}, 0x1abc, false)->text;
	assert_in_range(strlen(frame), 300, 511);
	assert_memory_equal(frame, "nnnnnnnn", 8);
	assert_string_equal(strchr(frame, '+'), "+0xabc");
	usyms_free(us);
	free(text);
}

static struct usyms_frame *frame_at(struct usyms *us, uint64_t ip, bool calls)
{
	struct usyms_walk walk = {.tgid = (uint32_t)getpid()};
	struct usyms_frame *frame = usyms_frame(us, &walk, ip, calls);

	assert_non_null(frame);
	return frame;
}

static const char *own_frame(struct usyms *us, const void *ip, bool calls)
{
	return frame_at(us, (uintptr_t)ip, calls)->text;
}

static void own_functions_and_those_of_libraries_are_named(void **state)
{
	struct usyms *us = usyms_new(&plain);
	void *anon = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_ptr_not_equal(anon, MAP_FAILED);
	assert_string_equal(own_frame(us, own_frame, false), "own_frame");
	assert_string_equal(own_frame(us, (const char *)dlsym(RTLD_DEFAULT, "qsort") + 1, true),
			    "qsort");
	assert_memory_equal(own_frame(us, (const char *)anon + 5, false), "[anon]+0x", 9);
	assert_false(usyms_unread(us));
	munmap(anon, 4096);
	usyms_free(us);
}

static void a_return_address_is_that_of_the_call_before(void **state)
{
	const struct usyms_style verbose = {.offset = true};
	struct usyms *us = usyms_new(&verbose);

	(void)state;
	assert_string_equal(own_frame(us, (const char *)own_frame + 1, true),
			    "own_frame+0x1 [test_usyms]");
	/* the call ended what lies before */
	assert_null(strstr(own_frame(us, own_frame, true), "own_frame"));
	usyms_free(us);
}

/* The vdso has no file: its symbols are read from memory. */
static void functions_of_the_vdso_are_named(void **state)
{
	const ElfW(Ehdr) *vdso = (const ElfW(Ehdr) *)getauxval(AT_SYSINFO_EHDR);
	struct usyms *us = usyms_new(&plain);
	struct elf_symbols *symbols = NULL;
	struct elf_symbol symbol;

	(void)state;
	if (!vdso)
		skip();
	assert_int_equal(
	    elf_symbols_load_memory(&symbols, vdso,
				    vdso->e_shoff + (size_t)vdso->e_shnum * vdso->e_shentsize),
	    0);
	assert_true(elf_symbols_named(symbols, VDSO_FUNCTION, &symbol));
	assert_non_null(
	    strstr(own_frame(us, (const char *)vdso + symbol.start + 1, false), "clock_gettime"));
	elf_symbols_free(symbols);
	usyms_free(us);
}

static void walks_end_in_known_functions(void **state)
{
	struct usyms *us = usyms_new(&plain);

	(void)state;
	assert_int_equal(frame_at(us, getauxval(AT_ENTRY) + 4, true)->kind, USYMS_FIRST);
	assert_int_equal(frame_at(us, (uintptr_t)own_frame, false)->kind, USYMS_FUNCTION);
	assert_int_equal(frame_at(us, 0x1234, true)->kind, USYMS_UNKNOWN);
	usyms_free(us);
}

static void a_copy_is_kept_for_one_report(void **state)
{
	static const char copy[] = "";
	struct usyms *us = usyms_new(&plain);
	const uint64_t ips[] = {(uintptr_t)own_frame, 0x1234};
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		usyms_refresh(us);
		assert_null(frame_at(us, ips[i], false)->interned);
		frame_at(us, ips[i], false)->interned = copy;
		assert_ptr_equal(frame_at(us, ips[i], false)->interned, copy);
		usyms_refresh(us);
		assert_null(frame_at(us, ips[i], false)->interned);
	}
	usyms_free(us);
}

/* What lies at an address of memory without a file is of its process and its report. */
static void memory_without_a_file_is_named_for_its_process(void **state)
{
	static const char first[] = "1000-3000 rwxp 0 0:0 0 \n",
			  second[] = "800-3000 rwxp 0 0:0 0 \n";
	struct usyms *us = learned(first);
	struct processes *processes = usyms_processes(us);

	(void)state;
	processes_learn_text(processes, NOBODY + 1, second, strlen(second));
	assert_frame(us, NOBODY, 0x1010, "[anon]+0x10");
	assert_frame(us, NOBODY + 1, 0x1010, "[anon]+0x810");
	assert_frame(us, NOBODY, 0x1010, "[anon]+0x10");
	usyms_refresh(us);
	processes_learn_text(processes, NOBODY, second, strlen(second));
	assert_frame(us, NOBODY, 0x1010, "[anon]+0x810");
	usyms_free(us);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_walk_goes_from_one_mapping_to_another_and_where_none_is),
	    cmocka_unit_test(a_frame_is_basename_and_file_offset),
	    cmocka_unit_test(what_is_not_mapped_is_unknown),
	    cmocka_unit_test(what_has_no_path_has_a_name_all_the_same),
	    cmocka_unit_test(an_overlong_name_is_cut_and_its_offset_kept),
	    cmocka_unit_test(own_functions_and_those_of_libraries_are_named),
	    cmocka_unit_test(a_return_address_is_that_of_the_call_before),
	    cmocka_unit_test(functions_of_the_vdso_are_named),
	    cmocka_unit_test(walks_end_in_known_functions),
	    cmocka_unit_test(a_copy_is_kept_for_one_report),
	    cmocka_unit_test(memory_without_a_file_is_named_for_its_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
