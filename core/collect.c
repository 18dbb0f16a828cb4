// SPDX-License-Identifier: GPL-2.0-or-later
/* From live maps to a dead snapshot. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/host.h"
#include "core/read_all.h"
#include "core/sample.h"
#include "core/session.h"

/*
 * What came since the last report: rows are only ever added to in the kernel,
 * so the difference is exact, where deleting them would lose what comes meanwhile.
 */
static bool value_since(struct session *session, const void *key, const void *value,
			uint32_t value_size, unsigned char *since)
{
	const struct column *column = session->plan->opts->tool->columns;
	const unsigned char *before = rowset_find(&session->before, key);
	uint64_t now, then = 0;
	bool any = false;
	uint16_t at;

	memcpy(since, value, value_size);
	for (; column->name; column++) {
		if (column->key || column_is_computed(column))
			continue;
		for (at = column->off; at < column->off + column->size; at += sizeof(now)) {
			memcpy(&now, since + at, sizeof(now));
			if (before)
				memcpy(&then, before + at, sizeof(then));
			now -= then;
			any |= now != 0;
			memcpy(since + at, &now, sizeof(now));
		}
	}
	return any;
}

enum status session_add_rows(struct session *session, struct snapshot *snap, struct rowset *rows)
{
	bool rate = session->plan->opts->tool->at_interval == AT_RATE;
	unsigned char *since = malloc(rows->value_size);
	enum status status = OK;
	size_t i;

	if (!since) {
		rowset_free(rows);
		return fail(FAILED, "out of memory for the report");
	}
	for (i = 0; i < rows->n && !status; i++) {
		const void *value = rowset_value(rows, i);

		if (rate &&
		    !value_since(session, rowset_key(rows, i), value, rows->value_size, since))
			continue;
		status = session_row(session, snap, rowset_key(rows, i), rate ? since : value);
	}
	free(since);
	if (rate && !status)
		rowset_take(&session->before, rows);
	rowset_free(rows);
	return status;
}

/* What the kernel told of processes until now names what lies in the map. */
static void was_read(struct session *session)
{
	session->read_ns = session_traced_ns(session);
	user_space_drain(&session->user_space);
}

static enum status map_was_read(struct session *session, const char *name, struct rowset *rows,
				int err)
{
	was_read(session);
	if (!err)
		return OK;
	rowset_free(rows);
	return fail(FAILED, "cannot read map %s of %s: %s", name, session->plan->opts->tool->name,
		    strerror(-err));
}

enum status session_read_map(struct session *session, const char *name, uint32_t key_size,
			     uint32_t value_size, struct rowset *rows)
{
	int fd = bpf_object__find_map_fd_by_name(session->obj, name);

	return map_was_read(session, name, rows, rowset_read(rows, fd, key_size, value_size));
}

int session_sum_cpus(const struct session *session, const char *name, void *sums, size_t size)
{
	struct bpf_map *map = bpf_object__find_map_by_name(session->obj, name);
	size_t n_cpus = (size_t)libbpf_num_possible_cpus(), words = size / sizeof(uint64_t), i;
	uint64_t *of_cpus = calloc(n_cpus, size), *sum = sums;
	uint32_t zero = 0;
	int err = of_cpus
		      ? bpf_map__lookup_elem(map, &zero, sizeof(zero), of_cpus, n_cpus * size, 0)
		      : -ENOMEM;

	for (i = 0; i < n_cpus * words && !err; i++)
		sum[i % words] += of_cpus[i];
	free(of_cpus);
	return err;
}

enum status session_read_rows(struct session *session, struct rowset *rows)
{
	const struct layout *layout = &session->plan->opts->tool->layout;

	if (layout->slots)
		return map_was_read(
		    session, "cpu_rows", rows,
		    slots_read(&session->slot_rows, rows, layout->key_size, layout->value_size));
	return session_read_map(session, "rows", layout->key_size, layout->value_size, rows);
}

static struct bpf_link *link_of(const struct session *session, const char *role)
{
	unsigned i;

	for (i = 0; i < session->n_links; i++)
		if (!strcmp(session->used[i]->hook->role, role))
			return session->link[i];
	return NULL;
}

enum status session_iterate(struct session *session, const char *role, size_t size, void **records,
			    size_t *n)
{
	struct bpf_link *link = link_of(session, role);
	char *bytes = NULL;
	size_t len = 0;
	int fd, err;

	*records = NULL;
	*n = 0;
	/* What it would ask the kernel about is no longer followed. */
	if (!link || session->stopped_ns)
		return OK;
	fd = bpf_iter_create(bpf_link__fd(link));
	err = fd < 0 ? -errno : read_all(fd, SIZE_MAX, &bytes, &len);
	was_read(session);
	if (fd >= 0)
		close(fd);
	if (err)
		return fail(FAILED, "cannot run the iterator of '%s': %s", role, strerror(-err));
	*records = bytes;
	*n = len / size;
	return OK;
}

