/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Kernel stacks without the kernel's unwinder, which takes most of an event's
 * time: it begins in its own frames and looks each address up in large tables.
 *
 * Where a function has called from decides how far the return address of its own
 * caller lies from the return address into it: one distance per address, as long
 * as the frame's size is fixed. Such rules are learned from stacks that the kernel
 * has walked. Following them gives the addresses the kernel would give, and the
 * id under which that stack is kept.
 *
 * Why such a stack can be trusted:
 * - A walk tells where its return addresses lie only up to stale copies of them.
 *   Each walk leaves the distances that are possible, and those possible in all
 *   walks are kept: the true one is among them as long as it is fixed. When after
 *   RULE_ENOUGH walks no more than three are left they are a rule (of copies that
 *   are always there, such as the caller that is told to a tracepoint). All must
 *   hold the same address then.
 * - Where none is left it was not fixed. A function that aligns its frame to 16
 *   bytes has two distances: the caller's saved rbp, no code, lies where the
 *   shorter one has the return address. With the random offset of system calls
 *   the next address may have a fixed distance from the end of the stack. What
 *   is none of these has no rule.
 * - A rule that a later walk does not bear out is dropped.
 * - The last address must be the last word of the stack, below the user's registers.
 * - The result must be a stack that the kernel's own walk has given before; any
 *   other is walked.
 * - One in UNWIND_CHECK_ONE_IN of them is walked as well. Once the two differ, nothing goes by
 *   rules any more, and the report says so.
 * `--unwind check` walks all of them, and counts where they differ.
 *
 * x86-64 from 5.15 on (bpf_task_pt_regs). Part of ktrace.bpf.h.
 */
#ifndef KTRACE_UNWIND_BPF_H
#define KTRACE_UNWIND_BPF_H

#define UNWIND_FRAMES 32         /* at most; deeper stacks are walked */
#define UNWIND_STACK_BYTES 16384 /* of a task's stack; beyond: an interrupt's stack */
#define UNWIND_OWN 8             /* frames of the tracer itself, which lie below ctx */
#define UNWIND_CHECK_ONE_IN 1024 /* a power of 2 */

/* Tried in this order. */
enum unwind_kind {
	RULE_STEP = 1, /* so many words to the next return address */
	RULE_EITHER,   /* so many, or one more */
	RULE_TO_END,   /* the next one lies so many words before the last of the stack */
	RULE_NONE,     /* of no fixed distance */
};
#define RULE_ENOUGH 8
#define RULE(seen, kind, words) ((__u64)(seen) << 32 | (__u32)(kind) << 24 | (__u32)(words))
#define RULE_SEEN(rule) ((__u32)((rule) >> 32))
#define RULE_KIND(rule) ((__u32)((rule) >> 24) & 0xff)
#define RULE_WORDS(rule) ((__u32)(rule)&0xff)              /* the largest distance */
#define RULE_COPY(rule, i) ((__u32)(rule) >> 8 * (i)&0xff) /* another, i 1 or 2; 0: none */
#define RULE_IS_KNOWN(rule) (RULE_SEEN(rule) == RULE_ENOUGH && RULE_KIND(rule) != RULE_NONE)

/* No lock: what two CPUs write at once, or one reads half, does not match any address. */
struct unwind_rule {
	__u64 rule;
	__u64 tag; /* address ^ rule */
};

#define RULE_WAYS 4
#define RULE_BUCKETS_LOG2 10
struct unwind_bucket {
	struct unwind_rule way[RULE_WAYS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << RULE_BUCKETS_LOG2);
	__type(key, __u32);
	__type(value, struct unwind_bucket);
} unwind_rules SEC(".maps");

/* The first return address above ctx, one for each hook; what lies below is the tracer's. */
struct unwind_begin {
	__u64 ip;    /* 0: none yet */
	__u64 words; /* from ctx */
	__u64 own_hash;
	__u64 own_frames;
};

#define UNWIND_BEGINS 8
struct unwind_begins {
	struct unwind_begin begin[UNWIND_BEGINS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct unwind_begins);
} unwind_begins SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct unwind_checks);
} unwind_checks SEC(".maps");

/*
 * Masks of all ones or none, in place of branches: in a loop the verifier would
 * follow every one of them both ways.
 */
static __always_inline __u64 mask_negative(__u64 x)
{
	asm volatile("%0 s>>= 63" : "+r"(x));
	return x;
}

static __always_inline __u64 mask_same(__u64 a, __u64 b)
{
	__u64 x = a ^ b;

	return ~mask_negative(x | -x);
}

static __always_inline __u64 is_nonzero(__u64 x)
{
	x |= -x;
	asm volatile("%0 >>= 63" : "+r"(x));
	return x;
}

static __always_inline __u32 rule_bucket(__u64 ip)
{
	return (ip * STACK_MULTIPLIER) >> (64 - RULE_BUCKETS_LOG2);
}

/* 0: there is none. Most are in the first way; what follows is verified once for each. */
static __always_inline __u64 rule_of(__u64 ip)
{
	__u32 index = rule_bucket(ip);
	struct unwind_bucket *bucket = bpf_map_lookup_elem(&unwind_rules, &index);
	int i;

	for (i = 0; bucket && i < RULE_WAYS; i++) {
		__u64 rule = *(volatile __u64 *)&bucket->way[i].rule;

		if ((bucket->way[i].tag ^ rule) == ip)
			return rule;
	}
	return 0;
}

/* The upper 2 GiB: code of the kernel and its modules, and the kernel's data. */
static __always_inline bool is_text(__u64 address)
{
	return address >> 31 == 0x1ffffffff;
}

/* Does a copy of the return address ip, so many words behind slot, say the same? 0: there is none.
 */
