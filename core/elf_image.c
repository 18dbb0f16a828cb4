// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/elf_image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/elf_symbols.h"

#define MAX_SEGMENT_BYTES 65536 /* the kernel runs no program with more */
#define MAX_SECTIONS 65536
#define MAX_NAMES (1U << 20) /* bytes of all sections' names */
#define MAX_NOTES 64         /* sections or segments of notes that are looked at */
#define MAX_NOTE_BYTES 65536 /* of each */

static bool read_file(int fd, uint64_t offset, uint8_t *to, size_t size)
{
	while (size) {
		ssize_t got = pread(fd, to, size, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		to += got;
		offset += (size_t)got;
		size -= (size_t)got;
	}
	return true;
}

bool elf_image_read(const struct elf_image *image, uint64_t offset, void *to, size_t size)
{
	if (offset > image->size || size > image->size - offset)
		return false;
	if (image->fd >= 0)
		return read_file(image->fd, offset, to, size);
	if (size)
		memcpy(to, image->bytes + offset, size);
	return true;
}

/* From may overlap to. */
static void widen_segment(void *to, const void *from)
{
	Elf32_Phdr s;

	memcpy(&s, from, sizeof(s));
	*(Elf64_Phdr *)to = (Elf64_Phdr){.p_type = s.p_type,
					 .p_flags = s.p_flags,
					 .p_offset = s.p_offset,
					 .p_vaddr = s.p_vaddr,
					 .p_filesz = s.p_filesz};
}

static void widen_section(void *to, const void *from)
{
	Elf32_Shdr s;

	memcpy(&s, from, sizeof(s));
	*(Elf64_Shdr *)to = (Elf64_Shdr){.sh_name = s.sh_name,
					 .sh_type = s.sh_type,
					 .sh_flags = s.sh_flags,
					 .sh_addr = s.sh_addr,
					 .sh_offset = s.sh_offset,
					 .sh_size = s.sh_size,
					 .sh_link = s.sh_link,
					 .sh_info = s.sh_info,
					 .sh_entsize = s.sh_entsize};
}

static Elf64_Ehdr wide_header(const Elf32_Ehdr *h)
{
	Elf64_Ehdr wide = {.e_type = h->e_type,
			   .e_machine = h->e_machine,
			   .e_phoff = h->e_phoff,
			   .e_shoff = h->e_shoff,
			   .e_phentsize = h->e_phentsize,
			   .e_phnum = h->e_phnum,
			   .e_shentsize = h->e_shentsize,
			   .e_shnum = h->e_shnum,
			   .e_shstrndx = h->e_shstrndx};

	memcpy(wide.e_ident, h->e_ident, sizeof(wide.e_ident));
	return wide;
}

static int read_header(struct elf_image *image, Elf64_Ehdr *header)
{
	const unsigned char host = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 1 : 2;
	unsigned char ident[EI_NIDENT];
	Elf32_Ehdr narrow;

	if (!elf_image_read(image, 0, ident, sizeof(ident)) || memcmp(ident, ELFMAG, SELFMAG) ||
	    ident[EI_DATA] != host)
		return -ENOEXEC;
	image->wide = ident[EI_CLASS] == ELFCLASS64;
	if (image->wide) {
		if (!elf_image_read(image, 0, header, sizeof(*header)))
			return -ENOEXEC;
	} else {
		if (ident[EI_CLASS] != ELFCLASS32 ||
		    !elf_image_read(image, 0, &narrow, sizeof(narrow)))
			return -ENOEXEC;
		*header = wide_header(&narrow);
	}
	image->machine = header->e_machine;
	return header->e_type == ET_EXEC || header->e_type == ET_DYN ? 0 : -ENOEXEC;
}

struct kind {
	size_t wide, narrow; /* bytes of an item */
	void (*widen)(void *to, const void *from);
};

static const struct kind segment_kind = {sizeof(Elf64_Phdr), sizeof(Elf32_Phdr), widen_segment};
static const struct kind section_kind = {sizeof(Elf64_Shdr), sizeof(Elf32_Shdr), widen_section};

static size_t item_size(const struct elf_image *image, const struct kind *kind)
{
	return image->wide ? kind->wide : kind->narrow;
}

/*
 * n items from offset, widened; *items stays NULL when they are not all in the file.
 * They are read to the end of the room, so that widening from the front never
 * overwrites what is still to be widened. Returns 0 or -ENOMEM.
 */
static int read_items(const struct elf_image *image, uint64_t offset, size_t n,
		      const struct kind *kind, void *items)
{
	size_t bytes = n * item_size(image, kind);
	uint8_t *room, *from;

	if (!n || offset > image->size || bytes > image->size - offset)
		return 0;
	room = malloc(n * kind->wide);
	if (!room)
		return -ENOMEM;
	from = room + n * kind->wide - bytes;
	if (!elf_image_read(image, offset, from, bytes)) {
		free(room);
		return 0;
	}
	for (size_t i = 0; !image->wide && i < n; i++)
		kind->widen(room + i * kind->wide, from + i * kind->narrow);
	*(void **)items = room;
	return 0;
}

static int read_segments(struct elf_image *image, const Elf64_Ehdr *header)
{
	size_t size = item_size(image, &segment_kind), n = header->e_phnum;

	if (header->e_phentsize != size || n * size > MAX_SEGMENT_BYTES)
		return -ENOEXEC;
	if (read_items(image, header->e_phoff, n, &segment_kind, &image->segments))
		return -ENOMEM;
	image->n_segments = n;
	return image->segments ? 0 : -ENOEXEC;
}

/* Counts that do not fit into the header are in the first section's. */
static bool extended_counts(const struct elf_image *image, const Elf64_Ehdr *header, uint64_t *n,
			    uint32_t *names)
{
	Elf64_Shdr first;
	Elf32_Shdr narrow;

	*n = header->e_shnum;
	*names = header->e_shstrndx;
	if (*n && *names != SHN_XINDEX)
		return true;
	if (image->wide ? !elf_image_read(image, header->e_shoff, &first, sizeof(first))
			: !elf_image_read(image, header->e_shoff, &narrow, sizeof(narrow)))
		return false;
	if (!image->wide)
		widen_section(&first, &narrow);
	if (!*n)
		*n = first.sh_size;
	if (*names == SHN_XINDEX)
		*names = first.sh_link;
	return true;
}

static int read_names(struct elf_image *image, uint32_t index)
{
	const Elf64_Shdr *section = index < image->n_sections ? &image->sections[index] : NULL;

	if (!section || section->sh_size > MAX_NAMES || !elf_image_has(image, section))
		return 0;
	image->names = malloc(section->sh_size + 1);
	if (!image->names)
		return -ENOMEM;
	image->names[section->sh_size] = '\0';
	if (elf_image_read(image, section->sh_offset, image->names, section->sh_size))
		image->names_size = section->sh_size;
	return 0;
}

static int read_sections(struct elf_image *image, const Elf64_Ehdr *header)
{
	uint32_t names;
	uint64_t n;

	if (!header->e_shoff || header->e_shentsize != item_size(image, &section_kind) ||
	    !extended_counts(image, header, &n, &names) || n > MAX_SECTIONS)
		return 0;
	if (read_items(image, header->e_shoff, n, &section_kind, &image->sections))
		return -ENOMEM;
	image->n_sections = image->sections ? n : 0;
	return read_names(image, names);
}

static int open_image(struct elf_image *image)
{
	Elf64_Ehdr header;
	int err = read_header(image, &header);

	if (!err)
		err = read_segments(image, &header);
	if (!err)
		err = read_sections(image, &header);
	if (err)
		elf_image_close(image);
	return err;
}

int elf_image_open(struct elf_image *image, int fd)
{
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return -ENOEXEC;
	*image = (struct elf_image){.fd = fd, .size = (uint64_t)st.st_size};
	return open_image(image);
}

int elf_image_open_memory(struct elf_image *image, const void *bytes, size_t size)
{
	*image = (struct elf_image){.fd = -1, .bytes = bytes, .size = size};
	return open_image(image);
}

void elf_image_close(struct elf_image *image)
{
	free(image->segments);
	free(image->sections);
	free(image->names);
	*image = (struct elf_image){.fd = -1};
}

bool elf_image_has(const struct elf_image *image, const Elf64_Shdr *section)
{
	return section->sh_type != SHT_NOBITS && !(section->sh_flags & SHF_COMPRESSED) &&
	       section->sh_offset <= image->size &&
	       section->sh_size <= image->size - section->sh_offset;
}

const Elf64_Shdr *elf_image_section(const struct elf_image *image, const char *name)
{
	for (size_t i = 1; i < image->n_sections; i++) {
		const Elf64_Shdr *section = &image->sections[i];

		if (section->sh_name < image->names_size &&
		    !strcmp(image->names + section->sh_name, name) && elf_image_has(image, section))
			return section;
	}
	return NULL;
}

/* Name and contents of a note are each padded to 4 bytes, as GNU's notes are in both classes. */
static size_t id_in_notes(const uint8_t *notes, size_t size, uint8_t *id)
{
	size_t name, contents;
	Elf64_Nhdr note;

	while (size >= sizeof(note)) {
		memcpy(&note, notes, sizeof(note));
		notes += sizeof(note);
		size -= sizeof(note);
		name = ((size_t)note.n_namesz + 3) & ~(size_t)3;
		contents = ((size_t)note.n_descsz + 3) & ~(size_t)3;
		if (name > size || note.n_descsz > size - name)
			return 0;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
		    !memcmp(notes, "GNU", 4) && note.n_descsz && note.n_descsz <= BUILD_ID_MAX) {
			memcpy(id, notes + name, note.n_descsz);
			return note.n_descsz;
		}
		if (contents > size - name)
			return 0;
		notes += name + contents;
		size -= name + contents;
	}
	return 0;
}

static size_t id_at(const struct elf_image *image, uint64_t offset, uint64_t size, uint8_t *id)
{
	uint8_t *notes = size <= MAX_NOTE_BYTES ? malloc(size + 1) : NULL;
	size_t len = 0;

	if (notes && elf_image_read(image, offset, notes, size))
		len = id_in_notes(notes, size, id);
	free(notes);
	return len;
}

/* Sections first: files of debug symbols keep them, while their segments lead nowhere. */
size_t elf_image_build_id(const struct elf_image *image, uint8_t *id)
{
	size_t len = 0, seen = 0;

	for (size_t i = 0; i < image->n_sections && !len && seen < MAX_NOTES; i++) {
		const Elf64_Shdr *section = &image->sections[i];

		if (section->sh_type == SHT_NOTE && elf_image_has(image, section)) {
			len = id_at(image, section->sh_offset, section->sh_size, id);
			seen++;
		}
	}
	for (size_t i = 0; i < image->n_segments && !len && seen < MAX_NOTES; i++) {
		const Elf64_Phdr *segment = &image->segments[i];

		if (segment->p_type == PT_NOTE) {
			len = id_at(image, segment->p_offset, segment->p_filesz, id);
			seen++;
		}
	}
	return len;
}
