// SPDX-License-Identifier: GPL-2.0-or-later
#include <unistd.h>

#include "bpf/hooks.h"
#include "bpf/slab.h"
#include "cmd/slab_find.h"
#include "core/opts.h"
#include "core/session.h"
#include "slab.skel.h"

#define CACHE .param = 2, .param_type = "struct kmem_cache *"
#define SIZE .param = 2, .param_type = "size_t"

static const struct hook hooks[] = {
    HOOKS_ADDRESS(slab, "kmalloc", kmalloc, "kmem:kmalloc"),
    HOOK(slab, "kmalloc", VIA_TRACEPOINT, kmalloc_old_tp, "kmem:kmalloc"),
    HOOK(slab, "cache", VIA_TP_BTF, cache_btf, "kmem:kmem_cache_alloc", CACHE),
    HOOK(slab, "cache", VIA_TP_BTF, cache_old_btf, "kmem:kmem_cache_alloc", SIZE),
    HOOK(slab, "cache", VIA_RAW_TP, cache_raw, "kmem:kmem_cache_alloc", CACHE),
    HOOK(slab, "cache", VIA_RAW_TP, cache_old_raw, "kmem:kmem_cache_alloc", SIZE),
    HOOK(slab, "cache", VIA_TRACEPOINT, cache_tp, "kmem:kmem_cache_alloc"),
    HOOK(slab, "cache", VIA_TRACEPOINT, cache_old_tp, "kmem:kmem_cache_alloc"),
    HOOKS_ADDRESS(slab, "kmalloc_node", kmalloc_node, "kmem:kmalloc_node", .when = HOOK_IF_PRESENT),
    HOOKS_ADDRESS(slab, "cache_node", cache_node, "kmem:kmem_cache_alloc_node",
		  .when = HOOK_IF_PRESENT),
    HOOKS_ADDRESS(slab, "kfree", kfree, "kmem:kfree"),
    HOOK(slab, "kfree", VIA_TRACEPOINT, kfree_old_tp, "kmem:kfree"),
    HOOK(slab, "cache_free", VIA_TP_BTF, cache_free_btf, "kmem:kmem_cache_free", CACHE),
    HOOK(slab, "cache_free", VIA_TP_BTF, cache_free_old_btf, "kmem:kmem_cache_free"),
    HOOK(slab, "cache_free", VIA_RAW_TP, cache_free_raw, "kmem:kmem_cache_free", CACHE),
    HOOK(slab, "cache_free", VIA_RAW_TP, cache_free_old_raw, "kmem:kmem_cache_free"),
    HOOK(slab, "cache_free", VIA_TRACEPOINT, cache_free_tp, "kmem:kmem_cache_free"),
    HOOK(slab, "cache_free", VIA_TRACEPOINT, cache_free_old_tp, "kmem:kmem_cache_free"),
    HOOKS_FOLLOW(slab),
    {0},
};

static const struct column columns[] = {
    KEY_IN_VALUE(struct slab_value, cache, KIND_TEXT),  VAL(struct slab_value, allocs, KIND_COUNT),
    VAL(struct slab_value, bytes, KIND_BYTES),          VAL(struct slab_value, frees, KIND_COUNT),
    VAL(struct slab_value, net_bytes, KIND_DIFF_BYTES), {0},
};

static enum status parse_rows(const struct option_row *row, const char *arg, struct opts *opts)
{
	opts->top_given = true;
	return opts_store(
	    &(struct option_row){.name = row->name, .unit = UNIT_U32, .size = 4, .min = 1}, arg,
	    &opts->top);
}

static const struct option_row options[] = {
    {'c', "keep-screen", NULL, "do not clear the screen before each report", UNIT_FLAG,
     .off = offsetof(struct opts, keep_screen), .size = 1},
    {'r', "rows", "N", "rows shown, as -n (text: 20)", UNIT_CUSTOM, .parse = parse_rows},
    {0},
};

static enum status prepare(const struct plan *plan, void *cfg_)
{
	struct slab_cfg *cfg = cfg_;

	slab_find_prepare(&cfg->find, plan, false);
	cfg->large_bytes = 2 * (uint64_t)sysconf(_SC_PAGESIZE); /* KMALLOC_MAX_CACHE_SIZE */
	return OK;
}

static void fill_bytes(struct slab_value *value)
{
	value->bytes = value->allocs * value->object_bytes;
	value->net_bytes = (int64_t)(value->bytes - value->frees * value->object_bytes);
}

static enum status collect(struct session *session, struct snapshot *snap)
{
	struct rowset rows;
	enum status status = session_read_rows(session, &rows);
	size_t i;

#ifndef __x86_64__ /* cmd/slab_find.c knows no other way here */
	if (!session->plan->kfunc_cache)
		snapshot_note(snap, "this kernel does not tell the cache of a kfree: frees of "
				    "kmallocs are not seen");
#endif
	if (status)
		return status;
	for (i = 0; i < rows.n; i++)
		fill_bytes(rowset_value(&rows, i));
	return session_add_rows(session, snap, &rows);
}

const struct tool tool_slabratetop = {
    .name = "slabratetop",
    .summary = "slab allocations and frees per interval, by cache",
    .about =
	"Every cache kind, kmalloc's too. net_bytes is what was allocated less what was freed in\n"
	"the interval. kmallocs beyond the largest slab go to the page allocator: see kmem.",
    .example = "-r 10 1 5",
    .object = &object_slab,
    .hooks = hooks,
    .columns = columns,
    .options = options,
    .accepts = ACCEPT_TASK | ACCEPT_ROWS | ACCEPT_HOOK | ACCEPT_SAMPLE,
    .sort = "bytes",
    .at_interval = AT_RATE,
    .interval_ns = 1000000000,
    .text_top = 20,
    .screen = true,
    .load_header = true,
    .note =
	"bulk and RCU paths (kmem_cache_alloc_bulk, kmem_cache_free_bulk, kfree_rcu) emit no event",
    .layout =
	{
	    .cfg_size = sizeof(struct slab_cfg),
	    .key_size = sizeof(union slab_key),
	    .value_size = sizeof(struct slab_value),
	},
    .prepare = prepare,
    .collect = collect,
};
