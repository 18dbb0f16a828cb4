// SPDX-License-Identifier: GPL-2.0-or-later
/* Which files the traced processes allocate by. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/binary.h"
#include "core/cgroup_procs.h"
#include "core/grow.h"
#include "core/heap.h"
#include "core/loader.h"
#include "core/maps.h"

/* A file that was looked at: processes share them. */
struct seen {
	dev_t device;
	ino_t inode;
};

struct finder {
	struct targets *targets;
	const struct opts *opts;
	struct seen *seen;
	size_t n, room;
	bool others; /* the allocator is named by -O: of other files wrappers alone count */
	bool allocates;
};

/* 1: was looked at before; 0, or -errno. */
static int see(struct finder *finder, const struct stat *st)
{
	size_t i;

	for (i = 0; i < finder->n; i++)
		if (finder->seen[i].device == st->st_dev && finder->seen[i].inode == st->st_ino)
			return 1;
	if (grow((void **)&finder->seen, &finder->room, finder->n + 1, sizeof(*finder->seen), 64))
		return -ENOMEM;
	finder->seen[finder->n++] = (struct seen){st->st_dev, st->st_ino};
	return 0;
}

/* What cannot be read or is no program has no allocator for us: only memory ends it. */
static int take_file(void *arg, const char *path)
{
	struct finder *finder = arg;
	struct stat st;
	int err;

	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return 0;
	err = see(finder, &st);
	if (err)
		return err < 0 ? err : 0;
	err = heap_take_file(finder->targets, path, finder->others, &finder->allocates);
	return err == -ENOMEM ? err : 0;
}

/*
 * By its mapping, which is right in each mount namespace, and of deleted files; else by its path,
 * where another file may lie now.
 */
static int take_mapping(struct finder *finder, uint32_t tgid, const struct maps_line *line)
{
	const struct user_file_seen *seen = &line->seen;
	char path[PATH_MAX];
	struct stat st;

	if (!line->executable || !seen->inode)
		return 0;
	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/map_files/%" PRIx64 "-%" PRIx64, tgid,
		 seen->start, seen->end);
	if (stat(path, &st) &&
	    (seen->deleted || snprintf(path, sizeof(path), "/proc/%" PRIu32 "/root%s", tgid,
				       seen->path) >= (int)sizeof(path)))
		return 0;
	return take_file(finder, path);
}

/* A process that has ended meanwhile, or whose maps are not to be read, has no files for us. */
static int take_process(void *arg, uint32_t tgid)
{
	struct maps_line line;
	const char *at;
	char *text;
	size_t len;
	int err = maps_read(tgid, &text, &len);

	if (err)
		return err == -ENOMEM || err == -EFBIG ? err : 0;
	for (at = text; !err && maps_next(&at, text + len, &line);)
		err = take_mapping(arg, tgid, &line);
	free(text);
	return err;
}

static enum status take_named(struct finder *finder)
{
	const struct opts *opts = finder->opts;
	char *path = binary_find(opts->object, opts->tgids.n ? opts->tgids.id[0] : 0);
	int err;

	if (!path)
		return fail(USAGE, "no program or library '%s' (-O)", opts->object);
	err = take_file(finder, path);
	free(path);
	if (err)
		return fail(FAILED, "out of memory for the functions of '%s'", opts->object);
	if (!finder->allocates)
		return fail(USAGE, "%s has no function malloc, or no symbols (-O)", opts->object);
	finder->others = true;
	return OK;
}

/* A cgroup may be empty yet: what comes will have the system's library most likely. */
static int take_cgroup(struct finder *finder)
{
	int err = cgroup_procs(finder->opts->cgroup, take_process, finder);
	char *libc;

	if (err || finder->allocates)
		return err;
	libc = binary_find("c", 0);
	if (libc)
		err = take_file(finder, libc);
	free(libc);
	return err;
}

static enum status not_found(const struct finder *finder)
{
	const char *whose = finder->opts->command  ? "the command"
			    : finder->opts->cgroup ? "the cgroup's processes"
						   : "the process";

	return fail(CANNOT,
		    "found no allocator: of %zu files that %s will use or has mapped none has a "
		    "symbol malloc (stripped? name one that has with -O)",
		    finder->n, whose);
}

enum status heap_find(struct targets *targets, const struct opts *opts)
{
	struct finder finder = {.targets = targets, .opts = opts};
	enum status status = opts->object ? take_named(&finder) : OK;
	unsigned i;
	int err = 0;

	targets->verbose = opts->verbose;
	for (i = 0; i < opts->tgids.n && !status && !err; i++)
		err = take_process(&finder, opts->tgids.id[i]);
	if (!status && opts->command)
		err = loader_files(opts->command[0], take_file, &finder);
	if (!status && !err && opts->cgroup && !opts->tgids.n && !opts->command)
		err = take_cgroup(&finder);
	free(finder.seen);
	if (status)
		return status;
	if (err)
		return fail(FAILED, "cannot look for the allocator: %s", strerror(-err));
	return finder.allocates ? OK : not_found(&finder);
}
