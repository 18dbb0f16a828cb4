/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How rules are learned from a stack that the kernel has walked: see unwind.bpf.h.
 * Pieces are functions of their own for the verifier, which then walks each once.
 */
#ifndef KTRACE_UNWIND_LEARN_BPF_H
#define KTRACE_UNWIND_LEARN_BPF_H

#include "bpf/unwind_lesson.bpf.h"

/* One walk in so many is a lesson. */
#define LESSONS_USUAL 4
#define LESSONS_RARE 64
#define LESSONS_IN_VAIN 256

/* rule_of(), which the walk by rules has inline. */
__noinline __u64 rule_find(__u64 ip)
{
	return rule_of(ip);
}

/* Where ip's rule stands or may stand, as an index of unwind_sets; none: all ways are taken. */
#define NO_PLACE ~0U
__noinline __u32 rule_place(__u64 ip)
{
	__u32 index = rule_bucket(ip), spare = NO_PLACE, i;
	struct unwind_bucket *bucket = bpf_map_lookup_elem(&unwind_rules, &index);

	for (i = 0; bucket && i < RULE_WAYS; i++) {
		__u64 rule = *(volatile __u64 *)&bucket->way[i].rule;

		if ((bucket->way[i].tag ^ rule) == ip)
			return index * RULE_WAYS + i;
		if (spare == NO_PLACE && RULE_SEEN(rule) < RULE_ENOUGH)
			spare = index * RULE_WAYS + i;
	}
	return spare;
}

__noinline int rule_store(__u32 place, __u64 ip, __u64 rule)
{
	__u32 index = place / RULE_WAYS;
	struct unwind_bucket *bucket = bpf_map_lookup_elem(&unwind_rules, &index);

	if (!bucket)
		return 0;
	bucket->way[place % RULE_WAYS].rule = rule;
	bucket->way[place % RULE_WAYS].tag = rule ^ ip;
	return 0;
}

/* Number of the only bit that is set. */
__noinline __u32 bit_number(__u64 bit)
{
	__u32 number = 0;

	if (bit & 0xaaaaaaaaaaaaaaaa)
		number += 1;
	if (bit & 0xcccccccccccccccc)
		number += 2;
	if (bit & 0xf0f0f0f0f0f0f0f0)
		number += 4;
	if (bit & 0xff00ff00ff00ff00)
		number += 8;
	if (bit & 0xffff0000ffff0000)
		number += 16;
	if (bit & 0xffffffff00000000)
		number += 32;
	return number;
}

#define RULE_DISTANCES 3

/*
 * Keeps of part i of the set in that place what the lesson finds possible, too; fresh: there is
 * nothing in it yet; either: see RULE_EITHER. Returns members with those of this part behind: the
 * last in the lowest byte, and above 32 bits how many they are. One more than fit stands for any
 * number.
 */
#define SET_FRESH 1
#define SET_EITHER 2
__noinline __u64 set_narrow(__u32 place, __u32 level, __u32 i, __u32 how, __u64 members)
{
	struct unwind_lesson *lesson = bpf_map_lookup_elem(&unwind_lessons, &level);
	struct unwind_set *set = bpf_map_lookup_elem(&unwind_sets, &place);
	__u64 part, n = members >> 32;
	__u32 j;

	if (!lesson || !set)
		return 0;
	i %= SET_PARTS;
	part = lesson->possible[i];
	if (how & SET_EITHER)
		part |= part >> 1 | lesson->possible[i + 1] << 63;
	if (!(how & SET_FRESH))
		part &= set->part[i];
	set->part[i] = part;
	for (j = 0; j <= RULE_DISTANCES && part; j++) {
		members = members << 8 | (i * 64 + bit_number(part & -part));
		part &= part - 1;
		n++;
	}
	return n << 32 | (__u32)members;
}

/*
 * The rule of ip after a walk: the lesson has the distances that are possible by it. Returns
 * whether it is settled now.
 */
