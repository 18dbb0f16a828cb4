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
	char buf[320];

	usyms_frame(us, tgid, 0, ip, false, buf, sizeof(buf));
	assert_string_equal(buf, want);
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
	char *text = malloc(len + 64), buf[32], tiny[4];
	struct usyms *us = usyms_new(&plain);
	int at = sprintf(text, "1000-2000 r-xp 0 0:0 1 /");

	(void)state;
	memset(text + at, 'n', len);
	assert_int_equal(processes_learn_text(usyms_processes(us), NOBODY, text, at + len), 0);
	usyms_frame(us, NOBODY, 0, 0x1abc, false, buf, sizeof(buf));
	assert_string_equal(buf, "nnnnnnnnnnnnnnnnnnnnnnnnn+0xabc");
	usyms_frame(us, NOBODY, 0, 0x1abc, false, tiny, sizeof(tiny));
	assert_string_equal(tiny, "+0x");
	usyms_free(us);
	free(text);
}

static char *own_frame(struct usyms *us, const void *ip, bool calls, char *buf, size_t size)
{
	usyms_frame(us, (uint32_t)getpid(), 0, (uintptr_t)ip, calls, buf, size);
	return buf;
}

static void own_functions_and_those_of_libraries_are_named(void **state)
{
	struct usyms *us = usyms_new(&plain);
	void *anon = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char buf[320];

	(void)state;
	assert_ptr_not_equal(anon, MAP_FAILED);
	assert_string_equal(own_frame(us, own_frame, false, buf, sizeof(buf)), "own_frame");
	assert_string_equal(
	    own_frame(us, (const char *)dlsym(RTLD_DEFAULT, "qsort") + 1, true, buf, sizeof(buf)),
	    "qsort");
	own_frame(us, (const char *)anon + 5, false, buf, sizeof(buf));
	assert_memory_equal(buf, "[anon]+0x", 9);
	assert_false(usyms_unread(us));
	munmap(anon, 4096);
	usyms_free(us);
}

static void a_return_address_is_that_of_the_call_before(void **state)
{
	const struct usyms_style verbose = {.offset = true};
	struct usyms *us = usyms_new(&verbose);
	char buf[320];

	(void)state;
	own_frame(us, (const char *)own_frame + 1, true, buf, sizeof(buf));
	assert_string_equal(buf, "own_frame+0x1 [test_usyms]");
	own_frame(us, own_frame, true, buf, sizeof(buf)); /* the call ended what lies before */
	assert_memory_not_equal(buf, "own_frame", 9);
	usyms_free(us);
}

/* The vdso has no file: its symbols are read from memory. */
static void functions_of_the_vdso_are_named(void **state)
{
	const ElfW(Ehdr) *vdso = (const ElfW(Ehdr) *)getauxval(AT_SYSINFO_EHDR);
	struct usyms *us = usyms_new(&plain);
	struct elf_symbols *symbols = NULL;
	struct elf_symbol symbol;
	char buf[320];

	(void)state;
	if (!vdso)
		skip();
	assert_int_equal(
	    elf_symbols_load_memory(&symbols, vdso,
				    vdso->e_shoff + (size_t)vdso->e_shnum * vdso->e_shentsize),
	    0);
	assert_true(elf_symbols_named(symbols, VDSO_FUNCTION, &symbol));
	own_frame(us, (const char *)vdso + symbol.start + 1, false, buf, sizeof(buf));
	assert_string_equal(strstr(buf, "clock_gettime"), "clock_gettime");
	elf_symbols_free(symbols);
	usyms_free(us);
}

static void walks_end_in_known_functions(void **state)
{
	struct usyms *us = usyms_new(&plain);
	uint32_t self = (uint32_t)getpid();
	char buf[320];

	(void)state;
	assert_int_equal(usyms_frame(us, self, 0, getauxval(AT_ENTRY) + 4, true, buf, sizeof(buf)),
			 USYMS_FIRST);
	assert_int_equal(usyms_frame(us, self, 0, (uintptr_t)own_frame, false, buf, sizeof(buf)),
			 USYMS_FUNCTION);
	assert_int_equal(usyms_frame(us, self, 0, 0x1234, true, buf, sizeof(buf)), USYMS_UNKNOWN);
	usyms_free(us);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_frame_is_basename_and_file_offset),
	    cmocka_unit_test(what_is_not_mapped_is_unknown),
	    cmocka_unit_test(what_has_no_path_has_a_name_all_the_same),
	    cmocka_unit_test(an_overlong_name_is_cut_and_its_offset_kept),
	    cmocka_unit_test(own_functions_and_those_of_libraries_are_named),
	    cmocka_unit_test(a_return_address_is_that_of_the_call_before),
	    cmocka_unit_test(functions_of_the_vdso_are_named),
	    cmocka_unit_test(walks_end_in_known_functions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
