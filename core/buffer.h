/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text or bytes in the making, for who writes too much of it to call stdio for each word. */
#ifndef KTRACE_BUFFER_H
#define KTRACE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Begins as zeros. Once there was no memory, failed is set and what is put is left out. */
struct buffer {
	char *at;
	size_t n, room;
	bool failed;
};

/* Makes room for n more bytes; false: there is no memory. */
bool buffer_grow(struct buffer *, size_t n);
void buffer_printf(struct buffer *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buffer_put_number(struct buffer *, uint64_t);
/* Writes all of it and begins anew. A write error is left in ferror(). */
void buffer_flush(struct buffer *, FILE *);
void buffer_free(struct buffer *);

static inline bool buffer_reserve(struct buffer *b, size_t n)
{
	return n <= b->room - b->n || buffer_grow(b, n);
}

static inline void buffer_put(struct buffer *b, const void *bytes, size_t n)
{
	if (!buffer_reserve(b, n))
		return;
	memcpy(b->at + b->n, bytes, n);
	b->n += n;
}

static inline void buffer_puts(struct buffer *b, const char *s)
{
	buffer_put(b, s, strlen(s));
}

static inline void buffer_putc(struct buffer *b, char c)
{
	buffer_put(b, &c, 1);
}

#endif
