/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files that processes map, each known by device, inode and path, their symbols
 * loaded when first asked for and shared by all who map them. At most 65536 files
 * and 256 MiB of symbols are kept.
 */
#ifndef KTRACE_USER_FILES_H
#define KTRACE_USER_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/elf_symbols.h"
#include "core/mappings.h"

#define USER_FILE_NONE UINT32_MAX

struct user_files;

/* One mapping of a file, as /proc/TGID/maps or PERF_RECORD_MMAP2 tells it. */
struct user_file_seen {
	uint32_t major, minor; /* of the device */
	uint64_t inode;        /* 0: no file; then path tells what it is: "[vdso]", "[heap]", "" */
	const char *path;      /* raw bytes, NUL-terminated, " (deleted)" already cut off */
	bool deleted;
	uint32_t tgid;       /* a process that maps it */
	uint64_t start, end; /* where */
};

struct user_files *user_files_new(void); /* NULL: out of memory */
void user_files_free(struct user_files *);
/*
 * The file's number, the same whoever maps it. A file that is not to be found under its path
 * in our own root is opened here (at most 256 are), for it goes with its process.
 * USER_FILE_NONE: out of memory, or too many files.
 */
uint32_t user_files_note(struct user_files *, const struct user_file_seen *);
/* A process has ended: the symbols of files that were opened for it are read now. */
void user_files_exited(struct user_files *, uint32_t tgid);
/* The last part of its path; "[anon]" for what has none. */
const char *user_files_name(const struct user_files *, uint32_t file);
/*
 * The function that an offset of the file lies in. map: the mapping that is asked about, of
 * process tgid, through which the file may be opened. false: none is known.
 */
bool user_files_symbol(struct user_files *, const struct mapping *map, uint32_t tgid,
		       uint64_t offset, struct elf_symbol *out);
/* Is it a program, a library or the vdso, as far as could be read? */
bool user_files_is_code(const struct user_files *, uint32_t file);
/*
 * Files whose symbols could not be read: gone, replaced, refused or no ELF file that we can
 * use. A file without symbols is not among them.
 */
size_t user_files_unread(const struct user_files *);

#endif
