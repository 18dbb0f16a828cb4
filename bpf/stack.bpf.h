/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The stack store: frames are walked into a buffer of this CPU, hashed, and kept
 * under their hash. A STACK_TRACE map drops one of two stacks that fall into the
 * same bucket; here only a full store loses any, and that is counted.
 * Part of ktrace.bpf.h.
 */
#ifndef KTRACE_STACK_BPF_H
#define KTRACE_STACK_BPF_H

/*
 * Pieces of stacks, see STACK_PIECE. Value is cut to filter.depth, both sizes are set before load.
 * It has no types: where it is cut the kernel would make the map, see that the value is not of its
 * type, and be asked to make it again.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u64));
	__uint(value_size, STACK_PIECE * sizeof(__u64));
} stacks SEC(".maps");

/* A walk in process on this CPU may be interrupted by another: one buffer per level. */
#ifdef PREEMPTED /* by any number of others, which need not end in turn */
#define WALK_LEVELS 8
#else
#define WALK_LEVELS 4
#endif
struct walk {
	struct stack_frames frames;
	__u64 level; /* the buffer's own; behind the frames, whose index a mask then bounds */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WALK_LEVELS);
	__type(key, __u32);
	__type(value, struct walk);
} walks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WALK_LEVELS);
	__type(key, __u32);
	__type(value, __u32);
} walk_level SEC(".maps");

#define STACK_MULTIPLIER 0x9e3779b97f4a7c15ULL
#define STACK_SEED STACK_MULTIPLIER /* the hash of no frame: one that is 0 counts, too */

/* 64-bit multiply and xor-shift a frame: 2^-61 odds of a collision between two stacks. */
static __always_inline __u64 stack_mix(__u64 hash, __u64 ip)
{
	hash = (hash ^ ip) * STACK_MULTIPLIER;
	return hash ^ hash >> 29;
}

static __always_inline __u64 stack_id(__u64 hash)
{
	hash &= STACK_ID_MASK;
	return hash ? hash : ~STACK_ID_MASK + 1;
}

/* A frame of the walk. The compiler may know k's bounds and leave out the mask: the verifier not.
 */
static __always_inline __u64 *walk_frame(struct walk *walk, __u32 k)
{
	barrier_var(k);
	return &walk->frames.ip[k & MAX_DEPTH];
}

static __always_inline __u64 walk_ip(const struct walk *walk, __u32 k)
{
	return *walk_frame((struct walk *)walk, k);
}

#define HASH_PIECE 16

/* Takes the frames of a walk of n from that one on, a multiple of HASH_PIECE, into the hash. */
__noinline __u64 stack_hash_piece(__u32 level, __u32 from, __u32 n, __u64 hash)
{
	struct walk *walk = bpf_map_lookup_elem(&walks, &level);
	const __u64 *ip;
	__u32 i;

	if (!walk)
		return hash;
	ip = walk_frame(walk, from & -HASH_PIECE);
#pragma clang loop unroll(disable)
	for (i = 0; i < HASH_PIECE && from + i < n; i++)
		hash = stack_mix(hash, ip[i]);
	return hash;
}

static __always_inline __u64 stack_hash(const struct walk *walk, __u32 level)
{
	__u32 n = walk->frames.n, from;
	__u64 hash = STACK_SEED;

	for (from = 0; from < MAX_DEPTH && from < n; from += HASH_PIECE)
		hash = stack_hash_piece(level, from, n, hash);
	return stack_id(hash);
}

/* Keeps piece k of the walk, where it has one. What cfg's depth rules out the verifier leaves out.
 */
static __always_inline long stack_put_piece(const struct walk *walk, __u64 id, __u32 k)
{
	__u64 key = id + k;
	int err; /* of 32 bits: before 6.4 maps gave no more */

	if (cfg.filter.depth < k * STACK_PIECE || walk->frames.n < k * STACK_PIECE)
		return 0;
	err = bpf_map_update_elem(&stacks, &key, (__u64 *)&walk->frames + k * STACK_PIECE,
				  BPF_NOEXIST);
	/* Another CPU may be first with the same frames. */
	return err == -EEXIST ? 0 : err;
}

/* Keeps a walk that is new; the first piece last, for by it the stack is found. 0: it fits. */
static __always_inline long stack_put(const struct walk *walk, __u64 id)
{
	_Static_assert(STACK_PIECES == 4, "pieces of a walk");
	if (stack_put_piece(walk, id, 3) || stack_put_piece(walk, id, 2) ||
	    stack_put_piece(walk, id, 1))
		return -1;
	return stack_put_piece(walk, id, 0);
}

