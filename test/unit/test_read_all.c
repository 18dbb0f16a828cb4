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

#include "core/read_all.h"

/* A file with so many bytes, of which none is like its neighbour. */
static FILE *file_of(size_t n)
{
	FILE *f = tmpfile();

	assert_non_null(f);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(fputc((int)(i % 251), f), (int)(i % 251));
	rewind(f);
	return f;
}

static void every_byte_is_read_whatever_the_size(void **state)
{
	static const size_t sizes[] = {0, 1, 16383, 16384, 16385, 100000};

	(void)state;
	for (size_t k = 0; k < sizeof(sizes) / sizeof(*sizes); k++) {
		FILE *f = file_of(sizes[k]);
		char *text;
		size_t len;

		assert_int_equal(read_all(fileno(f), sizes[k], &text, &len), 0);
		assert_int_equal(len, sizes[k]);
		for (size_t i = 0; i < len; i++)
			assert_int_equal((unsigned char)text[i], i % 251);
		free(text);
		fclose(f);
	}
}

static void more_than_the_most_is_refused(void **state)
{
	FILE *f = file_of(100000);
	char *text;
	size_t len;

	(void)state;
	assert_int_equal(read_all(fileno(f), 99999, &text, &len), -EFBIG);
	assert_null(text);
	fclose(f);
}

static void what_comes_in_pieces_is_read_to_its_end(void **state)
{
	char *text;
	int ends[2];
	size_t len;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	if (!fork()) {
		for (int i = 0; i < 10; i++)
			if (write(ends[1], "abc", 3) != 3 || usleep(1000))
				_exit(1);
		_exit(0);
	}
	close(ends[1]);
	assert_int_equal(read_all(ends[0], 1000, &text, &len), 0);
	assert_int_equal(len, 30);
	assert_memory_equal(text, "abcabcabcabc", 12);
	free(text);
	close(ends[0]);
}

static void an_error_is_told_and_leaves_nothing(void **state)
{
	char *text;
	size_t len;

	(void)state;
	assert_int_equal(read_all(-1, 1000, &text, &len), -EBADF);
	assert_null(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_byte_is_read_whatever_the_size),
	    cmocka_unit_test(more_than_the_most_is_refused),
	    cmocka_unit_test(what_comes_in_pieces_is_read_to_its_end),
	    cmocka_unit_test(an_error_is_told_and_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
