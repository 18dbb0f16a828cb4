// SPDX-License-Identifier: GPL-2.0-or-later
/* What is found in BTF, and that nothing outside of it is read. */
#include "btf_blob.h"

#include <errno.h>

static int note(void *context, const struct btf_name *name, uint32_t id,
		const struct btf_type *type)
{
	struct blob *blob = context;

	(void)name;
	assert_ptr_equal(btf_types_name(&blob->types, type->name_off),
			 blob->types.strings + type->name_off);
	if (blob->n_found < sizeof(blob->found) / sizeof(blob->found[0]))
		blob->found[blob->n_found] = id;
	blob->n_found++;
	return 0;
}

static int match(struct blob *blob, const char *text, uint32_t kind, enum btf_match how)
{
	struct btf_names names = {};
	int err = btf_names_add(&names, text, strlen(text), BTF_BIT(kind), how);

	blob->n_found = 0;
	if (!err)
		err = btf_types_match(&blob->types, &names, note, blob);
	btf_names_free(&names);
	return err;
}

/* 0, or why it is refused, at once or in the first pass. */
static int read_all_of(struct blob *blob)
{
	int err = btf_types_open(&blob->types, blob->bytes, blob->len);

	return err ? err : match(blob, "task", BTF_KIND_STRUCT, BTF_EXACT);
}

static int read_laid_out(struct blob *blob)
{
	lay_out(blob);
	return read_all_of(blob);
}

static void add_some(struct blob *blob)
{
	add_int(blob);
	add(blob, TASK, WORD(BTF_KIND_STRUCT, 1), 4);
	add_word(blob, INT);
	add_word(blob, 1);
	add_word(blob, 0);
	add(blob, TASK_OLD, WORD(BTF_KIND_STRUCT, 0), 4);
	add(blob, TASK, WORD(BTF_KIND_FUNC, 0), 0);
	add(blob, TASK_WORK, WORD(BTF_KIND_FUNC, 0), 0);
	add(blob, TASK, WORD(BTF_KIND_STRUCT, 0), 4);
}

static void names_mean_the_types_of_their_kinds(void **state)
{
	struct blob *blob = *state;
	int again;

	add_some(blob);
	lay_out(blob);
	assert_int_equal(btf_types_open(&blob->types, blob->bytes, blob->len), 0);
	for (again = 0; again < 2; again++) { /* the second pass is over what the first listed */
		assert_int_equal(match(blob, "task", BTF_KIND_STRUCT, BTF_EXACT), 0);
		assert_int_equal(blob->n_found, 2);
		assert_int_equal(blob->found[0], 2);
		assert_int_equal(blob->found[1], 6);
		assert_int_equal(match(blob, "task", BTF_KIND_STRUCT, BTF_FLAVORS), 0);
		assert_int_equal(blob->n_found, 3);
		assert_int_equal(blob->found[1], 3);
		assert_int_equal(match(blob, "task", BTF_KIND_FUNC, BTF_EXACT), 0);
		assert_int_equal(blob->n_found, 1);
		assert_int_equal(blob->found[0], 4);
		assert_int_equal(match(blob, "task_", BTF_KIND_FUNC, BTF_PREFIX), 0);
		assert_int_equal(blob->n_found, 1);
		assert_int_equal(blob->found[0], 5);
		assert_int_equal(match(blob, "tas", BTF_KIND_FUNC, BTF_EXACT), 0);
		assert_int_equal(blob->n_found, 0);
	}
	assert_int_equal(blob->types.n, 7);
}

static void ids_lead_to_their_types_and_no_others_do(void **state)
{
	struct blob *blob = *state;
	uint32_t id;

	for (id = 1; id <= 200; id++)
		if (id % 3)
			add(blob, 0, WORD(BTF_KIND_PTR, 0), id);
		else
			add_int(blob);
	lay_out(blob);
	assert_int_equal(btf_types_open(&blob->types, blob->bytes, blob->len), 0);
	assert_null(btf_types_at(&blob->types, 1)); /* no pass yet */
	assert_int_equal(match(blob, "int", BTF_KIND_INT, BTF_EXACT), 0);
	assert_int_equal(blob->n_found, 66);
	for (id = 1; id <= 200; id++)
		if (id % 3)
			assert_int_equal(btf_types_at(&blob->types, id)->type, id);
		else
			assert_int_equal(btf_type_kind(btf_types_at(&blob->types, id)),
					 BTF_KIND_INT);
	assert_null(btf_types_at(&blob->types, 0));
	assert_null(btf_types_at(&blob->types, 201));
	assert_null(btf_types_at(&blob->types, UINT32_MAX));
	assert_non_null(btf_types_name(&blob->types, sizeof(strings) - 1));
	assert_null(btf_types_name(&blob->types, sizeof(strings)));
}

static void what_is_cut_off_is_refused_wherever(void **state)
{
	struct blob *blob = *state;
	size_t len;

	add_some(blob);
	for (len = 0; len < whole_length(blob); len += 4) {
		lay_out_cut(blob, len);
		assert_int_equal(read_all_of(blob), -EINVAL);
	}
	lay_out_cut(blob, len);
	assert_int_equal(read_all_of(blob), 0);
}

