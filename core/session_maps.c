// SPDX-License-Identifier: GPL-2.0-or-later
/* How much room each map of an object gets, before it is loaded. */
#include "core/host.h"
#include "core/sample.h"
#include "core/session.h"
#include "core/stack_store.h"

#define MAX_TASKS_FOLLOWED 65536

static int map_resize(struct session *session, const char *name, uint32_t entries,
		      uint32_t key_size, uint32_t value_size)
{
	struct bpf_map *map = bpf_object__find_map_by_name(session->obj, name);
	int err = 0;

	if (!map)
		return 0;
	if (entries)
		err = bpf_map__set_max_entries(map, entries);
	if (!err && key_size)
		err = bpf_map__set_key_size(map, key_size);
	if (!err && value_size)
		err = bpf_map__set_value_size(map, value_size);
	return err;
}

/* One entry for each thread there is, and as many again for those to come. */
static uint32_t starts_size(void)
{
	uint64_t threads = host_threads() * 2;

	return threads < 16384 ? 16384 : threads > 1 << 20 ? 1 << 20 : (uint32_t)threads;
}

static int size_slots(struct session *session, uint32_t walk)
{
	struct slots slots;
	int err;

	slots_plan(session->plan, &slots);
	err = map_resize(session, "cpu_rows", slots.cpus * slots.rows, 0, 0);
	return err ? err
		   : map_resize(session, "cpu_stacks", slots.cpus * slots.stacks, 0,
				(uint32_t)sizeof(uint64_t) + walk);
}

static int size_unwind(struct session *session)
{
	int err;

	if (session->plan->filter.unwind)
		return 0;
	err = map_resize(session, "unwind_rules", 1, 0, 0);
	if (!err)
		err = map_resize(session, "unwind_sets", 1, 0, 0);
	return err;
}

/* The programs do not come to them, and libbpf leaves out what they would do there. */
static int leave_out(struct session *session, const char *name)
{
	struct bpf_map *map = bpf_object__find_map_by_name(session->obj, name);

	return map ? bpf_map__set_autocreate(map, false) : 0;
}

int session_size_maps(struct session *session)
{
	const struct plan *plan = session->plan;
	const struct layout *layout = &plan->opts->tool->layout;
	uint32_t walk = (uint32_t)sizeof(uint64_t) * (1 + plan->filter.depth);
	uint32_t stacks = layout->slots ? 1 : plan->max_stacks;
	uint32_t tasks = plan->opts->command ? MAX_TASKS_FOLLOWED : plan->opts->tgids.n + 1;
	int err;

	err = map_resize(session, "counts", (uint32_t)session->targets.n, 0, 0);
	if (!err)
		err = map_resize(session, "rows", plan->max_rows, layout->key_size,
				 layout->value_size);
	if (!err)
		err =
		    map_resize(session, "stacks", stacks, 0,
			       stack_piece_words(plan->filter.depth) * (uint32_t)sizeof(uint64_t));
	if (!err)
		err = size_unwind(session);
	if (!err)
		err = map_resize(session, "links", plan->max_chains, 0, 0);
	if (!err)
		err = map_resize(session, "chains", plan->max_chains, 0, 0);
	if (!err)
		err = map_resize(session, "starts", starts_size(), 0, 0);
	if (!err)
		err = map_resize(session, "tgids", tasks, 0, 0);
	if (!err)
		err = map_resize(session, "tids", plan->opts->tids.n + 1, 0, 0);
	if (!err && layout->slots)
		err = size_slots(session, walk);
	if (!err && !plan->filter.sampled)
		err = leave_out(session, SAMPLE_MAP);
	if (!err && !plan->filter.sampled)
		err = leave_out(session, SAMPLE_COUNTS_MAP);
	return err;
}
