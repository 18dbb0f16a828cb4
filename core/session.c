// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/session.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/bpf_log.h"
#include "core/btf_lend.h"
#include "core/host.h"
#include "core/kernel_btf.h"
#include "core/sample.h"

#define ENOTSUPP 524 /* the kernel's own, not in errno.h */

static const char *error_text(int err)
{
	return err == -ENOTSUPP ? "not supported" : bpf_log_strerror(-err);
}

struct bpf_program *session_program(const struct session *session, const struct hook *hook)
{
	return *(struct bpf_program **)((char *)session->skel + hook->prog);
}

/* Only what the plan chose is loaded: another kernel's programs would not verify. */
static void choose_programs(struct session *session)
{
	struct bpf_program *program;
	const struct role *role;

	program = bpf_object__next_program(session->obj, NULL);
	for (; program; program = bpf_object__next_program(session->obj, program))
		bpf_program__set_autoload(program, false);
	for (role = session->plan->role; role < session->plan->role + session->plan->n_roles;
	     role++) {
		const struct candidate *chosen = plan_chosen(session->plan, role);

		if (!chosen)
			continue;
		bpf_program__set_autoload(session_program(session, chosen->hook), true);
		if (chosen->hook->patterns)
			bpf_program__set_expected_attach_type(
			    session_program(session, chosen->hook),
			    multi_attach_type(chosen->hook->via));
		if (chosen->hook->via == VIA_FENTRY)
			bpf_program__set_attach_target(session_program(session, chosen->hook), 0,
						       chosen->target);
	}
}

static enum status configure(struct session *session)
{
	const struct tool *tool = session->plan->opts->tool;
	struct bpf_map *map = bpf_object__find_map_by_name(session->obj, ".rodata.cfg");
	_Alignas(8) unsigned char cfg[CFG_MAX];
	enum status status = OK;
	int err;

	memcpy(cfg, session->plan->opts->cfg, sizeof(cfg));
	memcpy(cfg, &session->plan->filter, sizeof(session->plan->filter));
	((struct filter *)cfg)->self_tgid = session->plan->opts->self ? 0 : (uint32_t)getpid();
	if (tool->prepare)
		status = tool->prepare(session->plan, cfg);
	if (!status && tool->size_maps)
		status = tool->size_maps(session->plan, session->obj, cfg);
	if (status)
		return status;
	if (tool->layout.command_tgid)
		memcpy(cfg + tool->layout.command_tgid, &session->command_tgid, sizeof(uint32_t));
	if (tool->layout.slots)
		slots_plan(session->plan, (struct slots *)(cfg + tool->layout.slots));
	err = map ? bpf_map__set_initial_value(map, cfg, tool->layout.cfg_size) : -ENOENT;
	if (!err && session->plan->opts->sample > 1)
		err = sample_begin(session, session->plan->opts->sample);
	if (!err)
		err = session_size_maps(session);
	if (err)
		return fail(FAILED, "cannot configure %s: %s", plan_object(session->plan)->name,
			    error_text(err));
	choose_programs(session);
	return OK;
}

/* The candidate in use whose program has this name; NULL: none. */
static struct candidate *blame(struct session *session, const char *program)
{
	struct plan *plan = session->plan;
	const struct role *role;

	for (role = plan->role; role < plan->role + plan->n_roles; role++) {
		struct candidate *chosen = plan_chosen(plan, role);

		if (chosen && !strcmp(chosen->hook->prog_name, program))
			return chosen;
	}
	return NULL;
}

/*
 * Sets *again when a hook was rejected and another may do. What is no hook's
 * fault, such as no memory for a map, ends it.
 */
static enum status load(struct session *session, bool *again)
{
	const char *tool = session->plan->opts->tool->name;
	struct candidate *refused;
	int err = bpf_object__load(session->obj);

	if (!err)
		return OK;
	refused = blame(session, bpf_log_program());
	if (refused) {
		plan_reject(refused, "refused at load: %s", error_text(err));
		*again = true;
		return OK;
	}
	if (err == -ENOMEM || err == -E2BIG || err == -EINVAL)
		return fail(FAILED,
			    "cannot load %s: %s (%s); smaller --stack-storage-size and "
			    "--row-storage-size need less memory",
			    tool, error_text(err), bpf_log_line());
	if (err == -EPERM || err == -EACCES)
		return fail(CANNOT,
			    "cannot load %s: %s (needs root, or CAP_BPF and CAP_PERFMON; "
			    "kernel lockdown may forbid it)",
			    tool, error_text(err));
	return fail(CANNOT, "cannot load %s: %s (%s)", tool, error_text(err), bpf_log_line());
}

