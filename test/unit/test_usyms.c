/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/usyms.h"

#define NOBODY 4194305U /* above PID_MAX_LIMIT: no such process can be */

static struct usyms *learned(const char *text)
{
	struct usyms *us = usyms_new();

	assert_non_null(us);
	assert_int_equal(usyms_learn_text(us, NOBODY, text, strlen(text)), 0);
	return us;
}

static void assert_frame(struct usyms *us, uint32_t tgid, uint64_t ip, const char *want)
{
	char buf[320];

	assert_string_equal(usyms_frame(us, tgid, ip, buf, sizeof(buf)), want);
}

/* The name that one line gives its first byte. */
static void assert_line(const char *line, const char *want)
{
	struct usyms *us = learned(line);

	assert_frame(us, NOBODY, 0x1000, want);
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
	assert_frame(us, NOBODY, 0x400000, "cat+0x0");
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

static void every_kind_of_name_is_read(void **state)
{
	(void)state;
	assert_line("1000-2000 r-xp 00003000 00:00 0 \n", "[anon]+0x0");
	assert_line("1000-2000 rwxp 00000000 00:00 0", "[anon]+0x0");
	assert_line("1000-2000 r-xp 00000000 00:00 0          [vdso]\n", "[vdso]+0x0");
	assert_line("1000-2000 rw-p 00000000 00:00 0          [heap]\n", "[heap]+0x0");
	assert_line("1000-2000 rw-p 00000000 00:00 0          [stack]\n", "[stack]+0x0");
	assert_line("1000-2000 rw-p 00000000 00:00 0          [anon:a/b]\n", "[anon:a/b]+0x0");
	assert_line("1000-2000 r-xp 0 0:1 7   /tmp/old lib.so (deleted)\n", "old lib.so+0x0");
	assert_line("1000-2000 r-xp 0 0:1 7   /memfd:jit (deleted)\n", "memfd:jit+0x0");
	assert_line("1000-2000 r-xp 0 0:1 7   /tmp/two  blanks \n", "two  blanks +0x0");
	assert_line("1000-2000 r-xp 0 0:1 7   /tmp/a\\012b\n", "a\nb+0x0");
	assert_line("1000-2000 r-xp 0 0:1 7   /tmp/\\012\n", "\n+0x0");
	assert_line("1000-2000 r-xp 0 0:1 7   /tmp/\x1b[2J\xff\n", "\x1b[2J\xff+0x0");
	assert_line("1000-2000 rw-s 0 0:1 7   anon_inode:[perf_event]\n",
		    "anon_inode:[perf_event]+0x0");
	assert_line("1000-2000 r-xp ffffffff 103:100001 18446744073709551615 /x\n", "x+0xffffffff");
}

static void hostile_lines_give_no_mapping(void **state)
{
	static const char *const lines[] = {
	    "",
	    "\n\n\n",
	    "1000",
	    "1000-",
	    "1000-2000",
	    "1000-2000 r-xp",
	    "1000-2000 r-xp 0",
	    "1000-2000 r-xp 0 0:0",
	    "2000-1000 r-xp 0 0:0 0 /backwards\n",
	    "1000-1000 r-xp 0 0:0 0 /empty\n",
	    "10000000000001000-2000 r-xp 0 0:0 0 /seventeen\n",
	    "-1000-2000 r-xp 0 0:0 0 /sign\n",
	    "0x1000-0x2000 r-xp 0 0:0 0 /prefix\n",
	    "1000-2000 rrrrrrrrrrrrrrr 0 0:0 0 /perms\n",
	    "1000-2000 r-xp zz 0:0 0 /pgoff\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct usyms *us = usyms_new();
		/* the exact size, for the sanitizer to see a byte read too much */
		size_t len = strlen(lines[i]);
		char *text = malloc(len + !len);

		assert_non_null(us);
		assert_non_null(text);
		memcpy(text, lines[i], len);
		assert_int_equal(usyms_learn_text(us, NOBODY, text, len), -ESRCH);
		assert_frame(us, NOBODY, 0x1000, "[unknown]");
		free(text);
		usyms_free(us);
	}
}

static void a_nul_byte_spoils_only_its_line(void **state)
{
	static const char text[] = "1000-2000 r-xp 0 0:0 1 /a\0b\n3000-4000 r-xp 0 0:0 1 /c\n";
	struct usyms *us = usyms_new();

	(void)state;
	assert_int_equal(usyms_learn_text(us, NOBODY, text, sizeof(text) - 1), 0);
	assert_frame(us, NOBODY, 0x1000, "[unknown]");
	assert_frame(us, NOBODY, 0x3000, "c+0x0");
	usyms_free(us);
}

static void an_overlong_name_is_cut_and_its_offset_kept(void **state)
{
	size_t len = 100000;
	char *text = malloc(len + 64), buf[32], tiny[4];
	struct usyms *us = usyms_new();
	int at = sprintf(text, "1000-2000 r-xp 0 0:0 1 /");

	(void)state;
	memset(text + at, 'n', len);
	assert_int_equal(usyms_learn_text(us, NOBODY, text, at + len), 0);
	assert_string_equal(usyms_frame(us, NOBODY, 0x1abc, buf, sizeof(buf)),
			    "nnnnnnnnnnnnnnnnnnnnnnnnn+0xabc");
	assert_string_equal(usyms_frame(us, NOBODY, 0x1abc, tiny, sizeof(tiny)), "+0x");
	usyms_free(us);
	free(text);
}

static void unsorted_and_overlapping_maps_are_searched_all_the_same(void **state)
{
	struct usyms *us = learned("9000-a000 r-xp 0 0:0 1 /c\n1000-2000 r-xp 0 0:0 1 /a\n"
				   "5000-6000 r-xp 0 0:0 1 /b\n5000-6000 r-xp 0 0:0 1 /b\n");

	(void)state;
	assert_frame(us, NOBODY, 0x1001, "a+0x1");
	assert_frame(us, NOBODY, 0x5001, "b+0x1");
	assert_frame(us, NOBODY, 0x9001, "c+0x1");
	usyms_free(us);
}

static void this_process_is_found_in_its_own_file(void **state)
{
	struct usyms *us = usyms_new();
	void *anon = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char buf[320];

	(void)state;
	assert_ptr_not_equal(anon, MAP_FAILED);
	usyms_frame(us, getpid(), (uintptr_t)this_process_is_found_in_its_own_file, buf,
		    sizeof(buf));
	assert_memory_equal(buf, "test_usyms+0x", 13);
	usyms_frame(us, getpid(), (uintptr_t)anon + 5, buf, sizeof(buf));
	assert_memory_equal(buf, "[anon]+0x", 9);
	munmap(anon, 4096);
	usyms_free(us);
}

static pid_t start_child(void)
{
	pid_t child = fork();

	assert_true(child >= 0);
	if (!child)
		for (;;)
			pause();
	return child;
}

static void end_child(pid_t child)
{
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void a_process_that_is_gone_keeps_its_last_maps(void **state)
{
	uint64_t ip = (uintptr_t)a_process_that_is_gone_keeps_its_last_maps;
	struct usyms *us = usyms_new();
	pid_t child = start_child();
	char before[320], after[320];

	(void)state;
	assert_int_equal(usyms_learn(us, child), 0);
	usyms_frame(us, child, ip, before, sizeof(before));
	assert_memory_equal(before, "test_usyms+0x", 13);
	end_child(child);
	for (int report = 0; report < 3; report++) {
		usyms_refresh(us);
		assert_int_equal(usyms_learn(us, child), -ESRCH);
		assert_string_equal(usyms_frame(us, child, ip, after, sizeof(after)), before);
	}
	usyms_free(us);
}

static void a_process_gone_before_it_was_learned_is_unknown(void **state)
{
	struct usyms *us = usyms_new();
	pid_t child = start_child();

	(void)state;
	end_child(child);
	assert_frame(us, child, (uintptr_t)start_child, "[unknown]");
	assert_int_equal(usyms_learn(us, child), -ESRCH);
	usyms_free(us);
}

static void maps_are_read_once_per_report(void **state)
{
	struct usyms *us = usyms_new();
	char buf[320];
	void *late;

	(void)state;
	assert_int_equal(usyms_learn(us, getpid()), 0);
	late = mmap((void *)0x10000000, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(late, MAP_FAILED);
	usyms_frame(us, getpid(), (uintptr_t)late, buf, sizeof(buf));
	assert_string_equal(buf, "[unknown]");
	usyms_refresh(us);
	assert_frame(us, getpid(), (uintptr_t)late, "[anon]+0x0");
	munmap(late, 4096);
	usyms_free(us);
}

static void a_process_nobody_asks_for_is_forgotten(void **state)
{
	struct usyms *us = learned("1000-2000 r-xp 0 0:0 1 /a\n");

	(void)state;
	for (int i = 0; i < 16; i++)
		usyms_refresh(us);
	assert_frame(us, NOBODY, 0x1000, "a+0x0");
	for (int i = 0; i < 17; i++)
		usyms_refresh(us);
	assert_frame(us, NOBODY, 0x1000, "[unknown]");
	usyms_free(us);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_frame_is_basename_and_file_offset),
	    cmocka_unit_test(what_is_not_mapped_is_unknown),
	    cmocka_unit_test(every_kind_of_name_is_read),
	    cmocka_unit_test(hostile_lines_give_no_mapping),
	    cmocka_unit_test(a_nul_byte_spoils_only_its_line),
	    cmocka_unit_test(an_overlong_name_is_cut_and_its_offset_kept),
	    cmocka_unit_test(unsorted_and_overlapping_maps_are_searched_all_the_same),
	    cmocka_unit_test(this_process_is_found_in_its_own_file),
	    cmocka_unit_test(a_process_that_is_gone_keeps_its_last_maps),
	    cmocka_unit_test(a_process_gone_before_it_was_learned_is_unknown),
	    cmocka_unit_test(maps_are_read_once_per_report),
	    cmocka_unit_test(a_process_nobody_asks_for_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
