/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Function symbols of one ELF file, and of the file with its debug symbols where
 * there is one. Everything in a file is untrusted: what does not fit is left out.
 * Bounds: 2^24 symbols in a table, 2^22 functions, 256 MB of string tables, 64 MB of
 * unpacked .gnu_debugdata. A table takes 12 bytes for each function and its name.
 */
#ifndef KTRACE_ELF_SYMBOLS_H
#define KTRACE_ELF_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUILD_ID_MAX 64

struct elf_symbols;

struct elf_symbol {
	const char *name; /* as in the file: not demangled, raw bytes; lives as long as the table */
	uint64_t start;   /* offset in the file, as mappings have it */
	uint64_t size;    /* bytes; never 0 */
};

/*
 * Reads the symbols of an open file; the descriptor stays the caller's. dir: where the file
 * lies as seen from root ("/usr/bin"; NULL: not known), for .gnu_debuglink; root: what is put
 * before every path that is opened ("/proc/12/root"; "" for our own). Returns 0 or -errno:
 * -ENOEXEC no ELF file that we can use, -EFBIG beyond the bounds, -ENOMEM. A file without
 * symbols is no error.
 */
int elf_symbols_load(struct elf_symbols **, int fd, const char *dir, const char *root);
/* The same from memory (the vdso); the bytes stay the caller's and are not kept. */
int elf_symbols_load_memory(struct elf_symbols **, const void *image, size_t size);
void elf_symbols_free(struct elf_symbols *); /* NULL is fine */

/*
 * Fills *out with the function that a file offset lies in, the innermost if several do; false:
 * in none. Of several names: global and weak before local, then fewer leading underscores,
 * then global before weak, then the shorter, then the first in byte order.
 */
bool elf_symbols_find(const struct elf_symbols *, uint64_t offset, struct elf_symbol *out);
/* A function by any of its names; false: none. Of several the first by address. Walks them all. */
bool elf_symbols_named(const struct elf_symbols *, const char *name, struct elf_symbol *out);
/* Length of the build id copied to id; 0: it has none. */
size_t elf_symbols_build_id(const struct elf_symbols *, uint8_t id[BUILD_ID_MAX]);
size_t elf_symbols_bytes(const struct elf_symbols *); /* memory that it takes */

#endif
