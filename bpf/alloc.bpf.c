// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * kmem and kpages: allocations summed by stack and task. Nothing is remembered
 * between events.
 */
#include "bpf/kernel.h"
#include "bpf/alloc.h"

const volatile struct alloc_cfg cfg SEC(".rodata.cfg");

#include "bpf/ktrace.bpf.h"
#include "bpf/sample.bpf.h"
#include "bpf/kstack.bpf.h"
#include "bpf/slab.bpf.h"
#include "bpf/slab_request.bpf.h"

/*
 * Key and value sizes are the tool's, set before load. Without types: where these have other sizes
 * the kernel makes the whole map before it says so, and it has to be made again.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct kmem_key));
	__uint(value_size, sizeof(struct kmem_value));
} rows SEC(".maps");

/* At most five frames of the tracing machinery, the tracer and its call site. */
#define LARGE_WALK 8

static const struct kmem_value kmem_zero;
static const struct kpages_value kpages_zero;

/* Where the event was made: the frame inside of the call site's. 0: not among the first frames. */
static __always_inline __u64 tracer_of(void *ctx, __u64 call_site)
{
	__u64 ip[LARGE_WALK];
	long bytes = bpf_get_stack(ctx, ip, sizeof(ip), 0);
	int i;

	for (i = 1; i < LARGE_WALK; i++)
		if (bytes >= (i + 1) * 8 && ip[i] == call_site)
			return ip[i - 1];
	return 0;
}

/* call_site: where kmalloc was called; else 0. */
static __always_inline void slab_alloc(void *ctx, __u64 call_site, __u64 ptr, struct kmem_cache *s,
				       __u64 requested, __u64 bytes)
{
	__u32 weight = ptr && keep_bytes(requested) ? keep_weight() : 0;
	struct kmem_key key = {};
	struct kmem_value *row;

	if (!weight)
		return;
	if (WANT(WANT_CACHE) || cfg.cache[0])
		cache_name(key.cache, ptr, s, bytes);
	if (cfg.cache[0] && !same_name(key.cache, cfg.cache, NAME_LEN))
		return;
	if (!WANT(WANT_CACHE))
		__builtin_memset(key.cache, 0, sizeof(key.cache));
	key_current(&key);
	key.kstack = kstack_of_current(ctx);
	key.ustack = ustack_of_current(ctx);
	/* After the walks, so that the verifier need not follow them both ways. */
	if (call_site && requested > cfg.large_bytes) {
		key.large_call_site = call_site;
		key.large_tracer = tracer_of(ctx, call_site);
	}
	row = row_get(&rows, &key, &kmem_zero);
	if (!row)
		return;
	row_add(row->count, weight);
	row_add(row->bytes, bytes * weight);
	row_add(row->requested_bytes, requested * weight);
}

static __always_inline void on_kmalloc(void *ctx, __u64 call_site, __u64 ptr, __u64 requested,
				       __u64 bytes)
{
	slab_alloc(ctx, call_site, ptr, NULL, requested, bytes);
}

static __always_inline void on_cache_alloc(void *ctx, __u64 ptr, struct kmem_cache *s,
					   __u64 requested, __u64 bytes)
{
	slab_alloc(ctx, 0, ptr, s, requested, bytes);
}

#include "bpf/slab_alloc.bpf.h"

static __always_inline void page_alloc(void *ctx, bool failed, __u32 order)
{
	bool wanted = !failed && (!cfg.order_plus_one || order == cfg.order_plus_one - 1);
	__u64 pages = 1ULL << (order & 63);
	__u32 weight = wanted ? keep_weight() : 0;
	struct kpages_key key = {};
	struct kpages_value *row;

	if (!weight)
		return;
	key_current(&key);
	if (WANT(WANT_ORDER))
		key.order = order;
	key.kstack = kstack_of_current(ctx);
	key.ustack = ustack_of_current(ctx);
	row = row_get(&rows, &key, &kpages_zero);
	if (!row)
		return;
	row_add(row->count, weight);
	row_add(row->pages, pages * weight);
	row_add(row->bytes, cfg.page_bytes * pages * weight);
}

ON_EVENT(page_btf, page_raw, mm_page_alloc, page_alloc(ctx, !page, order), void *page,
	 unsigned int order)

/* The record has no page pointer; a failed allocation has page frame number -1 in it. */
SEC("tp/kmem/mm_page_alloc")
int page_tp(struct trace_event_raw_mm_page_alloc *ctx)
{
	page_alloc(ctx, ctx->pfn == -1UL, ctx->order);
	return 0;
}
