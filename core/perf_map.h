/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions that a JIT compiler made, by its own account: /tmp/perf-TGID.map, lines
 * of "START SIZE NAME" (linux/tools/perf/Documentation/jit-interface.txt).
 */
#ifndef KTRACE_PERF_MAP_H
#define KTRACE_PERF_MAP_H

#include <stddef.h>
#include <stdint.h>

struct perf_map;

/*
 * Reads the map of a process, below its root and by the tgid that it has in its own
 * namespace; of a process that is gone below ours. It must belong to the process's user or to
 * root (gone: to us or to root). *map is replaced when the file is another or has changed, and
 * kept where there is none that we may believe, or no memory. NULL in *map: none yet.
 */
void perf_map_reload(struct perf_map **map, uint32_t tgid);
/* From text as it stands in such a file. Lines that are none are left out. */
struct perf_map *perf_map_parse(const char *text, size_t len);
void perf_map_free(struct perf_map *); /* NULL is fine */
/*
 * The function that an address lies in, and where it starts; NULL: in none. Of several the
 * one that was written last: compilers use their memory again. Raw bytes, as long as the map
 * lives.
 */
const char *perf_map_find(const struct perf_map *, uint64_t ip, uint64_t *start);

#endif
