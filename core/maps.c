/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/maps.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/number.h"
#include "core/read_all.h"

#define DELETED " (deleted)"

/* At most max hex digits up to the byte stop, which is skipped; NULL: something else is there. */
static const char *take_hex(const char *s, const char *end, char stop, int max, uint64_t *value)
{
	s = number_hex(s, end, max, value);
	return s && s < end && *s == stop ? s + 1 : NULL;
}

/* Decimal digits and the blanks behind them. */
static const char *take_inode(const char *s, const char *end, uint64_t *value)
{
	const char *begin = s;

	for (*value = 0; s < end && *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(*value, 10, value) ||
		    __builtin_add_overflow(*value, (unsigned)(*s - '0'), value))
			return NULL;
	if (s == begin || (s < end && *s != ' '))
		return NULL;
	while (s < end && *s == ' ')
		s++;
	return s;
}

/* "r-xp" and one blank. */
static const char *take_perms(const char *s, const char *end, bool *executable)
{
	if (end - s < 5 || s[4] != ' ')
		return NULL;
	*executable = s[2] == 'x';
	return s + 5;
}

/* "major:minor" */
static const char *take_device(const char *s, const char *end, struct user_file_seen *seen)
{
	uint64_t major, minor;

	s = take_hex(s, end, ':', 8, &major);
	s = s ? take_hex(s, end, ' ', 8, &minor) : NULL;
	if (!s)
		return NULL;
	seen->major = (uint32_t)major;
	seen->minor = (uint32_t)minor;
	return s;
}

bool maps_cut_deleted(char *path)
{
	size_t len = strlen(path), tail = strlen(DELETED);

	if (len <= tail || memcmp(path + len - tail, DELETED, tail) != 0)
		return false;
	path[len - tail] = '\0';
	return true;
}

/* The kernel writes a newline in a name as \012, and nothing else so. */
static void copy_path(struct maps_line *l, const char *s, const char *end)
{
	const char *slash;
	char *to = l->path;

	if (end - s >= MAPS_PATH_MAX) {
		slash = memchr(end - MAPS_PATH_MAX + 1, '/', MAPS_PATH_MAX - 1);
		if (slash)
			s = slash;
		else
			end = s + MAPS_PATH_MAX - 1;
	}
	while (s < end) {
		if (end - s >= 4 && !memcmp(s, "\\012", 4)) {
			*to++ = '\n';
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
	l->seen.deleted = maps_cut_deleted(l->path);
}

/* "start-end perms pgoff major:minor inode   path" */
static bool split_line(const char *s, const char *end, struct maps_line *l)
{
	struct user_file_seen *seen = &l->seen;

	s = take_hex(s, end, '-', 16, &seen->start);
	s = s ? take_hex(s, end, ' ', 16, &seen->end) : NULL;
	s = s ? take_perms(s, end, &l->executable) : NULL;
	s = s ? take_hex(s, end, ' ', 16, &l->pgoff) : NULL;
	s = s ? take_device(s, end, seen) : NULL;
	s = s ? take_inode(s, end, &seen->inode) : NULL;
	if (!s || seen->start >= seen->end || memchr(s, '\0', end - s))
		return false;
	if (!seen->inode)
		l->pgoff = 0;
	seen->path = l->path;
	if (l->executable)
		copy_path(l, s, end);
	return true;
}

bool maps_next(const char **text, const char *end, struct maps_line *l)
{
	while (*text < end) {
		const char *begin = *text, *newline = memchr(begin, '\n', end - begin);

		*text = newline ? newline + 1 : end;
		if (split_line(begin, newline ? newline : end, l))
			return true;
	}
	return false;
}

int maps_read(uint32_t tgid, char **text, size_t *len)
{
	char path[32];
	int err;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/maps", tgid);
	err = read_path(path, MAPS_TEXT_MAX, text, len);
	if (!err && !*len) {
		free(*text);
		*text = NULL;
		err = -ESRCH;
	}
	return err == -ENOENT ? -ESRCH : err;
}
