// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/perf_map.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/grow.h"
#include "core/number.h"
#include "core/open_regular.h"

#define MAX_TEXT ((size_t)64 << 20)
#define MAX_NAME 1024
/* Entries that began before an address and may reach over it, past those that do not. */
#define LOOK_BACK 16

struct entry {
	uint64_t start, end;
	uint32_t name; /* offset of a string in names */
	uint32_t line;
};

struct perf_map {
	struct entry *at;
	size_t n, room;
	char *names;
	size_t names_used, names_room;
	struct stat file; /* as it was when it was read */
};

void perf_map_free(struct perf_map *map)
{
	if (map) {
		free(map->at);
		free(map->names);
	}
	free(map);
}

/* Hexadecimal digits, with 0x or without, and the blanks behind them; NULL: none, or too many. */
static const char *take_hex(const char *s, const char *end, uint64_t *value)
{
	if (end - s > 2 && s[0] == '0' && (s[1] | 0x20) == 'x')
		s += 2;
	s = number_hex(s, end, 16, value);
	if (!s || s == end || *s != ' ')
		return NULL;
	while (s < end && *s == ' ')
		s++;
	return s;
}

static int add_line(struct perf_map *map, const char *s, const char *end)
{
	struct entry entry = {.line = (uint32_t)map->n, .name = (uint32_t)map->names_used};
	uint64_t size;
	size_t len;

	s = take_hex(s, end, &entry.start);
	s = s ? take_hex(s, end, &size) : NULL;
	if (!s || s == end || !size || entry.start + size < entry.start || memchr(s, '\0', end - s))
		return 0;
	entry.end = entry.start + size;
	len = end - s > MAX_NAME ? MAX_NAME : (size_t)(end - s);
	if (grow((void **)&map->at, &map->room, map->n + 1, sizeof(entry), 256) ||
	    grow((void **)&map->names, &map->names_room, map->names_used + len + 1, 1, 4096) ||
	    !map->names)
		return -ENOMEM;
	memcpy(map->names + map->names_used, s, len);
	map->names[map->names_used + len] = '\0';
	map->names_used += len + 1;
	map->at[map->n++] = entry;
	return 0;
}

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->line < y->line ? -1 : x->line > y->line;
}

struct perf_map *perf_map_parse(const char *text, size_t len)
{
	struct perf_map *map = calloc(1, sizeof(*map));
	const char *end = text + len, *newline;

	for (; map && text < end; text = newline + 1) {
		newline = memchr(text, '\n', end - text);
		if (!newline) /* it is still being written */
			break;
		if (add_line(map, text, newline)) {
			perf_map_free(map);
			return NULL;
		}
	}
	if (map && map->n)
		qsort(map->at, map->n, sizeof(*map->at), compare_entries);
	return map;
}

const char *perf_map_find(const struct perf_map *map, uint64_t ip, uint64_t *start)
{
	const struct entry *best = NULL;
	size_t lo = 0, hi = map->n, i;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (map->at[mid].start <= ip)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (i = lo; i > 0 && lo - i < LOOK_BACK; i--) {
		const struct entry *entry = &map->at[i - 1];

		if (ip < entry->end && (!best || entry->line > best->line))
			best = entry;
	}
	if (best)
		*start = best->start;
	return best ? map->names + best->name : NULL;
}

/* The process's tgid in its own pid namespace, and its user; false: it is gone. */
static bool read_status(uint32_t tgid, uint32_t *inner, uid_t *user)
{
	char path[40], line[256], *second;
	const char *last;
	bool known = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/status", tgid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "Uid:\t", 5)) { /* real, effective, ... */
			strtoul(line + 5, &second, 10);
			*user = (uid_t)strtoul(second, NULL, 10);
			known = true;
		}
		last = strrchr(line, '\t');
		if (!strncmp(line, "NSpid:\t", 7) && last)
			*inner = (uint32_t)strtoul(last + 1, NULL, 10);
	}
	if (f)
		fclose(f);
	return known;
}

static bool is_owned(int fd, const void *user)
{
	struct stat st;

	return !fstat(fd, &st) && (st.st_uid == *(const uid_t *)user || st.st_uid == 0);
}

static struct perf_map *read_map(int fd, size_t size)
{
	size_t len = 0, room = size < MAX_TEXT ? size : MAX_TEXT;
	struct perf_map *map = NULL;
	char *text = malloc(room + 1);
	ssize_t got = 1;

	while (text && len < room && (got = read(fd, text + len, room - len)) > 0)
		len += (size_t)got;
	if (text && got >= 0)
		map = perf_map_parse(text, len);
	free(text);
	return map;
}

static bool is_as_before(const struct perf_map *map, const struct stat *st)
{
	return map && map->file.st_dev == st->st_dev && map->file.st_ino == st->st_ino &&
	       map->file.st_size == st->st_size && map->file.st_mtim.tv_sec == st->st_mtim.tv_sec &&
	       map->file.st_mtim.tv_nsec == st->st_mtim.tv_nsec;
}

void perf_map_reload(struct perf_map **map, uint32_t tgid)
{
	struct perf_map *new = NULL;
	char root[32] = "", path[40];
	uint32_t inner = tgid;
	uid_t user = geteuid();
	const struct open_rule rule = {.no_link = true, .wanted = is_owned, .arg = &user};
	struct stat st;
	int fd;

	if (read_status(tgid, &inner, &user))
		snprintf(root, sizeof(root), "/proc/%" PRIu32 "/root", tgid);
	snprintf(path, sizeof(path), "/tmp/perf-%" PRIu32 ".map", inner);
	fd = open_regular_by(root, path, &rule); /* others may write to /tmp */
	if (fd < 0)
		return;
	if (!fstat(fd, &st) && !is_as_before(*map, &st))
		new = read_map(fd, (size_t)st.st_size);
	close(fd);
	if (!new)
		return;
	new->file = st;
	perf_map_free(*map);
	*map = new;
}
