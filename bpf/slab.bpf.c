// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * slabratetop: allocations and frees by slab cache. Keyed by the cache's
 * address and the size of its objects, with its name read once, when the row is
 * made. Bytes are the counts by the size, which the collector multiplies.
 */
#include "bpf/kernel.h"
#include "bpf/slab.h"

const volatile struct slab_cfg cfg SEC(".rodata.cfg");

#include "bpf/ktrace.bpf.h"
#include "bpf/slab.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct slab_key);
	__type(value, struct slab_value);
} rows SEC(".maps");

/* The row of a cache with objects of so many bytes; s NULL: of the general one of that size. */
static __always_inline struct slab_value *cache_row(struct kmem_cache *s, __u64 bytes)
{
	struct slab_key key = {.cache = (__u64)s, .bytes = bytes};
	struct slab_value *row = bpf_map_lookup_elem(&rows, &key);
	struct slab_value new = {};

	if (row)
		return row;
	if (s)
		bpf_probe_read_kernel_str(new.cache, sizeof(new.cache), BPF_CORE_READ(s, name));
	else
		kmalloc_name(new.cache, bytes);
	return row_get(&rows, &key, &new);
}

static __always_inline void count_alloc(struct slab_value *row)
{
	if (row)
		row_add(row->allocs, 1);
}

static __always_inline void count_free(struct slab_value *row)
{
	if (row)
		row_add(row->frees, 1);
}

static __always_inline void cache_alloc(__u64 ptr, struct kmem_cache *s, __u64 bytes)
{
	if (ptr && keep_current())
		count_alloc(cache_row(s, bytes));
}

static __always_inline void cache_free(__u64 ptr, struct kmem_cache *s, __u64 bytes)
{
	if (ptr && keep_current())
		count_free(cache_row(s, bytes));
}

static __always_inline void on_kmalloc(__u64 ptr, __u64 bytes)
{
	if (ptr && bytes <= cfg.large_bytes && keep_current())
		count_alloc(cache_row(object_cache(ptr), bytes));
}

static __always_inline void on_kfree(__u64 ptr)
{
	struct kmem_cache *s;

	if (!ptr || !keep_current())
		return;
	s = object_cache(ptr);
	if (s)
		count_free(cache_row(s, object_bytes(s)));
}

ON_EVENT_ADDRESS(kmalloc_btf, kmalloc_raw, kmalloc, 1, on_kmalloc(address, bytes),
		 unsigned long call_site, const void *ptr, size_t requested, size_t bytes)

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
	cache_free(void_arg(ctx, 1), s, s->size);
	return 0;
}

SEC("raw_tp/kmem_cache_free")
int BPF_PROG(cache_free_raw, unsigned long call_site, const void *ptr, struct kmem_cache *s)
{
	cache_free((__u64)ptr, s, BPF_CORE_READ(s, size));
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
