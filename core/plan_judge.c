// SPDX-License-Identifier: GPL-2.0-or-later
/* Can this kernel hook it? Pure: no system call here. */
#include <string.h>

#include "core/plan.h"

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

static bool on_function(const struct hook *hook)
{
	return !hook->patterns && (hook->via == VIA_FENTRY || hook->via == VIA_KPROBE);
}

static bool function_there(const struct caps *caps, const char *name, bool needs_btf)
{
	char key[TARGET_LEN + 8];
	const char *value;

	snprintf(key, sizeof(key), "fn.%s", name);
	value = caps_get(caps, key);
	return value && (!strcmp(value, "yes") || (!needs_btf && !strcmp(value, "symbol")));
}

/* The first of the hook's functions that is there; false: none is. */
static bool find_function(const struct hook *hook, const struct caps *caps, bool needs_btf,
			  char target[TARGET_LEN])
{
	const char *next = hook->target;

	while ((next = tool_next_target(next, target)))
		if (function_there(caps, target, needs_btf))
			return true;
	return false;
}

static void judge_function(struct candidate *candidate, const struct caps *caps)
{
	const struct hook *hook = candidate->hook;
	char found[TARGET_LEN];

	if (find_function(hook, caps, hook->via == VIA_FENTRY, found)) {
		memcpy(candidate->target, found, sizeof(found));
		return;
	}
	if (hook->via == VIA_FENTRY && find_function(hook, caps, false, found))
		plan_reject(candidate, "the kernel's BTF does not describe %s", found);
	else
		plan_reject(candidate, "this kernel has no function %s", hook->target);
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

/* Does a hook of this role go that way? */
static bool has_via(const struct tool *tool, enum via via, const char *role)
{
	const struct hook *hook;

	for (hook = tool->hooks; hook->role; hook++)
		if (hook->via == via && !strcmp(hook->role, role))
			return true;
	return false;
}

/*
 * Does the mode, or (0) the tool, go that way? What a mode is about is its first role, and what
 * it can do without; other roles serve these.
 */
static bool goes(const struct tool *tool, enum via via, uint8_t mode)
{
	const struct hook *hook, *first = NULL;

	for (hook = tool->hooks; hook->role; hook++) {
		if (mode && hook->mode != mode)
			continue;
		if (!first)
			first = hook;
		if (hook->via == via &&
		    (!mode || (hook->when & HOOK_OPTIONAL) || !strcmp(hook->role, first->role)))
			return true;
	}
	return false;
}

/*
 * --hook does not choose between an event and an iterator. A role that cannot be had in
 * the way asked for keeps its own beside others that go that way: a tool's tracepoints
 * beside its functions.
 */
static bool asked_for(const struct opts *opts, const struct hook *hook)
{
	const struct tool *tool = opts->tool;

	if (!opts->hook || hook->via == opts->hook || hook->via == VIA_ITER)
		return true;
	return !has_via(tool, opts->hook, hook->role) && goes(tool, opts->hook, hook->mode);
}

void plan_judge(struct candidate *candidate, const struct opts *opts, const struct caps *caps)
{
	const struct hook *hook = candidate->hook;
	const char *value;
	char key[32];

	tool_next_target(hook->target, candidate->target);
	if (!asked_for(opts, hook)) {
		plan_reject(candidate, "not asked for (--hook %s)", via_name(opts->hook));
		return;
	}
	snprintf(key, sizeof(key), "via.%s", via_name(hook->via));
	value = caps_get(caps, key);
	if (!value || strncmp(value, "yes", 3))
		plan_reject(candidate, "%s",
			    value && strlen(value) > 4 ? value + 4 : "unknown here");
	else if (on_function(hook))
		judge_function(candidate, caps);
	else if (hook->via != VIA_ITER && !hook->patterns)
		judge_event(candidate, caps);
}

bool plan_absent(const struct hook *hook, const struct caps *caps)
{
	char key[128], target[TARGET_LEN];
	const char *exists, *proto;

	if (on_function(hook))
		return !find_function(hook, caps, false, target);
	snprintf(key, sizeof(key), "tp.%s", hook->target);
	exists = caps_get(caps, key);
	snprintf(key, sizeof(key), "proto.%s", event_name(hook->target));
	proto = caps_get(caps, key);
	if (proto)
		return !strcmp(proto, "no");
	return exists && !strcmp(exists, "no");
}
