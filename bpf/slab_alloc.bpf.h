/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The programs on kmalloc and slab allocations, the same for every tool that
 * sees each of them. The including file has defined
 *   on_kmalloc(ctx, call_site, ptr, requested, bytes)
 *   on_cache_alloc(ctx, ptr, s, requested, bytes)  s: the cache where the event says it, else NULL
 * Their rows in a hook table are HOOKS_KMALLOC() and HOOKS_CACHE_ALLOC().
 */
#ifndef KTRACE_SLAB_ALLOC_BPF_H
#define KTRACE_SLAB_ALLOC_BPF_H

/* kmalloc's first four arguments are the same from 5.10 to 7.3, kmalloc_node's too. */
ON_EVENT_ADDRESS(kmalloc_btf, kmalloc_raw, kmalloc, 1,
		 on_kmalloc(ctx, call_site, address, requested, bytes), unsigned long call_site,
		 const void *ptr, size_t requested, size_t bytes)

SEC("tp/kmem/kmalloc")
int kmalloc_tp(struct trace_event_raw_kmalloc *ctx)
{
	on_kmalloc(ctx, ctx->call_site, (__u64)ctx->ptr, ctx->bytes_req, ctx->bytes_alloc);
	return 0;
}

SEC("tp/kmem/kmalloc")
int kmalloc_tp_old(struct trace_event_raw_kmem_alloc *ctx)
{
	on_kmalloc(ctx, ctx->call_site, (__u64)ctx->ptr, ctx->bytes_req, ctx->bytes_alloc);
	return 0;
}

/* The _node tracepoints are there up to 6.0 only; they begin as the plain ones do. */
ON_EVENT_ADDRESS(kmalloc_node_btf, kmalloc_node_raw, kmalloc_node, 1,
		 on_kmalloc(ctx, call_site, address, requested, bytes), unsigned long call_site,
		 const void *ptr, size_t requested, size_t bytes)

/* Since 6.1 the cache comes with the event and the sizes do not (2c1d697fb8ba). */
SEC("tp_btf/kmem_cache_alloc")
int BPF_PROG(cache_btf, unsigned long call_site, const void *ptr, struct kmem_cache *s)
{
	on_cache_alloc(ctx, void_arg(ctx, 1), s, s->object_size, s->size);
	return 0;
}

SEC("raw_tp/kmem_cache_alloc")
int BPF_PROG(cache_raw, unsigned long call_site, const void *ptr, struct kmem_cache *s)
{
	on_cache_alloc(ctx, (__u64)ptr, s, BPF_CORE_READ(s, object_size), BPF_CORE_READ(s, size));
	return 0;
}

ON_EVENT_ADDRESS(cache_btf_old, cache_raw_old, kmem_cache_alloc, 1,
		 on_cache_alloc(ctx, address, NULL, requested, bytes), unsigned long call_site,
		 const void *ptr, size_t requested, size_t bytes)

ON_EVENT_ADDRESS(cache_node_btf, cache_node_raw, kmem_cache_alloc_node, 1,
		 on_cache_alloc(ctx, address, NULL, requested, bytes), unsigned long call_site,
		 const void *ptr, size_t requested, size_t bytes)

SEC("tp/kmem/kmem_cache_alloc")
int cache_tp(struct trace_event_raw_kmem_cache_alloc *ctx)
{
	on_cache_alloc(ctx, (__u64)ctx->ptr, NULL, ctx->bytes_req, ctx->bytes_alloc);
	return 0;
}

SEC("tp/kmem/kmem_cache_alloc")
int cache_tp_old(struct trace_event_raw_kmem_alloc *ctx)
{
	on_cache_alloc(ctx, (__u64)ctx->ptr, NULL, ctx->bytes_req, ctx->bytes_alloc);
	return 0;
}

SEC("tp/kmem/kmalloc_node")
int kmalloc_node_tp(struct trace_event_raw_kmem_alloc_node *ctx)
{
	on_kmalloc(ctx, ctx->call_site, (__u64)ctx->ptr, ctx->bytes_req, ctx->bytes_alloc);
	return 0;
}

SEC("tp/kmem/kmem_cache_alloc_node")
int cache_node_tp(struct trace_event_raw_kmem_alloc_node *ctx)
{
	on_cache_alloc(ctx, (__u64)ctx->ptr, NULL, ctx->bytes_req, ctx->bytes_alloc);
	return 0;
}

#endif
