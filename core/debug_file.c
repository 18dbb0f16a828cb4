// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/debug_file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "core/elf_symbols.h"
#include "core/open_regular.h"

#define MAX_CRC_BYTES (512 << 20) /* of a file that is read for its CRC: half a second */

/* What .gnu_debuglink says. */
struct link {
	char name[NAME_MAX + 1];
	uint32_t crc;
};

static size_t id_of_file(int fd, uint8_t *id)
{
	struct elf_image image;
	size_t len;

	if (elf_image_open(&image, fd))
		return 0;
	len = elf_image_build_id(&image, id);
	elf_image_close(&image);
	return len;
}

int debug_file_by_id(const struct elf_image *image, const char *root)
{
	char path[sizeof("/usr/lib/debug/.build-id//.debug") + 2 * BUILD_ID_MAX];
	uint8_t id[BUILD_ID_MAX], other[BUILD_ID_MAX];
	size_t len = elf_image_build_id(image, id);
	int at, fd;

	if (len < 2) /* one byte is the name of a directory */
		return -1;
	at = snprintf(path, sizeof(path), "/usr/lib/debug/.build-id/%02x/", id[0]);
	for (size_t i = 1; i < len; i++)
		at += snprintf(path + at, sizeof(path) - (size_t)at, "%02x", id[i]);
	snprintf(path + at, sizeof(path) - (size_t)at, ".debug");
	fd = open_regular(root, path);
	if (fd < 0)
		return -1;
	if (id_of_file(fd, other) == len && !memcmp(id, other, len))
		return fd;
	close(fd);
	return -1;
}

static bool read_link(const struct elf_image *image, struct link *link)
{
	const Elf64_Shdr *section = elf_image_section(image, ".gnu_debuglink");
	char bytes[NAME_MAX + 1 + 3 + sizeof(link->crc)];
	size_t crc;

	if (!section || section->sh_size < 8 || section->sh_size > sizeof(bytes) ||
	    !elf_image_read(image, section->sh_offset, bytes, section->sh_size))
		return false;
	crc = (strnlen(bytes, section->sh_size) + 4) & ~(size_t)3;
	if (crc + sizeof(link->crc) > section->sh_size)
		return false;
	memcpy(&link->crc, bytes + crc, sizeof(link->crc));
	memcpy(link->name, bytes, strlen(bytes) + 1);
	return *link->name && !strchr(link->name, '/'); /* a name, not a way out of dir */
}

static bool has_crc(int fd, uint32_t crc)
{
	size_t room = 1 << 16, done = 0;
	uint8_t *piece = malloc(room);
	uLong sum = crc32(0, NULL, 0);
	ssize_t got = -1;

	while (piece && done <= MAX_CRC_BYTES) {
		got = pread(fd, piece, room, (off_t)done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		sum = crc32(sum, piece, (uInt)got);
		done += (size_t)got;
	}
	free(piece);
	return got == 0 && sum == crc;
}

static bool fits(const struct elf_image *image, int fd, uint32_t crc)
{
	uint8_t id[BUILD_ID_MAX], other[BUILD_ID_MAX];
	size_t len = elf_image_build_id(image, id), other_len = id_of_file(fd, other);

	if (len && other_len)
		return len == other_len && !memcmp(id, other, len);
	return has_crc(fd, crc);
}

int debug_file_by_link(const struct elf_image *image, const char *dir, const char *root)
{
	static const struct {
		const char *above, *below; /* dir */
	} places[] = {{"", "/"}, {"", "/.debug/"}, {"/usr/lib/debug", "/"}};
	char path[PATH_MAX];
	struct link link;
	int fd, len;

	if (!read_link(image, &link))
		return -1;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		len = snprintf(path, sizeof(path), "%s%s%s%s", places[i].above, dir,
			       places[i].below, link.name);
		fd = len < (int)sizeof(path) ? open_regular(root, path) : -1;
		if (fd >= 0 && fits(image, fd, link.crc))
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -1;
}
