/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What every program shares: the filter, the stack store, the row map and the
 * loss ledger. The including file defines `cfg` first, a struct that begins
 * with `struct filter filter`, in SEC(".rodata.cfg"): its values are constants
 * to the verifier, so what is off costs nothing.
 */
#ifndef KTRACE_BPF_H
#define KTRACE_BPF_H

#include "bpf/state.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define WANT(bit) (cfg.filter.want & (bit))

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u8);
} tgids SEC(".maps"), tids SEC(".maps");

struct loss loss; /* .bss, read by the collector */

#define lose(what) __sync_fetch_and_add(&loss.what, 1)

/* Field of a task: a plain load where the verifier knows the pointer (tp_btf), else a safe read. */
#define TASK(btf, task, field) ((btf) ? (task)->field : BPF_CORE_READ(task, field))

/* A task's raw state as the kernel keeps it. */
static __always_inline __u32 task_state(struct task_struct *task, bool btf)
{
	struct task_struct___old *old = (void *)task;

	if (bpf_core_field_exists(task->__state))
		return TASK(btf, task, __state);
	return BPF_CORE_READ(old, state);
}

static __always_inline bool on_cpu(struct task_struct *task)
{
	/* int before 7.2, u8 from then on: the first byte says it on the little-endian machines
	 * served */
	__u8 on = 0;

	bpf_probe_read_kernel(&on, sizeof(on), &task->on_cpu);
	return on;
}

/*
 * A task leaves its CPU to wait. Is it being woken from that right now, or has it
 * been already? The waker holds pi_lock until the task has left its CPU, or it
 * has queued the wakeup and set the state to say so, before it let go of the lock:
 * they are read in the other order. A task whose dequeue is delayed (since 6.12) is
 * made runnable at once: the run queue is unlocked while the next one is looked for.
 */
static __always_inline bool being_woken(struct task_struct *task)
{
	__u32 lock = 0, state;

	bpf_probe_read_kernel(&lock, sizeof(lock), &task->pi_lock);
	if (lock)
		return true;
	barrier_var(lock); /* 0, and added lest a CPU reads the state first */
	state = task_state((void *)task + lock, false);
	return !state || state & STATE_RAW_WAKING;
}

/* Off its CPU of its own will, as an iterator sees it; no idle task and nothing that has ended. */
static __always_inline bool sleeps(struct task_struct *task)
{
	__u32 raw = task_state(task, true);

	return task->pid && raw && !(raw & STATE_RAW_DEAD) && !task->exit_state && !on_cpu(task);
}

/*
 * When the running task got its CPU, told from how long it has run since it was
 * picked; for switches that were never seen. Real-time classes do not keep the
 * second figure: then it is long ago.
 */
static __always_inline __u64 picked_ns(struct task_struct *task)
{
	return bpf_ktime_get_ns() - (BPF_CORE_READ(task, se.sum_exec_runtime) -
				     BPF_CORE_READ(task, se.prev_sum_exec_runtime));
}

static __always_inline __u64 cgroup_id(struct task_struct *task)
{
	return BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
}

#define CGROUP_LEVELS 32

/* Is the task in cfg's cgroup or below it? */
static __always_inline bool in_cgroup(struct task_struct *task)
{
	struct css_set *set = BPF_CORE_READ(task, cgroups);
	struct cgroup_subsys_state *css;
	struct cgroup *cgrp, *up;
	int level, i;

	if (cfg.filter.cgroup_v1) {
		bpf_probe_read_kernel(&css, sizeof(css),
				      &set->subsys[0] + cfg.filter.cgroup_subsys);
		cgrp = BPF_CORE_READ(css, cgroup);
	} else {
		cgrp = BPF_CORE_READ(set, dfl_cgrp);
	}
	if (BPF_CORE_READ(cgrp, kn, id) == cfg.filter.cgroup)
		return true;
	level = BPF_CORE_READ(cgrp, level);
	for (i = 0; i < CGROUP_LEVELS && i < level; i++) {
		__u64 id = 0;

		if (bpf_core_field_exists(cgrp->ancestors)) {
			bpf_probe_read_kernel(&up, sizeof(up), &cgrp->ancestors[0] + i);
			id = BPF_CORE_READ(up, kn, id);
		} else {
			struct cgroup___old *old = (void *)cgrp;

			bpf_probe_read_kernel(&id, sizeof(id), &old->ancestor_ids[0] + i);
		}
		if (id == cfg.filter.cgroup)
			return true;
	}
	return false;
}

