// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * slabratetop: allocations and frees by slab cache, whose name and size of
 * objects are read once, when the row is made. Bytes are the counts by the size,
 * which the collector multiplies.
 */
#include "bpf/kernel.h"
#include "bpf/slab.h"

const volatile struct slab_cfg cfg SEC(".rodata.cfg");

#include "bpf/ktrace.bpf.h"
#include "bpf/sample.bpf.h"
#include "bpf/slab.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, union slab_key);
	__type(value, struct slab_value);
} rows SEC(".maps");

/* s NULL: of the general cache with objects of so many bytes. */
static __always_inline struct slab_value *row_new(const union slab_key *key, struct kmem_cache *s,
						  __u64 bytes)
{
	struct slab_value new = {.object_bytes = bytes};

	if (s)
		bpf_probe_read_kernel_str(new.cache, sizeof(new.cache), BPF_CORE_READ(s, name));
	else
		kmalloc_name(new.cache, bytes);
	return row_get(&rows, key, &new);
}

static __always_inline struct slab_value *cache_row(struct kmem_cache *s, __u64 bytes)
{
	union slab_key key = {.cache = s ? (__u64)s : bytes};
	struct slab_value *row;

	barrier(); /* a pointer may be written over, but is not to be reckoned with */
	if (s)
		key.word[3] = bytes;
	row = bpf_map_lookup_elem(&rows, &key);
	return row ? row : row_new(&key, s, bytes);
}

/* Of an object that kfree gets. Caches of kmallocs stay, so an address is enough of a key. */
static __always_inline struct slab_value *kfree_row(struct kmem_cache *s)
{
	union slab_key key = {.cache = (__u64)s};
	struct slab_value *row = bpf_map_lookup_elem(&rows, &key);

	return row ? row : row_new(&key, s, object_bytes(s));
}

/* Only the first object of a row is asked for its cache. */
static __always_inline struct slab_value *flags_row(__u32 flags, __u64 ptr, __u64 bytes)
{
	union slab_key key = {.kmalloc = {flags, bytes}};
	struct slab_value *row = bpf_map_lookup_elem(&rows, &key);

	return row ? row : row_new(&key, object_cache(ptr), bytes);
}

/* From 6.6 on (3c6152940584) one of several caches may be taken by the caller's address. */
static __always_inline bool flags_tell_cache(void)
{
	return !bpf_core_enum_value_exists(enum kmalloc_cache_type, KMALLOC_RANDOM_START);
}

static __always_inline void count_alloc(struct slab_value *row, __u32 weight)
{
	if (row)
		row_add(row->allocs, weight);
}

static __always_inline void count_free(struct slab_value *row, __u32 weight)
{
	if (row)
		row_add(row->frees, weight);
}

static __always_inline void cache_alloc(__u64 ptr, struct kmem_cache *s, __u64 bytes)
{
	__u32 weight = ptr ? keep_weight() : 0;

	if (weight)
		count_alloc(cache_row(s, bytes), weight);
}

static __always_inline void cache_free(struct kmem_cache *s, __u64 bytes)
{
	__u32 weight = keep_weight();

	if (weight)
		count_free(cache_row(s, bytes), weight);
}

static __always_inline void on_kmalloc(__u64 ptr, __u64 bytes)
{
	__u32 weight = ptr && bytes <= cfg.large_bytes ? keep_weight() : 0;

	if (weight)
		count_alloc(cache_row(object_cache(ptr), bytes), weight);
}

static __always_inline void on_kmalloc_flags(__u64 ptr, __u64 bytes, __u32 flags)
{
	__u32 weight;

	if (!flags_tell_cache()) {
		on_kmalloc(ptr, bytes);
		return;
	}
	weight = ptr && bytes <= cfg.large_bytes ? keep_weight() : 0;
	if (weight)
		count_alloc(flags_row(flags, ptr, bytes), weight);
}

static __always_inline void on_kfree(__u64 ptr)
{
	__u32 weight = ptr ? keep_weight() : 0;
	struct kmem_cache *s;

	if (!weight)
		return;
	s = object_cache(ptr);
	if (s)
		count_free(kfree_row(s), weight);
}

