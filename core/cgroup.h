/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control groups: from what a user types to the id that BPF programs compare,
 * and from ids back to paths. An id is the kernfs node id, which is st_ino.
 */
#ifndef KTRACE_CGROUP_H
#define KTRACE_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CGROUP_CONTROLLER_LEN 32

struct cgroup_ref {
	uint64_t id;
	bool v1;
	char controller[CGROUP_CONTROLLER_LEN]; /* v1: one that its hierarchy has; else "" */
};

/*
 * A number is a v2 id. A path is a cgroup directory, v1 or v2, as it stands, or
 * else below the v2 mount ("/system.slice/foo"). Returns 0 or -errno: -EINVAL for
 * a bad number or a directory that is no cgroup, -ENOENT, -ENOTDIR, -ENOTSUP for
 * a v1 hierarchy without controller (name=systemd), which no program can name.
 */
int cgroup_resolve(const char *path_or_id, struct cgroup_ref *out);

/* Where cgroup2 is mounted for this process. Returns 0 or -errno (-ENOENT: nowhere). */
int cgroup_v2_find(char *path, size_t size);

struct cgroup_names;

/*
 * The path below the v2 mount of each cgroup there is now, "/" for the root.
 * Returns 0 or -errno (-ENOENT: no v2 mount). One that appears later has no name.
 */
int cgroup_names_load(struct cgroup_names **out);
/* The same of any directory tree. */
int cgroup_names_walk(struct cgroup_names **out, const char *root);
/* Path, or NULL; raw bytes, valid until cgroup_names_free(). */
const char *cgroup_names_find(const struct cgroup_names *, uint64_t id);
void cgroup_names_free(struct cgroup_names *);

/* Mount point of cgroup2 in the text of a mountinfo file. 0, -ENOENT, -ENAMETOOLONG. */
int cgroup_v2_mount(const char *mountinfo, size_t len, char *path, size_t size);
/* First controller of the v1 hierarchy mounted as device major:minor. 0, -ENOENT, -ENOTSUP. */
int cgroup_v1_controller(const char *mountinfo, size_t len, unsigned major, unsigned minor,
			 char controller[CGROUP_CONTROLLER_LEN]);

#endif
