// SPDX-License-Identifier: GPL-2.0-or-later
/* Pure: no system call here. */
#include "core/plan.h"

#include <stdarg.h>
#include <string.h>

/*
 * Stacks and rows kept. Their maps are filled with free entries beforehand:
 * allocating as they fill (BPF_F_NO_PREALLOC) starts some 10 ms sooner, but
 * loses entries in bursts, for the per-CPU reserve is one entry at first and
 * grows only once interrupts are on again (measured on 6.18).
 */
#define STACKS (1u << 15)
#define ROWS (1u << 16)
#define ROWS_BYTES (16u << 20)
#define ENTRY_BYTES 64 /* what a hash entry takes beside key and value */

/* Frames of the tracing machinery and of the traced function itself, cut after the walk. */
#define OWN_FRAMES 12

void plan_reject(struct candidate *candidate, const char *fmt, ...)
{
	va_list args;

	candidate->rejected = true;
	va_start(args, fmt);
	vsnprintf(candidate->reason, sizeof(candidate->reason), fmt, args);
	va_end(args);
}

/* "sched:sched_switch" -> "sched_switch" */
static const char *event_name(const char *target)
{
	const char *colon = strchr(target, ':');

	return colon ? colon + 1 : target;
}

/* Does argument number hook->param of the event have the type that the program reads? */
static bool param_matches(const struct hook *hook, const char *proto)
{
	unsigned i;

	for (i = 0; i < hook->param; i++) {
		proto = strchr(proto, ';');
		if (!proto)
			return false;
		proto++;
	}
	return !strncmp(proto, hook->param_type, strlen(hook->param_type)) &&
	       strchr(";", proto[strlen(hook->param_type)]);
}

static void judge_event(struct candidate *candidate, const struct caps *caps)
{
	const struct hook *hook = candidate->hook;
	const char *event = event_name(hook->target), *proto, *exists;
	char key[128];

	snprintf(key, sizeof(key), "tp.%s", hook->target);
	exists = caps_get(caps, key);
	snprintf(key, sizeof(key), "proto.%s", event);
	proto = caps_get(caps, key);
	if (hook->via == VIA_TRACEPOINT) {
		if (!exists || strcmp(exists, "yes"))
			plan_reject(candidate, "this kernel has no tracepoint %s", hook->target);
		return;
	}
	if (proto && !strcmp(proto, "no"))
		plan_reject(candidate, "this kernel has no tracepoint %s", hook->target);
	else if (!proto && exists && !strcmp(exists, "no"))
		plan_reject(candidate, "this kernel has no tracepoint %s", hook->target);
	else if (proto && hook->param_type && !param_matches(hook, proto))
		plan_reject(candidate, "%s has no '%s' as argument %u here", event,
			    hook->param_type, hook->param + 1u);
}

static void judge(struct candidate *candidate, const struct opts *opts, const struct caps *caps)
{
	const struct hook *hook = candidate->hook;
	const char *value;
	char key[32];

	/* An iterator is no way to hook an event: --hook does not choose between the two. */
	if (opts->hook && hook->via != opts->hook && hook->via != VIA_ITER) {
		plan_reject(candidate, "not asked for (--hook %s)", via_name(opts->hook));
		return;
	}
	snprintf(key, sizeof(key), "via.%s", via_name(hook->via));
	value = caps_get(caps, key);
	if (!value || strncmp(value, "yes", 3)) {
		plan_reject(candidate, "%s",
			    value && strlen(value) > 4 ? value + 4 : "unknown here");
		return;
	}
	if (hook->via == VIA_TP_BTF || hook->via == VIA_RAW_TP || hook->via == VIA_TRACEPOINT)
		judge_event(candidate, caps);
}

/* A role that only some kernels have (HOOK_IF_PRESENT) and this one has not is no role. */
static bool event_absent(const struct hook *hook, const struct caps *caps)
{
	char key[128];
	const char *exists, *proto;

	snprintf(key, sizeof(key), "tp.%s", hook->target);
	exists = caps_get(caps, key);
	snprintf(key, sizeof(key), "proto.%s", event_name(hook->target));
	proto = caps_get(caps, key);
	if (proto)
		return !strcmp(proto, "no");
	return exists && !strcmp(exists, "no");
}

static bool role_wanted(const struct hook *hook, const struct opts *opts, const struct caps *caps)
{
	if ((hook->when & HOOK_FOLLOW) && !opts->command)
		return false;
	return !(hook->when & HOOK_IF_PRESENT) || !event_absent(hook, caps);
}

