// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/memleak.h"

#include <bpf/libbpf.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "bpf/hooks.h"
#include "cmd/leaf.h"
#include "cmd/slab_find.h"
#include "core/opts.h"
#include "core/plan.h"
#include "leak.skel.h"

/* Some 20 MiB with the default columns, 35 with all. */
#define MAX_LIVE (1u << 18)
#define OLDER_NS 500000000u

#define PART(class) (1u << (class))
#define PARTS_SLAB (PART(LEAK_SLAB) | PART(LEAK_KMALLOC))
#define PARTS_ALL (PART(LEAK_CLASSES) - 1)

/* kfree() frees objects of slab caches too, kmem_cache_free() no kmalloc. */
#define HOOKS_FREE(role, base, event, parts_)                  \
	HOOKS_EVENT(leak, role, base, event, .parts = parts_), \
	    HOOK(leak, role, VIA_TRACEPOINT, base##_tp_old, event, .parts = parts_)
#define NEW_PERCPU .parts = PART(LEAK_PERCPU), .param = 2, .param_type = "bool"
#define OLD_PERCPU .parts = PART(LEAK_PERCPU), .param = 2, .param_type = "size_t"
#define RCU_FREE                                                                           \
	"kvfree_call_rcu",                                                                 \
	    .parts = PARTS_SLAB, .when = HOOK_OPTIONAL,                                    \
	    .without = "kfree_rcu() emits no event: what it frees looks leaked until its " \
		       "address is allocated again"
#define BULK_FREE                                                                           \
	"kmem_cache_free_bulk",                                                             \
	    .parts = PARTS_SLAB, .when = HOOK_OPTIONAL,                                     \
	    .without = "bulk frees (kmem_cache_free_bulk, kfree_bulk) emit no event: what " \
		       "they free looks leaked until its address is allocated again"

static const struct hook hooks[] = {
    HOOKS_KMALLOC(leak, .parts = PART(LEAK_KMALLOC)),
    HOOKS_CACHE_ALLOC(leak, .parts = PART(LEAK_SLAB)),
    HOOKS_FREE("kfree", kfree, "kmem:kfree", PARTS_SLAB),
    HOOKS_FREE("cache_free", cache_free, "kmem:kmem_cache_free", PART(LEAK_SLAB)),
    HOOK(leak, "rcu_free", VIA_FENTRY, rcu_free_fentry, RCU_FREE),
    HOOK(leak, "rcu_free", VIA_KPROBE, rcu_free_kprobe, RCU_FREE),
    HOOK(leak, "bulk_free", VIA_FENTRY, bulk_free_fentry, BULK_FREE),
    HOOK(leak, "bulk_free", VIA_KPROBE, bulk_free_kprobe, BULK_FREE),
    HOOK(leak, "bulk_alloc", VIA_FENTRY, bulk_alloc_fexit,
	 "kmem_cache_alloc_bulk_noprof|kmem_cache_alloc_bulk", .parts = PART(LEAK_SLAB),
	 .when = HOOK_OPTIONAL,
	 .without = "bulk allocations (kmem_cache_alloc_bulk) emit no event and are not seen"),
    HOOKS_EVENT(leak, "page", page, "kmem:mm_page_alloc", .parts = PART(LEAK_PAGES)),
    HOOKS_EVENT(leak, "page_free", page_free, "kmem:mm_page_free", .parts = PART(LEAK_PAGES)),
    HOOK(leak, "percpu", VIA_TP_BTF, percpu_btf, "percpu:percpu_alloc_percpu", NEW_PERCPU),
    HOOK(leak, "percpu", VIA_TP_BTF, percpu_btf_old, "percpu:percpu_alloc_percpu", OLD_PERCPU),
    HOOK(leak, "percpu", VIA_RAW_TP, percpu_raw, "percpu:percpu_alloc_percpu", NEW_PERCPU),
    HOOK(leak, "percpu", VIA_RAW_TP, percpu_raw_old, "percpu:percpu_alloc_percpu", OLD_PERCPU),
    HOOK(leak, "percpu", VIA_TRACEPOINT, percpu_tp, "percpu:percpu_alloc_percpu",
	 .parts = PART(LEAK_PERCPU)),
    HOOKS_EVENT(leak, "percpu_free", percpu_free, "percpu:percpu_free_percpu",
		.parts = PART(LEAK_PERCPU)),
    HOOKS_FOLLOW(leak),
    {0},
};

static const struct column columns[] = {
    KEY(struct memleak_key, kstack, KIND_KSTACK, WANT_KSTACK),
    KEY_OPTIONAL(struct memleak_key, ustack, KIND_USTACK, WANT_USTACK,
		 OWNED_BY(struct memleak_key, tgid)),
    KEY_OPTIONAL(struct memleak_key, comm, KIND_COMM, WANT_COMM),
    KEY_OPTIONAL(struct memleak_key, tgid, KIND_U32, WANT_TGID),
    KEY_OPTIONAL(struct memleak_key, tid, KIND_U32, WANT_TID),
    KEY_OPTIONAL(struct memleak_key, cgroup, KIND_CGROUP, WANT_CGROUP),
    KEY_OPTIONAL(struct memleak_key, class, KIND_TEXT, 0),
    KEY_OPTIONAL(struct memleak_key, cache, KIND_TEXT, WANT_CACHE),
    KEY_OPTIONAL(struct memleak_key, addr, KIND_TEXT, 0),
    VAL(struct memleak_value, count, KIND_COUNT),
    VAL(struct memleak_value, bytes, KIND_BYTES),
    VAL_OPTIONAL(struct memleak_value, age_ns, KIND_NS),
    VAL_OPTIONAL(struct memleak_value, growth_bytes, KIND_DIFF_BYTES),
    {0},
};

const char *const memleak_classes[LEAK_CLASSES] = {
    [LEAK_SLAB] = "slab",
    [LEAK_KMALLOC] = "kmalloc",
    [LEAK_PAGES] = "pages",
    [LEAK_PERCPU] = "percpu",
};

static struct leak_cfg *cfg_of(struct opts *opts)
{
	return (struct leak_cfg *)opts->cfg;
}

static enum status parse_class(const struct option_row *row, const char *arg, struct opts *opts)
{
	unsigned class;
	size_t len;

	for (opts->parts = 0;; arg += len + 1) {
		len = strcspn(arg, ",");
		for (class = 0; class < LEAK_CLASSES; class ++)
			if (strlen(memleak_classes[class]) == len &&
			    !strncmp(memleak_classes[class], arg, len))
				break;
		if (class == LEAK_CLASSES)
			return fail(USAGE, "--%s takes slab, kmalloc, pages, percpu, not '%.*s'",
				    row->name, (int)len, arg);
		opts->parts |= PART(class);
		if (!arg[len])
			return OK;
	}
}

static enum status parse_addresses(const struct option_row *row, const char *arg, struct opts *opts)
{
	(void)row;
	(void)arg;
	cfg_of(opts)->addresses = 1;
	return OK;
}

static enum status parse_growth(const struct option_row *row, const char *arg, struct opts *opts)
{
	(void)row;
	(void)arg;
	cfg_of(opts)->growth = 1;
	return OK;
}

/* What it stands for elsewhere is done always. */
static enum status parse_nothing(const struct option_row *row, const char *arg, struct opts *opts)
{
	(void)row;
	(void)arg;
	(void)opts;
	return OK;
}

#define CFG_FIELD(field)                                         \
	.in_cfg = true, .off = offsetof(struct leak_cfg, field), \
	.size = sizeof(((struct leak_cfg *)0)->field)

enum { KEY_OLDER = 256 + 100, KEY_CLASS, KEY_USER, KEY_SAMPLE, KEY_LIVE, KEY_GROWTH, KEY_MISSING };

static const struct option_row options[] = {
    {'a', "addresses", NULL, "each allocation with its address and age", UNIT_CUSTOM,
     .parse = parse_addresses},
    CFG_OPTION(struct leak_cfg, older_ns, KEY_OLDER, "older", "TIME", UNIT_TIME,
	       "only allocations older than this (default 500ms)"),
    {KEY_CLASS, "class", "LIST", "only these: slab, kmalloc, pages, percpu (default all)",
     UNIT_CUSTOM, .parse = parse_class},
    CFG_OPTION(struct leak_cfg, user_pages, KEY_USER, "user-pages", NULL, UNIT_FLAG,
	       "with the pages of user memory and of the page cache"),
    CFG_OPTION(struct leak_cfg, min_bytes, 'z', "min-size", "BYTES", UNIT_SIZE,
	       "only requests of at least this size"),
    CFG_OPTION(struct leak_cfg, max_bytes, 'Z', "max-size", "BYTES", UNIT_SIZE,
	       "only requests of at most this size"),
    {KEY_SAMPLE, "sample", "N", "follow 1 of N addresses, and multiply by N what they make",
     UNIT_U64, CFG_FIELD(sample), .min = 1},
    {KEY_GROWTH, "growth", NULL, "with the growth of bytes since the last report", UNIT_CUSTOM,
     .parse = parse_growth},
    {KEY_LIVE, "live-storage-size", "N", "allocations followed at a time (default 262144)",
     UNIT_U32, CFG_FIELD(max_live), .min = 1},
    {KEY_MISSING, "wa-missing-free", NULL,
     "as in BCC: an address that is allocated again was freed unseen (always so here)", UNIT_CUSTOM,
     .parse = parse_nothing},
    {0},
};

static const char *const leaf[] = {LEAF_SLAB, LEAF_PAGES, LEAF_PERCPU, NULL};

/* Shares of 2^32 are what the program compares with. */
#define MAX_SAMPLE (1u << 20)

static void show(struct opts *opts, const char *column)
{
	opts->optional[opts->n_optional++] = tool_column(opts->tool, column);
}

static enum status check(struct opts *opts)
{
	const struct leak_cfg *cfg = cfg_of(opts);

	if (cfg->max_bytes && cfg->min_bytes > cfg->max_bytes)
		return fail(USAGE, "--min-size is larger than --max-size: nothing could be shown");
	if (cfg->sample > MAX_SAMPLE)
		return fail(USAGE, "--sample takes 1 to %u", MAX_SAMPLE);
	if (!opts->parts)
		opts->parts = PARTS_ALL;
	if (cfg->user_pages && !(opts->parts & PART(LEAK_PAGES)))
		return fail(USAGE, "--user-pages without class pages has no meaning");
	/* The stack tells pages of the page cache and those with another class's objects. */
	if (opts->parts & PART(LEAK_PAGES))
		opts->want |= WANT_KSTACK;
	opts->n_optional = 0;
	if (cfg->addresses) {
		show(opts, "addr");
		show(opts, "age_ns");
	}
	if (cfg->growth)
		show(opts, "growth_bytes");
	return OK;
}

static enum status prepare(const struct plan *plan, void *cfg_)
{
	struct leak_cfg *cfg = cfg_;

	if (cfg->filter.want & WANT_CACHE)
		slab_find_prepare(&cfg->find, plan, false);
	cfg->page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	cfg->large_bytes = 2 * cfg->page_bytes; /* KMALLOC_MAX_CACHE_SIZE */
	cfg->cpus = (uint32_t)libbpf_num_possible_cpus();
	/* Another share of the addresses in each run. Where there is no chance, the first will do.
	 */
	if (cfg->sample > 1 && getrandom(&cfg->seed, sizeof(cfg->seed), GRND_NONBLOCK) < 0)
		cfg->seed = 0;
	return OK;
}

uint32_t memleak_live_size(uint32_t want)
{
	if (want & WANT_CACHE)
		return sizeof(struct leak_value);
	if (want & (WANT_COMM | WANT_TGID | WANT_CGROUP | WANT_USTACK))
		return offsetof(struct leak_value, cache);
	return offsetof(struct leak_value, ustack);
}

static enum status size_live(const struct plan *plan, struct bpf_object *object, void *cfg)
{
	struct bpf_map *live = bpf_object__find_map_by_name(object, "live");
	int err = bpf_map__set_max_entries(live, ((const struct leak_cfg *)cfg)->max_live);

	if (!err)
		err = bpf_map__set_value_size(live, memleak_live_size(plan->filter.want));
	return err ? fail(FAILED, "cannot size the map of live allocations: %s", strerror(-err))
		   : OK;
}

static const struct leak_cfg defaults = {.older_ns = OLDER_NS, .max_live = MAX_LIVE};

const struct tool tool_memleak = {
    .name = "memleak",
    .summary = "kernel memory that was allocated and not freed, by stack",
    .about =
	"What was allocated since the start of the trace, was not freed by the time of the report\n"
	"and is older than --older: slab objects, kmallocs, pages and percpu memory. bytes is "
	"what\n"
	"the allocator gave. A cache that fills is shown like a leak: look for what grows from\n"
	"report to report (--growth). Pages that the slab and percpu allocators took are left out\n"
	"as long as the objects in them are shown.",
    .example = "--growth -n 10 5",
    .object = &object_leak,
    .hooks = hooks,
    .columns = columns,
    .options = options,
    .accepts = ACCEPT_TASK | ACCEPT_STACKS | ACCEPT_ROWS | ACCEPT_HOOK,
    .sort = "bytes",
    .at_interval = AT_LIVE,
    .leaf = leaf,
    .layout =
	{
	    .cfg_size = sizeof(struct leak_cfg),
	    .cfg = &defaults,
	    .key_size = sizeof(struct memleak_key),
	    .value_size = sizeof(struct memleak_value),
	    .no_rows = true,
	},
    .check = check,
    .prepare = prepare,
    .size_maps = size_live,
    .collect = memleak_collect,
};
