// SPDX-License-Identifier: GPL-2.0-or-later
/* Pure: no system call here. */
#include "core/plan.h"

#include <stdarg.h>
#include <string.h>

#include "core/pattern.h"

/*
 * Stacks and rows kept. Their maps are filled with free entries beforehand:
 * allocating as they fill (BPF_F_NO_PREALLOC) starts some 10 ms sooner, but
 * loses entries in bursts, for the per-CPU reserve is one entry at first and
 * grows only once interrupts are on again (measured on 6.18).
 */
#define STACKS (1u << 15)
#define ROWS (1u << 16)
#define ROWS_BYTES (8u << 20)
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

/* Has the kernel the function without which the hook has no use? */
static bool has_beside(const struct hook *hook, const struct caps *caps)
{
	const struct hook beside = {.via = VIA_FENTRY, .target = hook->beside};

	return !hook->beside || !plan_absent(&beside, caps);
}

/* Without patterns (ktrace doctor) any kind may come. */
static bool pattern_asks(const struct opts *opts, enum target_kind kind)
{
	unsigned i;

	for (i = 0; i < opts->n_patterns; i++)
		if (pattern_kind(opts->patterns[i]) == kind)
			return true;
	return !opts->n_patterns;
}

bool plan_asks(const struct opts *opts, const struct hook *hook)
{
	const struct tool *tool = opts->tool;

	if ((hook->when & HOOK_FOLLOW) && !opts->command)
		return false;
	if (tool->patterns && hook->patterns && !pattern_asks(opts, hook->patterns))
		return false;
	if (hook->mode && tool->mode_allowed && !tool->mode_allowed(opts, hook->mode))
		return false;
	return !hook->parts || (hook->parts & opts->parts);
}

static bool role_wanted(const struct hook *hook, const struct opts *opts, const struct caps *caps)
{
	return plan_asks(opts, hook) && has_beside(hook, caps) &&
	       (!(hook->when & HOOK_IF_PRESENT) || !plan_absent(hook, caps));
}

static void plan_roles(struct plan *plan, const struct caps *caps)
{
	const struct hook *hook = plan->opts->tool->hooks;
	struct role *role = NULL;

	for (; hook && hook->role; hook++) {
		if (!role_wanted(hook, plan->opts, caps) || plan->n_candidates == MAX_CANDIDATES)
			continue;
		if (!role || strcmp(role->name, hook->role) || role->mode != hook->mode) {
			if (plan->n_roles == MAX_HOOKS)
				return;
			role = &plan->role[plan->n_roles++];
			role->name = hook->role;
			role->first = plan->n_candidates;
			role->optional = (hook->when & HOOK_OPTIONAL) ||
					 (plan->opts->tool->patterns && hook->patterns &&
					  !plan->opts->n_patterns);
			role->mode = hook->mode;
		}
		role->n++;
		plan->candidate[plan->n_candidates].hook = hook;
		plan_judge(&plan->candidate[plan->n_candidates++], plan->opts, caps);
	}
}

static struct candidate *role_first(struct plan *plan, const struct role *role)
{
	unsigned i;

	for (i = role->first; i < role->first + role->n; i++)
		if (!plan->candidate[i].rejected)
			return &plan->candidate[i];
	return NULL;
}

const struct role *plan_obstacle(struct plan *plan, unsigned mode)
{
	const struct role *role;

	for (role = plan->role; role < plan->role + plan->n_roles; role++)
		if (role->mode == mode && !role->optional && !role_first(plan, role))
			return role;
	return NULL;
}

static bool mode_has_roles(const struct plan *plan, unsigned mode)
{
	const struct role *role;

	for (role = plan->role; role < plan->role + plan->n_roles; role++)
		if (role->mode == mode)
			return true;
	return false;
}

/* The first mode that runs; where none does the last one tried, to show what it lacks. */
static void choose_mode(struct plan *plan)
{
	const struct mode *modes = plan->opts->tool->modes;
	unsigned mode, last = 0;

	for (mode = 1; modes && modes[mode - 1].name; mode++) {
		if (!mode_has_roles(plan, mode))
			continue;
		last = mode;
		if (!plan_obstacle(plan, mode))
			break;
	}
	plan->mode = last;
}

static uint32_t rows_fitting(const struct layout *layout)
{
	uint32_t rows = ROWS_BYTES / (layout->key_size + layout->value_size + ENTRY_BYTES);

	return rows < ROWS ? rows : ROWS;
}

static void plan_depends(struct plan *plan, const struct caps *caps)
{
	const char *const *fact = plan->opts->tool->depends;
	const char *value;
	unsigned n = 0;

	for (; fact && *fact; fact++) {
		value = caps_get(caps, *fact);
		if (value && !strncmp(value, "no: ", 4))
			plan->missing = value + 4;
		else if (value && !strncmp(value, "off: ", 5) &&
			 n + 1 < sizeof(plan->idle) / sizeof(plan->idle[0]))
			plan->idle[n++] = value + 5;
	}
}

