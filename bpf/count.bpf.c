// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * funccount: how often each of many functions was called. A program may run on any
 * function of the kernel, also on those below a map's lock, so there is no map that
 * is inserted into: counters are arrays, and the task's part of a key lies in an
 * open-addressing table in one.
 */
#include "bpf/kernel.h"
#include "bpf/count.h"

const volatile struct count_cfg cfg SEC(".rodata.cfg");

#include "bpf/ktrace.bpf.h"

#define PROBES 16 /* slots looked at before an event is given up */

/* Calls by target. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct count_entry);
} table SEC(".maps");

static __always_inline __u64 key_hash(const struct count_key *key)
{
	const __u64 *word = (const void *)key;
	__u64 hash = 0;
	__u32 i;

#pragma unroll
	for (i = 0; i < COUNT_KEY_WORDS; i++)
		hash = stack_mix(hash, word[i]);
	return hash;
}

static __always_inline bool same_key(const struct count_key *a, const struct count_key *b)
{
	const __u64 *x = (const void *)a, *y = (const void *)b;
	__u64 differs = 0;
	__u32 i;

#pragma unroll
	for (i = 0; i < COUNT_KEY_WORDS; i++)
		differs |= x[i] ^ y[i];
	return !differs;
}

/*
 * Counts in the slot if it is, or can be made, this key's. An event that interrupts
 * another on its CPU may find a slot claimed and not ready: it takes the next, and the
 * reader adds the two up.
 */
static __always_inline bool count_here(struct count_entry *entry, const struct count_key *key)
{
	volatile __u32 *claims = &entry->claims, *ready = &entry->ready;

	if (!*claims) {
		__sync_fetch_and_add(&entry->claims, 1);
		if (*claims == 1) {
			entry->key = *key;
			barrier();
			*ready = 1;
		}
	}
	if (!*ready || !same_key(&entry->key, key))
		return false;
	row_add(entry->count, 1);
	return true;
}

static __always_inline void count_keyed(struct count_key *key)
{
	struct count_entry *entry;
	__u64 hash;
	__u32 i, at;

	key_current(key);
	hash = key_hash(key);
	for (i = 0; i < PROBES; i++) {
		at = (hash + i) & cfg.table_mask;
		entry = bpf_map_lookup_elem(&table, &at);
		if (entry && count_here(entry, key))
			return;
	}
	lose(rows);
}

static __always_inline int count(__u64 target)
{
	struct count_key key = {.func = target};
	__u32 at = target;
	__u64 *calls;

	if (!keep_current())
		return 0;
	if (WANT(WANT_COMM | WANT_TGID | WANT_TID | WANT_CGROUP)) {
		count_keyed(&key);
		return 0;
	}
	calls = bpf_map_lookup_elem(&counts, &at);
	if (calls)
		row_add(*calls, 1);
	return 0;
}

/* The target's number, where each target has a copy of the program: put in before load. */
static __always_inline __u64 own_target(void)
{
	__u64 target;

	asm volatile("%0 = %1" : "=r"(target) : "i"(COUNT_SLOT_MARK));
	return target;
}

SEC("kprobe.multi")
int many(void *ctx)
{
	return count(bpf_get_attach_cookie(ctx));
}

SEC("kprobe")
int probe(void *ctx)
{
	return count(bpf_get_attach_cookie(ctx));
}

SEC("kprobe")
int probe_copy(void *ctx)
{
	return count(own_target());
}

SEC("uprobe")
int user_many(void *ctx)
{
	return count(bpf_get_attach_cookie(ctx));
}

SEC("uprobe")
int user(void *ctx)
{
	return count(bpf_get_attach_cookie(ctx));
}

SEC("uprobe")
int user_copy(void *ctx)
{
	return count(own_target());
}

SEC("raw_tp")
int event_raw(void *ctx)
{
	return count(own_target());
}

SEC("tp")
int event_tp(void *ctx)
{
	return count(bpf_get_attach_cookie(ctx));
}

SEC("tp")
int event_tp_copy(void *ctx)
{
	return count(own_target());
}

SEC("tp")
int syscall_tp(void *ctx)
{
	return count(bpf_get_attach_cookie(ctx));
}

SEC("tp")
int syscall_tp_copy(void *ctx)
{
	return count(own_target());
}
