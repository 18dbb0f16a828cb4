// SPDX-License-Identifier: GPL-2.0-or-later
/* Types that refer to what is not there, or to themselves. What a good BTF becomes is in
 * test_kernel_btf.c. */
#include "btf_blob.h"

#include <errno.h>

#include "core/btf_prune.h"

static int prune(struct blob *blob, const uint32_t *ids, size_t n, struct btf_pruned *pruned)
{
	struct btf_names names = {};
	int err = btf_names_add(&names, "task", 4, BTF_BIT(BTF_KIND_STRUCT), BTF_EXACT);

	lay_out(blob);
	if (!err)
		err = btf_types_open(&blob->types, blob->bytes, blob->len);
	if (!err)
		err = btf_prune(&blob->types, &names, ids, n, pruned);
	btf_names_free(&names);
	return err;
}

static void add_task_of(struct blob *blob, uint32_t member_name, uint32_t member_type)
{
	add(blob, TASK, WORD(BTF_KIND_STRUCT, 1), 4);
	add_word(blob, member_name);
	add_word(blob, member_type);
	add_word(blob, 0);
}

static void pruning_refuses_parts_that_are_not_there(void **state)
{
	static const uint32_t none[] = {2};
	struct blob *blob = *state;
	struct btf_pruned pruned;

	add_task_of(blob, INT, 2);
	assert_int_equal(prune(blob, NULL, 0, &pruned), -EINVAL);
	begin(state);
	add_task_of(blob, sizeof(strings), 0);
	assert_int_equal(prune(blob, NULL, 0, &pruned), -EINVAL);
	begin(state);
	add_task_of(blob, INT, 0);
	assert_int_equal(prune(blob, none, 1, &pruned), -EINVAL);
	begin(state); /* what is pointed to is left out, and must be there all the same */
	add_task_of(blob, INT, 2);
	add(blob, 0, WORD(BTF_KIND_PTR, 0), 3);
	assert_int_equal(prune(blob, NULL, 0, &pruned), -EINVAL);
}

static void pruning_ends_where_types_lie_in_themselves_and_deep(void **state)
{
	struct blob *blob = *state;
	struct btf_pruned pruned;
	uint32_t id;

	add_task_of(blob, INT, 2);
	for (id = 2; id < 1200; id++)
		add(blob, 0, WORD(BTF_KIND_CONST, 0), id + 1);
	add(blob, 0, WORD(BTF_KIND_CONST, 0), 1);
	assert_int_equal(prune(blob, NULL, 0, &pruned), 0);
	assert_int_equal(pruned.n, 1201);
	for (id = 0; id < pruned.n; id++)
		assert_int_equal(pruned.id[id], id);
	btf_pruned_free(&pruned);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(pruning_refuses_parts_that_are_not_there),
	    TEST(pruning_ends_where_types_lie_in_themselves_and_deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
