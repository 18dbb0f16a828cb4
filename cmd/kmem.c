// SPDX-License-Identifier: GPL-2.0-or-later
#include <unistd.h>

#include "bpf/alloc.h"
#include "bpf/hooks.h"
#include "cmd/leaf.h"
#include "cmd/slab_find.h"
#include "core/symbols.h"
#include "core/opts.h"
#include "core/session.h"
#include "alloc.skel.h"

static const struct hook hooks[] = {
    HOOKS_KMALLOC(alloc),
    HOOKS_CACHE_ALLOC(alloc),
    HOOKS_FOLLOW(alloc),
    {0},
};

static const struct column columns[] = {
    KEY(struct kmem_key, kstack, KIND_KSTACK, WANT_KSTACK),
    KEY_OPTIONAL(struct kmem_key, ustack, KIND_USTACK, WANT_USTACK,
		 OWNED_BY(struct kmem_key, tgid)),
    KEY(struct kmem_key, comm, KIND_COMM, WANT_COMM),
    KEY_OPTIONAL(struct kmem_key, tgid, KIND_U32, WANT_TGID),
    KEY_OPTIONAL(struct kmem_key, tid, KIND_U32, WANT_TID),
    KEY_OPTIONAL(struct kmem_key, cgroup, KIND_CGROUP, WANT_CGROUP),
    KEY_OPTIONAL(struct kmem_key, cache, KIND_TEXT, WANT_CACHE),
    VAL(struct kmem_value, count, KIND_COUNT),
    VAL(struct kmem_value, bytes, KIND_BYTES),
    VAL(struct kmem_value, requested_bytes, KIND_BYTES),
    {.name = "avg_bytes", .kind = KIND_RATIO_BYTES, .num = "bytes", .den = "count"},
    {0},
};

static const struct option_row options[] = {
    CFG_OPTION(struct alloc_cfg, min_bytes, 'z', "min-size", "BYTES", UNIT_SIZE,
	       "only requests of at least this size"),
    CFG_OPTION(struct alloc_cfg, max_bytes, 'Z', "max-size", "BYTES", UNIT_SIZE,
	       "only requests of at most this size"),
    CFG_OPTION(struct alloc_cfg, cache, 256 + 100, "cache", "NAME", UNIT_NAME,
	       "only objects of this slab cache"),
    {0},
};

static const char *const leaf[] = {LEAF_SLAB, NULL};

/* The page allocator's half of kmalloc, which traces. */
static const char *const large[] = {
    "__kmalloc_large_node_noprof",
    "__kmalloc_large_noprof",
    NULL,
};

/* Functions that call it and trace again on their own. */
static const char *const wrappers[] = {
    "__do_kmalloc_node",
    "__kmalloc",
    "__kmalloc_noprof",
    "__kmalloc_node",
    "__kmalloc_node_noprof",
    "__kmalloc_track_caller",
    "__kmalloc_node_track_caller",
    "__kmalloc_node_track_caller_noprof",
    "__kvmalloc_node_noprof",
    NULL,
};

static enum status prepare(const struct plan *plan, void *cfg_)
{
	struct alloc_cfg *cfg = cfg_;

	/* The event may name the cache itself, but a kmalloc does not. */
	if (cfg->filter.want & WANT_CACHE || cfg->cache[0])
		slab_find_prepare(&cfg->find, plan, false);
	cfg->large_bytes = 2 * (uint64_t)sysconf(_SC_PAGESIZE); /* KMALLOC_MAX_CACHE_SIZE */
	return OK;
}

static bool is_inner(struct session *session, struct snapshot *snap, const struct kmem_key *key)
{
	struct symbolize *symbols = &session->symbolize;

	if (!key->large_tracer)
		return false;
	if (symbolize_is_in(symbols, snap, key->large_tracer, large) &&
	    symbolize_is_in(symbols, snap, key->large_call_site, wrappers))
		return true;
	if (!symbols_text(session->plan->symbols))
		snapshot_note(snap, "without kernel symbols a kmalloc of more than two pages may "
				    "be counted twice");
	return false;
}

static enum status collect(struct session *session, struct snapshot *snap)
{
	struct rowset rows;
	enum status status = session_read_rows(session, &rows);
	size_t i;

	for (i = 0; i < rows.n && !status; i++)
		if (!is_inner(session, snap, rowset_key(&rows, i)))
			status = session_row(session, snap, rowset_key(&rows, i),
					     rowset_value(&rows, i));
	rowset_free(&rows);
	return status;
}

static enum status check(struct opts *opts)
{
	const struct alloc_cfg *cfg = (const struct alloc_cfg *)opts->cfg;

	if (cfg->max_bytes && cfg->min_bytes > cfg->max_bytes)
		return fail(USAGE, "--min-size is larger than --max-size: nothing could be shown");
	return OK;
}

const struct tool tool_kmem = {
    .name = "kmem",
    .summary = "kernel memory allocations (kmalloc and slab), by stack and task",
    .about =
	"Counts allocations and sums what was asked for (requested) and what the slab cache gave\n"
	"(bytes). A large kmalloc, which newer kernels trace twice, is counted once. -g cache\n"
	"sums by slab cache.",
    .example = "-g comm,cache 10",
    .object = &object_alloc,
    .hooks = hooks,
    .columns = columns,
    .options = options,
    .accepts = ACCEPT_TASK | ACCEPT_STACKS | ACCEPT_ROWS | ACCEPT_HOOK | ACCEPT_SAMPLE,
    .sort = "bytes",
    .leaf = leaf,
    .note = "bulk allocations (kmem_cache_alloc_bulk) emit no event and are not seen",
    .layout =
	{
	    .cfg_size = sizeof(struct alloc_cfg),
	    .key_size = sizeof(struct kmem_key),
	    .value_size = sizeof(struct kmem_value),
	},
    .check = check,
    .prepare = prepare,
    .collect = collect,
};
