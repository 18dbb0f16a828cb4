// SPDX-License-Identifier: GPL-2.0-or-later
/* Functions and data from one reading of kallsyms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/ksyms.h"

static const char kernel[] = "ffffffff81000000 T _stext\n"
			     "ffffffff81000100 T vfs_read\n"
			     "ffffffff82000000 T _etext\n"
			     "ffffffff82a00000 d truth_lock\n"
			     "ffffffff82a00100 D init_task\n";

static int load_both(struct ksyms **text, struct ksyms **data, const char *content)
{
	int fd = memfd_create("kallsyms", 0), err;
	char path[32];

	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	err = ksyms_load_both(text, data, path);
	close(fd);
	return err;
}

static void each_table_has_its_own(void **state)
{
	struct ksyms *text = NULL, *data = NULL;
	uint64_t lo, hi;

	(void)state;
	assert_int_equal(load_both(&text, &data, kernel), 0);
	assert_true(ksyms_range(text, "vfs_read", &lo, &hi));
	assert_int_equal(lo, 0xffffffff81000100);
	assert_false(ksyms_range(text, "truth_lock", &lo, &hi));
	assert_true(ksyms_range(data, "truth_lock", &lo, &hi));
	assert_int_equal(hi, 0xffffffff82a00100);
	assert_false(ksyms_range(data, "vfs_read", &lo, &hi));
	ksyms_free(text);
	ksyms_free(data);
}

static void a_kernel_that_lists_no_data_has_its_functions(void **state)
{
	struct ksyms *text = NULL, *data = NULL;

	(void)state;
	assert_int_equal(load_both(&text, &data, "ffffffff81000100 T vfs_read\n"), 0);
	assert_int_equal(ksyms_count(text), 1);
	assert_int_equal(ksyms_count(data), 0);
	ksyms_free(text);
	ksyms_free(data);
}

static void what_cannot_be_read_leaves_no_table(void **state)
{
	struct ksyms *text = NULL, *data = NULL;

	(void)state;
	assert_int_equal(ksyms_load_both(&text, &data, "/nonexistent/kallsyms"), -ENOENT);
	assert_null(text);
	assert_null(data);
	assert_int_equal(load_both(&text, &data, "0000000000000000 T vfs_read\n"), -EPERM);
	assert_null(text);
	assert_null(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_table_has_its_own),
	    cmocka_unit_test(a_kernel_that_lists_no_data_has_its_functions),
	    cmocka_unit_test(what_cannot_be_read_leaves_no_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
