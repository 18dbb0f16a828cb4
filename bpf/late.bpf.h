/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Stacks of kept intervals only. sched_switch comes before the switch, when the
 * memory of the thread that leaves is mapped; sched_exit_tp (since 6.16) after it,
 * in the thread that got the CPU, and before anything else can run there. So an
 * interval opens at sched_switch and closes at sched_exit_tp: what is kept is walked
 * there, where both stacks are what they were when the thread left its CPU.
 *
 * Part of offcpu.bpf.c.
 */
#ifndef KTRACE_LATE_BPF_H
#define KTRACE_LATE_BPF_H

/* When this CPU's sched_switch was: the time that counts. 0: it was not seen. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} switch_ns SEC(".maps");

static __always_inline void late_begin(void)
{
	__u32 first = 0;
	__u64 *ns = bpf_map_lookup_elem(&switch_ns, &first);

	if (ns)
		*ns = bpf_ktime_get_ns();
}

/* When the running task got its CPU, which it left at that time. */
static __always_inline __u64 late_in_ns(__u64 out_ns)
{
	__u32 first = 0;
	__u64 *ns = bpf_map_lookup_elem(&switch_ns, &first);
	__u64 in_ns = ns ? *ns : 0;

	if (ns)
		*ns = 0;
	return in_ns > out_ns ? in_ns : bpf_ktime_get_ns();
}

static __always_inline void late_end(void *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 tid = task->pid;
	struct start *start = bpf_map_lookup_elem(&starts, &tid);
	__u64 delta_ns;

	if (!start || !start->ts)
		return;
	delta_ns = late_in_ns(start->ts) - start->ts;
	start->ts = 0;
	if (!keep_interval(delta_ns) || !keep_sampled(delta_ns))
		return;
	start->kstack = kstack_of_current(ctx);
	start->ustack = ustack_of(ctx, task, true);
	row_count(start, tid, delta_ns);
}

/*
 * The walk of a thread that does not run: the program may sleep meanwhile, and must not hold a
 * buffer of its CPU. It has one reader, so one is enough.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct walk);
} late_walks SEC(".maps");

struct user_frame {
	__u64 next, caller;
};

/* Somebody writes, or waits for it: RWSEM_WRITER_LOCKED, RWSEM_FLAG_WAITERS, RWSEM_FLAG_HANDOFF. */
#define RWSEM_TAKEN 7

/*
 * To read a process's memory takes its mmap_lock. Where a hung thread has that we would hang with
 * it, and nobody would see what hangs.
 */
static __always_inline bool can_read(struct mm_struct *mm)
{
	return !bpf_core_field_exists(mm->mmap_lock.count) ||
	       !(BPF_CORE_READ(mm, mmap_lock.count.counter) & RWSEM_TAKEN);
}

#define USER_CS 0x33 /* 64-bit code of x86-64: other frames are not read */

/* Into a buffer of the CPU: all, for the verifier must know the size. Gives the bytes of n frames.
 */
static __always_inline long walk_copy(struct walk *to, const struct walk *from, __u32 n)
{
	bpf_probe_read_kernel(to->frames.ip, WALK_BYTES, from->frames.ip);
	return n * sizeof(__u64);
}

/* User stack of a blocked thread, by frame pointers as the kernel walks that of a running one. */
static __always_inline __u64 ustack_of_blocked(struct task_struct *task)
{
	struct pt_regs *regs = (void *)bpf_task_pt_regs(task);
	struct user_frame frame;
	__u32 first = 0, n;
	struct walk *walk = bpf_map_lookup_elem(&late_walks, &first);
	__u64 at;

	if (!WANT(WANT_USTACK) || !task->mm || (task->flags & PF_KTHREAD))
		return STACK_NONE;
	if (!walk || regs->cs != USER_CS || !can_read(task->mm)) {
		lose(stacks);
		return STACK_LOST;
	}
	walk->frames.ip[0] = regs->ip;
	at = regs->bp;
	for (n = 1; n < MAX_DEPTH && n < cfg.filter.depth; n++) {
		if (bpf_copy_from_user_task(&frame, sizeof(frame), (void *)at, task, 0))
			break;
		walk->frames.ip[n & MAX_DEPTH] = frame.caller;
		at = frame.next;
	}
	return STACK_WALK(walk_copy(walk_, walk, n));
}

#endif
