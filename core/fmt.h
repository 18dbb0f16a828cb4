/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values as a person reads them, and bytes of unknown origin made safe for
 * where they are printed. The only places where a unit is converted are here
 * and in core/opts.c.
 */
#ifndef KTRACE_FMT_H
#define KTRACE_FMT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/buffer.h"

/*
 * Three significant digits and a unit into buf ("1.02s", "850us", "12ns",
 * "4.00KiB"); returns buf. size of at least 24.
 */
char *fmt_ns(char *buf, size_t size, uint64_t ns);
char *fmt_bytes(char *buf, size_t size, int64_t bytes);
/* A 1/65536 load with the given number of decimals, rounded: "0.514". */
char *fmt_load(char *buf, size_t size, uint64_t load, unsigned decimals);
/* A number of thousandths with at most three decimals, rounded: "12.5". */
char *fmt_milli(char *buf, size_t size, uint64_t milli, unsigned decimals);
/* "2026-01-01T00:00:00.000Z" */
char *fmt_time_iso(char *buf, size_t size, uint64_t realtime_ns);
/* "HH:MM:SS", local time, or UTC. */
char *fmt_time_clock(char *buf, size_t size, uint64_t realtime_ns, int utc);

/* Is s the same in all that follow? */
bool fmt_is_plain(const char *s);
/*
 * Write s escaped for a terminal: control characters (C0, DEL, C1), bytes that
 * are not UTF-8 and bidirectional controls become \xNN, a backslash \\.
 */
void fmt_put_text(FILE *, const char *s);
/* Columns that fmt_put_text() takes. */
size_t fmt_text_width(const char *s);
/*
 * As fmt_put_text(), in at most the given columns: a longer s ends with "…".
 * Returns the columns written.
 */
size_t fmt_put_text_cut(FILE *, const char *s, size_t columns);
/* As a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
void fmt_put_json(struct buffer *, const char *s);
/*
 * As a frame of a folded stack: as fmt_put_text(), and ';' becomes ':'. With
 * last, a trailing " digits" is joined by '_', for flame graph tools read the
 * last number of a line as its value and a second one as a difference.
 */
void fmt_put_folded(FILE *, const char *s, bool last);

#endif
