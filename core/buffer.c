/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/buffer.h"

#include <stdarg.h>
#include <stdlib.h>

#include "core/grow.h"

#define FIRST_BYTES 4096

bool buffer_grow(struct buffer *b, size_t n)
{
	if (b->failed || n > SIZE_MAX / 4 - b->n ||
	    grow((void **)&b->at, &b->room, b->n + n, 1, FIRST_BYTES))
		b->failed = true;
	return !b->failed;
}

void buffer_printf(struct buffer *b, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len < 0 || !buffer_reserve(b, (size_t)len + 1))
		return;
	va_start(args, fmt);
	vsnprintf(b->at + b->n, (size_t)len + 1, fmt, args);
	va_end(args);
	b->n += (size_t)len;
}

void buffer_put_number(struct buffer *b, uint64_t value)
{
	char digits[20], *first = digits + sizeof(digits);

	do {
		*--first = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	buffer_put(b, first, (size_t)(digits + sizeof(digits) - first));
}

void buffer_flush(struct buffer *b, FILE *f)
{
	if (b->n)
		fwrite(b->at, 1, b->n, f);
	b->n = 0;
}

void buffer_free(struct buffer *b)
{
	free(b->at);
	*b = (struct buffer){0};
}
