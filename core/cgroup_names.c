/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ids to paths, by one walk of the tree; symbolic links and other mounts are not entered. */
#include "core/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/grow.h"

#define MAX_NAMES (1U << 18)
#define MAX_DEPTH 64 /* as many directories are open at once */

struct name {
	uint64_t id;
	char *path;
};

struct cgroup_names {
	struct name *at;
	size_t count, room;
};

struct walk {
	struct cgroup_names *names;
	dev_t dev;
	char path[PATH_MAX];
};

static int add(struct cgroup_names *names, uint64_t id, const char *path)
{
	if (grow((void **)&names->at, &names->room, names->count + 1, sizeof(*names->at), 64))
		return -ENOMEM;
	names->at[names->count].path = strdup(path);
	if (!names->at[names->count].path)
		return -ENOMEM;
	names->at[names->count++].id = id;
	return 0;
}

static int enter(struct walk *w, int fd, size_t len, unsigned depth);

/* One entry of the directory dir, whose path is the first len bytes of w->path. */
static int visit(struct walk *w, int dir, const struct dirent *entry, size_t len, unsigned depth)
{
	size_t name_len = strlen(entry->d_name);
	int fd;

	if (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN)
		return 0;
	if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
		return 0;
	if (len + 1 + name_len >= sizeof(w->path) || depth >= MAX_DEPTH)
		return 0;
	fd = openat(dir, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return 0;
	w->path[len] = '/';
	memcpy(w->path + len + 1, entry->d_name, name_len + 1);
	return enter(w, fd, len + 1 + name_len, depth);
}

/* Takes the directory fd, and closes it. */
static int enter(struct walk *w, int fd, size_t len, unsigned depth)
{
	struct dirent *entry;
	struct stat st;
	DIR *dir;
	int err;

	if (fstat(fd, &st) || st.st_dev != w->dev || w->names->count >= MAX_NAMES) {
		close(fd);
		return 0;
	}
	err = add(w->names, st.st_ino, len ? w->path : "/");
	dir = err ? NULL : fdopendir(fd);
	if (!dir) {
		close(fd);
		return err;
	}
	while (!err && (entry = readdir(dir)))
		err = visit(w, fd, entry, len, depth + 1);
	closedir(dir);
	return err;
}

static int compare(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

int cgroup_names_walk(struct cgroup_names **out, const char *root)
{
	int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct walk *w = calloc(1, sizeof(*w));
	struct cgroup_names *names = calloc(1, sizeof(*names));
	int err = fd < 0 ? -errno : 0;
	struct stat st;

	if (!err && (!w || !names))
		err = -ENOMEM;
	if (!err && fstat(fd, &st))
		err = -errno;
	if (!err) {
		w->names = names;
		w->dev = st.st_dev;
		err = enter(w, fd, 0, 0);
	} else if (fd >= 0) {
		close(fd);
	}
	free(w);
	if (err) {
		cgroup_names_free(names);
		return err;
	}
	qsort(names->at, names->count, sizeof(*names->at), compare);
	*out = names;
	return 0;
}

int cgroup_names_load(struct cgroup_names **out)
{
	char path[PATH_MAX];
	int err = cgroup_v2_find(path, sizeof(path));

	return err ? err : cgroup_names_walk(out, path);
}

const char *cgroup_names_find(const struct cgroup_names *names, uint64_t id)
{
	struct name key = {.id = id}, *found = NULL;

	if (names)
		found = bsearch(&key, names->at, names->count, sizeof(key), compare);
	return found ? found->path : NULL;
}

void cgroup_names_free(struct cgroup_names *names)
{
	if (!names)
		return;
	for (size_t i = 0; i < names->count; i++)
		free(names->at[i].path);
	free(names->at);
	free(names);
}
