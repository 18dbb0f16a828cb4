/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts as a table and as text; what the running kernel says is not asked here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/caps.h"

/* Last: its macro fail() hides ours. */
#include <cmocka.h>

#define HEADER "ktrace-caps 1\n"

struct place {
	struct caps caps;
	char path[32];
	int err; /* stderr as it was */
	FILE *said;
};

static int begin(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	int fd;

	if (!place)
		return -1;
	*state = place;
	strcpy(place->path, "/tmp/ktrace-caps-XXXXXX");
	fd = mkstemp(place->path);
	place->said = tmpfile();
	place->err = dup(STDERR_FILENO);
	if (fd < 0 || !place->said || place->err < 0)
		return -1;
	close(fd);
	return 0;
}

static int end(void **state)
{
	struct place *place = *state;

	caps_free(&place->caps);
	unlink(place->path);
	fclose(place->said);
	close(place->err);
	free(place);
	return 0;
}

static void write_file(const struct place *place, const char *bytes, size_t len)
{
	FILE *f = fopen(place->path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/* The status, and what was said in said[256]. */
static enum status read_path(struct place *place, const char *path, char *said)
{
	enum status status;
	size_t len;

	rewind(place->said);
	assert_int_equal(ftruncate(fileno(place->said), 0), 0);
	fflush(stderr);
	dup2(fileno(place->said), STDERR_FILENO);
	status = caps_read(&place->caps, path);
	fflush(stderr);
	dup2(place->err, STDERR_FILENO);
	rewind(place->said);
	len = fread(said, 1, 255, place->said);
	said[len] = '\0';
	return status;
}

static enum status read_text(struct place *place, const char *bytes, size_t len, char *said)
{
	write_file(place, bytes, len);
	caps_free(&place->caps);
	return read_path(place, place->path, said);
}

static void a_fact_is_found_by_its_whole_key(void **state)
{
	struct place *place = *state;

	assert_null(caps_get(&place->caps, "btf"));
	assert_int_equal(caps_set(&place->caps, "btf", "yes"), 0);
	assert_int_equal(caps_set(&place->caps, "tp.sched:sched_switch", "no"), 0);
	assert_string_equal(caps_get(&place->caps, "btf"), "yes");
	assert_string_equal(caps_get(&place->caps, "tp.sched:sched_switch"), "no");
	assert_null(caps_get(&place->caps, "bt"));
	assert_null(caps_get(&place->caps, "btf "));
	assert_null(caps_get(&place->caps, ""));
}

static void a_new_value_replaces_the_old(void **state)
{
	struct place *place = *state;

	assert_int_equal(caps_set(&place->caps, "btf", "yes"), 0);
	assert_int_equal(caps_set(&place->caps, "btf", "no: gone"), 0);
	assert_int_equal(place->caps.n, 1);
	assert_string_equal(caps_get(&place->caps, "btf"), "no: gone");
}

static void yes_is_what_begins_with_yes(void **state)
{
	struct place *place = *state;

	caps_set(&place->caps, "a", "yes");
	caps_set(&place->caps, "b", "yes: and more");
	caps_set(&place->caps, "c", "no: yes was yesterday");
	caps_set(&place->caps, "d", "unknown");
	caps_set(&place->caps, "e", "");
	caps_set(&place->caps, "g", "ye");
	assert_true(caps_yes(&place->caps, "a"));
	assert_true(caps_yes(&place->caps, "b"));
	assert_false(caps_yes(&place->caps, "c"));
	assert_false(caps_yes(&place->caps, "d"));
	assert_false(caps_yes(&place->caps, "e"));
	assert_false(caps_yes(&place->caps, "f"));
	assert_false(caps_yes(&place->caps, "g"));
}

static void what_is_written_is_read_back_in_the_same_order(void **state)
{
	struct place *place = *state;
	struct caps before = {0};
	char key[32], value[64], said[256];
	FILE *f;

	caps_set(&before, "kernel", "6.1.0-49-amd64");
	caps_set(&before, "btf", "no: the kernel has no /sys/kernel/btf/vmlinux (give --btf FILE)");
	caps_set(&before, "proto.sched_switch", "bool;struct task_struct *;struct task_struct *");
	caps_set(&before, "empty", "");
	for (int i = 0; i < 500; i++) {
		snprintf(key, sizeof(key), "tp.x:%d", i);
		snprintf(value, sizeof(value), "no: %*d", i % 40, i);
		assert_int_equal(caps_set(&before, key, value), 0);
	}
	f = fopen(place->path, "w");
	assert_non_null(f);
	caps_write(&before, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(read_path(place, place->path, said), OK);
	assert_string_equal(said, "");
	assert_int_equal(place->caps.n, before.n);
	for (size_t i = 0; i < before.n; i++) {
		assert_string_equal(place->caps.facts[i].key, before.facts[i].key);
		assert_string_equal(place->caps.facts[i].value, before.facts[i].value);
	}
	caps_free(&before);
}

static void a_later_line_of_a_file_counts(void **state)
{
	struct place *place = *state;
	const char text[] = HEADER "btf yes\nbtf no: twice\n";
	char said[256];

	assert_int_equal(read_text(place, text, strlen(text), said), OK);
	assert_int_equal(place->caps.n, 1);
	assert_string_equal(caps_get(&place->caps, "btf"), "no: twice");
}

static void a_file_that_is_not_ours_is_refused_and_named(void **state)
{
	static const char *const cases[] = {
	    "",
	    "\n",
	    "btf yes\n",
	    "ktrace-caps 2\nbtf yes\n",
	    "ktrace-caps 1",
	    "ktrace-caps 1 \nbtf yes\n",
	    "ktrace-caps 1\r\nbtf yes\n",
	    " ktrace-caps 1\n",
	    "\x7f"
	    "ELF",
	};
	struct place *place = *state;
	char said[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(read_text(place, cases[i], strlen(cases[i]), said), USAGE);
		assert_non_null(strstr(said, place->path));
		assert_non_null(strstr(said, "not the output of ktrace caps"));
		assert_int_equal(place->caps.n, 0);
	}
	assert_int_equal(read_path(place, "/tmp", said), USAGE);
	assert_int_equal(read_path(place, "/no/such/file", said), USAGE);
	assert_non_null(strstr(said, "/no/such/file"));
}

static void a_bad_line_is_refused_and_quoted(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} cases[] = {
#define CASE(s) {HEADER s, sizeof(HEADER s) - 1}
	    CASE("nonsense\n"),       CASE("\n"),          CASE(" nokey\n"),    CASE("btf yes"),
	    CASE("btf yes\n\nx y\n"), CASE("btf\0 yes\n"), CASE("btf yes\0\n"), CASE("\xff\xfe\n"),
#undef CASE
	};
	struct place *place = *state;
	char said[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(read_text(place, cases[i].text, cases[i].len, said), USAGE);
		assert_non_null(strstr(said, "bad line"));
		assert_int_equal(strcspn(said, "\n"),
				 strlen(said) - 1); /* one line, whatever was read */
	}
	read_text(place, HEADER "rubbish\n", strlen(HEADER "rubbish\n"), said);
	assert_non_null(strstr(said, "'rubbish"));
}

static void a_line_longer_than_any_of_ours_is_refused(void **state)
{
	struct place *place = *state;
	char text[2100] = HEADER, said[256];

	memset(text + strlen(HEADER), 'k', 2000);
	text[strlen(HEADER) + 1] = ' ';
	text[strlen(HEADER) + 2000] = '\n';
	assert_int_equal(read_text(place, text, strlen(HEADER) + 2001, said), USAGE);
}

static void free_takes_a_table_twice(void **state)
{
	struct place *place = *state;

	caps_set(&place->caps, "a", "yes");
	caps_free(&place->caps);
	assert_null(caps_get(&place->caps, "a"));
	caps_free(&place->caps);
	assert_int_equal(place->caps.n, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
	    TEST(a_fact_is_found_by_its_whole_key),
	    TEST(a_new_value_replaces_the_old),
	    TEST(yes_is_what_begins_with_yes),
	    TEST(what_is_written_is_read_back_in_the_same_order),
	    TEST(a_later_line_of_a_file_counts),
	    TEST(a_file_that_is_not_ours_is_refused_and_named),
	    TEST(a_bad_line_is_refused_and_quoted),
	    TEST(a_line_longer_than_any_of_ours_is_refused),
	    TEST(free_takes_a_table_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
