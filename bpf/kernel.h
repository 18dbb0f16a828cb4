/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every kernel type and field that is read, in place of vmlinux.h: CO-RE
 * relocates them by name, so only names and nesting count here, not offsets.
 * A renamed field carries the commit or version that renamed it; the old name
 * lives in a ___old flavour.
 */
#ifndef KTRACE_KERNEL_H
#define KTRACE_KERNEL_H
#define __VMLINUX_H__ /* bpf_tracing.h: the types come from here */

typedef unsigned char __u8;
typedef signed char __s8;
typedef unsigned short __u16;
typedef short __s16;
typedef unsigned int __u32;
typedef int __s32;
typedef unsigned long long __u64;
typedef long long __s64;
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s64 s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef unsigned long size_t;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

/* include/uapi/linux/bpf.h; fixed numbers. */
enum {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PROG_ARRAY = 3,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
};
enum {
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
	BPF_EXIST = 2,
};
enum {
	BPF_F_SKIP_FIELD_MASK = 0xff,
	BPF_F_USER_STACK = 1 << 8,
	BPF_F_MMAPABLE = 1 << 10,
};

/* include/uapi/asm-generic/errno-base.h */
#define ENOENT 2
#define EEXIST 17

/* include/linux/sched.h; stable since 2.6. */
#define PF_WQ_WORKER 0x00000020
#define PF_KTHREAD 0x00200000

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct pt_regs {
	long unsigned int r8, bp, cx, dx, si, di, ax, ip, sp;
	unsigned short cs; /* of 64 bits before 6.9 */
};

/* arm64's */
struct user_pt_regs {
	__u64 regs[31];
	__u64 sp, pc;
};

struct mutex {
	struct {
		__s64 counter; /* a task, and flags in the three lowest bits */
	} owner;
};

struct rt_mutex_base {
	struct task_struct *owner; /* and a flag in the lowest bit */
};

/* PREEMPT_RT; before 5.15 (bb630f9f7a7d) its member was `struct rt_mutex lock`. */
struct mutex___rt {
	struct rt_mutex_base rtmutex;
};

struct mutex___rt_old {
	struct {
		struct task_struct *owner;
	} lock;
};

/* PREEMPT_RT: the lock that may sleep. Before 5.15, in RT's own tree, a struct rt_mutex. */
struct spinlock___rt {
	struct {
		void *owner;
	} lock;
};

struct bpf_raw_tracepoint_args {
	__u64 args[0];
};

struct kernfs_node {
	__u64 id; /* u64 since 5.5 (67c0496e87d1) */
};

struct cgroup {
	struct kernfs_node *kn;
	int level;
	struct cgroup *ancestors[]; /* since 6.1 (7f203bc89eb6) */
};

struct cgroup___old {
	int level;
	__u64 ancestor_ids[]; /* before 6.1 */
};

struct cgroup_subsys_state {
	struct cgroup *cgroup;
};

struct css_set {
	struct cgroup_subsys_state *subsys[1]; /* length depends on the configuration */
	struct cgroup *dfl_cgrp;
};

/* Of PREEMPT_RT it has no count. */
struct rw_semaphore {
	struct {
		long counter; /* readers, and flags in the three lowest bits */
	} count;
};

struct mm_struct {
	long unsigned int brk;
	struct rw_semaphore mmap_lock;
};

struct signal_struct {
	struct {
		int counter; /* threads that have not ended */
	} live;
};

struct sched_entity {
	__u64 sum_exec_runtime;      /* up to now, at a switch */
	__u64 prev_sum_exec_runtime; /* as of when the task was picked to run */
	unsigned char sched_delayed; /* since 6.12: asleep, and still queued */
};

/* Begins with the lock word: 0 when nobody holds it. */
struct raw_spinlock {
	__u32 raw_lock;
};

