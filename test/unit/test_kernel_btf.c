// SPDX-License-Identifier: GPL-2.0-or-later
/* What is asked of a kernel's types by name, and which of them libbpf gets to see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/btf_lend.h"
#include "core/btf_prune.h"
#include "core/kernel_btf.h"
#include "bpf/count.h"
#include "count.skel.h"

/* A kernel: struct outer { struct inner in; struct far *far; int list[3]; }, and others. */
static struct btf *kernel_of_test(void)
{
	struct btf *btf = btf__new_empty();
	int number, unused, inner, far, pointer, array, mode;

	unused = btf__add_struct(btf, "unused", 4);
	number = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	far = btf__add_struct(btf, "far", 8);
	pointer = btf__add_ptr(btf, far);
	array = btf__add_array(btf, number, number, 3);
	inner = btf__add_struct(btf, "inner", 8);
	btf__add_field(btf, "before", number, 0, 0);
	btf__add_field(btf, "value", number, 32, 0);
	btf__add_struct(btf, "outer", 32);
	btf__add_field(btf, "in", inner, 0, 0);
	btf__add_field(btf, "far", pointer, 64, 0);
	btf__add_field(btf, "list", array, 128, 0);
	btf__add_struct(btf, "x", 8);
	mode = btf__add_enum(btf, "mode", 4);
	btf__add_enum_value(btf, "MODE_LATE", 7);
	assert_true(unused > 0 && mode > 0);
	return btf;
}

/* Of its types those that a program's struct NAME, or enum, asks for. */
static struct btf *pruned(const char *const *name)
{
	struct btf *kernel = kernel_of_test(), *small;
	struct btf_names names = {};
	struct btf_pruned pruned;
	struct btf_types types;
	const void *bytes;
	uint32_t size;

	for (; *name; name++)
		assert_int_equal(
		    btf_names_add(&names, *name, strlen(*name), BTF_LISTED, BTF_FLAVORS), 0);
	bytes = btf__raw_data(kernel, &size);
	assert_int_equal(btf_types_open(&types, bytes, size), 0);
	assert_int_equal(btf_prune(&types, &names, NULL, 0, &pruned), 0);
	small = btf__new(pruned.bytes, (uint32_t)pruned.len);
	assert_non_null(small);
	assert_int_equal(btf__type_cnt(small), pruned.n);
	btf_pruned_free(&pruned);
	btf_types_close(&types);
	btf_names_free(&names);
	btf__free(kernel);
	return small;
}

static bool has(const struct btf *btf, const char *name, uint32_t kind)
{
	return btf__find_by_name_kind(btf, name, kind) > 0;
}

static void named_types_keep_their_layout_and_what_lies_in_them(void **state)
{
	const struct btf_type *outer, *inner, *pointer, *array;
	struct btf *small = pruned((const char *const[]){"outer", NULL});

	(void)state;
	outer = btf__type_by_id(small,
				(uint32_t)btf__find_by_name_kind(small, "outer", BTF_KIND_STRUCT));
	assert_int_equal(btf_vlen(outer), 3);
	assert_int_equal(outer->size, 32);
	assert_string_equal(btf__name_by_offset(small, btf_members(outer)[2].name_off), "list");
	assert_int_equal(btf_member_bit_offset(outer, 2), 128);
	inner = btf__type_by_id(small, btf_members(outer)[0].type);
	assert_string_equal(btf__name_by_offset(small, inner->name_off), "inner");
	assert_int_equal(btf_member_bit_offset(inner, 1), 32);
	pointer = btf__type_by_id(small, btf_members(outer)[1].type);
	assert_true(btf_is_ptr(pointer));
	assert_int_equal(pointer->type, 0);
	array = btf__type_by_id(small, btf_members(outer)[2].type);
	assert_int_equal(btf_array(array)->nelems, 3);
	assert_int_equal(btf__resolve_size(small, btf_members(outer)[2].type), 12);
	btf__free(small);
}

static void what_no_name_asks_for_is_left_out(void **state)
{
	struct btf *small = pruned((const char *const[]){"outer", NULL});

	(void)state;
	assert_false(has(small, "unused", BTF_KIND_STRUCT));
	assert_false(has(small, "far", BTF_KIND_STRUCT));
	assert_false(has(small, "mode", BTF_KIND_ENUM));
	btf__free(small);
}

static void what_is_pointed_to_is_there_when_asked_for(void **state)
{
	struct btf *small = pruned((const char *const[]){"outer", "far", NULL});
	int outer = btf__find_by_name_kind(small, "outer", BTF_KIND_STRUCT);
	const struct btf_type *pointer;

	(void)state;
	pointer =
	    btf__type_by_id(small, btf_members(btf__type_by_id(small, (uint32_t)outer))[1].type);
	assert_int_equal(pointer->type, btf__find_by_name_kind(small, "far", BTF_KIND_STRUCT));
	btf__free(small);
}