/* Rules need to know where a task's stack ends, and are for x86-64's. */
static void plan_unwind(struct plan *plan, const struct caps *caps)
{
	const char *arch = caps_get(caps, "arch");
	bool can = arch && !strcmp(arch, "x86_64") && caps_yes(caps, "helper.bpf_task_pt_regs");

	if (can && plan->filter.want & WANT_ANY_KSTACK)
		plan->filter.unwind = plan->opts->unwind;
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
	if (!(plan->filter.want & (WANT_ANY_KSTACK | WANT_ANY_USTACK)))
		plan->max_stacks = 1;
	if (opts->max_stacks)
		plan->max_stacks = opts->max_stacks;
	plan->max_chains = plan->filter.want & WANT_CHAIN ? plan->max_stacks : 1;
	if (opts->max_rows)
		plan->max_rows = opts->max_rows;
	plan_unwind(plan, caps);
	plan->rt = caps_yes(caps, "rt");
	plan->kfunc_cache = caps_yes(caps, "kfunc.bpf_get_kmem_cache");
	plan_depends(plan, caps);
	plan_roles(plan, caps);
	choose_mode(plan);
}

bool plan_works(struct plan *plan)
{
	return !plan->missing && !plan_obstacle(plan, 0) &&
	       (!plan->mode || !plan_obstacle(plan, plan->mode));
}

const struct object *plan_object(const struct plan *plan)
{
	const struct tool *tool = plan->opts->tool;
	const struct object *object = plan->mode ? tool->modes[plan->mode - 1].object : NULL;

	return object ? object : tool->object;
}

bool plan_uses(const struct plan *plan, const struct role *role)
{
	return !role->mode || role->mode == plan->mode;
}

bool plan_uses_role(const struct plan *plan, const char *name)
{
	const struct role *role;

	for (role = plan->role; role < plan->role + plan->n_roles; role++)
		if (plan_uses(plan, role) && !strcmp(role->name, name))
			return true;
	return false;
}

struct candidate *plan_chosen(struct plan *plan, const struct role *role)
{
	return plan_uses(plan, role) ? role_first(plan, role) : NULL;
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

/* "no hook for 'lock': fentry: REASON"; behind it the same of each other mode. */
static size_t append_obstacle(struct plan *plan, unsigned mode, char *out, size_t size)
{
	const struct role *role = plan_obstacle(plan, mode);
	const struct mode *modes = plan->opts->tool->modes;
	char reasons[1024];
	int len;

	if (!role)
		return 0;
	join_reasons(plan, role, reasons, sizeof(reasons));
	len = mode ? snprintf(out, size, "; %s: no hook for '%s': %s", modes[mode - 1].name,
			      role->name, reasons)
		   : snprintf(out, size, "; no hook for '%s': %s", role->name, reasons);
	return (size_t)len < size ? (size_t)len : size - 1;
}

enum status plan_check(struct plan *plan)
{
	const struct mode *modes = plan->opts->tool->modes;
	char reasons[3072] = "; ";
	size_t len = 0;
	unsigned mode;

	if (plan->missing)
		return fail(CANNOT, "%s cannot run here: %s", plan->opts->tool->name,
			    plan->missing);
	choose_mode(plan);
	if (plan_works(plan))
		return OK;
	len = append_obstacle(plan, 0, reasons, sizeof(reasons));
	for (mode = 1; modes && modes[mode - 1].name; mode++)
		if (mode_has_roles(plan, mode))
			len += append_obstacle(plan, mode, reasons + len, sizeof(reasons) - len);
	return fail(CANNOT, "%s cannot run here: %s", plan->opts->tool->name, reasons + 2);
}

static void print_role(struct plan *plan, const struct role *role, FILE *out)
{
	const struct candidate *chosen = plan_chosen(plan, role);
	unsigned i;

	fprintf(out, "  %s%s%s\n", role->name, role->optional ? " (optional)" : "",
		chosen                  ? ""
		: plan_uses(plan, role) ? "  NOT AVAILABLE"
					: "  not in this mode");
	for (i = role->first; i < role->first + role->n; i++) {
		const struct candidate *candidate = &plan->candidate[i];
		const char *reason = candidate == chosen   ? "used"
				     : candidate->rejected ? candidate->reason
							   : "fallback";

		fprintf(out, "    %s %-10s %-36s %-18s %s\n", candidate == chosen ? "*" : " ",
			via_name(candidate->hook->via), candidate->target,
			candidate->hook->prog_name, reason);
		if (candidate == chosen && candidate->hook->loses)
			fprintf(out, "        loses: %s\n", candidate->hook->loses);
	}
}

void plan_print(struct plan *plan, FILE *out)
{
	const struct tool *tool = plan->opts->tool;
	const char *const *idle;
	const struct role *role;

	fprintf(out, "%s\n", tool->name);
	if (!plan->n_roles)
		fprintf(out, "  no BPF: reads what the kernel keeps anyway\n");
	for (idle = plan->idle; *idle; idle++)
		fprintf(out, "  note: %s\n", *idle);
	if (plan->mode) {
		fprintf(out, "  mode: %s\n", tool->modes[plan->mode - 1].name);
		if (tool->modes[plan->mode - 1].note)
			fprintf(out, "        loses: %s\n", tool->modes[plan->mode - 1].note);
	}
	for (role = plan->role; role < plan->role + plan->n_roles; role++)
		print_role(plan, role, out);
}
