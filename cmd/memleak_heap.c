// SPDX-License-Identifier: GPL-2.0-or-later
/* From map live to rows, of processes' memory: what is old enough, or was there at the end. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/heap_cuts.h"
#include "cmd/memleak.h"
#include "core/host.h"
#include "core/session.h"

/* One report in the making. */
struct making {
	struct session *session;
	struct snapshot *snap;
	const struct leak_cfg *cfg;
	uint64_t now_ns;
	struct rowset live, ends, gone; /* gone: live of processes that are no more, or unmapped */
	struct rowset cut_rows;
	struct cuts cuts;
	double carry; /* what rounding has kept back of counts */
};

uint32_t memleak_heap_size(uint32_t want)
{
	if (want & WANT_COMM)
		return sizeof(struct heap_value);
	return want & WANT_CGROUP ? offsetof(struct heap_value, comm)
				  : offsetof(struct heap_value, cgroup);
}

/* What became of an allocation's process since. */
enum fate { LIVES, EXECUTED, ENDED, UNMAPPED };

static enum fate fate_of(struct making *making, const struct heap_key *key,
			 struct heap_value *value)
{
	const struct heap_end *end = rowset_find(&making->ends, &key->tgid);

	if (value->class == LEAK_MMAP) {
		value->bytes = cuts_left(&making->cuts, key, value);
		if (!value->bytes)
			return UNMAPPED;
	}
	if (!end)
		return LIVES;
	if (value->ts_ns < end->exec_ns)
		return EXECUTED;
	return value->ts_ns < end->exit_ns ? ENDED : LIVES;
}

/* Moves to the front of live what is to be shown, and copies to gone what is no more. */
static int keep_shown(struct making *making)
{
	struct rowset *live = &making->live;
	size_t kept = 0, i;
	int err = 0;

	making->gone.key_size = live->key_size;
	making->gone.value_size = live->value_size;
	for (i = 0; i < live->n && !err; i++) {
		struct heap_value *value = rowset_value(live, i);
		enum fate fate = fate_of(making, rowset_key(live, i), value);

		if (fate != LIVES)
			err = rowset_add(&making->gone, rowset_key(live, i), value);
		if (fate == EXECUTED || fate == UNMAPPED ||
		    (fate == LIVES && value->ts_ns + making->cfg->older_ns > making->now_ns))
			continue;
		rowset_move(live, kept++, i);
	}
	live->n = kept;
	return err;
}

static void fill_key(const struct heap_key *from, const struct heap_value *value,
		     struct memleak_key *key)
{
	key->ustack = value->ustack;
	key->cgroup = value->cgroup;
	key->tgid = from->tgid;
	key->tid = value->tid;
	memcpy(key->comm, value->comm, sizeof(key->comm));
	memleak_fill_class(key, value->class);
	snprintf(key->addr, sizeof(key->addr), "0x%" PRIx64, (uint64_t)from->addr);
}

/*
 * What a sampled allocation stands for: it was followed with probability
 * 1 - exp(-bytes / sample). Counts are whole: what is cut off is given to the next.
 */
static void weigh(struct making *making, const struct heap_value *value, uint64_t *count,
		  uint64_t *bytes)
{
	const struct leak_cfg *cfg = making->cfg;
	double weight;

	*count = 1;
	*bytes = value->bytes;
	if (cfg->sample <= 1 || cfg->addresses || value->class != LEAK_MALLOC)
		return;
	weight = -1 / expm1(-(double)(value->bytes ? value->bytes : 1) / (double)cfg->sample);
	*bytes = (uint64_t)llround((double)value->bytes * weight);
	making->carry += weight;
	*count = (uint64_t)making->carry;
	making->carry -= (double)*count;
}

/* sign: see memleak_sums(). */
static enum status add_rows(struct making *making, const struct rowset *live, int sign)
{
	enum status status = OK;
	size_t i;

	making->carry = 0.5;
	for (i = 0; i < live->n && !status; i++) {
		struct memleak_key key = {0};
		struct memleak_value sums;
		struct heap_value value = {0};
		uint64_t count, bytes;

		memcpy(&value, rowset_value(live, i), live->value_size);
		fill_key(rowset_key(live, i), &value, &key);
		weigh(making, &value, &count, &bytes);
		sums = memleak_sums(sign, count, bytes, making->now_ns - value.ts_ns);
		status = session_row(making->session, making->snap, &key, &sums);
	}
	return status;
}