static void plan_roles(struct plan *plan, const struct caps *caps)
{
	const struct hook *hook = plan->opts->tool->hooks;
	struct role *role = NULL;

	for (; hook && hook->role; hook++) {
		if (!role_wanted(hook, plan->opts, caps) || plan->n_candidates == MAX_CANDIDATES)
			continue;
		if (!role || strcmp(role->name, hook->role)) {
			if (plan->n_roles == MAX_HOOKS)
				return;
			role = &plan->role[plan->n_roles++];
			role->name = hook->role;
			role->first = plan->n_candidates;
			role->optional = hook->when & HOOK_OPTIONAL;
		}
		role->n++;
		plan->candidate[plan->n_candidates].hook = hook;
		judge(&plan->candidate[plan->n_candidates++], plan->opts, caps);
	}
}

static uint32_t rows_fitting(const struct layout *layout)
{
	uint32_t rows = ROWS_BYTES / (layout->key_size + layout->value_size + ENTRY_BYTES);

	return rows < ROWS ? rows : ROWS;
}

void plan_make(const struct opts *opts, const struct caps *caps, struct plan *plan)
{
	memset(plan, 0, sizeof(*plan));
	plan->opts = opts;
	opts_filter(opts, &plan->filter);
	plan->filter.depth = opts->stack_depth + OWN_FRAMES;
	/* The context is told from the outermost frames of an interrupt: no short walk shows them.
	 */
	if (plan->filter.depth > MAX_DEPTH || plan->filter.want & WANT_CONTEXT)
		plan->filter.depth = MAX_DEPTH;
	plan->max_stacks = STACKS;
	plan->max_rows = rows_fitting(&opts->tool->layout);
	if (!(plan->filter.want & (WANT_KSTACK | WANT_USTACK | WANT_CONTEXT)))
		plan->max_stacks = 1;
	if (opts->max_stacks)
		plan->max_stacks = opts->max_stacks;
	if (opts->max_rows)
		plan->max_rows = opts->max_rows;
	plan->kfunc_cache = caps_yes(caps, "kfunc.bpf_get_kmem_cache");
	plan_roles(plan, caps);
}

struct candidate *plan_chosen(struct plan *plan, const struct role *role)
{
	unsigned i;

	for (i = role->first; i < role->first + role->n; i++)
		if (!plan->candidate[i].rejected)
			return &plan->candidate[i];
	return NULL;
}

/* "tp_btf, raw_tp: REASON; tracepoint: OTHER REASON"; a kind with one reason twice is named once.
 */
static void join_reasons(const struct plan *plan, const struct role *role, char *out, size_t size)
{
	const struct candidate *candidate = &plan->candidate[role->first];
	const char *reason = NULL, *kind = NULL;
	size_t len = 0;
	unsigned i;

	out[0] = '\0';
	for (i = 0; i < role->n && len < size; i++, candidate++) {
		const char *via = via_name(candidate->hook->via);
		bool same = reason && !strcmp(reason, candidate->reason);

		if (same && !strcmp(kind, via))
			continue;
		if (reason)
			len +=
			    (size_t)snprintf(out + len, size - len, same ? ", " : ": %s; ", reason);
		if (len < size)
			len += (size_t)snprintf(out + len, size - len, "%s", via);
		reason = candidate->reason;
		kind = via;
	}
	if (reason && len < size)
		snprintf(out + len, size - len, ": %s", reason);
}

enum status plan_check(struct plan *plan)
{
	char reasons[2048];
	const struct role *role;

	for (role = plan->role; role < plan->role + plan->n_roles; role++) {
		if (role->optional || plan_chosen(plan, role))
			continue;
		join_reasons(plan, role, reasons, sizeof(reasons));
		return fail(CANNOT, "%s cannot run here: no hook for '%s': %s",
			    plan->opts->tool->name, role->name, reasons);
	}
	return OK;
}

void plan_print(struct plan *plan, FILE *out)
{
	const struct role *role;
	unsigned i;

	fprintf(out, "%s\n", plan->opts->tool->name);
	if (!plan->n_roles)
		fprintf(out, "  no BPF: reads what the kernel keeps anyway\n");
	for (role = plan->role; role < plan->role + plan->n_roles; role++) {
		const struct candidate *chosen = plan_chosen(plan, role);

		fprintf(out, "  %s%s%s\n", role->name, role->optional ? " (optional)" : "",
			chosen ? "" : "  NOT AVAILABLE");
		for (i = role->first; i < role->first + role->n; i++) {
			const struct candidate *candidate = &plan->candidate[i];
			const char *reason = candidate == chosen   ? "used"
					     : candidate->rejected ? candidate->reason
								   : "fallback";

			fprintf(out, "    %s %-10s %-36s %-18s %s\n",
				candidate == chosen ? "*" : " ", via_name(candidate->hook->via),
				candidate->hook->target, candidate->hook->prog_name, reason);
			if (candidate == chosen && candidate->hook->loses)
				fprintf(out, "        loses: %s\n", candidate->hook->loses);
		}
	}
}
