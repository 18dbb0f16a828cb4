/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each process has mapped, and had: told by /proc, and by the kernel's records
 * of mappings, execs and exits, so that frames of a process that is gone keep names.
 *
 * A process that execs, and a number that is given to another process, begin a new
 * image; the last PROCESS_IMAGES are kept. A fork shares its parent's mappings.
 */
#ifndef KTRACE_PROCESSES_H
#define KTRACE_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/mappings.h"
#include "core/user_files.h"

#define PROCESS_IMAGES 4

/* Above these what ended first is forgotten, and counted: some 70 MB in all. */
#define PROCESSES_MAX 65536
#define PROCESSES_MAPPING_BYTES (64U << 20)

struct processes;

struct processes *processes_new(struct user_files *); /* NULL: out of memory */
void processes_free(struct processes *);
/*
 * A new report begins: maps of living processes are read anew where they are asked for,
 * unless records keep them fresh. What 16 reports did not ask for is forgotten, unless
 * records tell of it and it lives.
 */
void processes_refresh(struct processes *);
/*
 * Reads /proc/TGID/maps now; nothing when this report has them. Returns 0 or -errno (-ESRCH:
 * it has none).
 */
int processes_learn(struct processes *, uint32_t tgid);
/* As processes_learn(), from text as it stands in /proc/TGID/maps. */
int processes_learn_text(struct processes *, uint32_t tgid, const char *text, size_t len);
/* How many images of a process are known by now: what it runs (ran) last, and those before its
 * execs. */
unsigned processes_images(struct processes *, uint32_t tgid);
/*
 * The mapping that an address lies in, in one image of a process: 0 is the last. NULL: nothing
 * is known there. It lives until the next call that may change the process.
 */
const struct mapping *processes_find(struct processes *, uint32_t tgid, unsigned image,
				     uint64_t ip);
/* Processes and mappings that were forgotten, or not taken, for want of room. */
uint64_t processes_lost(const struct processes *);

/* Of whom the kernel's records are to be heeded. */
enum processes_heed {
	HEED_ALL,      /* everybody */
	HEED_FAMILIES, /* those of processes_follow(), and whom they fork */
	HEED_GIVEN,    /* those alone */
};

void processes_heed(struct processes *, enum processes_heed); /* HEED_ALL at first */
/*
 * From now on records tell of this process: its maps are read once, where records did not
 * tell of its beginning, and not for each report.
 */
void processes_follow(struct processes *, uint32_t tgid);
/* Records were lost: what is followed is read anew where it is asked for. */
void processes_doubt(struct processes *);

/* What records tell, in the order of time. */
void processes_fork(struct processes *, uint32_t tgid, uint32_t parent);
void processes_exec(struct processes *, uint32_t tgid);
void processes_exit(struct processes *, uint32_t tgid);
void processes_map(struct processes *, const struct user_file_seen *, uint64_t pgoff);

#endif