static void enums_have_their_values(void **state)
{
	struct btf *small = pruned((const char *const[]){"x", "mode", "not_there", NULL});
	int id = btf__find_by_name_kind(small, "mode", BTF_KIND_ENUM);
	const struct btf_enum *value;

	(void)state;
	assert_true(has(small, "x", BTF_KIND_STRUCT));
	assert_true(id > 0);
	value = btf_enum(btf__type_by_id(small, (uint32_t)id));
	assert_int_equal(value->val, 7);
	assert_string_equal(btf__name_by_offset(small, value->name_off), "MODE_LATE");
	assert_false(has(small, "outer", BTF_KIND_STRUCT));
	btf__free(small);
}

/* As a file; spoil: a name lies beyond the strings, which libbpf does not look at. */
static int open_test_kernel(struct kernel_btf **kernel, bool spoil)
{
	int fd = memfd_create("test", 0), err;
	struct btf *btf = kernel_of_test();
	char path[32];
	uint32_t size;
	char *bytes;

	btf__add_func(btf, "vfs_read", BTF_FUNC_STATIC, 0);
	btf__add_func(btf, "far", BTF_FUNC_STATIC, 0);
	btf__add_func(btf, "far", BTF_FUNC_STATIC, 0);
	bytes = (char *)btf__raw_data(btf, &size);
	if (spoil)
		((struct btf_type *)(void *)(bytes + sizeof(struct btf_header)))->name_off = size;
	assert_int_equal(write(fd, bytes, size), size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	err = kernel_btf_open_file(kernel, path);
	close(fd);
	btf__free(btf);
	return err;
}

static void names_are_answered_expected_or_not(void **state)
{
	struct kernel_btf *kernel;
	uint32_t first;
	size_t n;

	(void)state;
	assert_int_equal(open_test_kernel(&kernel, false), 0);
	assert_int_equal(kernel_btf_expect(kernel, "vfs_read", BTF_KIND_FUNC), 0);
	assert_int_equal(kernel_btf_expect(kernel, "vfs_read", BTF_KIND_FUNC), 0);
	assert_int_equal(kernel_btf_look(kernel), 0);
	kernel_btf_found(kernel, &n);
	assert_int_equal(n, 1);
	first = kernel_btf_find(kernel, "vfs_read", BTF_KIND_FUNC);
	assert_true(first);
	assert_int_equal(kernel_btf_find(kernel, "far", BTF_KIND_FUNC), first + 1);
	assert_int_not_equal(kernel_btf_find(kernel, "far", BTF_KIND_STRUCT), 0);
	assert_true(kernel_btf_find(kernel, "far", BTF_KIND_STRUCT) < first);
	assert_int_equal(kernel_btf_find(kernel, "nowhere", BTF_KIND_FUNC), 0);
	assert_int_equal(kernel_btf_find(kernel, "vfs_read", BTF_KIND_FUNC), first);
	assert_string_equal(btf_types_name(kernel_btf_types(kernel),
					   btf_types_at(kernel_btf_types(kernel), first)->name_off),
			    "vfs_read");
	kernel_btf_close(kernel);
}

static void malformed_types_are_said_to_be(void **state)
{
	struct kernel_btf *kernel;

	(void)state;
	assert_int_equal(open_test_kernel(&kernel, true), 0);
	assert_int_equal(kernel_btf_expect(kernel, "vfs_read", BTF_KIND_FUNC), 0);
	assert_int_equal(kernel_btf_look(kernel), -EINVAL);
	assert_int_equal(kernel_btf_look(kernel), -EINVAL);
	assert_int_equal(kernel_btf_find(kernel, "vfs_read", BTF_KIND_FUNC), 0);
	kernel_btf_close(kernel);
	assert_int_not_equal(kernel_btf_open_file(&kernel, "/dev/null"), 0);
	assert_null(kernel);
	assert_int_not_equal(kernel_btf_open_file(&kernel, "/nowhere"), 0);
}

static void libbpf_gets_what_was_asked_for_and_no_modules(void **state)
{
	struct count_bpf *skel = count_bpf__open();
	struct kernel_btf *kernel;
	struct btf *small;
	uint32_t next;

	(void)state;
	assert_non_null(skel);
	assert_int_equal(open_test_kernel(&kernel, false), 0);
	assert_int_equal(kernel_btf_expect(kernel, "vfs_read", BTF_KIND_FUNC), 0);
	assert_int_equal(btf_lend(kernel, skel->obj), 0);
	small = btf__load_vmlinux_btf();
	assert_int_equal(libbpf_get_error(small), 0);
	assert_true(has(small, "vfs_read", BTF_KIND_FUNC));
	assert_true(has(small, "int", BTF_KIND_INT)); /* the object has one */
	assert_false(has(small, "unused", BTF_KIND_STRUCT));
	assert_int_equal(bpf_btf_get_next_id(0, &next), -ENOENT);
	assert_int_equal(errno, ENOENT);
	btf__free(small);
	btf_lend_end();
	kernel_btf_close(kernel);
	count_bpf__destroy(skel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(named_types_keep_their_layout_and_what_lies_in_them),
	    cmocka_unit_test(what_no_name_asks_for_is_left_out),
	    cmocka_unit_test(what_is_pointed_to_is_there_when_asked_for),
	    cmocka_unit_test(enums_have_their_values),
	    cmocka_unit_test(names_are_answered_expected_or_not),
	    cmocka_unit_test(malformed_types_are_said_to_be),
	    cmocka_unit_test(libbpf_gets_what_was_asked_for_and_no_modules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
