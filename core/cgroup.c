/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/read_all.h"

#define CGROUP2_MAGIC 0x63677270
#define CGROUP1_MAGIC 0x27e0eb
#define MAX_MOUNTINFO (16U << 20)
#define FIELDS 6

struct word {
	const char *s;
	size_t len;
};

/* "id parent major:minor root point options [tags...] - type source super" */
struct mount {
	struct word device, root, point, type, super;
};

static const char *const controllers[] = {
    "cpuset",     "cpu",      "cpuacct", "blkio", "memory", "devices", "freezer", "net_cls",
    "perf_event", "net_prio", "hugetlb", "pids",  "rdma",   "misc",    "dmem",    "debug",
};

static bool is(struct word w, const char *s)
{
	return w.len == strlen(s) && !memcmp(w.s, s, w.len);
}

/* The next of the words that sep parts; false at the end. */
static bool next_word(struct word *rest, char sep, struct word *word)
{
	const char *end;

	while (rest->len && *rest->s == sep) {
		rest->s++;
		rest->len--;
	}
	if (!rest->len)
		return false;
	end = memchr(rest->s, sep, rest->len);
	word->s = rest->s;
	word->len = end ? (size_t)(end - rest->s) : rest->len;
	rest->s += word->len;
	rest->len -= word->len;
	return true;
}

static bool split_mount(struct word line, struct mount *m)
{
	struct word fields[FIELDS], source, tag;

	for (int i = 0; i < FIELDS; i++)
		if (!next_word(&line, ' ', &fields[i]))
			return false;
	do {
		if (!next_word(&line, ' ', &tag))
			return false;
	} while (!is(tag, "-"));
	m->device = fields[2];
	m->root = fields[3];
	m->point = fields[4];
	return next_word(&line, ' ', &m->type) && next_word(&line, ' ', &source) &&
	       next_word(&line, ' ', &m->super);
}

static bool octal(const char *s, size_t len)
{
	return len >= 4 && s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' &&
	       s[2] <= '7' && s[3] >= '0' && s[3] <= '7';
}

/* Blanks, newlines and backslashes of a path stand as \ooo in mountinfo. */
static int copy_path(struct word from, char *to, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < from.len; i++) {
		const char *s = from.s + i;

		if (used + 1 >= size)
			return -ENAMETOOLONG;
		if (octal(s, from.len - i)) {
			to[used++] = (s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0');
			i += 3;
		} else {
			to[used++] = *s;
		}
	}
	to[used] = '\0';
	return 0;
}

int cgroup_v2_mount(const char *mountinfo, size_t len, char *path, size_t size)
{
	struct word text = {mountinfo, len}, line, found = {0};
	struct mount m;

	while (next_word(&text, '\n', &line)) {
		if (!split_mount(line, &m) || !is(m.type, "cgroup2"))
			continue;
		if (!found.s || is(m.root, "/"))
			found = m.point;
		/* a part of the tree, as bound into a container, only when there is no other */
		if (is(m.root, "/"))
			break;
	}
	return found.s ? copy_path(found, path, size) : -ENOENT;
}

static int take_controller(struct word options, char controller[CGROUP_CONTROLLER_LEN])
{
	struct word option;

	while (next_word(&options, ',', &option))
		for (size_t i = 0; i < sizeof(controllers) / sizeof(*controllers); i++)
			if (is(option, controllers[i])) {
				snprintf(controller, CGROUP_CONTROLLER_LEN, "%s", controllers[i]);
				return 0;
			}
	return -ENOTSUP;
}

int cgroup_v1_controller(const char *mountinfo, size_t len, unsigned major, unsigned minor,
			 char controller[CGROUP_CONTROLLER_LEN])
{
	struct word text = {mountinfo, len}, line;
	struct mount m;
	char device[32];

	snprintf(device, sizeof(device), "%u:%u", major, minor);
	while (next_word(&text, '\n', &line))
		if (split_mount(line, &m) && is(m.type, "cgroup") && is(m.device, device))
			return take_controller(m.super, controller);
	return -ENOENT;
}

static int read_mountinfo(char **text, size_t *len)
{
	return read_path("/proc/self/mountinfo", MAX_MOUNTINFO, text, len);
}

/* What is open as fd, when that is a cgroup. */
static int resolve_fd(int fd, struct cgroup_ref *out)
{
	struct cgroup_ref ref = {0};
	struct statfs fs;
	struct stat st;
	char *text;
	size_t len;
	int err;

	if (fstatfs(fd, &fs) || fstat(fd, &st))
		return -errno;
	if (fs.f_type != CGROUP2_MAGIC && fs.f_type != CGROUP1_MAGIC)
		return -EINVAL;
	ref.id = st.st_ino;
	ref.v1 = fs.f_type == CGROUP1_MAGIC;
	if (ref.v1) {
		err = read_mountinfo(&text, &len);
		if (err)
			return err;
		err = cgroup_v1_controller(text, len, major(st.st_dev), minor(st.st_dev),
					   ref.controller);
		free(text);
		if (err)
			return err == -ENOENT ? -ENOTSUP : err;
	}
	*out = ref;
	return 0;
}

static int resolve_path(const char *path, struct cgroup_ref *out)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = resolve_fd(fd, out);
	close(fd);
	return err;
}

int cgroup_v2_find(char *path, size_t size)
{
	char *text;
	size_t len;
	int err = read_mountinfo(&text, &len);

	if (err)
		return err;
	err = cgroup_v2_mount(text, len, path, size);
	free(text);
	return err;
}

static int resolve_below_mount(const char *path, struct cgroup_ref *out)
{
	char whole[2 * PATH_MAX];
	int err = cgroup_v2_find(whole, PATH_MAX);
	size_t len;

	if (err)
		return err;
	len = strlen(whole);
	if (snprintf(whole + len, PATH_MAX, "/%s", path) >= PATH_MAX)
		return -ENAMETOOLONG;
	return resolve_path(whole, out);
}

static int resolve_number(const char *s, struct cgroup_ref *out)
{
	uint64_t id = 0;

	for (; *s; s++)
		if (__builtin_mul_overflow(id, 10, &id) ||
		    __builtin_add_overflow(id, (uint64_t)(*s - '0'), &id))
			return -EINVAL;
	if (!id)
		return -EINVAL;
	*out = (struct cgroup_ref){.id = id};
	return 0;
}

int cgroup_resolve(const char *path_or_id, struct cgroup_ref *out)
{
	int err, below;

	if (!*path_or_id)
		return -EINVAL;
	if (!path_or_id[strspn(path_or_id, "0123456789")])
		return resolve_number(path_or_id, out);
	err = resolve_path(path_or_id, out);
	if (!err || err == -ENOTSUP)
		return err;
	below = resolve_below_mount(path_or_id, out);
	/* what is there, and is no cgroup, says more than that nothing is below the mount */
	return below == -ENOENT ? err : below;
}