/* A name against one of cfg's. Compared up to NUL, or len bytes. */
static __always_inline bool same_name(const char *name, const volatile char *wanted, int len)
{
	int i;

	for (i = 0; i < len; i++) {
		if (name[i] != wanted[i])
			return false;
		if (!name[i])
			break;
	}
	return true;
}

static __always_inline bool is_self(__u32 tgid)
{
	__u32 self = cfg.filter.self_tgid;

	return self && tgid == self;
}

static __always_inline bool keep_ids(__u32 tgid, __u32 tid)
{
	if (cfg.filter.by_tgid && !bpf_map_lookup_elem(&tgids, &tgid))
		return false;
	if (cfg.filter.by_tid && !bpf_map_lookup_elem(&tids, &tid))
		return false;
	return true;
}

static __always_inline bool keep_flags(__u32 flags)
{
	if (cfg.filter.user_threads && (flags & PF_KTHREAD))
		return false;
	if (cfg.filter.kernel_threads && !(flags & PF_KTHREAD))
		return false;
	return true;
}

/* Any task; btf says that the verifier knows the pointer. */
static __always_inline bool keep_task(struct task_struct *task, bool btf)
{
	if (is_self(TASK(btf, task, tgid)))
		return false;
	if (!cfg.filter.by_any)
		return true;
	if (!keep_ids(TASK(btf, task, tgid), TASK(btf, task, pid)))
		return false;
	if ((cfg.filter.user_threads || cfg.filter.kernel_threads) &&
	    !keep_flags(TASK(btf, task, flags)))
		return false;
	if (cfg.filter.by_comm) {
		char comm[COMM_LEN];

		bpf_probe_read_kernel(comm, sizeof(comm), task->comm);
		if (!same_name(comm, cfg.filter.comm, COMM_LEN))
			return false;
	}
	return !cfg.filter.by_cgroup || in_cgroup(task);
}

/* The running task, whose tgid and tid these are; cheaper than keep_task() if these suffice. */
static __always_inline bool keep_current_as(__u64 id)
{
	if (is_self(id >> 32))
		return false;
	if (!cfg.filter.by_any)
		return true;
	if (!keep_ids(id >> 32, (__u32)id))
		return false;
	if (cfg.filter.by_comm) {
		char comm[COMM_LEN];

		bpf_get_current_comm(comm, sizeof(comm));
		if (!same_name(comm, cfg.filter.comm, COMM_LEN))
			return false;
	}
	if (cfg.filter.user_threads || cfg.filter.kernel_threads || cfg.filter.by_cgroup) {
		struct task_struct *task = (void *)bpf_get_current_task();

		if (!keep_flags(BPF_CORE_READ(task, flags)))
			return false;
		if (cfg.filter.by_cgroup && !in_cgroup(task))
			return false;
	}
	return true;
}

static __always_inline bool keep_current(void)
{
	return keep_current_as(bpf_get_current_pid_tgid());
}

static __always_inline bool keep_interval(__u64 delta_ns)
{
	if (cfg.filter.min_ns && delta_ns < cfg.filter.min_ns)
		return false;
	if (cfg.filter.max_ns && delta_ns > cfg.filter.max_ns)
		return false;
	return true;
}

#include "bpf/stack.bpf.h"
#include "bpf/rows.bpf.h"