static void read_loss(struct session *session, struct snapshot *snap)
{
	int fd = bpf_object__find_map_fd_by_name(session->obj, ".bss");
	struct bpf_map *map = bpf_object__find_map_by_name(session->obj, ".bss");
	uint32_t zero = 0;
	struct loss now;

	/* An object's .bss is the ledger and nothing else: see bpf/ktrace.bpf.h. */
	if (!map || bpf_map__value_size(map) != sizeof(now) ||
	    bpf_map_lookup_elem(fd, &zero, &now)) {
		snapshot_note(snap, "the loss ledger could not be read");
		return;
	}
	snap->loss.events = now.events - session->loss_before.events;
	snap->loss.rows = now.rows - session->loss_before.rows;
	snap->loss.stacks = now.stacks - session->loss_before.stacks;
}

/* What came of comparing stacks by rules with the kernel's. */
static void note_unwind(struct session *session, struct snapshot *snap)
{
	int fd = bpf_object__find_map_fd_by_name(session->obj, "unwind_checks");
	struct unwind_checks checks;
	uint32_t zero = 0;
	bool check = session->plan->opts->unwind == UNWIND_CHECK;

	if (check && !session->plan->filter.unwind)
		snapshot_note(snap, "--unwind check: stacks are walked by the kernel alone here");
	if (!session->plan->filter.unwind || bpf_map_lookup_elem(fd, &zero, &checks))
		return;
	if (check)
		snapshot_note(snap, "--unwind check: %llu stacks by rules, %llu not as walked",
			      checks.done, checks.differ);
	else if (checks.differ)
		snapshot_note(
		    snap,
		    "%llu of %llu stacks by rules were not as the kernel walks them: rules were "
		    "given up then; --unwind kernel goes without",
		    checks.differ, checks.done);
}

static void read_hooks(struct session *session, struct snapshot *snap)
{
	struct plan *plan = session->plan;
	const struct mode *modes = plan->opts->tool->modes;
	const char *const *idle;
	const struct role *role;
	unsigned i;

	for (idle = plan->idle; *idle; idle++)
		snapshot_note(snap, "%s", *idle);
	for (i = 0; i < session->n_links; i++) {
		const struct hook *hook = session->used[i]->hook;
		const char *target = session->used[i]->target, *colon;

		if (hook->patterns)
			target = multi_describe(session, hook, snap);
		colon = strchr(target, ':');
		if (snap->n_hooks < MAX_HOOKS)
			snap->hook[snap->n_hooks++] = (struct hook_used){
			    hook->role, via_name(hook->via), colon ? colon + 1 : target};
		if (hook->loses)
			snapshot_note(snap, "%s (%s)", hook->loses, via_name(hook->via));
	}
	if (plan->mode && modes[plan->mode - 1].note)
		snapshot_note(snap, "%s", modes[plan->mode - 1].note);
	for (role = plan->role; role < plan->role + plan->n_roles; role++)
		if (plan_uses(plan, role) && !plan_chosen(plan, role) &&
		    plan->candidate[role->first].hook->without)
			snapshot_note(snap, "%s", plan->candidate[role->first].hook->without);
}

/* A rate's next report begins where this one ends. */
static void next_period(struct session *session, const struct snapshot *snap, uint64_t now_ns)
{
	session->loss_before.events += snap->loss.events;
	session->loss_before.rows += snap->loss.rows;
	session->loss_before.stacks += snap->loss.stacks;
	session->cost_before.events += snap->cost.events;
	session->cost_before.run_ns += snap->cost.run_ns;
	session->missed_before += snap->missed;
	sample_next_period(session, snap);
	session->start_ns = now_ns;
	session->start_realtime_ns = snap->end_ns;
}

static enum status collect_rows(struct session *session, struct snapshot *snap)
{
	struct rowset rows;
	enum status status = session_read_rows(session, &rows);

	return status ? status : session_add_rows(session, snap, &rows);
}

enum status session_collect(struct session *session, struct snapshot *snap)
{
	const struct opts *opts = session->plan->opts;
	const struct tool *tool = opts->tool;
	enum status status;

	snap->start_ns = session->start_realtime_ns;
	snap->end_ns = host_realtime_ns();
	host_load(snap->load);
	session->read_ns = session_traced_ns(session);
	symbolize_begin(&session->symbolize);
	status = tool->collect ? tool->collect(session, snap) : collect_rows(session, snap);
	symbolize_done(&session->symbolize);
	if (status)
		return status;
	/* The period ends when the maps were read: naming what was in them takes longer. */
	snap->elapsed_ns = session->read_ns - session->start_ns;
	if (session->obj) {
		read_loss(session, snap);
		note_unwind(session, snap);
	}
	session_read_cost(session, snap);
	read_hooks(session, snap);
	user_space_report(&session->user_space, snap);
	status = sample_report(session, snap);
	if (status)
		return status;
	if (session->stopped_ns)
		snapshot_note(snap, "%s", session->stopped_why);
	if (tool->note)
		snapshot_note(snap, "%s", tool->note);
	if (snapshot_finish(snap, opts->sort))
		return fail(FAILED, "out of memory for the report");
	if (opts->top_given)
		snapshot_top(snap, opts->top);
	if (tool->at_interval == AT_RATE)
		next_period(session, snap, session->read_ns);
	return OK;
}
