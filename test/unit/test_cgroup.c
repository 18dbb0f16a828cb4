/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/cgroup.h"

static const char hybrid[] =
    "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu rw shared:9 master:1 - cgroup cgroup rw,cpu,cpuacct\n"
    "33 31 0:31 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
    "34 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,seclabel,memory\n"
    "35 31 0:38 / /sys/fs/cgroup/uni\\040fied rw shared:3 - cgroup2 cgroup2 rw,nsdelegate\n";

static int v2_mount(const char *text, char *path, size_t size)
{
	/* no byte more than the text, for the sanitizer to see one read too much */
	size_t len = strlen(text);
	char *copy = malloc(len + !len);
	int err;

	assert_non_null(copy);
	memcpy(copy, text, len);
	err = cgroup_v2_mount(copy, len, path, size);
	free(copy);
	return err;
}

static void the_v2_mount_point_is_found_and_unescaped(void **state)
{
	char path[64];

	(void)state;
	assert_int_equal(v2_mount(hybrid, path, sizeof(path)), 0);
	assert_string_equal(path, "/sys/fs/cgroup/uni fied");
	assert_int_equal(v2_mount(hybrid, path, 10), -ENAMETOOLONG);
	assert_int_equal(v2_mount("1 1 0:1 / /a\\134b rw - cgroup2 x rw", path, 64), 0);
	assert_string_equal(path, "/a\\b");
	assert_int_equal(v2_mount("1 1 0:1 / /a\\13 rw - cgroup2 x rw", path, 64), 0);
	assert_string_equal(path, "/a\\13");
}

static void a_mount_of_the_whole_tree_comes_before_one_of_a_part(void **state)
{
	char path[64];

	(void)state;
	assert_int_equal(v2_mount("1 1 0:1 /part /one rw - cgroup2 c rw\n"
				  "2 1 0:1 / /two rw - cgroup2 c rw\n"
				  "3 1 0:1 / /three rw - cgroup2 c rw\n",
				  path, sizeof(path)),
			 0);
	assert_string_equal(path, "/two");
	assert_int_equal(v2_mount("1 1 0:1 /part /one rw - cgroup2 c rw\n", path, 64), 0);
	assert_string_equal(path, "/one");
}

static void text_without_v2_mount_has_none(void **state)
{
	static const char *const texts[] = {
	    "",
	    "\n\n",
	    "cgroup2",
	    "1 1 0:1 / /x rw cgroup2 cgroup2 rw\n",
	    "1 1 0:1 / /x rw -\n",
	    "1 1 0:1 / /x rw - cgroup2",
	    "1 1 0:1 / /x rw - cgroup2 c\n",
	    "1 1 0:1 / /cgroup2 rw - tmpfs cgroup2 rw\n",
	};
	char path[64];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_int_equal(v2_mount(texts[i], path, sizeof(path)), -ENOENT);
}

static void a_v1_mount_has_its_first_controller(void **state)
{
	size_t len = strlen(hybrid);
	char name[CGROUP_CONTROLLER_LEN] = "untouched";

	(void)state;
	assert_int_equal(cgroup_v1_controller(hybrid, len, 0, 32, name), 0);
	assert_string_equal(name, "memory");
	assert_int_equal(cgroup_v1_controller(hybrid, len, 0, 29, name), 0);
	assert_string_equal(name, "cpu");
	assert_int_equal(cgroup_v1_controller(hybrid, len, 0, 31, name), -ENOTSUP);
	assert_int_equal(cgroup_v1_controller(hybrid, len, 0, 38, name), -ENOENT);
	assert_int_equal(cgroup_v1_controller(hybrid, len, 0, 3, name), -ENOENT);
	assert_string_equal(name, "cpu");
}

static void a_number_is_a_v2_id(void **state)
{
	struct cgroup_ref ref = {.v1 = true};

	(void)state;
	assert_int_equal(cgroup_resolve("4711", &ref), 0);
	assert_int_equal(ref.id, 4711);
	assert_false(ref.v1);
	assert_string_equal(ref.controller, "");
	assert_int_equal(cgroup_resolve("18446744073709551615", &ref), 0);
	assert_true(ref.id == UINT64_MAX);
}

static void what_names_no_cgroup_is_refused_and_changes_nothing(void **state)
{
	struct cgroup_ref ref = {.id = 7};
	char path[] = "/tmp/ktrace-cgroup-XXXXXX", *longest = calloc(1, 3 * PATH_MAX);

	(void)state;
	assert_non_null(mkdtemp(path));
	assert_non_null(longest);
	memset(longest, 'x', 3 * PATH_MAX - 1);
	assert_int_equal(cgroup_resolve("", &ref), -EINVAL);
	assert_int_equal(cgroup_resolve("0", &ref), -EINVAL);
	assert_int_equal(cgroup_resolve("18446744073709551616", &ref), -EINVAL);
	assert_int_equal(cgroup_resolve("99999999999999999999999", &ref), -EINVAL);
	assert_int_equal(cgroup_resolve("/no/such/cgroup", &ref), -ENOENT);
	assert_int_equal(cgroup_resolve("-1", &ref), -ENOENT);
	assert_int_equal(cgroup_resolve(path, &ref), -EINVAL);
	assert_int_equal(cgroup_resolve("/etc/passwd", &ref), -ENOTDIR);
	assert_int_equal(cgroup_resolve(longest, &ref), -ENAMETOOLONG);
	assert_int_equal(ref.id, 7);
	free(longest);
	rmdir(path);
}

