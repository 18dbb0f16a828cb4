/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/usyms.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/grow.h"

#define BUCKETS 1024
#define MAX_PROCESSES 65536
#define MAX_TEXT (32U << 20) /* a process with vm.max_map_count mappings has some 8 MB */
#define KEPT_REPORTS 16      /* that do not ask for a process, until it is forgotten */
#define DELETED " (deleted)"

struct mapping {
	uint64_t start, end, pgoff;
	uint32_t name; /* in names */
};

struct maps {
	struct mapping *at;
	size_t count, room;
	char *names; /* each ended by NUL */
	size_t names_used, names_room;
};

struct process {
	struct process *next;
	struct maps maps;
	uint64_t tried; /* the report its maps were last read for */
	uint64_t used;
	int err; /* of the last try */
	uint32_t tgid;
};

struct usyms {
	uint64_t report;
	size_t count;
	struct process *buckets[BUCKETS];
};

struct line {
	struct mapping map;
	const char *name;
	size_t name_len;
};

static void maps_free(struct maps *maps)
{
	free(maps->at);
	free(maps->names);
}

/* At most 16 hex digits up to the byte stop, which is skipped; NULL: something else is there. */
static const char *take_hex(const char *s, const char *end, char stop, uint64_t *value)
{
	const char *begin = s;

	for (*value = 0; s < end && s - begin <= 16; s++) {
		char c = *s | 0x20;

		if (*s >= '0' && *s <= '9')
			*value = *value << 4 | (unsigned)(*s - '0');
		else if (c >= 'a' && c <= 'f')
			*value = *value << 4 | (unsigned)(c - 'a' + 10);
		else
			break;
	}
	if (s == begin || s == end || *s != stop || s - begin > 16)
		return NULL;
	return s + 1;
}

/* One word of 1 to max bytes and the blanks behind it; NULL: there is none. */
static const char *skip_word(const char *s, const char *end, size_t max)
{
	const char *begin = s;

	while (s < end && *s != ' ')
		s++;
	if (s == begin || (size_t)(s - begin) > max)
		return NULL;
	while (s < end && *s == ' ')
		s++;
	return s;
}

/* The last part of a path without " (deleted)", the whole of what is no path. */
static void take_name(const char *s, const char *end, struct line *l)
{
	size_t tail = strlen(DELETED);
	const char *slash;

	if ((size_t)(end - s) > tail && !memcmp(end - tail, DELETED, tail))
		end -= tail;
	if (s < end && *s == '/') {
		slash = memrchr(s, '/', end - s);
		s = slash + 1;
	}
	l->name = s;
	l->name_len = end - s;
	if (!l->name_len) {
		l->name = "[anon]";
		l->name_len = strlen(l->name);
	}
}

/* "start-end perms pgoff major:minor inode   name" */
static bool split_line(const char *s, const char *end, struct line *l)
{
	s = take_hex(s, end, '-', &l->map.start);
	s = s ? take_hex(s, end, ' ', &l->map.end) : NULL;
	s = s ? skip_word(s, end, 8) : NULL;
	s = s ? take_hex(s, end, ' ', &l->map.pgoff) : NULL;
	s = s ? skip_word(s, end, 24) : NULL;
	s = s ? skip_word(s, end, 20) : NULL;
	if (!s || l->map.start >= l->map.end || memchr(s, '\0', end - s))
		return false;
	if (s == end || *s == '[') /* no file: from the start of the mapping */
		l->map.pgoff = 0;
	take_name(s, end, l);
	return true;
}

/* The kernel writes a newline in a name as \012, and nothing else so. */
static void copy_name(char *to, const struct line *l)
{
	for (size_t i = 0; i < l->name_len; i++) {
		if (l->name_len - i >= 4 && !memcmp(l->name + i, "\\012", 4)) {
			*to++ = '\n';
			i += 3;
		} else {
			*to++ = l->name[i];
		}
	}
	*to = '\0';
}

static int add_mapping(struct maps *maps, const struct line *l)
{
	uint32_t name = maps->names_used;
	struct mapping *new;

	if (grow((void **)&maps->at, &maps->room, maps->count + 1, sizeof(*maps->at), 64) ||
	    grow((void **)&maps->names, &maps->names_room, name + l->name_len + 1, 1, 64))
		return -ENOMEM;
	copy_name(maps->names + name, l);
	/* the segments of a file follow each other: one copy of its name */
	new = &maps->at[maps->count];
	*new = l->map;
	new->name = name;
	if (maps->count++ && !strcmp(maps->names + new[-1].name, maps->names + name))
		new->name = new[-1].name;
	else
		maps->names_used += strlen(maps->names + name) + 1;
	return 0;
}