static enum status fill_ids(struct session *session, const char *name, const struct ids *ids,
			    uint32_t one_more)
{
	int fd = bpf_object__find_map_fd_by_name(session->obj, name);
	uint8_t one = 1;
	unsigned i;

	for (i = 0; i < ids->n; i++)
		if (bpf_map_update_elem(fd, &ids->id[i], &one, BPF_ANY))
			return fail(FAILED, "cannot fill map %s: %s", name, strerror(errno));
	if (one_more && bpf_map_update_elem(fd, &one_more, &one, BPF_ANY))
		return fail(FAILED, "cannot fill map %s: %s", name, strerror(errno));
	return OK;
}

static struct bpf_link *attach_one(struct bpf_program *program, const struct candidate *chosen)
{
	const char *colon = strchr(chosen->target, ':');
	const char *event = colon ? colon + 1 : chosen->target;
	char category[64];

	switch (chosen->hook->via) {
	case VIA_RAW_TP:
		return bpf_program__attach_raw_tracepoint(program, event);
	case VIA_TRACEPOINT:
		snprintf(category, sizeof(category), "%.*s", (int)(event - chosen->target - 1),
			 chosen->target);
		return bpf_program__attach_tracepoint(program, category, event);
	case VIA_KPROBE:
		return bpf_program__attach_kprobe(
		    program, !strcmp(bpf_program__section_name(program), "kretprobe"),
		    chosen->target);
	case VIA_ITER:
		return bpf_program__attach_iter(program, NULL);
	default:
		return bpf_program__attach(program);
	}
}

/* Where the kernel lets none of its functions be patched, no other need be tried. */
static void reject(struct plan *plan, struct candidate *refused, int err)
{
	struct candidate *other;

	plan_reject(refused, "refused at attach: %s", error_text(err));
	if (refused->hook->via != VIA_FENTRY || (err != -ENOTSUPP && err != -EPERM))
		return;
	for (other = plan->candidate; other < plan->candidate + plan->n_candidates; other++)
		if (other->hook->via == VIA_FENTRY && !other->rejected)
			plan_reject(other, "%s", refused->reason);
}

static enum status attach(struct session *session, bool *again)
{
	struct plan *plan = session->plan;
	const struct role *role;

	for (role = plan->role; role < plan->role + plan->n_roles; role++) {
		struct candidate *chosen = plan_chosen(plan, role);
		struct bpf_link *link;

		if (!chosen)
			continue;
		if (chosen->hook->patterns) {
			enum status status = multi_attach(session, chosen, again);

			if (status || *again)
				return status;
			session->used[session->n_links++] = chosen;
			continue;
		}
		link = attach_one(session_program(session, chosen->hook), chosen);
		if (!link) {
			reject(plan, chosen, -errno);
			*again = true;
			return OK;
		}
		session->link[session->n_links] = link;
		session->used[session->n_links++] = chosen;
	}
	return OK;
}

static void close_object(struct session *session, bool leaving)
{
	unsigned i;

	for (i = 0; i < session->n_links; i++)
		bpf_link__destroy(session->link[i]);
	memset(session->link, 0, sizeof(session->link));
	session->n_links = 0;
	multi_close(session, leaving);
	if (session->skel)
		session->object->destroy(session->skel);
	session->skel = NULL;
	session->obj = NULL;
}

/* One try with the hooks that the plan would use now. */
static enum status open_once(struct session *session, bool *again)
{
	const struct object *object = plan_object(session->plan);
	LIBBPF_OPTS(bpf_object_open_opts, options, .btf_custom_path = session->plan->opts->btf);
	enum status status;

