// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/cgroup_procs.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/cgroup.h"

#define LEVELS_MAX 32

struct visit {
	int (*each)(void *arg, uint32_t tgid);
	void *arg;
};

static int visit_own(const struct visit *visit, const char *dir)
{
	char path[PATH_MAX], line[32];
	unsigned long tgid;
	int err = 0;
	FILE *in;

	if (snprintf(path, sizeof(path), "%s/cgroup.procs", dir) >= (int)sizeof(path))
		return 0;
	in = fopen(path, "re");
	while (in && !err && fgets(line, sizeof(line), in)) {
		tgid = strtoul(line, NULL, 10);
		if (tgid) /* 0: in another pid namespace */
			err = visit->each(visit->arg, (uint32_t)tgid);
	}
	if (in)
		fclose(in);
	return err;
}

static int visit_tree(const struct visit *visit, const char *dir, unsigned level)
{
	int err = visit_own(visit, dir);
	DIR *list = level < LEVELS_MAX ? opendir(dir) : NULL;
	struct dirent *entry;
	char path[PATH_MAX];

	while (list && !err && (entry = readdir(list)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.' &&
		    snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name) < (int)sizeof(path))
			err = visit_tree(visit, path, level + 1);
	if (list)
		closedir(list);
	return err;
}

/* The directory that is meant: as it stands, or below the v2 mount, or by its id. */
static int find_dir(const char *path_or_id, char dir[PATH_MAX])
{
	struct cgroup_names *names = NULL;
	struct cgroup_ref ref;
	const char *path = path_or_id;
	char mount[PATH_MAX];
	struct stat st;
	int err = cgroup_resolve(path_or_id, &ref), len;

	if (err)
		return err;
	if (strchr(path_or_id, '/') && !stat(path_or_id, &st) && st.st_ino == ref.id) {
		snprintf(dir, PATH_MAX, "%s", path_or_id);
		return 0;
	}
	err = cgroup_v2_find(mount, sizeof(mount));
	if (!err && !strchr(path_or_id, '/')) {
		err = cgroup_names_load(&names);
		path = err ? NULL : cgroup_names_find(names, ref.id);
	}
	if (!err && !path)
		err = -ENOENT;
	if (!err) {
		len = snprintf(dir, PATH_MAX, "%s/%s", mount, path);
		err = len < PATH_MAX ? 0 : -ENAMETOOLONG;
	}
	cgroup_names_free(names);
	return err;
}

int cgroup_procs(const char *path_or_id, int (*each)(void *arg, uint32_t tgid), void *arg)
{
	const struct visit visit = {each, arg};
	char dir[PATH_MAX];
	int err = find_dir(path_or_id, dir);

	return err ? err : visit_tree(&visit, dir, 0);
}