__noinline int rule_learn(__u64 ip, __u32 level)
{
	__u64 rule = rule_find(ip) ?: RULE(0, RULE_STEP, 0), set = 0;
	__u32 place = rule_place(ip), kind = RULE_KIND(rule), seen = RULE_SEEN(rule), n, i;
	__u32 how = (seen ? 0 : SET_FRESH) | (kind == RULE_EITHER ? SET_EITHER : 0);

	if (place == NO_PLACE)
		return 0;
	for (i = 0; i < SET_PARTS; i++)
		set = set_narrow(place, level, i, how, set);
	n = set >> 32;
	if (!n)
		rule = RULE(kind + 1 == RULE_NONE ? RULE_ENOUGH : 0, kind + 1, 0);
	else if (seen + 1 < RULE_ENOUGH)
		rule = RULE(seen + 1, kind, 0);
	else if (n == 1 || (kind == RULE_STEP && n <= RULE_DISTANCES))
		rule = RULE(RULE_ENOUGH, kind, set & 0xffffff);
	else if (kind == RULE_EITHER && n == 2 && RULE_COPY(set, 1) + 1 == RULE_WORDS(set))
		/* only the longer distance came: as all of a long system call has one offset */
		rule = RULE(RULE_ENOUGH, kind, RULE_COPY(set, 1));
	rule_store(place, ip, rule);
	return RULE_SEEN(rule) == RULE_ENOUGH;
}

/* A walk went another way than the rule of ip says: the next kind is tried. */
__noinline int rule_drop(__u64 ip)
{
	__u32 place = rule_place(ip), kind = RULE_KIND(rule_find(ip)) + 1;

	if (place == NO_PLACE)
		return 0;
	return rule_store(place, ip, RULE(kind >= RULE_NONE ? RULE_ENOUGH : 0, kind, 0));
}

/* Finds the frames; how many of the innermost are not there: they are the tracer's, below ctx. */
static __always_inline __u32 frames_find(struct unwind_lesson *lesson, const struct walk *walk,
					 __u32 level)
{
	lesson->seek = SEEK_FRAMES;
	lesson->k = walk->frames.n - 1;
	words_search(level);
	return lesson->k + 1;
}

/* Sets the distances that are possible from pos, or to the stack's end, to frame k. */
static __always_inline void distances_find(struct unwind_lesson *lesson, __u32 level)
{
	bool to_end = RULE_KIND(rule_find(lesson->key)) == RULE_TO_END;

	lesson->seek = to_end ? SEEK_TO_END : SEEK_DISTANCE;
	__builtin_memset(lesson->possible, 0, sizeof(lesson->possible));
	words_search(level);
}

__noinline int begin_store(__u32 level, __u32 i, __u64 ip, __u64 words)
{
	struct unwind_lesson *lesson = bpf_map_lookup_elem(&unwind_lessons, &level);
	__u32 zero = 0;
	struct unwind_begins *begins = bpf_map_lookup_elem(&unwind_begins, &zero);
	struct unwind_begin *begin;

	if (!lesson || !begins)
		return 0;
	begin = &begins->begin[i % UNWIND_BEGINS];
	begin->words = words;
	begin->own_hash = lesson->own_hash;
	begin->own_frames = lesson->own;
	begin->ip = ip;
	return 0;
}

/* From ctx to the first frame that is not the tracer's own, which lies in word pos. */
__noinline int begin_learn(__u32 level, __u32 pos)
{
	struct unwind_lesson *lesson = bpf_map_lookup_elem(&unwind_lessons, &level);
	struct walk *walk = bpf_map_lookup_elem(&walks, &level);
	__u32 zero = 0, i;
	struct unwind_begins *begins = bpf_map_lookup_elem(&unwind_begins, &zero);
	__u64 ip, words;

	if (!lesson || !walk || !begins)
		return 0;
	ip = walk_ip(walk, lesson->own);
	words = pos - lesson->first;
	for (i = 0; i < UNWIND_BEGINS; i++) {
		struct unwind_begin *begin = &begins->begin[i];

		if (begin->ip && (begin->ip != ip || begin->words != words))
			continue;
		return begin_store(level, i, ip, words);
	}
	return 0;
}

/* The word that frame k is in by the rule of what lies in word pos; 0: not where it says. */
__noinline __u32 frame_follow(__u32 level, __u64 rule, __u32 pos, __u32 k)
{
	struct unwind_lesson *lesson = bpf_map_lookup_elem(&unwind_lessons, &level);
	struct walk *walk = bpf_map_lookup_elem(&walks, &level);
	__u32 next = RULE_KIND(rule) == RULE_TO_END ? UNWIND_WORDS - 1 - RULE_WORDS(rule)
						    : pos + RULE_WORDS(rule);

	if (!lesson || !walk)
		return 0;
	if (next < UNWIND_WORDS && lesson->word[next] == walk_ip(walk, k))
		return next;
	next++;
	if (RULE_KIND(rule) == RULE_EITHER && next < UNWIND_WORDS &&
	    lesson->word[next] == walk_ip(walk, k))
		return next;
	return 0;
}

