// SPDX-License-Identifier: GPL-2.0-or-later
/* Of the kernel's types those stay that an object may mean, and all that lies in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <bpf/btf.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/kernel_btf.h"

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

static struct btf *pruned(const struct btf *object)
{
	struct btf *kernel = kernel_of_test(), *small;
	int fd = memfd_create("test", 0);
	char path[32];

	assert_int_equal(kernel_btf_prune(kernel, object, fd), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	small = btf__parse(path, NULL);
	assert_non_null(small);
	close(fd);
	btf__free(kernel);
	return small;
}

static bool has(const struct btf *btf, const char *name, uint32_t kind)
{
	return btf__find_by_name_kind(btf, name, kind) > 0;
}

static void named_types_keep_their_layout_and_what_lies_in_them(void **state)
{
	struct btf *object = btf__new_empty(), *small;
	const struct btf_type *outer, *inner, *pointer, *array;

	(void)state;
	btf__add_struct(object, "outer", 8);
	small = pruned(object);
	outer = btf__type_by_id(small,
				(uint32_t)btf__find_by_name_kind(small, "outer", BTF_KIND_STRUCT));
	assert_int_equal(btf_vlen(outer), 3);
	assert_int_equal(outer->size, 32);
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
	btf__free(object);
}

static void what_no_name_asks_for_is_left_out(void **state)
{
	struct btf *object = btf__new_empty(), *small;

	(void)state;
	btf__add_struct(object, "outer", 8);
	small = pruned(object);
	assert_false(has(small, "unused", BTF_KIND_STRUCT));
	assert_false(has(small, "far", BTF_KIND_STRUCT));
	assert_false(has(small, "mode", BTF_KIND_ENUM));
	btf__free(small);
	btf__free(object);
}

static void flavors_and_enums_are_found_by_their_name(void **state)
{
	struct btf *object = btf__new_empty(), *small;
	int id;

	(void)state;
	btf__add_struct(object, "inner___old", 8);
	btf__add_struct(object, "x___old", 8);
	btf__add_enum(object, "mode", 4);
	btf__add_struct(object, "not_there", 4);
	small = pruned(object);
	assert_true(has(small, "inner", BTF_KIND_STRUCT));
	assert_true(has(small, "x", BTF_KIND_STRUCT));
	id = btf__find_by_name_kind(small, "mode", BTF_KIND_ENUM);
	assert_true(id > 0);
	assert_int_equal(btf_enum(btf__type_by_id(small, (uint32_t)id))[0].val, 7);
	assert_false(has(small, "outer", BTF_KIND_STRUCT));
	btf__free(small);
	btf__free(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(named_types_keep_their_layout_and_what_lies_in_them),
	    cmocka_unit_test(what_no_name_asks_for_is_left_out),
	    cmocka_unit_test(flavors_and_enums_are_found_by_their_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
