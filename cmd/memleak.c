// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/memleak.h"

#include <bpf/libbpf.h>
#include <string.h>
#include <sys/random.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "bpf/heap.h"
#include "cmd/leaf.h"
#include "cmd/slab_find.h"
#include "core/heap.h"
#include "core/opts.h"
#include "core/session.h"

/* Some 20 MiB with the default columns, 35 with all. */
#define MAX_LIVE (1u << 18)
#define OLDER_NS 500000000u

#define PARTS_KERNEL (PART(LEAK_MALLOC) - 1)
#define PARTS_USER (PART(LEAK_MALLOC) | PART(LEAK_MMAP))

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

/* As --class and the column have it. */
static const char *const classes[LEAK_CLASSES] = {
    [LEAK_SLAB] = "slab",     [LEAK_KMALLOC] = "kmalloc", [LEAK_PAGES] = "pages",
    [LEAK_PERCPU] = "percpu", [LEAK_MALLOC] = "malloc",   [LEAK_MMAP] = "mmap",
};

void memleak_fill_class(struct memleak_key *key, uint32_t class)
{
	snprintf(key->class, sizeof(key->class), "%s", class < LEAK_CLASSES ? classes[class] : "");
}

struct memleak_value memleak_sums(int sign, uint64_t count, uint64_t bytes, uint64_t age_ns)
{
	struct memleak_value sums = {.growth_bytes = sign * (int64_t)bytes};

