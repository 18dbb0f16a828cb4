/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions as hooks, and modes: which one a plan uses, and what it says when none runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Before cmocka.h, which has a macro of the name fail. */
#include "core/plan.h"

#include <cmocka.h>

static const struct mode modes[] = {{"all", NULL}, {"some", "sees only some"}, {0}};

#define FUNCTION(role_, via_, target_, ...)                                                \
	{                                                                                  \
		.role = role_, .via = via_, .target = target_, .prog_name = role_ "_prog", \
		##__VA_ARGS__                                                              \
	}

static const struct hook hooks[] = {
    FUNCTION("enter", VIA_FENTRY, "lock_a|lock_b", .mode = 1),
    FUNCTION("enter", VIA_KPROBE, "lock_a|lock_b", .mode = 1),
    FUNCTION("rare", VIA_FENTRY, "rare_a|rare_b", .mode = 1, .when = HOOK_IF_PRESENT),
    FUNCTION("seen", VIA_RAW_TP, "lock:contention_begin", .mode = 2),
    FUNCTION("always", VIA_RAW_TP, "sched:sched_switch"),
    {0},
};

static const struct column columns[] = {{0}};

static const struct tool tool = {
    .name = "fake", .hooks = hooks, .columns = columns, .modes = modes, .accepts = ACCEPT_HOOK};

struct made {
	struct opts opts;
	struct plan plan;
	struct caps caps;
};

/* facts: "key=value" up to NULL, beside what every kernel here has. */
static struct made *made_of(enum via hook, const char *const *facts)
{
	static const char *const common[] = {"via.raw_tp=yes",
					     "via.fentry=yes",
					     "via.kprobe=yes",
					     "proto.sched_switch=bool",
					     "proto.contention_begin=void *",
					     NULL};
	const char *const *list[] = {common, facts};
	struct made *made = calloc(1, sizeof(*made));
	char key[64];

	assert_non_null(made);
	for (unsigned l = 0; l < 2; l++) {
		for (const char *const *fact = list[l]; *fact; fact++) {
			const char *equals = strchr(*fact, '=');

			snprintf(key, sizeof(key), "%.*s", (int)(equals - *fact), *fact);
			assert_int_equal(caps_set(&made->caps, key, equals + 1), 0);
		}
	}
	made->opts.tool = &tool;
	made->opts.hook = hook;
	plan_make(&made->opts, &made->caps, &made->plan);
	return made;
}

static void made_free(struct made *made)
{
	caps_free(&made->caps);
	free(made);
}

static struct candidate *chosen(struct plan *plan, const char *role)
{
	for (unsigned i = 0; i < plan->n_roles; i++)
		if (!strcmp(plan->role[i].name, role))
			return plan_chosen(plan, &plan->role[i]);
	return NULL;
}

static void the_first_function_that_is_there_is_hooked(void **state)
{
	struct made *made =
	    made_of(VIA_NONE, (const char *const[]){"fn.lock_a=no", "fn.lock_b=yes", NULL});

	(void)state;
	assert_int_equal(plan_check(&made->plan), OK);
	assert_int_equal(made->plan.mode, 1);
	assert_string_equal(chosen(&made->plan, "enter")->target, "lock_b");
	assert_int_equal(chosen(&made->plan, "enter")->hook->via, VIA_FENTRY);
	assert_non_null(chosen(&made->plan, "always"));
	assert_null(chosen(&made->plan, "seen"));
	made_free(made);
}

static void a_function_that_btf_does_not_describe_takes_a_kprobe(void **state)
{
	struct made *made =
	    made_of(VIA_NONE, (const char *const[]){"fn.lock_a=symbol", "fn.lock_b=no", NULL});

	(void)state;
	assert_int_equal(chosen(&made->plan, "enter")->hook->via, VIA_KPROBE);
	assert_string_equal(chosen(&made->plan, "enter")->target, "lock_a");
	made_free(made);
}

static void without_functions_the_next_mode_is_used(void **state)
{
	struct made *made =
	    made_of(VIA_NONE, (const char *const[]){"fn.lock_a=no", "fn.lock_b=no", NULL});

	(void)state;
	assert_int_equal(plan_check(&made->plan), OK);
	assert_int_equal(made->plan.mode, 2);
	assert_null(chosen(&made->plan, "enter"));
	assert_non_null(chosen(&made->plan, "seen"));
	made_free(made);
}

static void what_is_refused_at_attach_changes_the_mode(void **state)
{
	struct made *made = made_of(VIA_NONE, (const char *const[]){"fn.lock_a=yes", NULL});

	(void)state;
	plan_reject(chosen(&made->plan, "enter"), "refused");
	assert_int_equal(plan_check(&made->plan), OK);
	assert_int_equal(made->plan.mode, 1);
	plan_reject(chosen(&made->plan, "enter"), "refused too");
	assert_int_equal(plan_check(&made->plan), OK);
	assert_int_equal(made->plan.mode, 2);
	made_free(made);
}

static void a_rare_function_counts_only_where_it_is(void **state)
{
	struct made *without = made_of(VIA_NONE, (const char *const[]){"fn.lock_a=yes", NULL});
	struct made *with =
	    made_of(VIA_NONE, (const char *const[]){"fn.lock_a=yes", "fn.rare_b=symbol",
						    "via.fentry=no: x", NULL});

	(void)state;
	assert_int_equal(plan_check(&without->plan), OK);
	/* it is there, and can be hooked in no way: this mode would not see it */
	assert_int_equal(with->plan.mode, 2);
	made_free(without);
	made_free(with);
}

static void a_forced_hook_keeps_the_roles_that_cannot_go_that_way(void **state)
{
	struct made *kprobe = made_of(VIA_KPROBE, (const char *const[]){"fn.lock_a=yes", NULL});
	struct made *raw = made_of(VIA_RAW_TP, (const char *const[]){"fn.lock_a=yes", NULL});

	(void)state;
	assert_int_equal(chosen(&kprobe->plan, "enter")->hook->via, VIA_KPROBE);
	assert_int_equal(chosen(&kprobe->plan, "always")->hook->via, VIA_RAW_TP);
	assert_int_equal(raw->plan.mode, 2);
	made_free(kprobe);
	made_free(raw);
}

static void no_mode_at_all_is_said_with_each_reason(void **state)
{
	struct made *made =
	    made_of(VIA_NONE, (const char *const[]){"proto.contention_begin=no", NULL});

	(void)state;
	assert_int_equal(plan_check(&made->plan), CANNOT);
	made_free(made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_first_function_that_is_there_is_hooked),
	    cmocka_unit_test(a_function_that_btf_does_not_describe_takes_a_kprobe),
	    cmocka_unit_test(without_functions_the_next_mode_is_used),
	    cmocka_unit_test(what_is_refused_at_attach_changes_the_mode),
	    cmocka_unit_test(a_rare_function_counts_only_where_it_is),
	    cmocka_unit_test(a_forced_hook_keeps_the_roles_that_cannot_go_that_way),
	    cmocka_unit_test(no_mode_at_all_is_said_with_each_reason),
	};

	return cmocka_run_group_tests_name("plan_modes", tests, NULL, NULL);
}
