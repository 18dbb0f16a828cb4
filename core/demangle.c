// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/demangle.h"

#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONS (DMGL_PARAMS | DMGL_ANSI | DMGL_RET_DROP)
#define MAX_D_BYTES (1U << 20) /* that a D name may become */

struct text {
	char *buf;
	size_t size, used; /* used: as much as there would be, more than size when it was cut */
	jmp_buf full;
};

static void add(struct text *text, const char *s, size_t len)
{
	if (text->used < text->size)
		memcpy(text->buf + text->used, s,
		       len < text->size - text->used ? len : text->size - text->used);
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

/*
 * D's demangler cannot be left, so what a name may become is reckoned first: "Q" and a number
 * (capital letters, then a small one) stand for what lies that far before.
 */
static bool is_bounded(const char *name, size_t len)
{
	uint64_t bytes[DEMANGLE_MAX + 1] = {0}; /* up to here, at most */
	size_t i, j, back;

	for (i = 0; i < len; i = j) {
		back = 0;
		j = i + 1;
		if (name[i] == 'Q') {
			for (; name[j] >= 'A' && name[j] <= 'Z' && back <= len; j++)
				back = back * 26 + (size_t)(name[j] - 'A');
			back = name[j] >= 'a' && name[j] <= 'z' && back <= len
				   ? back * 26 + (size_t)(name[j++] - 'a')
				   : 0;
		}
		bytes[j] = bytes[i] + (j - i);
		if (back && back <= i)
			bytes[j] += name[i - back] >= '0' && name[i - back] <= '9'
					? len
					: bytes[i] - bytes[i - back];
		if (bytes[j] > MAX_D_BYTES)
			return false;
		for (size_t k = i + 1; k < j; k++)
			bytes[k] = bytes[j];
	}
	return true;
}

static bool demangle_d(const char *name, size_t len, struct text *text)
{
	char *whole = is_bounded(name, len) ? dlang_demangle(name, OPTIONS) : NULL;

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
