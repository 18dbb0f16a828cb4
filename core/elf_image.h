/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The headers of an ELF file, read within bounds. Nothing is mapped: a file that
 * shrinks meanwhile is a short read and no SIGBUS. Headers of 32-bit files are
 * widened, so that who reads on knows one kind.
 */
#ifndef KTRACE_ELF_IMAGE_H
#define KTRACE_ELF_IMAGE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_image {
	int fd;               /* the caller's; -1: in memory */
	const uint8_t *bytes; /* in memory, the caller's */
	uint64_t size;
	bool wide; /* 64 bits */
	uint16_t machine;
	Elf64_Phdr *segments;
	Elf64_Shdr *sections;
	size_t n_segments, n_sections;
	char *names; /* of sections, ended by NUL */
	size_t names_size;
};

/*
 * Reads the headers of an executable or shared object of the host's byte order.
 * Returns 0 (then elf_image_close() is due), -ENOEXEC or -ENOMEM. Section
 * headers that cannot be read are as if there were none.
 */
int elf_image_open(struct elf_image *, int fd);
int elf_image_open_memory(struct elf_image *, const void *bytes, size_t size);
void elf_image_close(struct elf_image *);

/* Fills to with size bytes from offset; false: they are not all there. */
bool elf_image_read(const struct elf_image *, uint64_t offset, void *to, size_t size);
/* A section that lies in the file, by name; NULL: none. */
const Elf64_Shdr *elf_image_section(const struct elf_image *, const char *name);
/* Do the section's bytes lie in the file, as they are to be read? */
bool elf_image_has(const struct elf_image *, const Elf64_Shdr *);
/* Length of the build id copied to id[BUILD_ID_MAX]; 0: none. */
size_t elf_image_build_id(const struct elf_image *, uint8_t *id);

#endif
