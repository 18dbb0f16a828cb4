// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * memleak: what was allocated and not freed yet, by address. Nothing is kept by
 * thread: an interrupt between two events of one allocation mixes nothing.
 */
#include "bpf/kernel.h"
#include "bpf/leak.h"

const volatile struct leak_cfg cfg SEC(".rodata.cfg");

#include "bpf/ktrace.bpf.h"
#include "bpf/kstack.bpf.h"
#include "bpf/slab.bpf.h"
#include "bpf/slab_request.bpf.h"

/* Sized before load, and its value cut. So it has no types, as stacks. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u64));
	__uint(value_size, sizeof(struct leak_value));
} live SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct leak_missed);
} missed SEC(".maps");

/*
 * Objects of one bulk call that are looked at, a piece at a time, in a function that the verifier
 * walks once. RCU frees up to 512 pointers at once. What is beyond is counted as lost.
 */
#define MAX_BULK 512
#define BULK_PIECE 32
/* kmalloc() gives no address below, but for what is not to be freed: ZERO_SIZE_PTR is 16. */
#define LOWEST 4096

/*
 * Is this one of the addresses that are followed? Told from the address alone,
 * so that a free is left out exactly when its allocation was. The two rounds of
 * multiply and shift make neighbours differ in all bits.
 */
static __always_inline bool sampled(__u64 key)
{
	__u64 hash = key ^ cfg.seed;

	if (cfg.sample <= 1)
		return true;
	hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccdULL;
	hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53ULL;
	return (hash >> 32) * cfg.sample < 1ULL << 32;
}

/* All but address, size and cache. */
static __always_inline void value_begin(void *ctx, struct leak_value *value, enum leak_class class)
{
	__u64 id = bpf_get_current_pid_tgid();

	value->ts_ns = bpf_ktime_get_ns();
	value->class = class;
	value->tid = (__u32)id;
	value->tgid = id >> 32;
	if (WANT(WANT_COMM))
		bpf_get_current_comm(value->comm, COMM_LEN);
	if (WANT(WANT_CGROUP))
		value->cgroup = cgroup_id((void *)bpf_get_current_task());
	value->kstack = kstack_of_current(ctx);
	value->ustack = ustack_of_current(ctx);
}

/*
 * A kmalloc beyond the slab limit is traced twice since 6.12 (a0a44d9175b3), by an
 * inner function and its caller: the second event is no sign of a free not seen.
 */
static __always_inline bool same_large(const struct leak_value *old, const struct leak_value *new)
{
	return old->class == LEAK_KMALLOC &&
	       new->class == LEAK_KMALLOC &&new->bytes > cfg.large_bytes &&
	       old->bytes == new->bytes && old->tid == new->tid;
}

static __always_inline void miss_free(void)
{
	__u32 zero = 0;
	struct leak_missed *count = bpf_map_lookup_elem(&missed, &zero);

	if (count)
		row_add(count->frees, 1);
}

/*
 * What maps answer is cut to an int: before 6.4 they return one, and the upper half of the register
 * is anything.
 *
 * An address that is there already was freed unseen: what was there is replaced.
 */
static __always_inline void live_add(__u64 key, const struct leak_value *value)
{
	struct leak_value *old;
	int err = (int)bpf_map_update_elem(&live, &key, value, BPF_NOEXIST);

	if (err == -EEXIST) {
		old = bpf_map_lookup_elem(&live, &key);
		if (old && !same_large(old, value))
			miss_free();
		err = (int)bpf_map_update_elem(&live, &key, value, BPF_ANY);
	}
	if (err)
		lose(events);
}

static __always_inline void live_delete(__u64 key)
{
	int err = (int)bpf_map_delete_elem(&live, &key);

	if (err && err != -ENOENT)
		lose(events);
}

static __always_inline void on_alloc(void *ctx, __u64 ptr, enum leak_class class,
				     struct kmem_cache *s, __u64 requested, __u64 bytes)
{
	struct leak_value value = {};
	__u64 key = ptr;

	if (class == LEAK_PERCPU)
		key |= LEAK_SPACE_PERCPU;
	if (!sampled(key) || !keep_bytes(requested) || !keep_current())
		return;
	value.bytes = bytes;
	value_begin(ctx, &value, class);
	if (WANT(WANT_CACHE) && (class == LEAK_SLAB || class == LEAK_KMALLOC))
		cache_name(value.cache, ptr, s, bytes);
	live_add(key, &value);
}

/* One lookup, also of an address that is not known: NULL, or from before tracing. */
static __always_inline void on_free(__u64 ptr)
{
	if (ptr >= LOWEST && sampled(ptr))
		live_delete(ptr);
}

static __always_inline void on_kmalloc(void *ctx, __u64 call_site, __u64 ptr, __u64 requested,
				       __u64 bytes)
{
	if (ptr >= LOWEST)
		on_alloc(ctx, ptr, LEAK_KMALLOC, NULL, requested, bytes);
}

static __always_inline void on_cache_alloc(void *ctx, __u64 ptr, struct kmem_cache *s,
					   __u64 requested, __u64 bytes)
{
	if (ptr >= LOWEST)
		on_alloc(ctx, ptr, LEAK_SLAB, s, requested, bytes);
}

#include "bpf/slab_alloc.bpf.h"

