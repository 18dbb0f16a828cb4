// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/tracefs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "core/host.h"

/* Detached: in no mount namespace, gone with its last descriptor. */
static int mount_privately(const char *type)
{
	int fs = fsopen(type, FSOPEN_CLOEXEC), root = -1, err = 0;

	if (fs < 0)
		return -errno;
	if (!fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		root = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (root < 0)
		err = -errno;
	close(fs);
	return err ? err : root;
}

int tracefs_open(const char *type)
{
	const char *path =
	    strcmp(type, "tracefs") ? "/sys/kernel/debug/kprobes/.." : host_tracefs();
	int root = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	return root >= 0 ? root : mount_privately(type);
}

FILE *tracefs_file(int root, const char *path)
{
	int fd = openat(root, path, O_RDONLY | O_CLOEXEC);
	FILE *in = fd >= 0 ? fdopen(fd, "r") : NULL;

	if (fd >= 0 && !in)
		close(fd);
	return in;
}