static __always_inline bool copy_agrees(__u64 slot, __u32 words, __u64 ip)
{
	__u64 copy;

	if (!words)
		return true;
	bpf_probe_read_kernel(&copy, sizeof(copy), (void *)(slot + words * 8));
	return copy == ip;
}

/*
 * A return address and where it lies, in one number: its words from the end of the stack above its
 * lower half, of which the upper half follows (is_text()).
 */
#define PLACE(slot, end, ip) (((end) - (slot)) / 8 << 32 | (__u32)(ip))
#define PLACE_SLOT(place, end) ((end) - ((place) >> 32) * 8)
#define PLACE_IP(place) (0xffffffff00000000 | (place))
#define PLACE_BEFORE_LAST (2ULL << 32) /* the least that is not in the last word of the stack */

/*
 * From a place to the next. 0: no rule tells.
 * This and other pieces are functions of their own for the verifier, which then walks them once.
 * What cannot be read is 0 afterwards, which is no address: to ask for it were one more branch.
 */
__noinline __u64 unwind_step(__u64 place, __u64 end)
{
	__u64 from = PLACE_SLOT(place, end), rule = rule_of(PLACE_IP(place)), slot, ip;

	if (!RULE_IS_KNOWN(rule))
		return 0;
	slot = RULE_KIND(rule) == RULE_TO_END ? end - 8 - RULE_WORDS(rule) * 8
					      : from + RULE_WORDS(rule) * 8;
	if (slot >= end)
		return 0;
	bpf_probe_read_kernel(&ip, sizeof(ip), (void *)slot);
	if (RULE_COPY(rule, 1) && (!copy_agrees(from, RULE_COPY(rule, 1), ip) ||
				   !copy_agrees(from, RULE_COPY(rule, 2), ip)))
		return 0;
	if (RULE_KIND(rule) == RULE_EITHER && !is_text(ip)) {
		slot += sizeof(ip);
		bpf_probe_read_kernel(&ip, sizeof(ip), (void *)slot);
	}
	return is_text(ip) && slot < end ? PLACE(slot, end, ip) : 0;
}

/* Which of unwind_begins the stack begins by, as of this and other hooks; none: UNWIND_BEGINS. */
__noinline __u32 begin_find(__u64 at)
{
	__u32 zero = 0, i;
	struct unwind_begins *begins = bpf_map_lookup_elem(&unwind_begins, &zero);
	__u64 ip;

#pragma clang loop unroll(disable)
	for (i = 0; begins && i < UNWIND_BEGINS; i++) {
		struct unwind_begin *begin = &begins->begin[i];

		if (!begin->ip)
			break;
		bpf_probe_read_kernel(&ip, sizeof(ip), (void *)(at + begin->words * 8));
		if (ip == begin->ip)
			return i;
	}
	return UNWIND_BEGINS;
}

/* The id of the stack that begins at ctx (at) by the rules; 0: they do not tell. */
__noinline __u64 unwind_by_rules(__u64 at, __u64 end)
{
	__u32 zero = 0, found;
	int left, beyond; /* rounds; when no more than these are left depth is reached */
	struct unwind_begins *begins = bpf_map_lookup_elem(&unwind_begins, &zero);
	struct unwind_begin *begin;
	__u64 hash, place;

	if (!begins || end - at > UNWIND_STACK_BYTES)
		return 0;
	found = begin_find(at);
	if (found >= UNWIND_BEGINS)
		return 0;
	begin = &begins->begin[found];
	place = PLACE(at + begin->words * 8, end, begin->ip);
	hash = begin->own_hash;
	beyond = UNWIND_FRAMES - (int)(cfg.filter.depth - (begin->own_frames & (UNWIND_OWN - 1)));
	for (left = UNWIND_FRAMES; left && place >= PLACE_BEFORE_LAST; left--) {
		if (left > beyond)
			hash = stack_mix(hash, PLACE_IP(place));
		place = unwind_step(place, end);
	}
	if (place >> 32 != 1)
		return 0;
	if (cfg.filter.depth >= UNWIND_FRAMES + UNWIND_OWN || left > beyond)
		hash = stack_mix(hash, PLACE_IP(place));
	return stack_id(hash);
}

/* Where a pointer points: the verifier gives the difference of two as a number. */
static __always_inline __u64 address_of(void *pointer, struct task_struct *task)
{
	asm volatile("%0 -= %1" : "+r"(pointer) : "r"(task));
	return (__u64)pointer + bpf_get_current_task();
}

/* Where the running task's stack begins for us, and where it ends. Only with cfg.filter.unwind. */
static __always_inline void unwind_bounds(void *ctx, __u64 *at, __u64 *end)
{
	struct task_struct *task = bpf_get_current_task_btf();

	*at = address_of(ctx, task);
	*end = address_of((void *)bpf_task_pt_regs(task), task);
}

/* May a stack by rules, which the kernel has given before, stand for the walk this time? */
static __always_inline bool unwind_trusted(void)
{
	__u32 zero = 0;
	struct unwind_checks *checks = bpf_map_lookup_elem(&unwind_checks, &zero);

	return cfg.filter.unwind == UNWIND_RULES && checks && !checks->differ &&
	       bpf_get_prandom_u32() % UNWIND_CHECK_ONE_IN;
}

static __always_inline void unwind_check(__u64 by_rules, __u64 by_kernel)
{
	__u32 zero = 0;
	struct unwind_checks *checks = bpf_map_lookup_elem(&unwind_checks, &zero);

	if (!checks || by_kernel == STACK_LOST)
		return;
	__sync_fetch_and_add(&checks->done, 1);
	if (by_rules != by_kernel)
		__sync_fetch_and_add(&checks->differ, 1);
}

#endif