/* Up to 5.11 kfree and kmem_cache_free share one record (3544de8ee6e4). */
#define FREE_EVENT(base, event)                                              \
	ON_EVENT_ADDRESS(base##_btf, base##_raw, event, 1, on_free(address)) \
	SEC("tp/kmem/" #event)                                               \
	int base##_tp(struct trace_event_raw_##event *ctx)                   \
	{                                                                    \
		on_free((__u64)ctx->ptr);                                    \
		return 0;                                                    \
	}                                                                    \
	SEC("tp/kmem/" #event)                                               \
	int base##_tp_old(struct trace_event_raw_kmem_free *ctx)             \
	{                                                                    \
		on_free((__u64)ctx->ptr);                                    \
		return 0;                                                    \
	}

FREE_EVENT(kfree, kfree)
FREE_EVENT(cache_free, kmem_cache_free)

/*
 * kfree_rcu(): no event tells it. Freed is what is given to RCU, for nobody else
 * gets the address before. Up to 6.1 the second argument is the offset of the
 * rcu_head in the object (head is NULL without one), later the object.
 */
static __always_inline void on_rcu_free(__u64 head, __u64 second)
{
	on_free(second < LOWEST ? head - second : second);
}

SEC("fentry")
int BPF_PROG(rcu_free_fentry)
{
	on_rcu_free(void_arg(ctx, 0), void_arg(ctx, 1));
	return 0;
}

SEC("kprobe")
int rcu_free_kprobe(struct pt_regs *ctx)
{
	on_rcu_free(PT_REGS_PARM1_CORE(ctx), PT_REGS_PARM2_CORE(ctx));
	return 0;
}

/* At most a piece of n addresses. */
__noinline int bulk_free_piece(__u64 array, __u64 n)
{
	__u32 i;

	for (i = 0; i < BULK_PIECE && i < n; i++) {
		__u64 ptr = 0;

		bpf_probe_read_kernel(&ptr, sizeof(ptr), (void *)(array + i * sizeof(ptr)));
		on_free(ptr);
	}
	return 0;
}

static __always_inline void on_bulk_free(__u64 n, __u64 array)
{
	__u32 i;

	for (i = 0; i < MAX_BULK && i < n; i += BULK_PIECE)
		bulk_free_piece(array + i * sizeof(array), n - i);
	if (n > MAX_BULK)
		row_add(loss.events, n - MAX_BULK);
}

SEC("fentry")
int BPF_PROG(bulk_free_fentry, struct kmem_cache *s, size_t n)
{
	on_bulk_free(n, void_arg(ctx, 2));
	return 0;
}

SEC("kprobe")
int bulk_free_kprobe(struct pt_regs *ctx)
{
	on_bulk_free(PT_REGS_PARM2_CORE(ctx), PT_REGS_PARM3_CORE(ctx));
	return 0;
}

/*
 * What the objects of a bulk allocation on this CPU have in common. Since 5.12 (ca06f55b9002) the
 * kernel skips a program that interrupts itself; before, the inner run counts as lost.
 */
struct bulk {
	struct leak_value value;
	__u64 busy;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bulk);
} bulks SEC(".maps");

/* Of at most a piece of n addresses; returns how many were lost. */
__noinline int bulk_alloc_piece(__u64 array, __u64 n)
{
	__u32 first = 0, i;
	struct bulk *bulk = bpf_map_lookup_elem(&bulks, &first);
	int lost = 0;

	if (!bulk)
		return 0;
	for (i = 0; i < BULK_PIECE && i < n; i++) {
		__u64 ptr = 0;

		bpf_probe_read_kernel(&ptr, sizeof(ptr), (void *)(array + i * sizeof(ptr)));
		/* not live_add(), whose branches are too many for the verifier in a loop */
		if (ptr >= LOWEST && sampled(ptr))
			lost += is_nonzero(
			    (int)bpf_map_update_elem(&live, &ptr, &bulk->value, BPF_ANY));
	}
	return lost;
}

/* All of them share a stack, which is walked once. */
static __always_inline void on_bulk_alloc(void *ctx, struct kmem_cache *s, __u64 n, __u64 array)
{
	__u32 first = 0, i;
	struct bulk *bulk = bpf_map_lookup_elem(&bulks, &first);
	__u64 lost = n > MAX_BULK ? n - MAX_BULK : 0;

	if (!bulk || !keep_bytes(BPF_CORE_READ(s, object_size)) || !keep_current())
		return;
	if (bulk->busy) {
		row_add(loss.events, n);
		return;
	}
	bulk->busy = 1;
	barrier();
	bulk->value.bytes = BPF_CORE_READ(s, size);
	value_begin(ctx, &bulk->value, LEAK_SLAB);
	if (WANT(WANT_CACHE))
		bpf_probe_read_kernel_str(bulk->value.cache, NAME_LEN, BPF_CORE_READ(s, name));
	for (i = 0; i < MAX_BULK && i < n; i += BULK_PIECE)
		lost += bulk_alloc_piece(array + i * sizeof(array), n - i);
	barrier();
	bulk->busy = 0;
	if (lost)
		row_add(loss.events, lost);
}

/* Returns how many it made, which is all or none; since 7.2 whether. */
SEC("fexit")
int BPF_PROG(bulk_alloc_fexit, struct kmem_cache *s, __u32 gfp, size_t n)
{
	__u64 made = void_arg(ctx, 4);

	if ((__u32)made == n || (__u8)made)
		on_bulk_alloc(ctx, s, n, void_arg(ctx, 3));
	return 0;
}

#include "bpf/leak_pages.bpf.h"
