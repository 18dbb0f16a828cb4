/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which allocations are followed. Part of heap.bpf.c. */
#ifndef KTRACE_HEAP_SAMPLE_BPF_H
#define KTRACE_HEAP_SAMPLE_BPF_H

/* Bytes that a CPU lets pass before it samples again. */
struct budget {
	__u64 left;
	__u64 drawn;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct budget);
} budget SEC(".maps");

/* 65536 times the binary logarithm of v, which is not 0: its bits one by one, by squaring. */
static __always_inline __u64 log2_fixed(__u64 v)
{
	__u64 whole = 63, log = 0;
	__u32 i;

	for (i = 0; i < 63; i++) {
		if (v >> 63)
			break;
		v <<= 1;
		whole--;
	}
	v >>= 32; /* 1 to 2, with 31 bits behind the point */
	for (i = 0; i < 16; i++) {
		v = v * v >> 31;
		log <<= 1;
		if (v >> 32) {
			v >>= 1;
			log |= 1;
		}
	}
	return whole << 16 | log;
}

/*
 * Bytes to the next point of a Poisson process with one in cfg.sample on the average:
 * exponentially distributed, -ln(uniform) times that; 45426 / 65536 is ln 2.
 */
static __always_inline __u64 draw(void)
{
	__u64 uniform = (__u64)bpf_get_prandom_u32() << 32 | bpf_get_prandom_u32() | 1;
	__u64 bits = (64ULL << 16) - log2_fixed(uniform);

	return ((cfg.sample * bits >> 16) * 45426 >> 16) + 1;
}

/*
 * Each byte is a point with equal probability, and an allocation is followed when one
 * lies in it: with probability 1 - exp(-bytes / cfg.sample). What remains of the interval
 * does not matter, for it has no memory; that is why any CPU may go on with it.
 */
static __always_inline bool sampled(__u64 bytes)
{
	struct budget *own;
	__u32 zero = 0;

	if (cfg.sample <= 1)
		return true;
	own = bpf_map_lookup_elem(&budget, &zero);
	if (!own)
		return true;
	bytes = bytes ? bytes : 1;
	if (!own->drawn) {
		own->drawn = 1;
		own->left = draw();
	}
	if (own->left > bytes) {
		own->left -= bytes;
		return false;
	}
	own->left = draw();
	return true;
}

#endif
