// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/lock_mutex.h"

#include "core/hist.h"
#include "core/opts.h"
#include "core/session.h"

const char *const lock_leaf[] = {
    "mutex_lock*",
    "_mutex_lock*",
    "mutex_trylock*",
    "_mutex_trylock*",
    "__mutex_*",
    "ww_mutex_*",
    "__ww_mutex_*",
    "rt_mutex_*",
    "__rt_mutex_*",
    "mutex_spin_on_owner",
    "__traceiter_contention_*",
    "mutex_optimistic_spin*",
    NULL,
};

/* PREEMPT_RT's other sleeping locks, which contend as an rt_mutex too. */
static const char *const rt_others[] = {
    "rtlock_slowlock_locked", "rwbase_write_lock",    "rwbase_read_lock",
    "__rwbase_read_lock",     "rt_mutex_lock",        "rt_mutex_lock_interruptible",
    "rt_mutex_lock_killable", "rt_mutex_lock_nested", NULL,
};

const struct option_row lock_options[] = {
    CFG_OPTION(struct lock_cfg, locks.name, 'L', "lock", "LOCK", UNIT_NAME,
	       "only this lock: a static one's symbol, or an address with 0x"),
    CFG_OPTION(struct lock_cfg, contended, 256 + 100, "contended", NULL, UNIT_FLAG,
	       "by lock:contention_* only: cheap, sees only what had to wait"),
    {0},
};

bool lock_asks_contended(const struct opts *opts)
{
	return ((const struct lock_cfg *)opts->cfg)->contended;
}

enum status lock_check(struct opts *opts)
{
	opts->parts = opts->min_ns || opts->max_ns ? PART_LATE : PART_EARLY;
	return OK;
}

enum status lock_prepare(const struct plan *plan, void *cfg_)
{
	struct lock_cfg *cfg = cfg_;

	if (plan->rt && plan_uses_role(plan, "contention"))
		cfg->n_rt_others = lock_find_functions(plan, rt_others, cfg->rt_others, RT_OTHERS);
	return lock_find_prepare(&cfg->locks, plan);
}

/* What a lock that has a row already is called. */
static const struct lock_object *object_of(const struct rowset *rows, uint64_t lock)
{
	size_t i;

	for (i = 0; i < rows->n; i++)
		if (((const struct lock_key *)rowset_key(rows, i))->lock == lock)
			return &((const struct lock_value *)rowset_value(rows, i))->object;
	return NULL;
}

static bool keep(const struct filter *filter, uint64_t ns)
{
	return ns >= filter->min_ns && (!filter->max_ns || ns <= filter->max_ns);
}

static enum status add_open(struct session *session, struct snapshot *snap,
			    const struct rowset *rows, const struct lock_start *start, bool hold)
{
	struct lock_value value = {.count = start->weight, .object = {.offset = LOCK_NO_OFFSET}};
	const struct lock_object *object = object_of(rows, start->key.lock);
	uint64_t ns = session->read_ns - start->ts;

	/* the clock was read on another CPU, a little later */
	if (start->ts > session->read_ns)
		ns = 0;
	if (!start->weight || start->how == LOCK_GOT || !keep(&session->plan->filter, ns))
		return OK;
	value.total_ns = ns * start->weight;
	value.max_ns = ns;
	value.hist_ns[hist_slot(ns)] = start->weight;
	if (hold)
		value.held = start->weight;
	else
		value.waiting = start->weight;
	if (object)
		value.object = *object;
	return session_row(session, snap, &start->key, &value);
}

enum status lock_collect(struct session *session, struct snapshot *snap)
{
	bool held = ((const struct lock_cfg *)session->plan->opts->tool->layout.cfg)->held;
	bool unseen = plan_uses_role(session->plan, "release");
	struct rowset rows, starts;
	enum status status = session_read_map(session, "starts", sizeof(uint64_t),
					      sizeof(struct lock_start), &starts);
	size_t i;

	if (status)
		return status;
	status = session_read_rows(session, &rows);
	for (i = 0; i < starts.n && !status; i++) {
		bool hold = *(const uint64_t *)rowset_key(&starts, i) >> 32;

		/* Before its return probe a hold is a wait. By tracepoints its end is not seen. */
		if (hold == held && !(hold && unseen))
			status = add_open(session, snap, &rows, rowset_value(&starts, i), hold);
	}
	if (!status)
		status = session_add_rows(session, snap, &rows);
	else
		rowset_free(&rows);
	rowset_free(&starts);
	return status;
}
