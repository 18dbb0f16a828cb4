/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/ksyms.h"

#define TEXT 0xffffffff81000000ULL
#define MODULE 0xffffffffc0000000ULL
#define FRAMES(...) ((const uint64_t[]){__VA_ARGS__})
#define TRIM(ks, leaf, ...) \
	ksyms_trim(ks, FRAMES(__VA_ARGS__), sizeof(FRAMES(__VA_ARGS__)) / 8, leaf)

static struct ksyms *loaded(const char *text)
{
	char path[] = "/tmp/ktrace-ksyms-XXXXXX";
	int fd = mkstemp(path);
	struct ksyms *ks;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	assert_int_equal(ksyms_load(&ks, path), 0);
	unlink(path);
	return ks;
}

static const char stack_symbols[] = "ffffffff81000000 T _stext\n"
				    "ffffffff81000100 T bpf_trace_run4\n"
				    "ffffffff81000200 T __traceiter_sched_switch\n"
				    "ffffffff81000300 t __bpf_trace_sys_enter\n"
				    "ffffffff81000400 T mutex_lock\n"
				    "ffffffff81000500 t __mutex_lock.constprop.0\n"
				    "ffffffff81000600 T ext4_write\n"
				    "ffffffff81000700 T vfs_write\n"
				    "ffffffff81000800 T bpf_prog_alloc\n"
				    "ffffffff81000900 T _etext\n"
				    "ffffffffc0000000 t bpf_prog_0123456789abcdef_f\t[bpf]\n"
				    "ffffffffc0000100 t bpf_trampoline_6442\t[bpf]\n";

#define PROG (MODULE + 0x10)
#define TRAMPOLINE (MODULE + 0x110)
#define RUN (TEXT + 0x110)
#define ITER (TEXT + 0x210)
#define BPF_TRACE (TEXT + 0x310)
#define LOCK (TEXT + 0x410)
#define LOCK_SLOW (TEXT + 0x510)
#define WRITE (TEXT + 0x610)
#define VFS (TEXT + 0x710)
#define ALLOC (TEXT + 0x810)

static const char *const lock_leaf[] = {"mutex_lock*", "__mutex_*", NULL};

static void all_hooks_give_the_same_stack(void **state)
{
	struct ksyms *ks = loaded(stack_symbols);

	(void)state;
	assert_int_equal(TRIM(ks, lock_leaf, PROG, RUN, LOCK_SLOW, LOCK, WRITE, VFS), 4);
	assert_int_equal(TRIM(ks, lock_leaf, PROG, PROG, RUN, ITER, LOCK, WRITE, VFS), 5);
	assert_int_equal(TRIM(ks, lock_leaf, PROG, TRAMPOLINE, LOCK, WRITE, VFS), 3);
	assert_int_equal(TRIM(ks, lock_leaf, PROG, TRAMPOLINE, WRITE, VFS), 2);
	assert_int_equal(TRIM(ks, lock_leaf, LOCK, LOCK, WRITE, VFS), 2);
	assert_int_equal(TRIM(ks, lock_leaf, WRITE, VFS), 0);
	assert_int_equal(TRIM(ks, NULL, PROG, RUN, BPF_TRACE, LOCK, WRITE), 3);
	ksyms_free(ks);
}

static void frames_outside_text_are_machinery_only_in_front(void **state)
{
	struct ksyms *ks = loaded(stack_symbols);

	(void)state;
	assert_int_equal(TRIM(ks, NULL, 0x1234, MODULE + 0x100000, WRITE, 0x1234, VFS), 2);
	assert_int_equal(TRIM(ks, NULL, WRITE, PROG, RUN, VFS), 0);
	ksyms_free(ks);
}

static void kernel_functions_that_manage_bpf_stay(void **state)
{
	struct ksyms *ks = loaded(stack_symbols);

	(void)state;
	assert_int_equal(TRIM(ks, NULL, PROG, TRAMPOLINE, ALLOC, VFS), 2);
	ksyms_free(ks);
}

static void only_the_first_frame_is_collapsed(void **state)
{
	struct ksyms *ks = loaded(stack_symbols);

	(void)state;
	assert_int_equal(TRIM(ks, NULL, WRITE, WRITE, VFS), 1);
	assert_int_equal(TRIM(ks, NULL, WRITE, WRITE + 4, VFS), 0);
	assert_int_equal(TRIM(ks, NULL, VFS, WRITE, WRITE), 0);
	ksyms_free(ks);
}

static void a_stack_is_never_trimmed_to_nothing(void **state)
{
	struct ksyms *ks = loaded(stack_symbols);

	(void)state;
	assert_int_equal(TRIM(ks, lock_leaf, LOCK_SLOW, LOCK), 1);
	assert_int_equal(TRIM(ks, lock_leaf, PROG, RUN), 1);
	assert_int_equal(TRIM(ks, lock_leaf, PROG), 0);
	assert_int_equal(TRIM(ks, NULL, 1, 2, 3), 2);
	assert_int_equal(ksyms_trim(ks, NULL, 0, lock_leaf), 0);
	ksyms_free(ks);
}

static void another_leaf_list_is_judged_anew(void **state)
{
	static const char *const writes[] = {"*_write", NULL};
	struct ksyms *ks = loaded(stack_symbols);

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(TRIM(ks, lock_leaf, LOCK, WRITE, VFS, ALLOC), 1);
		assert_int_equal(TRIM(ks, NULL, LOCK, WRITE, VFS, ALLOC), 0);
		assert_int_equal(TRIM(ks, writes, LOCK, WRITE, VFS, ALLOC), 0);
		assert_int_equal(TRIM(ks, writes, WRITE, VFS, ALLOC), 2);
	}
	ksyms_free(ks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_hooks_give_the_same_stack),
	    cmocka_unit_test(frames_outside_text_are_machinery_only_in_front),
	    cmocka_unit_test(kernel_functions_that_manage_bpf_stay),
	    cmocka_unit_test(only_the_first_frame_is_collapsed),
	    cmocka_unit_test(a_stack_is_never_trimmed_to_nothing),
	    cmocka_unit_test(another_leaf_list_is_judged_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
