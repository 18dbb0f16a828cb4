/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How rules are learned from a stack that the kernel has walked: see unwind.bpf.h.
 * Pieces are functions of their own for the verifier, which then walks each once.
 */
#ifndef KTRACE_UNWIND_LEARN_BPF_H
#define KTRACE_UNWIND_LEARN_BPF_H

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

/* One walk in so many is a lesson. */
#define LESSONS_USUAL 4
#define LESSONS_RARE 64
#define LESSONS_IN_VAIN 256

/* Where learning works: the end of the stack, and in which of its words each frame was found. */
struct unwind_lesson {
	__u64 word[UNWIND_WORDS];
	__u16 last[MAX_DEPTH + 1]; /* the last word that each frame of the walk can be in */
	__u32 walks;
	__u32 vain;     /* lessons since one settled a rule */
	__u64 own_hash; /* of the walk's innermost frames, the tracer's own */
	struct unwind_set possible;
	/* What there is to learn. In memory, so that the verifier, for which each round of the loop
	 * that finds it ends otherwise, goes once through what comes then. */
	__u64 key; /* an address, */
	__u32 pos; /* the word it lies in, */
	__u32 k;   /* and the frame that the walk goes on with */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WALK_LEVELS);
	__type(key, __u32);
	__type(value, struct unwind_lesson);
} unwind_lessons SEC(".maps");

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

static __always_inline int rule_store(__u32 place, __u64 ip, __u64 rule)
{
	__u32 index = place / RULE_WAYS;
	struct unwind_bucket *bucket = bpf_map_lookup_elem(&unwind_rules, &index);

	if (!bucket)
		return 0;
	bucket->way[place % RULE_WAYS].rule = rule;
	bucket->way[place % RULE_WAYS].tag = rule ^ ip;
	return 0;
}

#define RULE_DISTANCES 3

/* members as set_narrow() gives them, with those of the set's part i behind. */
__noinline __u64 set_members(__u64 part, __u32 i, __u64 members)
{
	__u64 n = members >> 32, bit, there;
	__u32 j;

	members = (__u32)members;
	for (j = 0; j <= RULE_DISTANCES; j++) {
		bit = part & -part;
		there = is_nonzero(part);
		members = members << (there << 3) | (i * 64 + bit_number(bit)) * there;
		n += there;
		part ^= bit;
	}
	return n << 32 | (__u32)members;
}

/*
 * Keeps of the set in that place what the lesson finds possible, too. Returns its
 * members, the largest in the lowest byte, and above 32 bits how many they are: one
 * more than fit stands for any number.
 */
__noinline __u64 set_narrow(__u32 place, __u32 level, __u32 fresh, __u32 either)
{
	struct unwind_lesson *lesson = bpf_map_lookup_elem(&unwind_lessons, &level);
	struct unwind_set *set = bpf_map_lookup_elem(&unwind_sets, &place);
	__u64 all = -(__u64) !!fresh, more = -(__u64) !!either, members = 0;
	__u32 i;

	if (!lesson || !set)
		return 0;
	for (i = 0; i < SET_PARTS; i++) {
		__u64 part = lesson->possible.part[i];

		part |= part >> 1 & more;
		if (i + 1 < SET_PARTS)
			part |= lesson->possible.part[i + 1] << 63 & more;
		part &= set->part[i] | all;
		set->part[i] = part;
		members = set_members(part, i, members);
	}
	return members;
}

/*
 * The rule of ip after a walk: the lesson has the distances that are possible by it. Returns
 * whether it is settled now.
 */