static void note_misses(const struct making *making)
{
	int fd = bpf_object__find_map_fd_by_name(making->session->obj, "misses");
	struct heap_misses misses = {0};
	uint32_t zero = 0;

	if (bpf_map_lookup_elem(fd, &zero, &misses))
		return;
	if (misses.frees)
		snapshot_note(making->snap,
			      "%" PRIu64
			      " frees were of addresses not known: from before tracing or a "
			      "fork, or what glibc had cached for threads that ended",
			      (uint64_t)misses.frees);
	if (misses.retaken)
		snapshot_note(making->snap,
			      "%" PRIu64 " addresses were allocated again whose free was not seen",
			      (uint64_t)misses.retaken);
}

static size_t count_ended(const struct making *making)
{
	size_t i, n = 0;

	for (i = 0; i < making->ends.n; i++)
		n += ((const struct heap_end *)rowset_value(&making->ends, i))->exit_ns != 0;
	return n;
}

static void add_notes(const struct making *making)
{
	const struct targets *targets = &making->session->targets;
	size_t ended = count_ended(making);

	if (making->cfg->sample > 1 && making->cfg->addresses)
		snapshot_note(making->snap,
			      "sampled: about one allocation in %" PRIu64 " bytes is shown",
			      (uint64_t)making->cfg->sample);
	else if (making->cfg->sample > 1)
		snapshot_note(making->snap,
			      "estimates: one allocation in %" PRIu64 " bytes on the average is "
			      "followed, and stands for others",
			      (uint64_t)making->cfg->sample);
	if (ended)
		snapshot_note(making->snap,
			      "%zu process%s ended: what was not freed by then is shown here, and "
			      "in no later report",
			      ended, ended == 1 ? "" : "es");
	if (targets->n_skipped)
		snapshot_note(making->snap, "%zu functions could not be hooked, the first: %s",
			      targets->n_skipped, targets->first_skipped);
	note_misses(making);
}

/* Room for others. Its keys may be in use again by a process of the same number: see fate_of(). */
static void forget_gone(struct making *making)
{
	int fd = bpf_object__find_map_fd_by_name(making->session->obj, "live");
	struct heap_value value;
	size_t i;

	for (i = 0; i < making->gone.n; i++) {
		const struct heap_value *read = rowset_value(&making->gone, i);
		const void *key = rowset_key(&making->gone, i);

		if (!bpf_map_lookup_elem(fd, key, &value) && value.ts_ns == read->ts_ns)
			bpf_map_delete_elem(fd, key);
	}
	fd = bpf_object__find_map_fd_by_name(making->session->obj, "ends");
	for (i = 0; i < making->ends.n; i++)
		bpf_map_delete_elem(fd, rowset_key(&making->ends, i));
	fd = bpf_object__find_map_fd_by_name(making->session->obj, "cuts");
	for (i = 0; i < making->cuts.n; i++)
		if (!making->cuts.at[i].used)
			bpf_map_delete_elem(fd,
					    rowset_key(&making->cut_rows, making->cuts.at[i].row));
}

/*
 * Ends first: who ends while live is read is not among them, and is for the next report.
 * Cuts too: one that comes later stays for what it cuts.
 */
static enum status read_maps(struct making *making)
{
	uint32_t want = making->session->plan->filter.want;
	enum status status;

	status = session_read_map(making->session, "ends", sizeof(uint32_t),
				  sizeof(struct heap_end), &making->ends);
	if (!status)
		status = session_read_map(making->session, "cuts", sizeof(struct heap_key),
					  sizeof(struct heap_cut), &making->cut_rows);
	if (status)
		return status;
	if (cuts_make(&making->cuts, &making->cut_rows))
		return fail(FAILED, "out of memory for the report");
	/* Ages are as of now: what comes during the reading is too young, whatever --older says. */
	making->now_ns = host_monotonic_ns();
	status = session_read_map(making->session, "live", sizeof(struct heap_key),
				  memleak_heap_size(want), &making->live);
	making->session->read_ns = making->now_ns;
	return status;
}

static enum status make_rows(struct making *making)
{
	struct session *session = making->session;
	enum status status;

	if (keep_shown(making))
		return fail(FAILED, "out of memory for the report");
	status = add_rows(making, &making->live, 1);
	if (!status && making->cfg->growth) {
		status = add_rows(making, &session->before, -1);
		rowset_take(&session->before, &making->live);
	}
	if (!status) {
		add_notes(making);
		forget_gone(making);
	}
	return status;
}

enum status memleak_heap_collect(struct session *session, struct snapshot *snap)
{
	struct making making = {
	    .session = session,
	    .snap = snap,
	    .cfg = (const struct leak_cfg *)session->plan->opts->cfg,
	};
	enum status status = read_maps(&making);

	if (!status)
		status = make_rows(&making);
	rowset_free(&making.live);
	rowset_free(&making.ends);
	rowset_free(&making.gone);
	rowset_free(&making.cut_rows);
	cuts_free(&making.cuts);
	return status;
}
