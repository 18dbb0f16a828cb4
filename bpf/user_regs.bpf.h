/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What programs on user functions need. A process's registers as they get them. Their layout is
 * part of the kernel's ABI (asm/ptrace.h), so nothing is relocated: the verifier takes loads from a
 * context at fixed offsets only, and clang shares the address of one that is relocated.
 */
#ifndef KTRACE_USER_REGS_BPF_H
#define KTRACE_USER_REGS_BPF_H

#if defined(__TARGET_ARCH_x86)
struct user_regs {
	__u64 r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs,
	    flags, sp, ss;
};

#define ARG1(regs) ((regs)->di)
#define ARG2(regs) ((regs)->si)
#define ARG3(regs) ((regs)->dx)
#define RESULT(regs) ((regs)->ax)
#define SP(regs) ((regs)->sp)
#define IP(regs) ((regs)->ip)
#define FRAME(regs) ((regs)->bp)
/* How far the stack pointer is after a return from where it was at the function's entry. */
#define RETURN_POPS sizeof(__u64)

#define syscall_regs user_regs
#define SYSCALL_NUMBER(regs) ((regs)->orig_ax)
#define SYSCALL_ARG1(regs) ((regs)->di) /* as it was at entry, also at exit */
#define SYSCALL_ARG4(regs) ((regs)->r10)
enum { SYSCALL_MMAP = 9, SYSCALL_MUNMAP = 11, SYSCALL_BRK = 12, SYSCALL_MREMAP = 25 };
#else
struct user_regs {
	__u64 x[31], sp, pc;
};

#define ARG1(regs) ((regs)->x[0])
#define ARG2(regs) ((regs)->x[1])
#define ARG3(regs) ((regs)->x[2])
#define RESULT(regs) ((regs)->x[0])
#define SP(regs) ((regs)->sp)
#define IP(regs) ((regs)->pc)
#define FRAME(regs) ((regs)->x[29])
#define RETURN_POPS 0

/* With what the kernel keeps behind them. */
struct syscall_regs {
	__u64 x[31], sp, pc, pstate, orig_x0;
	__s32 syscallno;
};

#define SYSCALL_NUMBER(regs) ((regs)->syscallno)
#define SYSCALL_ARG1(regs) ((regs)->orig_x0)
#define SYSCALL_ARG4(regs) ((regs)->x[3])
enum { SYSCALL_MMAP = 222, SYSCALL_MUNMAP = 215, SYSCALL_BRK = 214, SYSCALL_MREMAP = 216 };
#endif

/* Where the function returns to, at its entry; 0: cannot be read. */
static __always_inline __u64 caller_at_entry(struct user_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	__u64 caller = 0;

	bpf_probe_read_user(&caller, sizeof(caller), (void *)SP(regs));
	return caller;
#else
	return regs->x[30];
#endif
}

/*
 * Needs cfg.never, which is 0. Since 6.13 a program has a stack for each CPU in place of the
 * task's, which is wrong for those on user functions: they can be preempted by each other, and then
 * write into each other's (a panic on 7.3). One with a tail call has none, whether it is reached or
 * not.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} nothing SEC(".maps");

#define ON_TASK_STACK(ctx)                               \
	do {                                             \
		if (cfg.never)                           \
			bpf_tail_call(ctx, &nothing, 0); \
	} while (0)

#endif