static void headers_that_lie_are_refused(void **state)
{
	struct blob *blob = *state;
	struct btf_header good;

	add_some(blob);
	assert_int_equal(read_laid_out(blob), 0);
	good = blob->header;
#define REFUSED(member, value)                                \
	do {                                                  \
		struct btf_header bad_ = good;                \
                                                              \
		bad_.member = (value);                        \
		memcpy(blob->bytes, &bad_, sizeof(bad_));     \
		btf_types_close(&blob->types);                \
		assert_int_equal(read_all_of(blob), -EINVAL); \
	} while (0)
	REFUSED(magic, 0x9feb); /* the other byte order */
	REFUSED(version, 2);
	good.type_off += 4; /* where it would be after a shorter header */
	good.str_off += 4;
	REFUSED(hdr_len, sizeof(good) - 4);
	good = blob->header;
	REFUSED(hdr_len, (uint32_t)blob->len + 4);
	REFUSED(hdr_len, UINT32_MAX);
	REFUSED(type_off, good.type_off + 4);
	REFUSED(type_off, UINT32_MAX - 3);
	REFUSED(type_len, good.type_len + 4);
	REFUSED(type_len, UINT32_MAX);
	REFUSED(str_off, (uint32_t)blob->len);
	REFUSED(str_off, UINT32_MAX);
	REFUSED(str_len, UINT32_MAX);
	REFUSED(str_len, 0);
	REFUSED(str_len, sizeof(strings) - 2); /* the last name does not end */
	good.type_len = 0;
	REFUSED(type_off, good.type_off - 2); /* not at a word */
}

static void a_type_that_is_not_whole_is_refused(void **state)
{
	static const uint32_t whole[] = {TASK, WORD(BTF_KIND_FWD, 0), 0};
	struct blob *blob = *state;
	uint32_t words;

	for (words = 1; words < 3; words++) {
		begin(state);
		add_int(blob);
		for (uint32_t i = 0; i < words; i++)
			add_word(blob, whole[i]);
		assert_int_equal(read_laid_out(blob), -EINVAL);
	}
}

static void what_follows_a_type_must_be_there(void **state)
{
	static const uint32_t info[] = {
	    WORD(BTF_KIND_INT, 0),    WORD(BTF_KIND_ARRAY, 0),       WORD(BTF_KIND_STRUCT, 1),
	    WORD(BTF_KIND_UNION, 1),  WORD(BTF_KIND_ENUM, 1),        WORD(BTF_KIND_FUNC_PROTO, 1),
	    WORD(BTF_KIND_VAR, 0),    WORD(BTF_KIND_DATASEC, 1),     WORD(BTF_KIND_DECL_TAG, 0),
	    WORD(BTF_KIND_ENUM64, 1), WORD(BTF_KIND_STRUCT, 0xffff),
	};
	struct blob *blob = *state;

	for (size_t i = 0; i < sizeof(info) / sizeof(info[0]); i++) {
		begin(state);
		add(blob, 0, info[i], 0);
		assert_int_equal(read_laid_out(blob), -EINVAL);
	}
}

static void kinds_that_are_unknown_are_refused(void **state)
{
	struct blob *blob = *state;
	uint32_t kind;

	for (kind = 0; kind < 32; kind = kind ? kind + 1 : BTF_KIND_ENUM64 + 1) {
		begin(state);
		add(blob, 0, WORD(kind, 0), 0);
		add(blob, 0, WORD(BTF_KIND_FWD, 0), 0);
		assert_int_equal(read_laid_out(blob), -EINVAL);
	}
}

static void names_beyond_the_strings_are_refused(void **state)
{
	struct blob *blob = *state;

	add(blob, sizeof(strings) - 1, WORD(BTF_KIND_FWD, 0), 0);
	assert_int_equal(read_laid_out(blob), 0);
	begin(state);
	add(blob, sizeof(strings), WORD(BTF_KIND_FWD, 0), 0);
	assert_int_equal(read_laid_out(blob), -EINVAL);
}

static void a_longer_name_is_not_compared_beyond_the_strings(void **state)
{
	struct blob *blob = *state;

	blob->strings_last = true;
	add(blob, TASK_WORK, WORD(BTF_KIND_STRUCT, 0), 4);
	lay_out(blob);
	assert_int_equal(btf_types_open(&blob->types, blob->bytes, blob->len), 0);
	assert_int_equal(match(blob, "task_work_of_another", BTF_KIND_STRUCT, BTF_EXACT), 0);
	assert_int_equal(blob->n_found, 0);
	assert_int_equal(match(blob, "task_work", BTF_KIND_STRUCT, BTF_FLAVORS), 0);
	assert_int_equal(blob->n_found, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(names_mean_the_types_of_their_kinds),
	    TEST(ids_lead_to_their_types_and_no_others_do),
	    TEST(what_is_cut_off_is_refused_wherever),
	    TEST(headers_that_lie_are_refused),
	    TEST(a_type_that_is_not_whole_is_refused),
	    TEST(what_follows_a_type_must_be_there),
	    TEST(kinds_that_are_unknown_are_refused),
	    TEST(names_beyond_the_strings_are_refused),
	    TEST(a_longer_name_is_not_compared_beyond_the_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
