/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Calls of an allocator that have not returned, and the stack that they came by. Part of
 * heap.bpf.c.
 */
#ifndef KTRACE_HEAP_CALL_BPF_H
#define KTRACE_HEAP_CALL_BPF_H

/* Beyond this a wrapper's frame is not the one above its allocator's: it has returned. */
#define WRAPPER_FRAME 256

/* A thread's call that has not returned; and the wrapper that it may have come by. */
struct heap_call {
	__u64 sp; /* at entry; 0: there is no call */
	__u64 ip, bytes;
	__u64 result; /* HEAP_POSIX_MEMALIGN: where the address goes */
	__u32 function;
	__u8 kept;    /* to be followed if it succeeds */
	__u8 has_old; /* old is what is reallocated, taken out of live */
	__u8 wrapped; /* wrapper_* are of the call's caller */
	__u64 wrapper_sp, wrapper_bp, wrapper_caller; /* sp 0: none is awaited */
	struct heap_key old_key;
	struct heap_value old;
	__u64 deleted; /* what operator delete gave back last: free() may come for it */
	__u64 brk;     /* as of the system call's entry */
};

/* By thread; sized for twice the threads there are. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct heap_call);
} starts SEC(".maps");

/* Same place, other function: a jump in place of a call and return. */
static __always_inline bool is_within(const struct heap_call *call, __u64 sp, __u64 ip)
{
	return call->sp > sp || (call->sp == sp && call->ip != ip);
}

static __always_inline struct heap_call *call_of_thread(bool make)
{
	__u32 tid = bpf_get_current_pid_tgid();
	struct heap_call *call = bpf_map_lookup_elem(&starts, &tid);
	struct heap_call none;

	if (call || !make)
		return call;
	__builtin_memset(&none, 0, sizeof(none));
	return start_new(&starts, &tid, &none);
}

/*
 * Frames from frame pointers on, behind n that are there; returns how many there are. A
 * function of its own: the verifier goes through it once, and not wherever a stack is walked.
 */
__noinline __u32 walk_frames(__u32 level, __u32 n, __u64 fp)
{
	struct walk *walk = bpf_map_lookup_elem(&walks, &level);
	__u64 frame[2]; /* the caller's frame pointer, and where it goes on */
	__u32 i;

	for (i = 0; walk && i < MAX_DEPTH; i++) {
		if (n >= cfg.filter.depth || n >= MAX_DEPTH)
			break;
		if (!fp || bpf_probe_read_user(frame, sizeof(frame), (void *)fp) || !frame[1])
			break;
		*walk_frame(walk, n++) = frame[1];
		if (frame[0] <= fp) /* callers lie above */
			break;
		fp = frame[0];
	}
	return n;
}

/* Was it called by a wrapper that is just above it on the stack? */
static __always_inline void take_wrapper(struct heap_call *call, __u64 sp)
{
	call->wrapped = call->wrapper_sp > sp && call->wrapper_sp - sp <= WRAPPER_FRAME;
	call->wrapper_sp = 0;
}

/* From a wrapper's caller on, for its own frame pointer is not saved. */
static __always_inline __u32 walk_wrapper(const struct heap_call *call, struct walk *walk, __u32 n)
{
	walk->frames.ip[n] = call->wrapper_caller;
	return walk_frames(walk->level, n + 1, call->wrapper_bp);
}

/*
 * At a return: the function, then its caller, where it goes on now, then by frame
 * pointers. At the entry the caller would be missing, for its frame pointer is not saved yet.
 */
static __always_inline long walk_caller(struct user_regs *ctx, const struct heap_call *call,
					struct walk *walk)
{
	long bytes;

	walk->frames.ip[0] = call->ip;
	if (call->wrapped) {
		walk->frames.ip[1] = IP(ctx);
		return (long)(walk_wrapper(call, walk, 2) * sizeof(__u64));
	}
	bytes =
	    bpf_get_stack(ctx, &walk->frames.ip[1], WALK_BYTES - sizeof(__u64), BPF_F_USER_STACK);
	return (bytes > 0 ? bytes : 0) + (long)sizeof(__u64);
}

#endif
