// SPDX-License-Identifier: GPL-2.0-or-later
/* Tracepoints, by the directories of tracefs; without it, by BTF, which knows no categories. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/kernel_btf.h"
#include "core/targets.h"
#include "core/tracefs.h"

/* Directories below events/ whose events are no tracepoints. */
static bool is_virtual(const char *category)
{
	return !strcmp(category, "ftrace") || !strcmp(category, "kprobes") ||
	       !strcmp(category, "uprobes") || !strcmp(category, "synthetic");
}

/* category NULL: unknown, any is taken. */
static bool allows_category(const struct pattern *pattern, const void *category)
{
	return !category || pattern_allows(pattern, category);
}

static int take(struct targets *targets, const char *category, const char *event)
{
	bool syscall = category && !strcmp(category, "syscalls");
	struct target target = {.kind = syscall ? TARGET_SYSCALL : TARGET_EVENT};
	char shown[256];

	snprintf(shown, sizeof(shown), "%s%s%s", category ? category : "", category ? ":" : "",
		 event);
	if (!targets_match(targets, target.kind, event, allows_category, category) ||
	    targets_excluded(targets, shown))
		return 0;
	return targets_add(targets, &target, shown);
}

/* A category that no pattern means is not read: there are over a hundred. */
static bool is_meant(const struct targets *targets, const char *category)
{
	const struct pattern *pattern = targets->patterns.at;
	size_t i;

	for (i = 0; i < targets->patterns.n; i++)
		if ((pattern[i].kind == TARGET_EVENT || pattern[i].kind == TARGET_SYSCALL) &&
		    pattern_allows(&pattern[i], category))
			return true;
	return false;
}

static DIR *directory(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (fd >= 0 && !dir)
		close(fd);
	return dir;
}

static int take_category(struct targets *targets, int parent, const char *category)
{
	DIR *dir = directory(parent, category);
	struct dirent *entry;
	int err = 0;

	if (!dir)
		return 0; /* a file */
	while (!err && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && strcmp(entry->d_name, "enable") &&
		    strcmp(entry->d_name, "filter"))
			err = take(targets, category, entry->d_name);
	closedir(dir);
	return err;
}

static int take_described(void *targets, const struct btf_name *prefix, uint32_t id,
			  const struct btf_type *type)
{
	const struct btf_types *types = kernel_btf_types(kernel_btf());

	(void)id;
	return take(targets, NULL, btf_types_name(types, type->name_off) + prefix->len);
}

static int find_in_btf(struct targets *targets)
{
	const char *prefix = "btf_trace_";
	struct kernel_btf *btf = kernel_btf();
	struct btf_names names = {};
	int err;

	if (!btf)
		return (int)fail(CANNOT,
				 "tracepoints cannot be listed: neither tracefs nor BTF can "
				 "be read (mount -t tracefs tracefs /sys/kernel/tracing)");
	err = btf_names_add(&names, prefix, strlen(prefix), BTF_BIT(BTF_KIND_TYPEDEF), BTF_PREFIX);
	if (!err)
		err = btf_types_match(kernel_btf_types(btf), &names, take_described, targets);
	btf_names_free(&names);
	return err;
}

int targets_find_events(struct targets *targets)
{
	int root = tracefs_open("tracefs"), err = 0;
	DIR *events = root >= 0 ? directory(root, "events") : NULL;
	struct dirent *entry;

	if (!events) {
		err = find_in_btf(targets);
	} else {
		while (!err && (entry = readdir(events)))
			if (entry->d_name[0] != '.' && !is_virtual(entry->d_name) &&
			    is_meant(targets, entry->d_name))
				err = take_category(targets, dirfd(events), entry->d_name);
		closedir(events);
	}
	if (root >= 0)
		close(root);
	return err;
}