static int compare_mappings(const void *a, const void *b)
{
	const struct mapping *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static int parse(struct maps *maps, const char *text, size_t len)
{
	const char *end = text + len;

	for (const char *s = text, *newline; s < end; s = newline + 1) {
		struct line l;

		newline = memchr(s, '\n', end - s);
		if (!newline)
			newline = end;
		if (split_line(s, newline, &l) && add_mapping(maps, &l))
			return -ENOMEM;
		if (newline == end)
			break;
	}
	for (size_t i = 1; i < maps->count; i++) {
		if (maps->at[i].start >= maps->at[i - 1].start)
			continue;
		qsort(maps->at, maps->count, sizeof(*maps->at), compare_mappings);
		break;
	}
	return maps->count ? 0 : -ESRCH;
}

/* Replaces the maps of a process when text has any, and keeps them when not. */
static int set_maps(struct process *p, const char *text, size_t len)
{
	struct maps maps = {0};
	int err = len > MAX_TEXT ? -EFBIG : parse(&maps, text, len);

	if (err) {
		maps_free(&maps);
		return err;
	}
	maps_free(&p->maps);
	p->maps = maps;
	return 0;
}

static int read_all(int fd, char **text, size_t *len)
{
	size_t room = 0;

	for (;;) {
		ssize_t got;

		if (*len > MAX_TEXT)
			return -EFBIG;
		if (grow((void **)text, &room, *len + 16384, 1, 64))
			return -ENOMEM;
		got = read(fd, *text + *len, room - *len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : 0;
		*len += got;
	}
}

static int read_maps(struct process *p)
{
	char path[32], *text = NULL;
	size_t len = 0;
	int fd, err;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/maps", p->tgid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	err = read_all(fd, &text, &len);
	close(fd);
	if (!err)
		err = len ? set_maps(p, text, len) : -ESRCH;
	free(text);
	return err;
}

static struct process *get_process(struct usyms *us, uint32_t tgid)
{
	struct process **bucket = &us->buckets[tgid % BUCKETS], *p;

	for (p = *bucket; p && p->tgid != tgid; p = p->next)
		;
	if (!p) {
		p = us->count < MAX_PROCESSES ? calloc(1, sizeof(*p)) : NULL;
		if (!p)
			return NULL;
		p->tgid = tgid;
		p->next = *bucket;
		*bucket = p;
		us->count++;
	}
	p->used = us->report;
	return p;
}

struct usyms *usyms_new(void)
{
	struct usyms *us = calloc(1, sizeof(*us));

	if (us)
		us->report = 1;
	return us;
}

static void drop_unused_since(struct usyms *us, uint64_t report)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct process **at = &us->buckets[i], *p; (p = *at);) {
			if (p->used >= report) {
				at = &p->next;
				continue;
			}
			*at = p->next;
			maps_free(&p->maps);
			free(p);
			us->count--;
		}
}

void usyms_free(struct usyms *us)
{
	if (us)
		drop_unused_since(us, UINT64_MAX);
	free(us);
}

void usyms_refresh(struct usyms *us)
{
	us->report++;
	if (us->report > KEPT_REPORTS)
		drop_unused_since(us, us->report - KEPT_REPORTS);
}

int usyms_learn(struct usyms *us, uint32_t tgid)
{
	struct process *p = get_process(us, tgid);

	if (!p)
		return -ENOMEM;
	if (p->tried != us->report) {
		p->tried = us->report;
		p->err = read_maps(p);
	}
	return p->err;
}

int usyms_learn_text(struct usyms *us, uint32_t tgid, const char *text, size_t len)
{
	struct process *p = get_process(us, tgid);

	if (!p)
		return -ENOMEM;
	p->tried = us->report;
	p->err = set_maps(p, text, len);
	return p->err;
}

static const struct mapping *find_mapping(const struct maps *maps, uint64_t ip)
{
	size_t lo = 0, hi = maps->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (maps->at[mid].start <= ip)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo && ip < maps->at[lo - 1].end ? &maps->at[lo - 1] : NULL;
}

char *usyms_frame(struct usyms *us, uint32_t tgid, uint64_t ip, char *buf, size_t size)
{
	struct process *p = get_process(us, tgid);
	const struct mapping *map;
	char offset[24];
	int len;

	if (p && p->tried != us->report)
		(void)usyms_learn(us, tgid);
	map = p ? find_mapping(&p->maps, ip) : NULL;
	if (!map) {
		snprintf(buf, size, "[unknown]");
		return buf;
	}
	len = snprintf(offset, sizeof(offset), "+0x%" PRIx64, ip - map->start + map->pgoff);
	len = size > (size_t)len ? (int)(size - len - 1) : 0;
	snprintf(buf, size, "%.*s%s", len, p->maps.names + map->name, offset);
	return buf;
}