struct task_struct {
	unsigned int __state; /* since 5.14 (2f064a59a11f) */
	int on_cpu;           /* u8 since 7.2: read by size */
	int on_rq;
	int exit_state;
	unsigned int flags;
	int pid;
	int tgid;
	struct mm_struct *mm;
	struct signal_struct *signal;
	struct raw_spinlock pi_lock; /* held while the task is woken */
	struct sched_entity se;
	struct css_set *cgroups;
	struct task_struct *group_leader;
	char comm[16];
	void *worker_private; /* of a kernel thread its struct kthread; since 5.17 (e32cf5dfbe22) */
	int *set_child_tid;   /* before, here */
};

struct task_struct___old {
	long state; /* before 5.14 */
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id;
	__u64 seq_num;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct trace_entry {
	unsigned short type;
};

/* Classic tracepoint records. Their offsets move (RT, 6.18): always by CO-RE. */
struct trace_event_raw_sched_switch {
	struct trace_entry ent;
	char prev_comm[16];
	int prev_pid;
	long prev_state;
	char next_comm[16];
	int next_pid;
};

/* sched_waking, sched_wakeup, sched_wakeup_new */
struct trace_event_raw_sched_wakeup_template {
	struct trace_entry ent;
	char comm[16];
	int pid;
};

struct trace_event_raw_sched_process_fork {
	struct trace_entry ent;
	int parent_pid;
	int child_pid;
};

struct workqueue_struct {
	char name[32]; /* 24 before 6.12: read as a string */
};

struct pool_workqueue {
	struct workqueue_struct *wq;
};

struct work_struct {
	struct {
		long counter;
	} data; /* atomic_long_t; its lowest bit, WORK_STRUCT_PENDING: queued, or a timer is set */
	void *func;
};

struct kthread {
	void *data; /* what its function was given: of a kworker its struct worker */
};

struct worker {
	struct work_struct *current_work;
	struct pool_workqueue *current_pwq;
	struct workqueue_struct *rescue_wq; /* of a rescuer; NULL: it is none */
};

struct list_head {
	struct list_head *next;
};

struct kthread_work {
	struct list_head node; /* of the queue; alone: not queued */
	void *func;
};

struct kthread_worker {
	struct task_struct *task;
};

struct trace_event_raw_sched_kthread_work_queue_work {
	struct trace_entry ent;
	void *work;
	void *worker;
};

struct trace_event_raw_sched_kthread_work_execute_start {
	struct trace_entry ent;
	void *work;
	void *function;
};

struct trace_event_raw_sched_kthread_work_execute_end {
	struct trace_entry ent;
	void *work;
};

struct trace_event_raw_workqueue_queue_work {
	struct trace_entry ent;
	void *work;
	void *function;
	__u32 __data_loc_workqueue; /* a string; before (5.10) a pointer */
};

struct trace_event_raw_workqueue_queue_work___old {
	struct workqueue_struct *workqueue; /* before */
};

struct trace_event_raw_workqueue_execute_start {
	struct trace_entry ent;
	void *work;
	void *function;
};

struct trace_event_raw_workqueue_execute_end {
	struct trace_entry ent;
	void *work;
	void *function;
};

struct tasklet_struct {
	void *func; /* or callback, in the same place since 5.9 (12cc923f1ccc) */
};

/* tasklet_entry, tasklet_exit: not in 5.10 and early releases of 6.1 */
struct trace_event_raw_tasklet {
	struct trace_entry ent;
	void *tasklet;
	void *func;
};

struct trace_event_raw_softirq {
	struct trace_entry ent;
	unsigned int vec;
};

#include "bpf/kernel_mm.h"

/* lock:contention_*, since 5.19 (16edd9b511a1) */
struct trace_event_raw_contention_begin {
	struct trace_entry ent;
	void *lock_addr;
	unsigned int flags;
};

struct trace_event_raw_contention_end {
	struct trace_entry ent;
	void *lock_addr;
	int ret;
};

/* since 7.2 */
struct trace_event_raw_contended_release {
	struct trace_entry ent;
	void *lock_addr;
};

#pragma clang attribute pop

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#endif
