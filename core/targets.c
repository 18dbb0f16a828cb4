// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/targets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/grow.h"

int targets_add(struct targets *targets, const struct target *target, const char *name)
{
	char *copy = strdup(name);

	if (!copy || grow((void **)&targets->at, &targets->room, targets->n + 1,
			  sizeof(*targets->at), 256)) {
		free(copy);
		return -ENOMEM;
	}
	targets->at[targets->n] = *target;
	targets->at[targets->n++].name = copy;
	return 0;
}

void targets_skip(struct targets *targets, const char *name, const char *reason)
{
	if (!targets->n_skipped++)
		snprintf(targets->first_skipped, sizeof(targets->first_skipped), "%s: %s", name,
			 reason);
	if (targets->verbose)
		warn("skipped %s: %s", name, reason);
}

bool targets_match(struct targets *targets, enum target_kind kind, const char *name,
		   bool (*allows)(const struct pattern *, const void *scope), const void *scope)
{
	struct pattern *pattern;
	bool any = false;
	size_t i;

	for (i = 0; i < targets->patterns.n; i++) {
		pattern = &targets->patterns.at[i];
		if (pattern->kind != kind || !allows(pattern, scope) ||
		    !pattern_matches(pattern, name))
			continue;
		pattern->n_matched++;
		any = true;
	}
	return any;
}

bool targets_excluded(const struct targets *targets, const char *name)
{
	const char *colon = strrchr(name, ':');
	size_t i;

	for (i = 0; i < targets->excluded.n; i++)
		if (pattern_matches(&targets->excluded.at[i], name) ||
		    (colon && pattern_matches(&targets->excluded.at[i], colon + 1)))
			return true;
	return false;
}

bool target_is_for(const struct target *target, const struct hook *hook)
{
	return target->kind == hook->patterns &&
	       (!hook->functions || hook->functions >> target->function & 1);
}

size_t targets_attached(const struct targets *targets, const struct hook *hook)
{
	size_t i, n = 0;

	for (i = 0; i < targets->n; i++)
		n += target_is_for(&targets->at[i], hook) && targets->at[i].attached;
	return n;
}

int targets_binary(struct targets *targets, char *path, uint32_t *number)
{
	for (*number = 0; *number < targets->n_binaries; ++*number)
		if (!strcmp(targets->binaries[*number], path)) {
			free(path);
			return 0;
		}
	if (grow((void **)&targets->binaries, &targets->room_binaries, targets->n_binaries + 1,
		 sizeof(*targets->binaries), 8)) {
		free(path);
		return -ENOMEM;
	}
	targets->binaries[targets->n_binaries++] = path;
	return 0;
}

void targets_say(const struct targets *targets)
{
	size_t i, traced = 0;

	for (i = 0; i < targets->n; i++)
		traced += targets->at[i].attached;
	fprintf(stderr, "%zu function%s traced, %zu skipped%s\n", traced, traced == 1 ? "" : "s",
		targets->n_skipped, targets->n_skipped && !targets->verbose ? " (see -v)" : "");
}

static enum status compile(struct targets *targets, const struct opts *opts)
{
	enum status status = OK;
	unsigned i;

	for (i = 0; i < opts->n_patterns && !status; i++)
		status = patterns_add(&targets->patterns, opts->patterns[i]);
	for (i = 0; i < opts->n_excludes && !status; i++)
		status = patterns_add_list(&targets->excluded, opts->excludes[i]);
	return status;
}

static bool asks_for(const struct targets *targets, enum target_kind kind)
{
	size_t i;

	for (i = 0; i < targets->patterns.n; i++)
		if (targets->patterns.at[i].kind == kind)
			return true;
	return false;
}

static enum status check_found(const struct targets *targets)
{
	static const char *const what[] = {
	    [TARGET_FUNCTION] = "kernel function",
	    [TARGET_EVENT] = "tracepoint",
	    [TARGET_SYSCALL] = "system call event",
	    [TARGET_USER] = "function",
	};
	const struct pattern *pattern;
	size_t i;

	for (i = 0; i < targets->patterns.n; i++) {
		pattern = &targets->patterns.at[i];
		if (!pattern->n_matched)
			return fail(USAGE, "no %s matches '%s'", what[pattern->kind],
				    pattern->text);
	}
	if (targets->n)
		return OK;
	if (targets->n_skipped)
		return fail(CANNOT, "none of %zu functions that match can be traced; %s",
			    targets->n_skipped, targets->first_skipped);
	return fail(USAGE, "everything that matches is excluded by -x");
}

enum status targets_find(struct targets *targets, const struct opts *opts)
{
	enum status status;
	int err = 0;

	targets->verbose = opts->verbose;
	status = compile(targets, opts);
	if (status)
		return status;
	if (asks_for(targets, TARGET_FUNCTION))
		err = targets_find_functions(targets);
	if (!err && (asks_for(targets, TARGET_EVENT) || asks_for(targets, TARGET_SYSCALL)))
		err = targets_find_events(targets);
	if (!err && asks_for(targets, TARGET_USER))
		err = targets_find_user(targets, opts);
	if (err > 0)
		return (enum status)err;
	if (err)
		return fail(FAILED, "cannot find what the patterns match: %s", strerror(-err));
	return check_found(targets);
}

void targets_free(struct targets *targets)
{
	size_t i;

	for (i = 0; i < targets->n; i++)
		free(targets->at[i].name);
	for (i = 0; i < targets->n_binaries; i++)
		free(targets->binaries[i]);
	free(targets->at);
	free(targets->binaries);
	patterns_free(&targets->patterns);
	patterns_free(&targets->excluded);
	memset(targets, 0, sizeof(*targets));
}