enum lesson {
	LESSON_NONE,
	LESSON_NEW,   /* of its key, of which the rule is not known */
	LESSON_WRONG, /* the rule of its key is */
	LESSON_MORE,  /* this frame is where the rule says */
};

/* Goes on by the rule of the lesson's key to the frame that is sought, and seeks the next. */
__noinline int lesson_step(__u32 level)
{
	struct unwind_lesson *lesson = bpf_map_lookup_elem(&unwind_lessons, &level);
	struct walk *walk = bpf_map_lookup_elem(&walks, &level);
	__u32 pos;
	__u64 rule;

	if (!lesson || !walk || lesson->k >= walk->frames.n)
		return LESSON_NONE;
	rule = rule_find(lesson->key);
	if (RULE_SEEN(rule) < RULE_ENOUGH)
		return LESSON_NEW;
	if (RULE_KIND(rule) == RULE_NONE)
		return LESSON_NONE;
	pos = frame_follow(level, rule, lesson->pos, lesson->k);
	if (!pos)
		return LESSON_WRONG;
	if (lesson->k == lesson->own)
		begin_learn(level, pos);
	lesson->pos = pos;
	lesson->key = walk_ip(walk, lesson->k);
	lesson->k++;
	return LESSON_MORE;
}

#define LESSON_PIECE 8

__noinline int lesson_steps(__u32 level)
{
	int found = LESSON_MORE;
	__u32 i;

	for (i = 0; i < LESSON_PIECE && found == LESSON_MORE; i++)
		found = lesson_step(level);
	return found;
}

/*
 * Follows the walk of this level by the rules there are, from its first frame that is not the
 * tracer's own, to what is to be learned from it.
 */
static __always_inline int lesson_find(struct unwind_lesson *lesson, const struct walk *walk,
				       __u32 level)
{
	int found = LESSON_MORE;
	__u32 i;

	/*
	 * From ctx to the first of them is a distance, too. It belongs to the tracer's own frames:
	 * each program that is attached to a function gets that a new trampoline, which may keep
	 * one word more.
	 */
	lesson->own_hash = stack_hash_piece(level, 0, lesson->own, STACK_SEED);
	lesson->key = stack_mix(lesson->own_hash, walk_ip(walk, lesson->own));
	lesson->pos = lesson->first;
	lesson->k = lesson->own;
	for (i = 0; i < UNWIND_FRAMES / LESSON_PIECE && found == LESSON_MORE; i++)
		found = lesson_steps(level);
	return found;
}

/* Learns from the walk of this level, which began at ctx (at). */
__noinline int unwind_learn(__u64 at, __u64 end, __u32 level)
{
	struct unwind_lesson *lesson = bpf_map_lookup_elem(&unwind_lessons, &level);
	struct walk *walk = bpf_map_lookup_elem(&walks, &level);
	__u32 often;

	if (!lesson || !walk || walk->frames.n >= cfg.filter.depth ||
	    end - at > sizeof(lesson->word) - 8)
		return 0;
	/* A lesson costs as much as a walk, and what is timed waits for it. Where many settled
	 * nothing, as of stacks that rules never fit, they become rare. */
	often = lesson->vain > LESSONS_IN_VAIN ? LESSONS_RARE : LESSONS_USUAL;
	if (lesson->walks++ % often)
		return 0;
	lesson->vain++;
	if (bpf_probe_read_kernel(lesson->word, sizeof(lesson->word),
				  (void *)(end - sizeof(lesson->word))))
		return 0;
	lesson->first = UNWIND_WORDS - (__u32)(end - at) / 8;
	lesson->own = frames_find(lesson, walk, level);
	if (!lesson->own || lesson->own >= UNWIND_OWN)
		return 0;
	switch (lesson_find(lesson, walk, level)) {
	case LESSON_NEW:
		distances_find(lesson, level);
		if (rule_learn(lesson->key, level))
			lesson->vain = 0;
		break;
	case LESSON_WRONG:
		rule_drop(lesson->key);
		break;
	}
	return 0;
}

#endif
