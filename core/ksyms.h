/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel symbols: /proc/kallsyms once, then names and ranges of functions, and
 * which leading frames of a kernel stack are tracing machinery. Names are raw
 * bytes: what prints them escapes them.
 */
#ifndef KTRACE_KSYMS_H
#define KTRACE_KSYMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ksyms;

/* Opaque but for its start: the rest is read through the functions below. */
struct ksym {
	uint64_t start;
	uint32_t name;
	uint16_t module;
	uint8_t rank; /* lower is the better name at the same address */
	uint8_t unused;
};

struct ksym_range {
	uint64_t lo, hi; /* hi exclusive */
};

/*
 * Reads path, /proc/kallsyms when NULL. Keeps functions: types t T w W, those of
 * the core kernel within _stext.._etext when the file has these (since 6.16 data
 * too is shown as T), modules and [bpf] as they come, without __pfx_* and __cfi_*.
 * Returns -EPERM when all addresses are hidden (kernel.kptr_restrict, CAP_SYSLOG),
 * -ENODATA when there is no function in it, else -errno.
 */
int ksyms_load(struct ksyms **out, const char *path);
/*
 * The same of what is not function: static data of the core kernel, where the file has it
 * (CONFIG_KALLSYMS_ALL), and all of the modules, for since 6.16 types do not tell.
 */
int ksyms_load_data(struct ksyms **out, const char *path);
/* Both from one reading. Returns as ksyms_load() of the functions; data: NULL where there is none.
 */
int ksyms_load_both(struct ksyms **text, struct ksyms **data, const char *path);
void ksyms_free(struct ksyms *);

enum ksyms_kind { KSYMS_TEXT, KSYMS_DATA, KSYMS_BOTH };
struct ksyms_reader;

/* The same piece by piece. Returns 0 or -ENOMEM; other errors come at the end. */
int ksyms_reader_open(struct ksyms_reader **, enum ksyms_kind, const char *path);
/* Some 40 us of it; false: that was all. */
bool ksyms_reader_step(struct ksyms_reader *);
/*
 * Reads what is left. The tables are the caller's, NULL where there is none; second is that of
 * data, of KSYMS_BOTH only, else NULL. Returns as the above; the reader is gone in any case.
 */
int ksyms_reader_end(struct ksyms_reader *, struct ksyms **first, struct ksyms **second);
void ksyms_reader_drop(struct ksyms_reader *);

size_t ksyms_count(const struct ksyms *);
/* By address; i below ksyms_count(). */
const struct ksym *ksyms_at(const struct ksyms *, size_t i);

/*
 * The function that holds addr, or NULL. It reaches to the next symbol, to the
 * end of the core text, and never further than 64 KiB into what nothing names.
 * Of several names at one address: no section mark (*_text_start, ...) if there
 * is another, strong global, then weak, then local; then fewer leading underscores,
 * then the shorter, then the first in byte order.
 */
const struct ksym *ksyms_find(const struct ksyms *, uint64_t addr);
const char *ksym_name(const struct ksyms *, const struct ksym *);
/* "ext4", "bpf"; NULL for the core kernel. */
const char *ksym_module(const struct ksyms *, const struct ksym *);

/*
 * The address of one symbol of any kind, from the kernel, which finds it in no time from 6.2 on: to
 * read kallsyms takes tens of milliseconds. Returns 0; -ENOENT: there is none; another -errno: the
 * kernel does not tell that way (before 5.16, or hidden), only kallsyms can.
 */
int ksyms_ask(const char *name, uint64_t *address);

/* From the function to the next symbol; of several copies the lowest. */
bool ksyms_range(const struct ksyms *, const char *name, uint64_t *lo, uint64_t *hi);
/* All copies, by address; returns how many there are and writes up to max. */
size_t ksyms_ranges(const struct ksyms *, const char *name, struct ksym_range *out, size_t max);

/*
 * "name", "name [ext4]", with offset "name+0x1f [ext4]"; else "[unknown]", with
 * offset "0xffff...". Returns buf, cut to size.
 */
char *ksyms_format(const struct ksyms *, uint64_t addr, bool offset, char *buf, size_t size);

/*
 * How many leading frames of ip[n], leaf first, are not the traced code: tracing
 * machinery and what lies outside kernel text and modules, then a repeated first
 * frame, then frames that match a glob of leaf (NULL-terminated, or NULL). Less
 * than n: the last frame stays. Verdicts are remembered per symbol, so leaf must
 * keep its contents as long as the same pointer is passed; not for two threads
 * at once.
 */
unsigned ksyms_trim(const struct ksyms *, const uint64_t *ip, unsigned n, const char *const *leaf);

#endif
