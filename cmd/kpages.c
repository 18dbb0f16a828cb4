// SPDX-License-Identifier: GPL-2.0-or-later
#include <unistd.h>

#include "bpf/alloc.h"
#include "bpf/hooks.h"
#include "cmd/leaf.h"
#include "core/opts.h"
#include "alloc.skel.h"
#include "core/number.h"

static const struct hook hooks[] = {
    HOOKS_EVENT(alloc, "page", page, "kmem:mm_page_alloc"),
    HOOKS_FOLLOW(alloc),
    {0},
};

static const struct column columns[] = {
    KEY(struct kpages_key, kstack, KIND_KSTACK, WANT_KSTACK),
    KEY_OPTIONAL(struct kpages_key, ustack, KIND_USTACK, WANT_USTACK,
		 OWNED_BY(struct kpages_key, tgid)),
    KEY(struct kpages_key, comm, KIND_COMM, WANT_COMM),
    KEY_OPTIONAL(struct kpages_key, tgid, KIND_U32, WANT_TGID),
    KEY_OPTIONAL(struct kpages_key, tid, KIND_U32, WANT_TID),
    KEY_OPTIONAL(struct kpages_key, cgroup, KIND_CGROUP, WANT_CGROUP),
    KEY_OPTIONAL(struct kpages_key, order, KIND_U32, WANT_ORDER),
    VAL(struct kpages_value, count, KIND_COUNT),
    VAL(struct kpages_value, pages, KIND_COUNT),
    VAL(struct kpages_value, bytes, KIND_BYTES),
    {0},
};

static enum status parse_order(const struct option_row *row, const char *arg, struct opts *opts)
{
	struct alloc_cfg *cfg = (struct alloc_cfg *)opts->cfg;
	uint64_t order;

	/* MAX_PAGE_ORDER is 10 on most kernels; the type has room for no more than 63. */
	if (number_u64(arg, &order) || order > 63)
		return fail(USAGE, "--%s takes an order from 0 to 63, not '%s'", row->name, arg);
	cfg->order_plus_one = (uint32_t)order + 1;
	return OK;
}

static const struct option_row options[] = {
    {256 + 100, "order", "N", "only allocations of 2^N pages", UNIT_CUSTOM, .parse = parse_order},
    {0},
};

static const char *const leaf[] = {LEAF_PAGES, NULL};

static enum status prepare(const struct plan *plan, void *cfg)
{
	(void)plan;
	((struct alloc_cfg *)cfg)->page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	return OK;
}

const struct tool tool_kpages = {
    .name = "kpages",
    .summary = "pages taken from the page allocator, by stack and task",
    .about =
	"An allocation of order n is 2^n pages. Shows who takes pages, for whatever use; what is\n"
	"given back meanwhile is not subtracted.",
    .example = "-g comm,order 10",
    .object = &object_alloc,
    .hooks = hooks,
    .columns = columns,
    .options = options,
    .accepts = ACCEPT_TASK | ACCEPT_STACKS | ACCEPT_ROWS | ACCEPT_HOOK | ACCEPT_SAMPLE,
    .sort = "pages",
    .leaf = leaf,
    .layout =
	{
	    .cfg_size = sizeof(struct alloc_cfg),
	    .key_size = sizeof(struct kpages_key),
	    .value_size = sizeof(struct kpages_value),
	},
    .prepare = prepare,
};
