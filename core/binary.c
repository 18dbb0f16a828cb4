// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/binary.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CACHE_MAGIC "glibc-ld.so.cache1.1"
#define CACHE_MAX (16u << 20)

/* /etc/ld.so.cache of glibc from 2.2 on (sysdeps/generic/dl-cache.h): head, entries, strings. */
struct cache_head {
	char magic[sizeof(CACHE_MAGIC) - 1];
	uint32_t n, strings_size, unused[5];
};

struct cache_entry {
	int32_t flags;
	uint32_t name, path, os_version; /* name, path: offsets in the file */
	uint64_t hwcap;
};

/* Where loaders look without a cache: musl, small systems, guests. */
static const char *const library_dirs[] = {
#ifdef __x86_64__
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
#elif defined(__aarch64__)
    "/lib/aarch64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
#endif
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
    "/usr/local/lib",
    NULL};

/* Is soname what was meant: itself, or "lib" NAME ".so" and a version? */
static bool is_meant(const char *soname, const char *name)
{
	size_t len = strlen(name);

	if (!strcmp(soname, name))
		return true;
	return !strncmp(soname, "lib", 3) && !strncmp(soname + 3, name, len) &&
	       !strncmp(soname + 3 + len, ".so", 3) && (!soname[len + 6] || soname[len + 6] == '.');
}

static bool is_file(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode);
}

/* root + path when that is a file of 64 bits, in little-endian order as we are. */
static char *usable(const char *root, const char *path)
{
	char full[PATH_MAX];
	unsigned char ident[6] = {0};
	FILE *in;

	if (snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full) || !is_file(full))
		return NULL;
	in = fopen(full, "re");
	if (!in)
		return NULL;
	if (fread(ident, sizeof(ident), 1, in) != 1 || memcmp(ident, "\177ELF\2\1", 6))
		full[0] = '\0';
	fclose(in);
	return full[0] ? strdup(full) : NULL;
}

static char *read_cache(const char *root, size_t *size)
{
	char path[PATH_MAX], *bytes;
	FILE *in;

	snprintf(path, sizeof(path), "%s/etc/ld.so.cache", root);
	in = fopen(path, "re");
	if (!in)
		return NULL;
	bytes = malloc(CACHE_MAX);
	*size = bytes ? fread(bytes, 1, CACHE_MAX - 1, in) : 0;
	if (bytes)
		bytes[*size] = '\0';
	fclose(in);
	return bytes;
}

static char *in_cache(const char *root, const char *name)
{
	size_t size = 0;
	char *bytes = read_cache(root, &size), *found = NULL;
	struct cache_head head;
	struct cache_entry entry;
	uint64_t at = sizeof(head);
	uint32_t i;

	if (bytes && size >= sizeof(head)) {
		memcpy(&head, bytes, sizeof(head));
		if (memcmp(head.magic, CACHE_MAGIC, sizeof(head.magic)))
			head.n = 0;
		for (i = 0; i < head.n && !found && at + sizeof(entry) <= size;
		     i++, at += sizeof(entry)) {
			memcpy(&entry, bytes + at, sizeof(entry));
			if (entry.name < size && entry.path < size &&
			    is_meant(bytes + entry.name, name))
				found = usable(root, bytes + entry.path);
		}
	}
	free(bytes);
	return found;
}

static char *in_directory(const char *root, const char *dir, const char *name)
{
	char path[PATH_MAX], *found = NULL;
	struct dirent *entry;
	DIR *list;

	snprintf(path, sizeof(path), "%s%s", root, dir);
	list = opendir(path);
	while (list && !found && (entry = readdir(list)))
		if (is_meant(entry->d_name, name) &&
		    snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name) < (int)sizeof(path))
			found = usable(root, path);
	if (list)
		closedir(list);
	return found;
}

static char *in_path(const char *root, const char *name)
{
	const char *list = getenv("PATH");
	char path[PATH_MAX], *found = NULL;
	size_t len;

	if (!list || *root)
		list = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	for (; !found; list += len + 1) {
		len = strcspn(list, ":");
		if (len && snprintf(path, sizeof(path), "%.*s/%s", (int)len, list, name) <
			       (int)sizeof(path))
			found = usable(root, path);
		if (!list[len])
			break;
	}
	return found;
}

char *binary_find(const char *name, uint32_t tgid)
{
	char root[32] = "", *found = NULL;
	size_t i;

	if (tgid)
		snprintf(root, sizeof(root), "/proc/%u/root", tgid);
	if (strchr(name, '/')) {
		found = usable(name[0] == '/' ? root : "", name);
	} else {
		found = in_cache(root, name);
		for (i = 0; library_dirs[i] && !found; i++)
			found = in_directory(root, library_dirs[i], name);
		if (!found)
			found = in_path(root, name);
	}
	if (!found)
		errno = ENOENT;
	return found;
}
