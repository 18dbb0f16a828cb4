// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/demangle.h"

#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONS (DMGL_PARAMS | DMGL_ANSI | DMGL_RET_DROP)
#define MAX_D_STEPS (1U << 19) /* for a D name: some milliseconds */

struct text {
	char *buf;
	size_t size, used; /* used: as much as there would be, more than size when it was cut */
	jmp_buf full;
};

static void add(struct text *text, const char *s, size_t len)
{
	size_t room = text->used < text->size ? text->size - text->used : 0;

	if (len < room)
		room = len;
	if (room) /* Rust's demangler says NULL for nothing */
		memcpy(text->buf + text->used, s, room);
	text->used += len;
}

/* Ends the text; "..." takes the place of what does not fit, between two characters. */
static void finish(const struct text *text)
{
	size_t end = text->used, dots = text->size > 3 ? 3 : text->size - 1;

	if (end >= text->size) {
		end = text->size - 1 - dots;
		while (end && (text->buf[end] & 0xc0) == 0x80)
			end--;
		memcpy(text->buf + end, "...", dots);
		end += dots;
	}
	text->buf[end] = '\0';
}

/*
 * A name of a few bytes can stand for one of any length, and the demangler has no way to
 * stop: so it is left when there is enough. What these two have is on the stack alone.
 */
static void take(const char *s, size_t len, void *arg)
{
	struct text *text = arg;

	add(text, s, len);
	if (text->used >= text->size)
		longjmp(text->full, 1);
}

static bool demangle_with(int (*style)(const char *, int, demangle_callbackref, void *),
			  const char *name, struct text *text)
{
	text->used = 0;
	if (setjmp(text->full))
		return true;
	return style(name, OPTIONS, take, text) && text->used;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Where what begins at i ends: an identifier behind its length; else i. */
static size_t end_of_identifier(const char *name, size_t i, size_t len)
{
	size_t size = 0;

	for (; is_digit(name[i]) && size <= len; i++)
		size = size * 10 + (size_t)(name[i] - '0');
	return size <= len - i ? i + size : i;
}

/* The same of "Q" and a number (capital letters, then a small one): what lies that far before. */
static size_t end_of_reference(const char *name, size_t i, size_t len, size_t *back)
{
	size_t j = i + 1;

	for (*back = 0; name[j] >= 'A' && name[j] <= 'Z' && *back <= len; j++)
		*back = *back * 26 + (size_t)(name[j] - 'A');
	if (name[j] < 'a' || name[j] > 'z')
		return i;
	*back = *back * 26 + (size_t)(name[j] - 'a');
	return *back <= i ? j + 1 : i;
}

/*
 * D's demangler cannot be left, and its time doubles with each function type within a name,
 * which it tries in two ways, anew wherever the types around it are referred to. So these are
 * counted first, rather too many than too few: names of common code have two or three.
 */
static bool is_bounded_d(const char *name, size_t len)
{
	bool ends[DEMANGLE_MAX + 1] = {false}; /* of what may be an identifier */
	size_t doublings = 0, references = 0, back;

	for (size_t i = 0; i < len; i++) {
		size_t end = i;

		if (ends[i] && strchr("MFUVWRY", name[i]))
			doublings++;
		if (name[i] == 'S' && is_digit(name[i + 1]) && is_digit(name[i + 2]))
			doublings += 2; /* two numbers in a row, cut where it fits */
		if (is_digit(name[i])) {
			end = end_of_identifier(name, i, len);
		} else if (name[i] == 'Q') {
			end = end_of_reference(name, i, len, &back);
			references += end > i && !is_digit(name[i - back]);
		} else if (name[i] == 'Z') {
			end = i + 1;
		}
		ends[end] |= end > i;
	}
	doublings = (doublings + 1) * (references + 1);
	return doublings < 32 && (uint64_t)len << doublings <= MAX_D_STEPS;
}

static bool demangle_d(const char *name, size_t len, struct text *text)
{
	char *whole = is_bounded_d(name, len) ? dlang_demangle(name, OPTIONS) : NULL;

	text->used = 0;
	if (whole)
		add(text, whole, strlen(whole));
	free(whole);
	return text->used;
}

static bool demangle_any(const char *name, struct text *text)
{
	size_t len;

	if (name[0] != '_' || (name[1] != 'Z' && name[1] != 'R' && name[1] != 'D'))
		return false;
	len = strnlen(name, DEMANGLE_MAX + 1);
	if (len > DEMANGLE_MAX)
		return false;
	if (name[1] == 'D')
		return demangle_d(name, len, text);
	return demangle_with(rust_demangle_callback, name, text) ||
	       (name[1] == 'Z' && demangle_with(cplus_demangle_v3_callback, name, text));
}

char *demangle(const char *name, char *buf, size_t size)
{
	struct text text = {.buf = buf, .size = size};

	if (!size)
		return buf;
	if (!demangle_any(name, &text)) {
		text.used = 0;
		add(&text, name, strlen(name));
	}
	finish(&text);
	return buf;
}
