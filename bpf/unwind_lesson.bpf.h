/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where learning works, and the search among the words of a stack. Part of unwind_learn.bpf.h.
 */
#ifndef KTRACE_UNWIND_LESSON_BPF_H
#define KTRACE_UNWIND_LESSON_BPF_H

/* Distances in words that are possible by the walks so far: a set for each rule to be. */
#define UNWIND_WORDS 256 /* of the stack's end, in which addresses are looked for */
#define SET_PARTS (UNWIND_WORDS / 64)
struct unwind_set {
	__u64 part[SET_PARTS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RULE_WAYS << RULE_BUCKETS_LOG2);
	__type(key, __u32);
	__type(value, struct unwind_set);
} unwind_sets SEC(".maps");

/* What is looked for among the stack's words. */
enum seek {
	SEEK_FRAMES,   /* all frames */
	SEEK_DISTANCE, /* one, for its distance from another, */
	SEEK_TO_END,   /* or from the stack's end */
};

/*
 * The end of the stack, and in which of its words each frame of a walk was found. What a loop finds
 * is kept here, too: the verifier would else take each of its rounds for another way, and go
 * through what comes then once for each.
 */
struct unwind_lesson {
	__u64 word[UNWIND_WORDS];
	__u16 last[MAX_DEPTH + 1]; /* the last word that each frame of the walk can be in */
	__u32 walks;
	__u32 vain;                    /* lessons since one settled a rule */
	__u64 own_hash;                /* of the walk's innermost frames, the tracer's own, */
	__u32 own;                     /* which are so many */
	__u32 first;                   /* word of ctx */
	__u64 possible[SET_PARTS + 1]; /* a set; nothing is beyond it */
	__u32 k;                       /* the frame that is sought, */
	__u32 pos;                     /* behind this word, */
	__u64 key;                     /* in which this address lies */
	__u64 seek;                    /* enum seek */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WALK_LEVELS);
	__type(key, __u32);
	__type(value, struct unwind_lesson);
} unwind_lessons SEC(".maps");

#define NO_FRAME ~0U

/*
 * Frame k of the lesson was sought and is in this word. While all frames are being found, from the
 * outermost inwards, each has the last place it can have, and the next one is sought. Else the
 * distance there, from pos or from the stack's end, is possible. Returns what is to be sought now.
 */
__noinline __u64 word_found(__u32 level, __u32 word)
{
	struct unwind_lesson *lesson = bpf_map_lookup_elem(&unwind_lessons, &level);
	struct walk *walk = bpf_map_lookup_elem(&walks, &level);
	__u32 k, distance;

	if (!lesson || !walk)
		return 0;
	k = lesson->k;
	if (lesson->seek == SEEK_FRAMES) {
		if (word >= lesson->first && k != NO_FRAME) {
			lesson->last[k & MAX_DEPTH] = word;
			lesson->k = --k;
		}
	} else if (word > lesson->pos && word <= lesson->last[k & MAX_DEPTH]) {
		distance =
		    lesson->seek == SEEK_TO_END ? UNWIND_WORDS - 1 - word : word - lesson->pos;
		lesson->possible[distance / 64 % SET_PARTS] |= 1ULL << distance % 64;
	}
	return walk_ip(walk, k);
}

#define UNWIND_PIECE 8

__noinline int words_search_piece(__u32 level, __u32 from)
{
	struct unwind_lesson *lesson = bpf_map_lookup_elem(&unwind_lessons, &level);
	struct walk *walk = bpf_map_lookup_elem(&walks, &level);
	const __u64 *word;
	__u64 ip;
	int i;

	if (!lesson || !walk)
		return 0;
	word = &lesson->word[from & (UNWIND_WORDS - UNWIND_PIECE)];
	ip = walk_ip(walk, lesson->k);
#pragma clang loop unroll(disable)
	for (i = UNWIND_PIECE - 1; i >= 0; i--)
		if (word[i] == ip)
			ip = word_found(level, from + i);
	return 0;
}

/* Goes through the lesson's words, from the end of the stack, for what it seeks. */
__noinline int words_search(__u32 level)
{
	__u32 from;

	for (from = UNWIND_WORDS; from > 0; from -= UNWIND_PIECE)
		words_search_piece(level, from - UNWIND_PIECE);
	return 0;
}

#endif
