// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/pattern.h"
#include "core/targets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void each_form_is_cut_into_kind_scope_and_name(void **state)
{
	static const struct {
		const char *text;
		enum target_kind kind;
		const char *scope, *name;
		bool is_regex;
	} row[] = {
	    {"vfs_*", TARGET_FUNCTION, NULL, "vfs_*", false},
	    {"vfs_[rw]*", TARGET_FUNCTION, NULL, "vfs_[rw]*", false},
	    {"vfs_[rw]", TARGET_FUNCTION, NULL, "vfs_[rw]", false},
	    {"[a-v]*", TARGET_FUNCTION, NULL, "[a-v]*", false},
	    {"/^x.y/", TARGET_FUNCTION, NULL, "^x.y", true},
	    {"/^x/[ext4]", TARGET_FUNCTION, "ext4", "^x", true},
	    {"[ext4]", TARGET_FUNCTION, "ext4", "*", false},
	    {"ext4_*[ext4]", TARGET_FUNCTION, "ext4", "ext4_*", false},
	    {"ext4_iget [ext4]", TARGET_FUNCTION, "ext4", "ext4_iget", false},
	    {"t:sched:*wak*", TARGET_EVENT, "sched", "*wak*", false},
	    {"t:s*:/a|b/", TARGET_EVENT, "s*", "a|b", true},
	    {"t:syscalls:sys_enter_*", TARGET_SYSCALL, "syscalls", "sys_enter_*", false},
	    {"u:c:malloc", TARGET_USER, "c", "malloc", false},
	    {"u:/a:b/c:main", TARGET_USER, "/a:b/c", "main", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct patterns patterns = {};
		const struct pattern *got;

		assert_int_equal(patterns_add(&patterns, row[i].text), OK);
		got = patterns.at;
		assert_int_equal(got->kind, row[i].kind);
		assert_string_equal(got->name, row[i].name);
		assert_int_equal(got->is_regex, row[i].is_regex);
		if (row[i].scope)
			assert_string_equal(got->scope, row[i].scope);
		else
			assert_null(got->scope);
		patterns_free(&patterns);
	}
}

static void what_is_no_pattern_is_refused(void **state)
{
	static const char *const bad[] = {
	    "",     "/",    "//",      "/x", "/(/", "t:",   "t:a",  "t::",
	    "t:a:", "t::b", "t:a:/[/", "u:", "u:a", "u:a:", "u::b", "/x[y"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct patterns patterns = {};

		assert_int_equal(patterns_add(&patterns, bad[i]), USAGE);
		patterns_free(&patterns);
	}
}

static void modules_are_matched_by_name_and_the_core_kernel_by_no_module(void **state)
{
	struct patterns patterns = {};

	(void)state;
	assert_int_equal(patterns_add(&patterns, "x*[nf_*]"), OK);
	assert_true(pattern_allows(patterns.at, "nf_tables"));
	assert_false(pattern_allows(patterns.at, "ext4"));
	assert_false(pattern_allows(patterns.at, NULL));
	assert_int_equal(patterns_add(&patterns, "x*"), OK);
	assert_true(pattern_allows(&patterns.at[1], NULL));
	assert_true(pattern_allows(&patterns.at[1], "ext4"));
	patterns_free(&patterns);
}

static void a_list_is_cut_at_commas_outside_of_a_regex(void **state)
{
	struct targets targets = {};

	(void)state;
	assert_int_equal(patterns_add_list(&targets.excluded, "vfs_r*,/^a{1,2}$/,sched_switch"),
			 OK);
	assert_int_equal(targets.excluded.n, 3);
	assert_true(targets_excluded(&targets, "vfs_read"));
	assert_true(targets_excluded(&targets, "aa"));
	assert_false(targets_excluded(&targets, "aaa"));
	assert_true(targets_excluded(&targets, "sched:sched_switch"));
	assert_false(targets_excluded(&targets, "sched:sched_wakeup"));
	patterns_free(&targets.excluded);
	assert_int_equal(patterns_add_list(&targets.excluded, "a,,b"), USAGE);
	patterns_free(&targets.excluded);
	assert_int_equal(patterns_add_list(&targets.excluded, "/a/b"), USAGE);
	patterns_free(&targets.excluded);
}

static void what_tracing_needs_itself_is_denied_and_what_users_ask_for_is_not(void **state)
{
	static const char *const denied[] = {
	    "bpf_map_update_elem",    "trace_call_bpf",       "_raw_spin_lock_irqsave",
	    "rcu_read_unlock_strict", "asm_exc_page_fault",   "nmi_handle",
	    "kprobe_ftrace_handler",  "ftrace_ops_list_func", "sched_clock_cpu",
	    "irqentry_enter",         "text_poke_bp_batch",   "_printk",
	};
	static const char *const allowed[] = {
	    "vfs_read",     "tcp_sendmsg",    "mutex_lock",     "kmem_cache_alloc",
	    "schedule",     "try_to_wake_up", "do_sys_openat2", "blk_mq_submit_bio",
	    "copy_process", "submit_bio",     "kfree",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(denied) / sizeof(denied[0]); i++)
		assert_non_null(deny_reason(denied[i]));
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		assert_null(deny_reason(allowed[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_form_is_cut_into_kind_scope_and_name),
	    cmocka_unit_test(what_is_no_pattern_is_refused),
	    cmocka_unit_test(modules_are_matched_by_name_and_the_core_kernel_by_no_module),
	    cmocka_unit_test(a_list_is_cut_at_commas_outside_of_a_regex),
	    cmocka_unit_test(what_tracing_needs_itself_is_denied_and_what_users_ask_for_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
