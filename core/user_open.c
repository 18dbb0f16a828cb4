// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/user_open.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/open_regular.h"

/*
 * The kernel tells mappings by the device of the superblock, and on overlayfs before 6.8 by
 * the layer's inode. stat(2) gives each btrfs subvolume a device of its own, and overlayfs one
 * to each layer, with more bits above the inode number (xino).
 */
static bool is_stacked(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) &&
	       (fs.f_type == BTRFS_SUPER_MAGIC || fs.f_type == OVERLAYFS_SUPER_MAGIC);
}

static bool is_same(int fd, const void *want_)
{
	const struct user_inode *want = want_;
	struct stat st;

	if (fstat(fd, &st))
		return false;
	if (st.st_dev == makedev(want->major, want->minor))
		return st.st_ino == want->inode;
	return (uint32_t)st.st_ino == (uint32_t)want->inode && is_stacked(fd);
}

int user_open(const struct user_inode *want, const struct user_place *place, char *root,
	      unsigned size)
{
	const struct open_rule rule = {.wanted = is_same, .arg = want};
	char path[96];
	int fd = -ESRCH;

	snprintf(root, size, "/proc/%" PRIu32 "/root", place->tgid);
	if (place->tgid) {
		snprintf(path, sizeof(path), "/proc/%" PRIu32 "/map_files/%" PRIx64 "-%" PRIx64,
			 place->tgid, place->start, place->end);
		fd = open_regular_by("", path, &rule);
	}
	if (fd < 0 && place->tgid && place->path[0] == '/')
		fd = open_regular_by(root, place->path, &rule);
	if (fd >= 0)
		return fd;
	*root = '\0';
	return place->path[0] == '/' ? open_regular_by("", place->path, &rule) : fd;
}

bool user_is_ours(const struct user_inode *want, const char *path)
{
	int fd = path[0] == '/' ? open(path, O_PATH | O_CLOEXEC) : -1;
	bool ours = fd >= 0 && is_same(fd, want);

	if (fd >= 0)
		close(fd);
	return ours;
}
