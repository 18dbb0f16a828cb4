/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers as users type them. Every one is checked to its last character. */
#ifndef KTRACE_NUMBER_H
#define KTRACE_NUMBER_H

#include <stdint.h>

/* All return 0, -EINVAL (not a number, signs, trailing text) or -ERANGE. */
int number_u64(const char *s, uint64_t *out);        /* decimal, or 0x... */
int number_time_ns(const char *s, uint64_t *out);    /* "10us" "1.5ms"; bare: microseconds */
int number_seconds_ns(const char *s, uint64_t *out); /* "2", "0.5" seconds; at least 1 ms */
int number_bytes(const char *s, uint64_t *out);      /* "64", "4k", "1M", "2G" */

#endif
