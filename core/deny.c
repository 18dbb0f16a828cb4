// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kernel functions that are never traced in bulk. The kernel itself refuses the
 * worst (notrace, the kprobe blacklist); what is here it allows, and a program on
 * it has recursed, deadlocked or frozen machines all the same.
 */
#include <fnmatch.h>
#include <stddef.h>

#include "core/targets.h"

/* What a program runs through itself, or the kernel to run a program. */
static const char *const own_path[] = {"bpf_*",
				       "__bpf_*",
				       "___bpf_*",
				       "*_map_lookup_elem",
				       "array_map_*",
				       "htab_*",
				       "__htab_*",
				       "percpu_array_map_*",
				       "trace_call_bpf*",
				       "perf_call_bpf*",
				       "perf_trace_*",
				       "perf_tp_*",
				       "perf_swevent_*",
				       "__perf_event_*",
				       "perf_event_update_userpage",
				       "migrate_disable",
				       "migrate_enable",
				       "__migrate_*",
				       "get_task_cred",
				       "copy_from_kernel_nofault*",
				       "copy_from_user_nofault",
				       "kvm_sched_clock*",
				       NULL};

/* What makes probes work: text patching, breakpoints, trampolines, the ring buffer. */
static const char *const tracing[] = {"ftrace_*",
				      "__ftrace_*",
				      "arch_ftrace_*",
				      "fprobe_*",
				      "__fprobe_*",
				      "fgraph_*",
				      "__fgraph_*",
				      "function_graph_*",
				      "function_trace*",
				      "rethook_*",
				      "arch_rethook_*",
				      "*kprobe*",
				      "*kretprobe*",
				      "optimized_callback",
				      "*uprobe*",
				      "trace_*",
				      "__trace_*",
				      "tracing_*",
				      "tracer_*",
				      "ring_buffer_*",
				      "text_poke*",
				      "__text_poke*",
				      "smp_text_poke*",
				      "poke_int3*",
				      "jump_label_*",
				      "static_key_*",
				      "prepare_ftrace_return",
				      "return_to_handler*",
				      "is_bpf_text_address",
				      "*kernel_text_address",
				      "kallsyms_*",
				      "unwind_*",
				      "__unwind_*",
				      "orc_*",
				      "stack_trace_*",
				      "arch_stack_walk*",
				      "get_stack_info*",
				      "in_task_stack*",
				      NULL};

/* Entry from user space, interrupts and exceptions, where RCU may not watch yet. */
static const char *const entry[] = {"entry_*",
				    "asm_*",
				    "exc_*",
				    "__exc_*",
				    "sysvec_*",
				    "__sysvec_*",
				    "irqentry_*",
				    "do_int3*",
				    "do_debug*",
				    "do_trap*",
				    "enter_from_*",
				    "exit_to_*",
				    "syscall_enter_*",
				    "syscall_exit_*",
				    "context_tracking_*",
				    "__context_tracking_*",
				    "ct_*",
				    "user_enter*",
				    "user_exit*",
				    "common_interrupt",
				    "irq_enter*",
				    "irq_exit*",
				    "__irq_exit*",
				    "do_error_trap",
				    "fixup_bug*",
				    "el0_*",
				    "el1_*",
				    "el1h_*",
				    "__x86_indirect_*",
				    "__fentry__",
				    "paravirt_*",
				    "native_*",
				    "pv_*",
				    "xen_*",
				    NULL};

/* NMIs and machine checks may interrupt a probe anywhere. */
static const char *const nmi[] = {"nmi_*",
				  "*_nmi",
				  "*_nmi_*",
				  "do_nmi*",
				  "mce_*",
				  "*machine_check*",
				  "x86_pmu_handle_irq*",
				  "intel_pmu_handle_irq*",
				  "amd_pmu_handle_irq*",
				  "perf_event_overflow*",
				  "__intel_pmu_*",
				  "perf_ibs_*",
				  NULL};

/* Taken with anything held, by BPF's maps too: AB-BA. */
static const char *const spin[] = {"_raw_spin_*",
				   "_raw_read_*",
				   "_raw_write_*",
				   "__raw_spin_*",
				   "do_raw_*",
				   "queued_spin_*",
				   "queued_read_*",
				   "queued_write_*",
				   "__pv_queued_*",
				   "__pv_*",
				   "__raw_callee_save_*",
				   "resilient_*",
				   "rqspinlock_*",
				   "rt_spin_*",
				   "rt_read_*",
				   "rt_write_*",
				   "rtlock_*",
				   "osq_*",
				   "lock_acquire*",
				   "lock_release*",
				   "lock_is_held*",
				   "lockdep_*",
				   "__lock_*",
				   "local_bh_*",
				   "__local_bh_*",
				   NULL};

/* RCU's own functions run where it does not protect the program. */
static const char *const rcu[] = {
    "rcu_*",       "__rcu_*",    "srcu_*",           "__srcu_*",  "rcutree_*", "call_rcu*",
    "__call_rcu*", "sync_rcu_*", "synchronize_rcu*", "*_rcu_qs*", NULL};

/* Clocks, preemption and the switch itself: called from within the others. */
static const char *const sched[] = {"preempt_count_*",
				    "preempt_schedule*",
				    "__preempt_*",
				    "sched_clock*",
				    "local_clock*",
				    "ktime_get*",
				    "read_hv_*",
				    "pvclock_*",
				    "read_tsc",
				    "arch_cpu_idle*",
				    "default_idle*",
				    "cpuidle_*",
				    "*_idle_enter*",
				    "mwait_idle*",
				    "acpi_idle_*",
				    "intel_idle*",
				    "acpi_safe_halt",
				    "arch_scale_*",
				    "debug_smp_processor_id",
				    "__this_cpu_preempt_check",
				    "in_entry_stack",
				    "update_rq_clock*",
				    NULL};

/* Where a machine that is dying says so, and a fault within a probe is mended. */
static const char *const last[] = {"panic*",
				   "oops_*",
				   "die*",
				   "__die*",
				   "printk*",
				   "_printk*",
				   "vprintk*",
				   "console_*",
				   "nbcon_*",
				   "*fixup_exception*",
				   "search_*extable*",
				   "search_exception_tables",
				   "ex_handler_*",
				   "kgdb_*",
				   "kdb_*",
				   "crash_*",
				   "machine_kexec*",
				   NULL};

static const struct {
	const char *const *globs;
	const char *reason;
} groups[] = {
    {own_path, "denied: BPF programs run through it themselves"},
    {tracing, "denied: it is part of tracing"},
    {entry, "denied: it runs where the kernel is just being entered or left"},
    {nmi, "denied: it runs in NMIs or machine checks"},
    {spin, "denied: it takes locks that tracing takes too"},
    {rcu, "denied: RCU does not protect it"},
    {sched, "denied: clocks, preemption and idle are below tracing"},
    {last, "denied: it mends or reports faults"},
};

const char *deny_reason(const char *function)
{
	const char *const *glob;
	size_t i;

	for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		for (glob = groups[i].globs; *glob; glob++)
			if (!fnmatch(*glob, function, 0))
				return groups[i].reason;
	return NULL;
}