ON_EVENT_ADDRESS(kmalloc_btf, kmalloc_raw, kmalloc, 1, on_kmalloc_flags(address, bytes, flags),
		 unsigned long call_site, const void *ptr, size_t requested, size_t bytes,
		 __u32 flags)

SEC("tp/kmem/kmalloc")
int kmalloc_tp(struct trace_event_raw_kmalloc *ctx)
{
	on_kmalloc((__u64)ctx->ptr, ctx->bytes_alloc);
	return 0;
}

SEC("tp_btf/kmem_cache_alloc")
int BPF_PROG(cache_btf, unsigned long call_site, const void *ptr, struct kmem_cache *s)
{
	cache_alloc(void_arg(ctx, 1), s, s->size);
	return 0;
}

SEC("raw_tp/kmem_cache_alloc")
int BPF_PROG(cache_raw, unsigned long call_site, const void *ptr, struct kmem_cache *s)
{
	cache_alloc((__u64)ptr, s, BPF_CORE_READ(s, size));
	return 0;
}

/* The record has no cache pointer, but the object tells it where the kfunc is. */
SEC("tp/kmem/kmem_cache_alloc")
int cache_tp(struct trace_event_raw_kmem_cache_alloc *ctx)
{
	on_kmalloc((__u64)ctx->ptr, ctx->bytes_alloc);
	return 0;
}

/* Before 6.1 (11e9734bcb6a) the events tell sizes, no cache, and there is one more for each. */
SEC("tp/kmem/kmalloc")
int kmalloc_old_tp(struct trace_event_raw_kmem_alloc *ctx)
{
	on_kmalloc((__u64)ctx->ptr, ctx->bytes_alloc);
	return 0;
}

#define SIZED_ALLOC(base, event, record)                                                           \
	ON_EVENT_ADDRESS(base##_btf, base##_raw, event, 1, on_kmalloc(address, bytes),             \
			 unsigned long call_site, const void *ptr, size_t requested, size_t bytes) \
	SEC("tp/kmem/" #event)                                                                     \
	int base##_tp(struct record *ctx)                                                          \
	{                                                                                          \
		on_kmalloc((__u64)ctx->ptr, ctx->bytes_alloc);                                     \
		return 0;                                                                          \
	}

SIZED_ALLOC(kmalloc_node, kmalloc_node, trace_event_raw_kmem_alloc_node)
SIZED_ALLOC(cache_old, kmem_cache_alloc, trace_event_raw_kmem_alloc)
SIZED_ALLOC(cache_node, kmem_cache_alloc_node, trace_event_raw_kmem_alloc_node)

ON_EVENT_ADDRESS(kfree_btf, kfree_raw, kfree, 1, on_kfree(address))

SEC("tp/kmem/kfree")
int kfree_tp(struct trace_event_raw_kfree *ctx)
{
	on_kfree((__u64)ctx->ptr);
	return 0;
}

SEC("tp_btf/kmem_cache_free")
int BPF_PROG(cache_free_btf, unsigned long call_site, const void *ptr, struct kmem_cache *s)
{
	cache_free(s, s->size);
	return 0;
}

SEC("raw_tp/kmem_cache_free")
int BPF_PROG(cache_free_raw, unsigned long call_site, const void *ptr, struct kmem_cache *s)
{
	cache_free(s, BPF_CORE_READ(s, size));
	return 0;
}

SEC("tp/kmem/kmem_cache_free")
int cache_free_tp(struct trace_event_raw_kmem_cache_free *ctx)
{
	on_kfree((__u64)ctx->ptr);
	return 0;
}

/* Before 6.1 (11e9734bcb6a) without the cache, before 5.12 (3544de8ee6e4) in one record. */
ON_EVENT_ADDRESS(cache_free_old_btf, cache_free_old_raw, kmem_cache_free, 1, on_kfree(address))

SEC("tp/kmem/kmem_cache_free")
int cache_free_old_tp(struct trace_event_raw_kmem_free *ctx)
{
	on_kfree((__u64)ctx->ptr);
	return 0;
}

SEC("tp/kmem/kfree")
int kfree_old_tp(struct trace_event_raw_kmem_free *ctx)
{
	on_kfree((__u64)ctx->ptr);
	return 0;
}