/* A function of its own: what comes then is verified once, and not for each slot. */
__noinline __u32 log2_slot(__u64 v)
{
	__u32 slot = 0, hi = v >> 32, low;

	if (hi) {
		slot = 32;
		low = hi;
	} else {
		low = v;
	}
	if (low >> 16) {
		slot += 16;
		low >>= 16;
	}
	if (low >> 8) {
		slot += 8;
		low >>= 8;
	}
	if (low >> 4) {
		slot += 4;
		low >>= 4;
	}
	if (low >> 2) {
		slot += 2;
		low >>= 2;
	}
	return slot + (low >> 1);
}

#define hist_add(slots, v, times) row_add((slots)[log2_slot(v) & (HIST_SLOTS - 1)], times)
#define hist_count(slots, v) hist_add(slots, v, 1)

/* The two programs on a tracepoint, which take its arguments (behind the calls). */
#define ON_EVENT_BOTH(btf, raw, event, btf_call, raw_call, ...) \
	SEC("tp_btf/" #event)                                   \
	int BPF_PROG(btf, ##__VA_ARGS__)                        \
	{                                                       \
		btf_call;                                       \
		return 0;                                       \
	}                                                       \
	SEC("raw_tp/" #event)                                   \
	int BPF_PROG(raw, ##__VA_ARGS__)                        \
	{                                                       \
		raw_call;                                       \
		return 0;                                       \
	}

/* That do the same. Not for one that reads through a pointer, or whose argument is const void *. */
#define ON_EVENT(btf, raw, event, call, ...) \
	ON_EVENT_BOTH(btf, raw, event, call, call, ##__VA_ARGS__)

/* The two programs BASE_fentry and BASE_kprobe on the entry of a function. */
#define ON_ENTRY(base, call, ...)                    \
	SEC("fentry")                                \
	int BPF_PROG(base##_fentry, ##__VA_ARGS__)   \
	{                                            \
		call;                                \
		return 0;                            \
	}                                            \
	SEC("kprobe")                                \
	int BPF_KPROBE(base##_kprobe, ##__VA_ARGS__) \
	{                                            \
		call;                                \
		return 0;                            \
	}

/* What names the running task in a key, as far as it is shown. */
#define key_current(key)                                                           \
	do {                                                                       \
		__u64 id_ = bpf_get_current_pid_tgid();                            \
		if (WANT(WANT_COMM))                                               \
			bpf_get_current_comm((key)->comm, COMM_LEN);               \
		if (WANT(WANT_TGID | WANT_USTACK))                                 \
			(key)->tgid = id_ >> 32;                                   \
		if (WANT(WANT_TID))                                                \
			(key)->tid = (__u32)id_;                                   \
		if (WANT(WANT_CGROUP))                                             \
			(key)->cgroup = cgroup_id((void *)bpf_get_current_task()); \
	} while (0)

/* A followed command's children: threads share its tgid, processes enter the map. */
static __always_inline void follow_fork(__u32 parent_tgid, __u32 child_tgid)
{
	__u8 one = 1;

	if (parent_tgid == child_tgid || !bpf_map_lookup_elem(&tgids, &parent_tgid))
		return;
	if (bpf_map_update_elem(&tgids, &child_tgid, &one, BPF_ANY))
		lose(events);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(fork_btf, struct task_struct *parent, struct task_struct *child)
{
	follow_fork(parent->tgid, child->tgid);
	return 0;
}

SEC("raw_tp/sched_process_fork")
int BPF_PROG(fork_raw, struct task_struct *parent, struct task_struct *child)
{
	follow_fork(BPF_CORE_READ(parent, tgid), BPF_CORE_READ(child, tgid));
	return 0;
}

/* The record has the child's tid only; for a new thread that puts a tid in tgids, which harms
 * nobody. */
SEC("tp/sched/sched_process_fork")
int fork_tp(struct trace_event_raw_sched_process_fork *ctx)
{
	follow_fork(bpf_get_current_pid_tgid() >> 32, ctx->child_pid);
	return 0;
}

#endif
