/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Roles that several tools have, as rows for their hook tables. */
#ifndef KTRACE_HOOKS_H
#define KTRACE_HOOKS_H

/* A tracepoint seen in three ways: programs BASE_btf, BASE_raw, BASE_tp. */
#define HOOKS_EVENT(object, role, base, target, ...)                           \
	HOOK(object, role, VIA_TP_BTF, base##_btf, target, ##__VA_ARGS__),     \
	    HOOK(object, role, VIA_RAW_TP, base##_raw, target, ##__VA_ARGS__), \
	    HOOK(object, role, VIA_TRACEPOINT, base##_tp, target, ##__VA_ARGS__)

/* sched_switch hands over prev_state since 5.19; before, the task is asked. */
#define HOOKS_SWITCH(object)                                                                 \
	HOOK(object, "switch", VIA_TP_BTF, switch_btf, "sched:sched_switch", .param = 3,     \
	     .param_type = "unsigned int"),                                                  \
	    HOOK(object, "switch", VIA_TP_BTF, switch_btf_old, "sched:sched_switch"),        \
	    HOOK(object, "switch", VIA_RAW_TP, switch_raw, "sched:sched_switch", .param = 3, \
		 .param_type = "unsigned int"),                                              \
	    HOOK(object, "switch", VIA_RAW_TP, switch_raw_old, "sched:sched_switch"),        \
	    HOOK(object, "switch", VIA_TRACEPOINT, switch_tp, "sched:sched_switch")

/* Children of a followed command. */
#define HOOKS_FOLLOW(object) \
	HOOKS_EVENT(object, "follow", fork, "sched:sched_process_fork", .when = HOOK_FOLLOW)

#endif