/*
 * Keeps the walk of this level, whose frames are so many bytes; the id to put in a key. A function
 * of its own: the verifier goes through it once, and not for each stack that a program walks.
 */
__noinline __u64 stack_keep(__u32 level, __s64 bytes)
{
	struct walk *walk = bpf_map_lookup_elem(&walks, &level);
	__u64 id;

	if (!walk || bytes <= 0)
		goto lost;
	walk->frames.n = (__u64)bytes / sizeof(walk->frames.ip[0]);
	id = stack_hash(walk, level);
	if (bpf_map_lookup_elem(&stacks, &id) || !stack_put(walk, id))
		return id;
lost:
	lose(stacks);
	return STACK_LOST;
}

static __always_inline struct walk *walk_at(const __u32 *level)
{
	struct walk *walk = bpf_map_lookup_elem(&walks, level);

	if (walk)
		walk->level = *level;
	return walk;
}

#ifdef PREEMPTED
/* Takes one of the CPU's walk buffers that nobody else claims; NULL: lost, and counted. */
static __always_inline struct walk *walk_begin(__u32 **levelp)
{
	volatile __u32 *claims;
	__u32 level, i;

	*levelp = NULL;
	for (i = 0; i < WALK_LEVELS; i++) {
		/* Counts in a register: 6.1's verifier does not see it in memory, where level is.
		 */
		__asm__ volatile("" : "+r"(i));
		level = i;
		claims = bpf_map_lookup_elem(&walk_level, &level);
		if (!claims || *claims)
			continue;
		__sync_fetch_and_add(claims, 1);
		if (*claims == 1) {
			*levelp = (__u32 *)claims;
			return walk_at(&level);
		}
		__sync_fetch_and_add(claims, -1);
	}
	return NULL;
}

#define walk_end(levelp) __sync_fetch_and_add(levelp, -1)
#else
/* Takes the CPU's walk buffer of this nesting level; NULL: lost, and counted. */
static __always_inline struct walk *walk_begin(__u32 **levelp)
{
	__u32 zero = 0, level;
	__u32 *nested = bpf_map_lookup_elem(&walk_level, &zero);

	*levelp = nested;
	if (!nested)
		return NULL;
	level = *nested;
	if (level >= WALK_LEVELS)
		return NULL;
	*nested = level + 1;
	return walk_at(&level);
}

#define walk_end(levelp) (*(levelp) -= 1)
#endif

/* call: walks into walk_ (struct walk *) and gives bytes. */
#define STACK_WALK(call)                                      \
	({                                                    \
		__u64 id_ = STACK_LOST;                       \
		__u32 *level_;                                \
		struct walk *walk_ = walk_begin(&level_);     \
		if (walk_) {                                  \
			id_ = stack_keep(walk_->level, call); \
			walk_end(level_);                     \
		} else {                                      \
			lose(stacks);                         \
		}                                             \
		id_;                                          \
	})

#define WALK_BYTES (cfg.filter.depth * (__u32)sizeof(__u64))

static __always_inline __u64 user_walk(void *ctx)
{
	return STACK_WALK(bpf_get_stack(ctx, walk_->frames.ip, WALK_BYTES, BPF_F_USER_STACK));
}

/* Kernel stack of a task that does not run. */
static __always_inline __u64 stack_of_task(struct task_struct *task)
{
	return STACK_WALK(bpf_get_task_stack(task, walk_->frames.ip, WALK_BYTES, 0));
}

/* User stack of task, which runs. Kernel threads have none, which is no loss. */
static __always_inline __u64 user_stack_of(void *ctx, struct task_struct *task, bool btf)
{
	if (!TASK(btf, task, mm) || (TASK(btf, task, flags) & PF_KTHREAD))
		return STACK_NONE;
	return user_walk(ctx);
}

static __always_inline __u64 ustack_of(void *ctx, struct task_struct *task, bool btf)
{
	return WANT(WANT_USTACK) ? user_stack_of(ctx, task, btf) : STACK_NONE;
}

static __always_inline __u64 ustack_of_current(void *ctx)
{
	if (!WANT(WANT_USTACK))
		return STACK_NONE;
	return user_stack_of(ctx, (void *)bpf_get_current_task(), false);
}

#endif
