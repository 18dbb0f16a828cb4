/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the symbols are that were stripped from an ELF file. */
#ifndef KTRACE_DEBUG_FILE_H
#define KTRACE_DEBUG_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "core/elf_image.h"

/*
 * The file below root with image's debug symbols, by build id, which is checked to be
 * the same in both. Returns a descriptor, or -1: there is none.
 */
int debug_file_by_id(const struct elf_image *, const char *root);
/*
 * The same by .gnu_debuglink; dir: where image lies as seen from root. Build ids of both
 * must be equal, or the CRC of the whole file right when there are not two.
 */
int debug_file_by_link(const struct elf_image *, const char *dir, const char *root);
/*
 * MiniDebugInfo: the ELF image packed in .gnu_debugdata, to be freed. NULL: there is none,
 * it is damaged, or larger than we take.
 */
uint8_t *debug_data_unpack(const struct elf_image *, size_t *size);

#endif
