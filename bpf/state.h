/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Task states: the kernel's bits, the letter each combination is shown as, and
 * the filter over them. Raw is what task_struct.__state holds (include/linux/sched.h),
 * not the code in the record of the classic sched_switch tracepoint.
 */
#ifndef KTRACE_STATE_H
#define KTRACE_STATE_H

#ifndef KTRACE_KERNEL_H
#include <linux/types.h>
#endif

enum state_raw {
	STATE_RAW_INTERRUPTIBLE = 0x1,
	STATE_RAW_UNINTERRUPTIBLE = 0x2,
	STATE_RAW_STOPPED = 0x4,
	STATE_RAW_TRACED = 0x8,
	STATE_RAW_EXIT_DEAD = 0x10,
	STATE_RAW_EXIT_ZOMBIE = 0x20,
	STATE_RAW_PARKED = 0x40,
	STATE_RAW_DEAD = 0x80,
	STATE_RAW_WAKEKILL = 0x100,
	STATE_RAW_WAKING = 0x200,
	STATE_RAW_NOLOAD = 0x400,
	STATE_RAW_NEW = 0x800,
	STATE_RAW_RTLOCK = 0x1000, /* since 5.15 */
	STATE_RAW_FREEZABLE =
	    0x2000, /* since 6.1 (f5d39b020809), with the sleep it may be frozen in */
	STATE_RAW_FROZEN = 0x8000, /* likewise, in place of that sleep */
	STATE_RAW_KILLABLE = STATE_RAW_WAKEKILL | STATE_RAW_UNINTERRUPTIBLE,
	STATE_RAW_IDLE = STATE_RAW_NOLOAD | STATE_RAW_UNINTERRUPTIBLE,
};

/* Index of a letter in STATE_LETTERS; what a key stores. */
enum state {
	STATE_R,
	STATE_S,
	STATE_D,
	STATE_I,
	STATE_K,
	STATE_T, /* T: stopped by a signal */
	STATE_TRACED,
	STATE_P,
	STATE_L,
	STATE_X,
	STATE_Z,
	STATE_N,
	STATE_COUNT,
};
#define STATE_LETTERS "RSDIKTtPLXZN"

/* Which states are kept. All zero keeps every one. */
struct state_filter {
	__u32 letters;  /* 1 << enum state, when not by_raw */
	__u32 raw_mask; /* when by_raw: any bit in common; 0 is exactly state 0 */
	__u8 on;
	__u8 by_raw;
	__u8 unused[2];
};

/*
 * The common sleeps come first: this runs at every context switch. A frozen
 * task has lost the state it slept in; the kernel reports it as D, and so here.
 */
static inline __attribute__((always_inline)) __u32 state_index_of_raw(__u32 raw)
{
	if (raw & STATE_RAW_INTERRUPTIBLE)
		return STATE_S;
	if (raw & STATE_RAW_UNINTERRUPTIBLE) {
		if (raw & STATE_RAW_NOLOAD)
			return STATE_I;
		return raw & STATE_RAW_WAKEKILL ? STATE_K : STATE_D;
	}
	if (raw & STATE_RAW_FROZEN)
		return STATE_D;
	if (raw & STATE_RAW_STOPPED)
		return STATE_T;
	if (raw & STATE_RAW_TRACED)
		return STATE_TRACED;
	if (raw & STATE_RAW_PARKED)
		return STATE_P;
	if (raw & STATE_RAW_RTLOCK)
		return STATE_L;
	if (raw & (STATE_RAW_DEAD | STATE_RAW_EXIT_DEAD))
		return STATE_X;
	if (raw & STATE_RAW_EXIT_ZOMBIE)
		return STATE_Z;
	return raw & STATE_RAW_NEW ? STATE_N : STATE_R;
}

#endif