	bpf_log_begin(session->plan->opts->verbose);
	session->object = object;
	session->skel = object->open(&options);
	if (!session->skel)
		return fail(FAILED, "cannot open BPF object %s: %s", object->name, strerror(errno));
	session->obj = object->object(session->skel);
	status = session_lend_types(session);
	if (!status)
		status = configure(session);
	if (!status)
		status = load(session, again);
	btf_lend_end();
	if (status || *again)
		return status;
	status = fill_ids(session, "tgids", &session->plan->opts->tgids, session->command_tgid);
	if (!status)
		status = fill_ids(session, "tids", &session->plan->opts->tids, 0);
	if (!status)
		status = attach(session, again);
	return status;
}

/* Does the plan hook a function that way, by itself and not by a pattern? */
static bool hooks_by_fentry(struct plan *plan)
{
	const struct role *role;

	for (role = plan->role; role < plan->role + plan->n_roles; role++) {
		const struct candidate *chosen = plan_chosen(plan, role);

		if (chosen && chosen->hook->via == VIA_FENTRY)
			return true;
	}
	return false;
}

static void open_slots(struct session *session)
{
	struct bpf_object *obj = session->obj;

	if (!session->plan->opts->tool->layout.slots)
		return;
	slots_open(&session->slot_rows, bpf_object__find_map_by_name(obj, "cpu_rows"));
	slots_open(&session->slot_stacks, bpf_object__find_map_by_name(obj, "cpu_stacks"));
}

/* Iterators that set the stage, such as threads that sleep already. */
static enum status run_begin(struct session *session)
{
	enum status status;
	void *nothing;
	size_t n;

	status = session_iterate(session, "begin", 1, &nothing, &n);
	free(nothing);
	return status;
}

enum status session_open(struct session *session, struct plan *plan, uint32_t command_tgid)
{
	enum status status;
	bool again;

	memset(session, 0, sizeof(*session));
	session->plan = plan;
	session->command_tgid = command_tgid;
	session->symbolize.plan = plan;
	session->stats_fd = -1;
	status = user_space_open(&session->user_space, &session->symbolize, command_tgid);
	if (!status && plan->opts->tool->find)
		status = plan->opts->tool->find(plan, &session->targets);
	if (status)
		return status;
	if (plan->opts->tool->object) {
		session->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
		if (hooks_by_fentry(plan))
			fentry_first_begin(&session->fentry_first);
		do {
			again = false;
			close_object(session, false);
			status = plan_check(plan);
			if (!status)
				status = open_once(session, &again);
		} while (!status && again);
		fentry_first_done(&session->fentry_first);
		kernel_btf_drop();
		if (!status) {
			open_slots(session);
			status = run_begin(session);
		}
		if (status)
			return status;
		stack_store_init(&session->symbolize.stacks,
				 bpf_object__find_map_fd_by_name(session->obj, "stacks"),
				 plan->opts->tool->layout.slots ? &session->slot_stacks : NULL,
				 plan->filter.depth);
		session->symbolize.links_fd =
		    bpf_object__find_map_fd_by_name(session->obj, "links");
		session->symbolize.chains_fd =
		    bpf_object__find_map_fd_by_name(session->obj, "chains");
	}
	if (plan->opts->tool->patterns)
		targets_say(&session->targets);
	session->start_ns = host_monotonic_ns();
	session->start_realtime_ns = host_realtime_ns();
	return OK;
}

void session_stop(struct session *session, const char *why, ...)
{
	va_list args;
	unsigned i;

	session->stopped_ns = host_monotonic_ns();
	va_start(args, why);
	vsnprintf(session->stopped_why, sizeof(session->stopped_why), why, args);
	va_end(args);
	/* What was attached first is there for what came after it. */
	for (i = session->n_links; i-- > 0;) {
		bpf_link__destroy(session->link[i]);
		session->link[i] = NULL;
	}
	multi_detach(&session->multi);
}

uint64_t session_traced_ns(const struct session *session)
{
	return session->stopped_ns > session->start_ns ? session->stopped_ns : host_monotonic_ns();
}

void session_close(struct session *session)
{
	if (!session->plan)
		return;
	close_object(session, true);
	fentry_first_end(&session->fentry_first);
	slots_unmap(&session->slot_rows);
	slots_unmap(&session->slot_stacks);
	if (session->stats_fd >= 0)
		close(session->stats_fd);
	user_space_close(&session->user_space);
	symbolize_end(&session->symbolize);
	rowset_free(&session->before);
	targets_free(&session->targets);
	memset(session, 0, sizeof(*session));
}
