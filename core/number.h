/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers as users type them, checked to their last character; and as the kernel writes them. */
#ifndef KTRACE_NUMBER_H
#define KTRACE_NUMBER_H

#include <stdint.h>

/* All return 0, -EINVAL (not a number, signs, trailing text) or -ERANGE. */
int number_u64(const char *s, uint64_t *out);        /* decimal, or 0x... */
int number_time_ns(const char *s, uint64_t *out);    /* "10us" "1.5ms"; bare: microseconds */
int number_seconds_ns(const char *s, uint64_t *out); /* "2", "0.5" seconds; at least 1 ms */
int number_bytes(const char *s, uint64_t *out);      /* "64", "4k", "1M", "2G" */

/*
 * The hex digits from s on, up to end; no sign, no 0x. Returns what is behind them; NULL: there
 * are none, or more than max, which is 16 at most.
 */
const char *number_hex(const char *s, const char *end, int max, uint64_t *value);

#endif
