/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/context.h"

#include <cmocka.h>

/* A stack as "leaf;...;outermost", and what is said of it. */
static void expect(const char *stack, const char *context, bool interrupted, uint32_t kept)
{
	static char copy[1024];
	const char *names[32];
	uint32_t n = 0, all;
	bool was = !interrupted;
	const char *got;

	assert_true(strlen(stack) < sizeof(copy));
	strcpy(copy, stack);
	for (char *word = strtok(copy, ";"); word; word = strtok(NULL, ";"))
		names[n++] = word;
	all = n;
	got = context_of(names, &n, &was);
	if (strcmp(got, context) || was != interrupted || n != (kept ? kept : all))
		print_error("%s\n", stack);
	assert_string_equal(got, context);
	assert_int_equal(was, interrupted);
	assert_int_equal(n, kept ? kept : all);
}

static void a_system_call_is_a_task(void **state)
{
	(void)state;
	expect("", "task", false, 0);
	expect("[unknown]", "task", false, 0);
	expect("pipe_write;vfs_write;ksys_write;do_syscall_64;entry_SYSCALL_64_after_hwframe",
	       "task", false, 0);
	expect("kthread;ret_from_fork;ret_from_fork_asm", "task", false, 0);
}

static void a_device_interrupt_is_hardirq_and_ends_the_stack(void **state)
{
	(void)state;
	expect("vring_interrupt;__handle_irq_event_percpu;handle_irq_event;common_interrupt;"
	       "asm_common_interrupt;user_function;main",
	       "hardirq", true, 5);
	expect(
	    "vring_interrupt;__handle_irq_event_percpu;gic_handle_irq;el1h_64_irq;do_work;kthread",
	    "hardirq", true, 4);
	expect("try_to_wake_up;sysvec_reschedule_ipi;asm_sysvec_reschedule_ipi;pv_native_safe_halt;"
	       "default_idle",
	       "hardirq", true, 3);
}

static void a_timer_is_told_from_the_interrupt_that_carries_it(void **state)
{
	(void)state;
	expect("hrtimer_wakeup;__hrtimer_run_queues;hrtimer_interrupt;"
	       "__sysvec_apic_timer_interrupt;sysvec_apic_timer_interrupt;"
	       "asm_sysvec_apic_timer_interrupt;default_idle;do_idle",
	       "timer", true, 6);
	expect(
	    "process_timeout;call_timer_fn;__run_timers.part.0;run_timer_softirq;handle_softirqs;"
	    "__irq_exit_rcu;sysvec_apic_timer_interrupt;asm_sysvec_apic_timer_interrupt;"
	    "default_idle",
	    "timer", true, 8);
}

static void a_softirq_after_an_interrupt_is_nobodys(void **state)
{
	(void)state;
	expect("sock_def_readable;net_rx_action;handle_softirqs;__irq_exit_rcu;common_interrupt;"
	       "asm_common_interrupt;main",
	       "softirq", true, 6);
}

static void a_softirq_that_a_task_runs_is_its_own_doing(void **state)
{
	(void)state;
	expect("sock_def_readable;net_rx_action;handle_softirqs;do_softirq.part.0;"
	       "__local_bh_enable_ip;tcp_sendmsg;__sys_sendto;do_syscall_64",
	       "softirq", false, 0);
	expect("rcu_core;__do_softirq;run_ksoftirqd;smpboot_thread_fn;kthread", "softirq", false,
	       0);
}

static void the_innermost_context_decides(void **state)
{
	(void)state;
	/* A hard interrupt in the middle of a softirq. */
	expect("vring_interrupt;__handle_irq_event_percpu;common_interrupt;asm_common_interrupt;"
	       "net_rx_action;handle_softirqs;irq_exit_rcu;sysvec_x;asm_sysvec_x;main",
	       "hardirq", true, 4);
}

static void what_was_interrupted_says_nothing_about_a_task(void **state)
{
	(void)state;
	/* An entry without any mark inside of it: a page fault looks like this, and is a task's. */
	expect("handle_mm_fault;exc_page_fault;asm_exc_page_fault;main", "task", false, 0);
}

static void offsets_and_modules_do_not_hide_a_name(void **state)
{
	(void)state;
	expect("x+0x10 [mod];__handle_irq_event_percpu+0x4a;asm_common_interrupt+0x22;main",
	       "hardirq", true, 3);
	expect("x;handle_softirqs.isra.0+0xd0;ret_from_fork", "softirq", false, 0);
	/* A module may name a function as it likes; its name decides all the same. */
	expect("x;__handle_irq_event_percpu [odd];main", "hardirq", false, 0);
}

static void names_that_only_resemble_a_mark_are_none(void **state)
{
	(void)state;
	expect("my_hrtimer_interrupt;hrtimer_interrupt_x;run_timer_softirq2;x__do_softirq;"
	       "xsysvec_;common_interrup;ret_from_intr",
	       "task", false, 0);
}

static void a_name_of_any_length_is_taken(void **state)
{
	static char name[600];
	const char *names[] = {name, "handle_softirqs"};
	uint32_t n = 2;
	bool interrupted;

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	assert_string_equal(context_of(names, &n, &interrupted), "softirq");
	assert_int_equal(n, 2);
	memcpy(name, "handle_softirqs",
	       15); /* a mark ends with * and would match, were it not cut off */
	n = 1;
	assert_string_equal(context_of(names, &n, &interrupted), "task");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_system_call_is_a_task),
	    cmocka_unit_test(a_device_interrupt_is_hardirq_and_ends_the_stack),
	    cmocka_unit_test(a_timer_is_told_from_the_interrupt_that_carries_it),
	    cmocka_unit_test(a_softirq_after_an_interrupt_is_nobodys),
	    cmocka_unit_test(a_softirq_that_a_task_runs_is_its_own_doing),
	    cmocka_unit_test(the_innermost_context_decides),
	    cmocka_unit_test(what_was_interrupted_says_nothing_about_a_task),
	    cmocka_unit_test(offsets_and_modules_do_not_hide_a_name),
	    cmocka_unit_test(names_that_only_resemble_a_mark_are_none),
	    cmocka_unit_test(a_name_of_any_length_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