	if (sign > 0) {
		sums.count = count;
		sums.bytes = bytes;
		sums.age_ns = age_ns;
	}
	return sums;
}

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
			if (strlen(classes[class]) == len && !strncmp(classes[class], arg, len))
				break;
		if (class == LEAK_CLASSES)
			return fail(USAGE,
				    "--%s takes slab, kmalloc, pages, percpu, or malloc, mmap, not "
				    "'%.*s'",
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

/* Bits of opts.parts; --kernel alone is all of the kernel's. */
static enum status parse_kernel(const struct option_row *row, const char *arg, struct opts *opts)
{
	(void)row;
	(void)arg;
	opts->parts |= opts->parts & PARTS_KERNEL ? 0 : PARTS_KERNEL;
	return OK;
}

static enum status parse_mmap(const struct option_row *row, const char *arg, struct opts *opts)
{
	(void)row;
	(void)arg;
	opts->parts |= PART(LEAK_MMAP) | PART(LEAK_MALLOC);
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

enum {
	KEY_OLDER = 256 + 100,
	KEY_CLASS,
	KEY_USER,
	KEY_SAMPLE,
	KEY_LIVE,
	KEY_GROWTH,
	KEY_MISSING,
	KEY_KERNEL,
	KEY_MMAP
};

static const struct option_row options[] = {
    {'a', "addresses", NULL, "each allocation with its address and age", UNIT_CUSTOM,
     .parse = parse_addresses},
    CFG_OPTION(struct leak_cfg, older_ns, KEY_OLDER, "older", "TIME", UNIT_TIME,
	       "only allocations older than this (default 500ms)"),
    {KEY_KERNEL, "kernel", NULL, "the kernel's memory, also with -p, -G or a command", UNIT_CUSTOM,
     .parse = parse_kernel},
    {KEY_CLASS, "class", "LIST",
     "only these: slab, kmalloc, pages, percpu (default all); or malloc, mmap", UNIT_CUSTOM,
     .parse = parse_class},
    {KEY_MMAP, "mmap", NULL, "user heap: with mmap() and brk() beside the allocator", UNIT_CUSTOM,
     .parse = parse_mmap},
    {'O', "object", "FILE", "user heap: this program or library has the allocator", UNIT_STRING,
     .off = offsetof(struct opts, object), .size = sizeof(((struct opts *)0)->object)},
    CFG_OPTION(struct leak_cfg, user_pages, KEY_USER, "user-pages", NULL, UNIT_FLAG,
	       "with the pages of user memory and of the page cache"),
    CFG_OPTION(struct leak_cfg, min_bytes, 'z', "min-size", "BYTES", UNIT_SIZE,
	       "only requests of at least this size"),
    CFG_OPTION(struct leak_cfg, max_bytes, 'Z', "max-size", "BYTES", UNIT_SIZE,
	       "only requests of at most this size"),
    {KEY_SAMPLE, "sample", "N",
     "follow 1 of N addresses, or (user heap, 64k) 1 of N bytes; estimate the rest", UNIT_SIZE,
     CFG_FIELD(sample), .min = 1},
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
#define MAX_SAMPLE_BYTES (1ULL << 40) /* so that no product overflows */

static void show(struct opts *opts, const char *column)
{
	opts->optional[opts->n_optional++] = tool_column(opts->tool, column);
}

static enum status check_user(struct opts *opts)
{
	const struct column *kstack = tool_column(opts->tool, "kstack");
	const struct column *cache = tool_column(opts->tool, "cache");
	unsigned i;

	if (!opts->tgids.n && !opts->command && !opts->cgroup)
		return fail(USAGE, "user memory is that of -p PID, -G CGROUP or -- COMMAND");
	if (opts->parts & PARTS_KERNEL)
		return fail(USAGE, "the kernel's memory and that of processes exclude each other");
	if (cfg_of(opts)->user_pages || opts->kernel_stacks || opts->kernel_threads)
		return fail(USAGE, "--user-pages, -K and -k have no meaning for user memory "
				   "(--kernel)");
	for (i = 0; i < opts->n_group; i++)
		if (opts->group[i] == kstack || opts->group[i] == cache)
			return fail(USAGE, "user memory has no column '%s' (--kernel)",
				    opts->group[i]->name);
	if (cfg_of(opts)->sample > MAX_SAMPLE_BYTES)
		return fail(USAGE, "--sample takes at most 1T");
	if (!opts->n_group && opts->stack_depth)
		opts->group[opts->n_group++] = tool_column(opts->tool, "ustack");
	return OK;
}

static enum status check_kernel(struct opts *opts)
{
	const struct leak_cfg *cfg = cfg_of(opts);

	if (opts->object)
		return fail(USAGE,
			    "-O names an allocator of user memory: give -p, -G or a command");
	if (cfg->sample > MAX_SAMPLE)
		return fail(USAGE, "--sample takes 1 to %u", MAX_SAMPLE);
	if (cfg->user_pages && !(opts->parts & PART(LEAK_PAGES)))
		return fail(USAGE, "--user-pages without class pages has no meaning");
	/* The stack tells pages of the page cache and those with another class's objects. */
	if (opts->parts & PART(LEAK_PAGES))
		opts->want |= WANT_KSTACK;
	return OK;
}

static enum status check(struct opts *opts)
{
	const struct leak_cfg *cfg = cfg_of(opts);
	enum status status;

	if (cfg->max_bytes && cfg->min_bytes > cfg->max_bytes)
		return fail(USAGE, "--min-size is larger than --max-size: nothing could be shown");
	if (!opts->parts)
		opts->parts = opts->tgids.n || opts->command || opts->cgroup ? PART(LEAK_MALLOC)
									     : PARTS_KERNEL;
	status = opts->parts & PARTS_USER ? check_user(opts) : check_kernel(opts);
	if (status)
		return status;
	opts->n_optional = 0;
	if (cfg->addresses) {
		show(opts, "addr");
		show(opts, "age_ns");
	}
	if (cfg->growth)
		show(opts, "growth_bytes");
	return OK;
}

static bool is_user(const struct opts *opts)
{
	return opts->parts & PARTS_USER;
}

static bool mode_allowed(const struct opts *opts, unsigned mode)
{
	return is_user(opts) == (mode != MEMLEAK_KERNEL);
}

static void prepare_user(const struct plan *plan, struct leak_cfg *cfg)
{
	const struct filter *filter = &plan->filter;

	struct sysinfo info = {0};

	cfg->session = plan->mode == MEMLEAK_USER;
	sysinfo(&info);
	cfg->max_new_bytes = ((uint64_t)info.totalram + info.totalswap) * info.mem_unit;
	cfg->page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	cfg->mappings = plan->opts->parts >> LEAK_MMAP & 1;
	/* A filter of allocations makes frees of what was left out. */
	cfg->count_misses = cfg->sample <= 1 && !cfg->min_bytes && !cfg->max_bytes &&
			    !filter->by_tid && !filter->by_comm &&
			    plan->opts->parts & PART(LEAK_MALLOC);
}

static enum status prepare(const struct plan *plan, void *cfg_)
{
	struct leak_cfg *cfg = cfg_;

	if (is_user(plan->opts)) {
		prepare_user(plan, cfg);
		return OK;
	}
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
		err = bpf_map__set_value_size(live, is_user(plan->opts)
							? memleak_heap_size(plan->filter.want)
							: memleak_live_size(plan->filter.want));
	return err ? fail(FAILED, "cannot size the map of live allocations: %s", strerror(-err))
		   : OK;
}

static enum status find(const struct plan *plan, struct targets *targets)
{
	return is_user(plan->opts) ? heap_find(targets, plan->opts) : OK;
}

static enum status collect(struct session *session, struct snapshot *snap)
{
	return is_user(session->plan->opts) ? memleak_heap_collect(session, snap)
					    : memleak_collect(session, snap);
}

static const struct mode modes[] = {
    [MEMLEAK_KERNEL - 1] = {.name = "kernel"},
    [MEMLEAK_USER - 1] = {.name = "user", .object = &object_heap},
    [MEMLEAK_PAIRS - 1] = {.name = "user, hooks in pairs", .object = &object_heap},
    {0},
};

static const struct leak_cfg defaults = {.older_ns = OLDER_NS, .max_live = MAX_LIVE};

const struct tool tool_memleak = {
    .name = "memleak",
    .summary = "memory that was allocated and not freed, by stack: of processes, of the kernel",
    .about =
	"What was allocated since the start of the trace, was not freed by the time of the report\n"
	"and is older than --older. With -p, -G or a command the heap of these processes: "
	"malloc()\n"
	"and its kin, C++ new, of any allocator; bytes is what was asked for. What a process had\n"
	"not freed when it ended is in the next report, however young.\n"
	"Else, or with --kernel: slab objects, kmallocs, pages and percpu memory; bytes is what\n"
	"the allocator gave. Pages that the slab and percpu allocators took are left out as long\n"
	"as the objects in them are shown.\n"
	"A cache that fills is shown like a leak: look for what grows from report to report\n"
	"(--growth).",
    .example = "--growth -n 10 -p 1234 5",
    .object = &object_leak,
    .hooks = memleak_hooks,
    .modes = modes,
    .mode_allowed = mode_allowed,
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
    .find = find,
    .size_maps = size_live,
    .collect = collect,
};
