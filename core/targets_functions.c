// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kernel functions: names and addresses from kallsyms, as far as ftrace knows
 * them, without what the kernel or core/deny.c keeps from being traced.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/grow.h"
#include "core/ksyms.h"
#include "core/targets.h"
#include "core/tracefs.h"

/* Without ftrace's list each is tried; so many at most. */
#define MAX_TRIED 512
/* How far behind a function's first byte its ftrace site may be (endbr64, bti, patchable entry). */
#define SITE_REACH 16

/* What available_filter_functions told: addresses (since 6.5), else names. */
struct traceable {
	uint64_t *sites;
	size_t n_sites, room_sites;
	char **names; /* "name" or "name [module]", sorted */
	size_t n_names, room_names;
	char **banned; /* the kprobe blacklist, sorted */
	size_t n_banned, room_banned;
};

static int compare_sites(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int keep_name(char ***names, size_t *n, size_t *room, const char *name)
{
	char *copy = strdup(name);

	if (!copy || grow((void **)names, room, *n + 1, sizeof(**names), 4096)) {
		free(copy);
		return -ENOMEM;
	}
	(*names)[(*n)++] = copy;
	return 0;
}

/* "ffffffff81001234 name [module]" */
static int read_sites(struct traceable *known, FILE *in)
{
	char line[512];
	int err = 0;

	while (!err && fgets(line, sizeof(line), in)) {
		err = grow((void **)&known->sites, &known->room_sites, known->n_sites + 1,
			   sizeof(*known->sites), 65536);
		if (!err)
			known->sites[known->n_sites++] = strtoull(line, NULL, 16);
	}
	if (known->n_sites)
		qsort(known->sites, known->n_sites, sizeof(*known->sites), compare_sites);
	return err;
}

static int read_names(struct traceable *known, FILE *in)
{
	char line[512];
	int err = 0;

	while (!err && fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\n")] = '\0';
		err = keep_name(&known->names, &known->n_names, &known->room_names, line);
	}
	if (known->n_names)
		qsort(known->names, known->n_names, sizeof(*known->names), compare_names);
	return err;
}

/* "0xffffffff81001234-0xffffffff81001250\tname" */
static int read_banned(struct traceable *known)
{
	int root = tracefs_open("debugfs"), err = 0;
	FILE *in = root >= 0 ? tracefs_file(root, "kprobes/blacklist") : NULL;
	char line[512], *tab;

	while (in && !err && fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\n")] = '\0';
		tab = strchr(line, '\t');
		if (tab)
			err = keep_name(&known->banned, &known->n_banned, &known->room_banned,
					tab + 1);
	}
	if (known->n_banned)
		qsort(known->banned, known->n_banned, sizeof(*known->banned), compare_names);
	if (in)
		fclose(in);
	if (root >= 0)
		close(root);
	return err;
}

static int read_traceable(struct traceable *known)
{
	int root = tracefs_open("tracefs"), err = 0;
	FILE *in = NULL;

	if (root < 0)
		return 0;
	in = tracefs_file(root, "available_filter_functions_addrs");
	if (in) {
		err = read_sites(known, in);
	} else {
		in = tracefs_file(root, "available_filter_functions");
		if (in)
			err = read_names(known, in);
	}
	if (in)
		fclose(in);
	close(root);
	return err ? err : read_banned(known);
}

static void free_names(char **names, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

static void free_traceable(struct traceable *known)
{
	free(known->sites);
	free_names(known->names, known->n_names);
	free_names(known->banned, known->n_banned);
}

/* Is there an ftrace site at the beginning of the function, before the next one? */
static bool has_site(const struct traceable *known, uint64_t start, uint64_t end)
{
	size_t lo = 0, hi = known->n_sites, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (known->sites[mid] < start)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < known->n_sites && known->sites[lo] <= start + SITE_REACH &&
	       known->sites[lo] < end;
}

static bool has_name(char **names, size_t n, const char *name)
{
	return n && bsearch(&name, names, n, sizeof(*names), compare_names);
}

static const char *why_not(const struct traceable *known, const char *name, const char *shown,
			   uint64_t start, uint64_t end)
{
	const char *reason = deny_reason(name);

	if (reason)
		return reason;
	if (has_name(known->banned, known->n_banned, name))
		return "the kernel's kprobe blacklist has it";
	if (known->n_sites ? !has_site(known, start, end)
			   : known->n_names && !has_name(known->names, known->n_names, shown))
		return "ftrace cannot trace it";
	return NULL;
}

static bool allows_module(const struct pattern *pattern, const void *module)
{
	return pattern_allows(pattern, module);
}

/* Parts of functions, which nothing calls: the compiler's .cold, and what .part was cut from. */
static bool is_fragment(const char *name)
{
	const char *dot = strstr(name, ".cold");

	return dot && (!dot[5] || dot[5] == '.');
}

static int take(struct targets *targets, const struct traceable *known, const struct ksyms *ksyms,
		size_t i)
{
	const struct ksym *symbol = ksyms_at(ksyms, i);
	const char *name = ksym_name(ksyms, symbol), *module = ksym_module(ksyms, symbol), *reason;
	const struct target *last = targets->n ? &targets->at[targets->n - 1] : NULL;
	struct target target = {.kind = TARGET_FUNCTION, .address = symbol->start};
	char shown[256];
	size_t next;

	if ((module && !strcmp(module, "bpf")) || is_fragment(name) ||
	    !targets_match(targets, TARGET_FUNCTION, name, allows_module, module) ||
	    targets_excluded(targets, name))
		return 0;
	if (last && last->address == symbol->start) /* another name of the same function */
		return 0;
	snprintf(shown, sizeof(shown), module ? "%s [%s]" : "%s", name, module);
	for (next = i + 1;
	     next < ksyms_count(ksyms) && ksyms_at(ksyms, next)->start == symbol->start; next++)
		;
	reason = why_not(known, name, shown, symbol->start,
			 next < ksyms_count(ksyms) ? ksyms_at(ksyms, next)->start : UINT64_MAX);
	if (!reason)
		return targets_add(targets, &target, shown);
	targets_skip(targets, shown, reason);
	return 0;
}

int targets_find_functions(struct targets *targets)
{
	struct traceable known = {};
	struct ksyms *ksyms = NULL;
	int err = ksyms_load(&ksyms, NULL);
	size_t i;

	if (err == -EPERM)
		return (int)fail(CANNOT, "kernel addresses are hidden: functions cannot be found "
					 "(needs CAP_SYSLOG, and kernel.kptr_restrict below 2)");
	if (!err)
		err = read_traceable(&known);
	for (i = 0; !err && i < ksyms_count(ksyms); i++)
		err = take(targets, &known, ksyms, i);
	targets->by_trying = !known.n_sites && !known.n_names;
	free_traceable(&known);
	ksyms_free(ksyms);
	if (!err && targets->by_trying && targets->n > MAX_TRIED)
		return (int)fail(
		    CANNOT,
		    "%zu functions match, and without tracefs nothing tells which of "
		    "them can be traced (mount -t tracefs tracefs /sys/kernel/tracing)",
		    targets->n);
	return err;
}
