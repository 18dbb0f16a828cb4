/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Memory that processes take from the kernel themselves: by system calls, which see all of
 * it. What an allocator takes within a call of its own is not counted beside its blocks.
 * Part of heap.bpf.c.
 */
#ifndef KTRACE_HEAP_MAP_BPF_H
#define KTRACE_HEAP_MAP_BPF_H

/* include/uapi/asm-generic/mman-common.h */
#define MAP_FIXED 0x10
#define MAP_ANONYMOUS 0x20

#define MAX_ERRNO 4095

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct heap_key);
	__type(value, struct heap_cut);
} cuts SEC(".maps");

static __always_inline __u64 whole_pages(__u64 bytes)
{
	return (bytes + cfg.page_bytes - 1) & ~(cfg.page_bytes - 1);
}

/* A mapping that goes as a whole is forgotten; what remains of others, the reader finds out. */
static __always_inline void map_cut(__u64 addr, __u64 bytes)
{
	struct heap_cut cut = {.bytes = bytes, .ts_ns = bpf_ktime_get_ns()};
	struct heap_key key = key_of(addr);
	struct heap_value *value = bpf_map_lookup_elem(&live, &key);

	if (!bytes)
		return;
	if (value && value->class == LEAK_MMAP && value->bytes == bytes) {
		bpf_map_delete_elem(&live, &key);
		return;
	}
	key.unused = cut.ts_ns >> 6;
	if (bpf_map_update_elem(&cuts, &key, &cut, BPF_ANY))
		lose(events);
}

/* A library's function that makes a system call has no frame: see on_wrapper(). */
static __always_inline long walk_syscall(void *ctx, const struct syscall_regs *regs,
					 struct heap_call *call, struct walk *walk)
{
	if (call) /* a system call, unlike a call, pushes nothing */
		take_wrapper(call, SP(regs) - sizeof(__u64));
	if (call && call->wrapped) {
		walk->frames.ip[0] = IP(regs);
		return (long)(walk_wrapper(call, walk, 1) * sizeof(__u64));
	}
	return bpf_get_stack(ctx, walk->frames.ip, WALK_BYTES, BPF_F_USER_STACK);
}

static __always_inline void map_add(void *ctx, const struct syscall_regs *regs,
				    struct heap_call *call, __u64 addr, __u64 bytes)
{
	struct heap_value value = {};
	struct heap_key key = key_of(addr);

	if (!keep_bytes(bytes))
		return;
	value_begin(&value, LEAK_MMAP, bytes);
	if (WANT(WANT_USTACK))
		value.ustack = STACK_WALK(walk_syscall(ctx, regs, call, walk_));
	live_add(&key, &value);
}

/* What was followed there goes on elsewhere, or in another size. */
static __always_inline void map_move(void *ctx, const struct syscall_regs *regs,
				     struct heap_call *call, __u64 to)
{
	struct heap_key key = key_of(SYSCALL_ARG1(regs));

	if (!bpf_map_delete_elem(&live, &key))
		map_add(ctx, regs, call, to, whole_pages(ARG3(regs)));
}

static __always_inline void brk_moved(void *ctx, const struct syscall_regs *regs,
				      struct heap_call *call, __u64 to)
{
	__u64 from = call ? call->brk : 0;

	if (!from)
		return;
	call->brk = 0;
	if (to > from)
		map_add(ctx, regs, call, from, to - from);
	else if (to < from)
		map_cut(to, from - to);
}

/* The allocator's own? */
static __always_inline bool is_inside(const struct heap_call *call, const struct syscall_regs *regs)
{
	return call && call->sp > SP(regs);
}

/* Before the kernel can give the place to another thread. */
static __always_inline void on_sys_enter(__u64 regs_at, __u64 number)
{
	struct syscall_regs regs;
	struct heap_call *call;

	if ((number != SYSCALL_MUNMAP && number != SYSCALL_BRK) || !keep_current() ||
	    bpf_probe_read_kernel(&regs, sizeof(regs), (void *)regs_at))
		return;
	call = call_of_thread(number == SYSCALL_BRK);
	if (is_inside(call, &regs))
		return;
	if (number == SYSCALL_MUNMAP) {
		map_cut(ARG1(&regs), whole_pages(ARG2(&regs)));
	} else if (call) {
		struct task_struct *task = (void *)bpf_get_current_task();

		call->brk = BPF_CORE_READ(task, mm, brk);
	}
}

static __always_inline void on_sys_exit(void *ctx, __u64 regs_at, __u64 result)
{
	struct syscall_regs regs;
	struct heap_call *call;
	__u64 number, flags;

	if (result >= (__u64)-MAX_ERRNO ||
	    bpf_probe_read_kernel(&regs, sizeof(regs), (void *)regs_at))
		return;
	number = SYSCALL_NUMBER(&regs);
	if ((number != SYSCALL_MMAP && number != SYSCALL_MREMAP && number != SYSCALL_BRK) ||
	    !keep_current())
		return;
	call = call_of_thread(false);
	if (is_inside(call, &regs))
		return;
	flags = SYSCALL_ARG4(&regs);
	if (number == SYSCALL_BRK)
		brk_moved(ctx, &regs, call, result);
	else if (number == SYSCALL_MREMAP)
		map_move(ctx, &regs, call, result);
	else if (flags & MAP_FIXED)
		map_cut(result, whole_pages(ARG2(&regs)));
	if (number == SYSCALL_MMAP && flags & MAP_ANONYMOUS)
		map_add(ctx, &regs, call, result, whole_pages(ARG2(&regs)));
}

#define ON_SYSCALL(name, call)                              \
	SEC("tp_btf/" #name)                                \
	int name##_btf(struct bpf_raw_tracepoint_args *ctx) \
	{                                                   \
		call;                                       \
		return 0;                                   \
	}                                                   \
	SEC("raw_tp/" #name)                                \
	int name##_raw(struct bpf_raw_tracepoint_args *ctx) \
	{                                                   \
		call;                                       \
		return 0;                                   \
	}

ON_SYSCALL(sys_enter, on_sys_enter(ctx->args[0], ctx->args[1]))
ON_SYSCALL(sys_exit, on_sys_exit(ctx, ctx->args[0], ctx->args[1]))

#endif