static void the_mounted_root_is_found_by_all_its_names(void **state)
{
	struct cgroup_ref by_path, by_slash, by_dot;
	struct cgroup_names *names = NULL;
	char path[PATH_MAX];
	struct stat st;

	(void)state;
	if (cgroup_v2_find(path, sizeof(path)))
		skip();
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(cgroup_resolve(path, &by_path), 0);
	assert_int_equal(cgroup_resolve("/", &by_slash), 0);
	assert_int_equal(cgroup_resolve(".", &by_dot), 0);
	assert_int_equal(by_path.id, st.st_ino);
	assert_int_equal(by_slash.id, st.st_ino);
	assert_int_equal(by_dot.id, st.st_ino);
	assert_false(by_slash.v1);
	assert_int_equal(cgroup_names_load(&names), 0);
	assert_string_equal(cgroup_names_find(names, st.st_ino), "/");
	cgroup_names_free(names);
}

static void a_v1_hierarchy_is_told_with_its_controller(void **state)
{
	struct cgroup_ref ref;

	(void)state;
	if (access("/sys/fs/cgroup/memory/cgroup.procs", F_OK))
		skip();
	assert_int_equal(cgroup_resolve("/sys/fs/cgroup/memory", &ref), 0);
	assert_true(ref.v1);
	assert_string_equal(ref.controller, "memory");
	assert_true(ref.id > 0);
	if (!access("/sys/fs/cgroup/systemd/cgroup.procs", F_OK))
		assert_int_equal(cgroup_resolve("/sys/fs/cgroup/systemd", &ref), -ENOTSUP);
}

static uint64_t make_dir(const char *root, const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s%s", root, name);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

static void remove_at(const char *root, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s%s", root, name);
	assert_int_equal(remove(path), 0);
}

static void a_walk_names_directories_and_follows_no_link(void **state)
{
	char root[] = "/tmp/ktrace-cgroup-XXXXXX", link[PATH_MAX];
	struct cgroup_names *names = NULL;
	uint64_t top, slice, unit;
	struct stat st, etc;

	(void)state;
	assert_non_null(mkdtemp(root));
	assert_int_equal(stat(root, &st), 0);
	assert_int_equal(stat("/etc", &etc), 0);
	top = st.st_ino;
	slice = make_dir(root, "/a.slice");
	unit = make_dir(root, "/a.slice/odd \n name");
	snprintf(link, sizeof(link), "%s/etc", root);
	assert_int_equal(symlink("/etc", link), 0);

	assert_int_equal(cgroup_names_walk(&names, root), 0);
	assert_string_equal(cgroup_names_find(names, top), "/");
	assert_string_equal(cgroup_names_find(names, slice), "/a.slice");
	assert_string_equal(cgroup_names_find(names, unit), "/a.slice/odd \n name");
	assert_null(cgroup_names_find(names, etc.st_ino));
	assert_null(cgroup_names_find(names, 0));
	cgroup_names_free(names);

	remove_at(root, "/etc");
	remove_at(root, "/a.slice/odd \n name");
	remove_at(root, "/a.slice");
	remove_at(root, "");
}

static void a_walk_ends_at_a_depth(void **state)
{
	char root[] = "/tmp/ktrace-cgroup-XXXXXX", path[PATH_MAX] = "";
	struct cgroup_names *names = NULL;
	uint64_t id[100];

	(void)state;
	assert_non_null(mkdtemp(root));
	for (int i = 0; i < 100; i++) {
		strcat(path, "/d");
		id[i] = make_dir(root, path);
	}
	assert_int_equal(cgroup_names_walk(&names, root), 0);
	assert_string_equal(cgroup_names_find(names, id[1]), "/d/d");
	assert_non_null(cgroup_names_find(names, id[50]));
	assert_null(cgroup_names_find(names, id[99]));
	cgroup_names_free(names);
	for (; *path; path[strlen(path) - 2] = '\0')
		remove_at(root, path);
	remove_at(root, "");
}

static void a_root_that_is_not_there_is_an_error(void **state)
{
	struct cgroup_names *names = NULL;

	(void)state;
	assert_int_equal(cgroup_names_walk(&names, "/no/such/root"), -ENOENT);
	assert_int_equal(cgroup_names_walk(&names, "/etc/passwd"), -ENOTDIR);
	assert_null(names);
	assert_null(cgroup_names_find(NULL, 1));
	cgroup_names_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_v2_mount_point_is_found_and_unescaped),
	    cmocka_unit_test(a_mount_of_the_whole_tree_comes_before_one_of_a_part),
	    cmocka_unit_test(text_without_v2_mount_has_none),
	    cmocka_unit_test(a_v1_mount_has_its_first_controller),
	    cmocka_unit_test(a_number_is_a_v2_id),
	    cmocka_unit_test(what_names_no_cgroup_is_refused_and_changes_nothing),
	    cmocka_unit_test(the_mounted_root_is_found_by_all_its_names),
	    cmocka_unit_test(a_v1_hierarchy_is_told_with_its_controller),
	    cmocka_unit_test(a_walk_names_directories_and_follows_no_link),
	    cmocka_unit_test(a_walk_ends_at_a_depth),
	    cmocka_unit_test(a_root_that_is_not_there_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
