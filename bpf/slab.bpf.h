/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the programs on slab events share: their arguments, and the names of caches. */
#ifndef KTRACE_SLAB_BPF_H
#define KTRACE_SLAB_BPF_H

/* Newer than 6.12, there from 6.16 on at the latest. Called only where cfg.find.kfunc says so. */
extern struct kmem_cache *bpf_get_kmem_cache(__u64 addr) __ksym __weak;

/* Where the including file's cfg has its struct slab_find. */
#ifndef SLAB_FIND
#define SLAB_FIND cfg.find
#endif

/*
 * Where the kernel keeps struct page of all memory, and the memory: both fixed since it booted.
 * Read with the first address that is looked up.
 */
static struct {
	__u64 pages, direct;
} bases SEC(".data.bases");

static __always_inline bool bases_read(void)
{
	__u64 pages = 0, direct = 0;

	if (bases.pages)
		return true;
	bpf_probe_read_kernel(&pages, sizeof(pages), (void *)SLAB_FIND.vmemmap_base);
	bpf_probe_read_kernel(&direct, sizeof(direct), (void *)SLAB_FIND.page_offset_base);
	if (!pages || !direct)
		return false;
	bases.direct = direct;
	barrier();
	bases.pages = pages;
	return true;
}

/* The first bytes of a struct page, by one read; each read is a call of its own. */
struct page_bytes {
	__u8 byte[64];
} __attribute__((aligned(8)));

/* By a pointer: memcpy() from an offset that the compiler does not know goes byte by byte. */
#define PAGE_FIELD(copy, type, field) \
	(*(const typeof(((type *)0)->field) *)((copy)->byte + bpf_core_field_offset(type, field)))

/* What is read of it: before 6.12 all that is asked for lies in its first half. */
#define PAGE_READ                                                                         \
	(bpf_core_enum_value_exists(enum pagetype, PGTY_slab) ? sizeof(struct page_bytes) \
							      : sizeof(struct page_bytes) / 2)

/* Does the page hold slab objects? A kernel that says it in neither way counts as no. */
static __always_inline bool is_slab(const struct page_bytes *page)
{
	if (bpf_core_enum_value_exists(enum pagetype, PGTY_slab))
		return PAGE_FIELD(page, struct page, page_type) >> 24 ==
		       bpf_core_enum_value(enum pagetype, PGTY_slab);
	if (bpf_core_enum_value_exists(enum pageflags, PG_slab))
		return PAGE_FIELD(page, struct page, flags) >>
			   bpf_core_enum_value(enum pageflags, PG_slab) &
		       1;
	return false;
}

/*
 * What virt_to_slab() does on x86-64, pages of 4 KiB: copies the head page of the memory
 * that holds ptr. base: where that memory begins.
 */
static __always_inline bool page_of(__u64 ptr, struct page_bytes *copy, __u64 *base)
{
	__u64 size = bpf_core_type_size(struct page), page, head;

	/* from 7.1 on a tail page says otherwise where its head is */
	if (!bpf_core_field_exists(struct page, compound_head) || !size || !bases_read() ||
	    ptr < bases.direct)
		return false;
	page = bases.pages + ((ptr - bases.direct) >> 12) * size;
	if (bpf_probe_read_kernel(copy, PAGE_READ, (void *)page))
		return false;
	head = PAGE_FIELD(copy, struct page, compound_head);
	if (head & 1) {
		page = head - 1;
		if (bpf_probe_read_kernel(copy, PAGE_READ, (void *)page))
			return false;
	}
	*base = bases.direct + ((page - bases.pages) / size << 12);
	return true;
}

static __always_inline struct kmem_cache *page_cache(__u64 ptr)
{
	struct page_bytes page;
	__u64 base;

	if (!page_of(ptr, &page, &base) || !is_slab(&page))
		return NULL;
	if (bpf_core_field_exists(struct page___old, slab_cache))
		return PAGE_FIELD(&page, struct page___old, slab_cache);
	return PAGE_FIELD(&page, struct slab, slab_cache);
}

/* The cache that an object belongs to; NULL: none, or this kernel does not tell. */
static __always_inline struct kmem_cache *object_cache(__u64 ptr)
{
	if (SLAB_FIND.kfunc)
		return bpf_get_kmem_cache(ptr);
	return SLAB_FIND.vmemmap_base ? page_cache(ptr) : NULL;
}

/* Size of the cache's objects. A cache that the kfunc gave may be read as it is. */
static __always_inline __u32 object_bytes(struct kmem_cache *s)
{
	return SLAB_FIND.kfunc ? s->size : BPF_CORE_READ(s, size);
}

/* How far into its object ptr points; ~0: this kernel does not tell. */
static __always_inline __u32 object_offset(struct kmem_cache *cache, __u64 ptr)
{
	__u32 size = BPF_CORE_READ(cache, size), pad = 0, offset;
	struct page_bytes page;
	__u64 base;

	if (!SLAB_FIND.vmemmap_base || !size || !page_of(ptr, &page, &base))
		return ~0U;
	if (bpf_core_field_exists(cache->red_left_pad)) /* with slab debugging only */
		pad = BPF_CORE_READ(cache, red_left_pad);
	offset = (__u32)(ptr - base) % size;
	return offset >= pad ? offset - pad : ~0U;
}

/*
 * Argument n of a tp_btf program that the kernel calls const void *. Not every
 * verifier (5.10 to 6.12, at least) lets a program load it from the context: it looks
 * for a struct behind the const.
 */
static __always_inline __u64 void_arg(void *ctx, int n)
{
	__u64 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), (__u64 *)ctx + n);
	return value;
}

/* ON_EVENT() where argument n is such a pointer, or is wanted as a number: the call's address. */
#define ON_EVENT_ADDRESS(btf, raw, event, n, call, ...)                  \
	ON_EVENT_BOTH(btf, raw, event, __u64 address = void_arg(ctx, n); \
		      call, __u64 address = ctx[n]; call, ##__VA_ARGS__)

/* "kmalloc-64", "kmalloc-2k": what the general cache of a size is called. */
static __always_inline void kmalloc_name(char *out, __u64 bytes)
{
	__u32 n = bytes >= 1024 ? bytes >> 10 : bytes;
	__u32 i = 8;

	__builtin_memcpy(out, "kmalloc-", 8);
	if (n >= 100)
		out[i++] = '0' + n / 100 % 10;
	if (n >= 10)
		out[i++] = '0' + n / 10 % 10;
	out[i++] = '0' + n % 10;
	if (bytes >= 1024)
		out[i++] = 'k';
	out[i] = 0;
}

#endif
