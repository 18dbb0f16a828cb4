/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Pages and percpu memory. Part of leak.bpf.c. */
#ifndef KTRACE_LEAK_PAGES_BPF_H
#define KTRACE_LEAK_PAGES_BPF_H

#define MIGRATE_MOVABLE 1 /* include/linux/mmzone.h; as long as the event is there */

/*
 * Pages that can be moved are those of user space and of the page cache, but for a
 * few of drivers (zsmalloc, balloons): the kernel cannot move its own.
 */
static __always_inline void on_page_alloc(void *ctx, __u64 page, __u32 order, int migratetype)
{
	__u64 bytes = cfg.page_bytes << (order & 63);

	if (migratetype == MIGRATE_MOVABLE && !cfg.user_pages)
		return;
	on_alloc(ctx, page | LEAK_SPACE_PAGES, LEAK_PAGES, NULL, bytes, bytes);
}

/*
 * Blocks may be split and given back in parts. The first part's free leaves the
 * rest, under the address of its own first page; next_page is how far it is from
 * one page to the next.
 */
static __always_inline void on_page_free(__u64 page, __u32 order, __u64 next_page)
{
	__u64 key = page | LEAK_SPACE_PAGES, rest;
	__u64 freed = cfg.page_bytes << (order & 63);
	struct leak_value *value;

	if (!sampled(key))
		return;
	value = bpf_map_lookup_elem(&live, &key);
	if (!value)
		return;
	if (freed < value->bytes) {
		value->bytes -= freed;
		rest = key + (next_page << (order & 63));
		if (sampled(rest) && bpf_map_update_elem(&live, &rest, value, BPF_ANY))
			lose(events);
	}
	live_delete(key);
}

#define PAGE_STRIDE bpf_core_type_size(struct page)

SEC("tp_btf/mm_page_alloc")
int BPF_PROG(page_btf, void *page, unsigned int order, __u32 gfp, int migratetype)
{
	if (page)
		on_page_alloc(ctx, void_arg(ctx, 0), order, migratetype);
	return 0;
}

SEC("raw_tp/mm_page_alloc")
int BPF_PROG(page_raw, void *page, unsigned int order, __u32 gfp, int migratetype)
{
	if (page)
		on_page_alloc(ctx, (__u64)page, order, migratetype);
	return 0;
}

/* The record has no page pointer; a failed allocation has page frame number -1 in it. */
SEC("tp/kmem/mm_page_alloc")
int page_tp(struct trace_event_raw_mm_page_alloc *ctx)
{
	if (ctx->pfn != -1UL)
		on_page_alloc(ctx, ctx->pfn << LEAK_PFN_SHIFT, ctx->order, ctx->migratetype);
	return 0;
}

/* It covers the frees of mm_page_free_batched too. */
ON_EVENT_ADDRESS(page_free_btf, page_free_raw, mm_page_free, 0,
		 on_page_free(address, order, PAGE_STRIDE), void *page, unsigned int order)

SEC("tp/kmem/mm_page_free")
int page_free_tp(struct trace_event_raw_mm_page_free *ctx)
{
	on_page_free(ctx->pfn << LEAK_PFN_SHIFT, ctx->order, 1 << LEAK_PFN_SHIFT);
	return 0;
}

static __always_inline void on_percpu_alloc(void *ctx, __u64 ptr, __u64 bytes)
{
	if (ptr)
		on_alloc(ctx, ptr, LEAK_PERCPU, NULL, bytes, bytes * cfg.cpus);
}

static __always_inline void on_percpu_free(__u64 ptr)
{
	__u64 key = ptr | LEAK_SPACE_PERCPU;

	if (ptr && sampled(key))
		live_delete(key);
}

/* Since 5.19 (f67bed134a05) the call site comes first. */
ON_EVENT_ADDRESS(percpu_btf, percpu_raw, percpu_alloc_percpu, 7,
		 on_percpu_alloc(ctx, address, size), unsigned long call_site, bool reserved,
		 bool is_atomic, size_t size)

ON_EVENT_ADDRESS(percpu_btf_old, percpu_raw_old, percpu_alloc_percpu, 6,
		 on_percpu_alloc(ctx, address, size), bool reserved, bool is_atomic, size_t size)

SEC("tp/percpu/percpu_alloc_percpu")
int percpu_tp(struct trace_event_raw_percpu_alloc_percpu *ctx)
{
	on_percpu_alloc(ctx, (__u64)ctx->ptr, ctx->size);
	return 0;
}

ON_EVENT_ADDRESS(percpu_free_btf, percpu_free_raw, percpu_free_percpu, 2, on_percpu_free(address))

SEC("tp/percpu/percpu_free_percpu")
int percpu_free_tp(struct trace_event_raw_percpu_free_percpu *ctx)
{
	on_percpu_free((__u64)ctx->ptr);
	return 0;
}

#endif
