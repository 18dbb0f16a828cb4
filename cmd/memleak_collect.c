// SPDX-License-Identifier: GPL-2.0-or-later
/* From map live to rows: what is old enough, and no page of another class's objects. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/leaf.h"
#include "cmd/memleak.h"
#include "core/host.h"
#include "core/session.h"

/* Who takes pages from the page allocator for objects of a class, whatever is inlined. */
static const char *const slab_takers[] = {
    "alloc_slab_page*", "allocate_slab*",       "new_slab*",           "*slab_alloc*",
    "*refill_objects*", "alloc_from_new_slab*", "*kmem_cache_alloc_*", NULL,
};
static const char *const kmalloc_takers[] = {"*kmalloc*", NULL};
static const char *const percpu_takers[] = {"pcpu_*", NULL};
/* Not all of the page cache can be moved: a file system's own blocks cannot, where it says so. */
static const char *const cache_takers[] = {"*filemap*", "*page_cache*", "*pagecache*", NULL};
static const char *const page_leaf[] = {LEAF_PAGES, NULL};

/* Whether the page allocations of the stacks met last are left out. */
#define VERDICTS 1024

struct verdict {
	uint64_t stack; /* 0: none yet */
	bool out;
};

/* One report in the making. */
struct making {
	struct session *session;
	struct snapshot *snap;
	const struct leak_cfg *cfg;
	unsigned parts;
	uint64_t now_ns;
	uint64_t weight; /* what one followed allocation stands for */
	struct verdict verdict[VERDICTS];
};

static bool matches(const char *name, const char *const *globs)
{
	for (; *globs; globs++)
		if (!fnmatch(*globs, name, 0))
			return true;
	return false;
}

/* Do these pages hold objects that are counted themselves, or is it the page cache's? */
static bool left_out(const struct making *making, uint64_t stack)
{
	const char *caller =
	    symbolize_caller(&making->session->symbolize, making->snap, stack, page_leaf);
	bool slab = making->parts & (1u << LEAK_SLAB | 1u << LEAK_KMALLOC);

	if (!caller) {
		snapshot_note(making->snap,
			      "some pages' takers cannot be told: they may be counted beside "
			      "the objects in them");
		return false;
	}
	return (!making->cfg->user_pages && matches(caller, cache_takers)) ||
	       (slab && matches(caller, slab_takers)) ||
	       (making->parts & 1u << LEAK_KMALLOC && matches(caller, kmalloc_takers)) ||
	       (making->parts & 1u << LEAK_PERCPU && matches(caller, percpu_takers));
}

static bool is_left_out(struct making *making, uint64_t stack)
{
	struct verdict *verdict = &making->verdict[stack % VERDICTS];

	if (verdict->stack != stack) {
		verdict->stack = stack;
		verdict->out = left_out(making, stack);
	}
	return verdict->out;
}

/* Allocations that are to be shown, moved to the front of live. */
static void keep_shown(struct making *making, struct rowset *live)
{
	size_t kept = 0, i;

	for (i = 0; i < live->n; i++) {
		const struct leak_value *value = rowset_value(live, i);

		if (value->ts_ns + making->cfg->older_ns > making->now_ns)
			continue;
		if (value->class == LEAK_PAGES && is_left_out(making, value->kstack))
			continue;
		rowset_move(live, kept++, i);
	}
	live->n = kept;
}

static void fill_key(const struct rowset *live, size_t i, struct memleak_key *key)
{
	struct leak_value value = {0};
	uint64_t address;

	memcpy(&value, rowset_value(live, i), live->value_size);
	memcpy(&address, rowset_key(live, i), sizeof(address));
	key->kstack = value.kstack;
	key->ustack = value.ustack;
	key->cgroup = value.cgroup;
	key->tgid = value.tgid;
	key->tid = value.tid;
	memcpy(key->comm, value.comm, sizeof(key->comm));
	memcpy(key->cache, value.cache, sizeof(key->cache));
	memleak_fill_class(key, value.class);
	if (address & LEAK_SPACE_PAGES && !(address >> 63))
		snprintf(key->addr, sizeof(key->addr), "pfn 0x%" PRIx64, address >> LEAK_PFN_SHIFT);
	else
		snprintf(key->addr, sizeof(key->addr), "0x%" PRIx64,
			 address & ~(uint64_t)LEAK_SPACE_MASK);
}

/* sign: see memleak_sums(). */
static enum status add_rows(struct making *making, const struct rowset *live, int sign)
{
	enum status status = OK;
	size_t i;

	for (i = 0; i < live->n && !status; i++) {
		const struct leak_value *value = rowset_value(live, i);
		struct memleak_value sums =
		    memleak_sums(sign, making->weight, value->bytes * making->weight,
				 making->now_ns - value->ts_ns);
		struct memleak_key key = {0};

		fill_key(live, i, &key);
		status = session_row(making->session, making->snap, &key, &sums);
	}
	return status;
}

static void add_notes(const struct making *making)
{
	int fd = bpf_object__find_map_fd_by_name(making->session->obj, "missed");
	struct leak_missed missed = {0};
	uint32_t zero = 0;

	if (making->cfg->sample > 1 && making->cfg->addresses)
		snapshot_note(making->snap, "1 of %" PRIu64 " addresses is followed and shown",
			      (uint64_t)making->cfg->sample);
	else if (making->cfg->sample > 1)
		snapshot_note(making->snap,
			      "estimates: 1 of %" PRIu64 " addresses is followed, and count and "
			      "bytes are multiplied by that",
			      (uint64_t)making->cfg->sample);
	if (making->parts & 1u << LEAK_PAGES && !making->cfg->user_pages)
		snapshot_note(making->snap, "pages of user memory and of the page cache are left "
					    "out (--user-pages)");
	if (bpf_map_lookup_elem(fd, &zero, &missed) == 0 && missed.frees)
		snapshot_note(making->snap,
			      "%" PRIu64 " addresses were allocated again whose free was not seen",
			      (uint64_t)missed.frees);
}

static enum status make_rows(struct making *making, struct rowset *live)
{
	struct session *session = making->session;
	enum status status;

	keep_shown(making, live);
	status = add_rows(making, live, 1);
	if (!status && making->cfg->growth) {
		status = add_rows(making, &session->before, -1);
		rowset_take(&session->before, live);
	}
	if (!status)
		add_notes(making);
	return status;
}

enum status memleak_collect(struct session *session, struct snapshot *snap)
{
	const struct leak_cfg *cfg = (const struct leak_cfg *)session->plan->opts->cfg;
	struct making *making = calloc(1, sizeof(*making));
	struct rowset live = {0};
	enum status status;

	if (!making)
		return fail(FAILED, "out of memory for the report");
	making->session = session;
	making->snap = snap;
	making->cfg = cfg;
	making->parts = session->plan->opts->parts;
	making->weight = cfg->sample > 1 && !cfg->addresses ? cfg->sample : 1;
	/* Ages are as of now: what comes during the reading is too young, whatever --older says. */
	making->now_ns = host_monotonic_ns();
	status = session_read_map(session, "live", sizeof(uint64_t),
				  memleak_live_size(session->plan->filter.want), &live);
	session->read_ns = making->now_ns;
	if (!status)
		status = make_rows(making, &live);
	rowset_free(&live);
	free(making);
	return status;
}