__noinline int rule_learn(__u64 ip, __u32 level)
{
	__u64 rule = rule_find(ip) ?: RULE(0, RULE_STEP, 0), set;
	__u32 place = rule_place(ip), kind = RULE_KIND(rule), seen = RULE_SEEN(rule), n;

	if (place == NO_PLACE)
		return 0;
	set = set_narrow(place, level, !seen, kind == RULE_EITHER);
	n = set >> 32;
	if (!n)
		rule = RULE(kind + 1 == RULE_NONE ? RULE_ENOUGH : 0, kind + 1, 0);
	else if (seen + 1 < RULE_ENOUGH)
		rule = RULE(seen + 1, kind, 0);
	else if (n == 1 || (kind == RULE_STEP && n <= RULE_DISTANCES))
		rule = RULE(RULE_ENOUGH, kind, set & 0xffffff);
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

/* Each piece of the window is a call, for the verifier's sake. */
#define UNWIND_PIECE 8

__noinline int distances_find_in(__u32 level, __u32 from, __u32 pos, __u32 k, __u32 to_end)
{
	struct unwind_lesson *lesson = bpf_map_lookup_elem(&unwind_lessons, &level);
	struct walk *walk = bpf_map_lookup_elem(&walks, &level);
	__u64 ip, hit, last;
	__u32 i, word, distance;

	if (!lesson || !walk)
		return 0;
	ip = walk_ip(walk, k);
	last = lesson->last[k & MAX_DEPTH];
	for (i = 0; i < UNWIND_PIECE; i++) {
		word = (from + i) % UNWIND_WORDS;
		hit = mask_same(lesson->word[word], ip) & ~mask_negative(last - word) &
		      mask_negative((__u64)pos - word);
		distance = to_end * (UNWIND_WORDS - 1 - word) + (1 - to_end) * (word - pos);
		lesson->possible.part[distance / 64 % SET_PARTS] |= (1ULL << distance % 64) & hit;
	}
	return 0;
}

/* Sets the lesson's possible distances from word pos, or to the last word, to frame k. */
static __always_inline void distances_find(struct unwind_lesson *lesson, __u32 level, __u32 pos,
					   __u32 k, bool to_end)
{
	__u32 i;

	__builtin_memset(&lesson->possible, 0, sizeof(lesson->possible));
	for (i = 0; i < UNWIND_WORDS; i += UNWIND_PIECE)
		distances_find_in(level, i, pos, k, to_end);
}

/* Of the frames up to k, which lies in this piece or before: the first that does not. */
__noinline int frames_find_in(__u32 level, __u32 from, __u32 first, int frame)
{
	struct unwind_lesson *lesson = bpf_map_lookup_elem(&unwind_lessons, &level);
	struct walk *walk = bpf_map_lookup_elem(&walks, &level);
	__u64 k = (__s64)frame, hit;
	__u32 i, word;

	if (!lesson || !walk)
		return 0;
	for (i = 0; i < UNWIND_PIECE; i++) {
		word = (from + UNWIND_PIECE - 1 - i) % UNWIND_WORDS;
		hit = mask_same(lesson->word[word], walk_ip(walk, k)) &
		      ~mask_negative((__u64)word - first) & ~mask_negative(k);
		lesson->last[k & MAX_DEPTH] ^= (lesson->last[k & MAX_DEPTH] ^ word) & hit;
		k += hit;
	}
	return (int)k;
}

/*
 * Finds the frames of the walk on the stack from the outermost inwards, each at the
 * last place it can have. Returns how many of the innermost are not there: they are the
 * tracer's own, below ctx.
 */
static __always_inline __u32 frames_find(const struct walk *walk, __u32 level, __u32 first)
{
	int k = (int)walk->frames.n - 1;
	__u32 i;

	for (i = UNWIND_WORDS; i > 0; i -= UNWIND_PIECE)
		k = frames_find_in(level, i - UNWIND_PIECE, first, k);
	return k + 1;
}

__noinline __u64 own_frames_hash(__u32 level, __u32 own)
{
	struct walk *walk = bpf_map_lookup_elem(&walks, &level);
	__u64 hash = 0;
	__u32 i;

	for (i = 0; walk && i < UNWIND_OWN; i++)
		if (i < own)
			hash = stack_mix(hash, walk->frames.ip[i]);
	return hash;
}

/* From ctx to the first frame that is not the tracer's own. */
__noinline int begin_learn(__u32 level, __u32 own, __u32 words)
{
	struct unwind_lesson *lesson = bpf_map_lookup_elem(&unwind_lessons, &level);
	struct walk *walk = bpf_map_lookup_elem(&walks, &level);
	__u64 ip;
	__u32 i;

	if (!lesson || !walk)
		return 0;
	ip = walk_ip(walk, own);
	for (i = 0; i < UNWIND_BEGINS; i++) {
		__u32 key = i;
		struct unwind_begin *begin = bpf_map_lookup_elem(&unwind_begins, &key);

		if (!begin)
			break;
		if (begin->ip && (begin->ip != ip || begin->words != words))
			continue;
		begin->words = words;
		begin->own_hash = lesson->own_hash;
		begin->own_frames = own;
		begin->ip = ip;
		break;
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

/* Goes on to frame k by the rule of the lesson's key, which lies in its word pos. */
__noinline int lesson_step(__u32 level, __u32 k)
{
	struct unwind_lesson *lesson = bpf_map_lookup_elem(&unwind_lessons, &level);
	struct walk *walk = bpf_map_lookup_elem(&walks, &level);
	__u64 rule;
	__u32 pos;

	if (!lesson || !walk)
		return LESSON_NONE;
	rule = rule_find(lesson->key);
	if (RULE_SEEN(rule) < RULE_ENOUGH) {
		lesson->k = k;
		return LESSON_NEW;
	}
	if (RULE_KIND(rule) == RULE_NONE)
		return LESSON_NONE;
	pos = frame_follow(level, rule, lesson->pos, k);
	if (!pos)
		return LESSON_WRONG;
	lesson->pos = pos;
	lesson->key = walk_ip(walk, k);
	return LESSON_MORE;
}

/*
 * Follows the walk of this level by the rules there are, from its first frame that is not the
 * tracer's own, to what is to be learned from it.
 */
static __always_inline int lesson_find(struct unwind_lesson *lesson, const struct walk *walk,
				       __u32 level, __u32 own, __u32 first)
{
	int found = LESSON_MORE;
	__u32 i;

	/*
	 * From ctx to the first of them is a distance, too. It belongs to the tracer's own frames:
	 * each program that is attached to a function gets that a new trampoline, which may keep
	 * one word more.
	 */
	lesson->own_hash = own_frames_hash(level, own);
	lesson->key = stack_mix(lesson->own_hash, walk_ip(walk, own));
	lesson->pos = first;
	for (i = 0; i < UNWIND_FRAMES && own + i < walk->frames.n; i++) {
		found = lesson_step(level, own + i);
		if (found != LESSON_MORE)
			break;
		if (!i)
			begin_learn(level, own, lesson->pos - first);
	}
	return found;
}

/* Learns from the walk of this level, which began at ctx (at). */
__noinline int unwind_learn(__u64 at, __u64 end, __u32 level)
{
	struct unwind_lesson *lesson = bpf_map_lookup_elem(&unwind_lessons, &level);
	struct walk *walk = bpf_map_lookup_elem(&walks, &level);
	__u32 own, first, often;

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
	first = UNWIND_WORDS - (__u32)(end - at) / 8;
	own = frames_find(walk, level, first);
	if (!own || own >= UNWIND_OWN)
		return 0;
	switch (lesson_find(lesson, walk, level, own, first)) {
	case LESSON_NEW:
		distances_find(lesson, level, lesson->pos, lesson->k,
			       RULE_KIND(rule_find(lesson->key)) == RULE_TO_END);
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
