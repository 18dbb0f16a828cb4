// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/debug_file.h"

#include <lzma.h>
#include <stdlib.h>

#include "core/grow.h"

#define MAX_PACKED (32U << 20)
#define MAX_UNPACKED (64U << 20)
#define MAX_WORK (80U << 20) /* xz -9 takes 65 MB */

static bool unpack(lzma_stream *stream, uint8_t **bytes, size_t *size)
{
	lzma_ret ret = LZMA_OK;
	size_t room = 0;

	while (ret == LZMA_OK && *size < MAX_UNPACKED) {
		if (grow((void **)bytes, &room, *size + 1, 1, 1 << 20))
			return false;
		stream->next_out = *bytes + *size;
		stream->avail_out = room - *size;
		ret = lzma_code(stream, LZMA_FINISH);
		*size = room - stream->avail_out;
	}
	return ret == LZMA_STREAM_END;
}

uint8_t *debug_data_unpack(const struct elf_image *image, size_t *size)
{
	const Elf64_Shdr *section = elf_image_section(image, ".gnu_debugdata");
	lzma_stream stream = LZMA_STREAM_INIT;
	uint8_t *packed, *bytes = NULL;
	bool good = false;

	if (!section || !section->sh_size || section->sh_size > MAX_PACKED)
		return NULL;
	packed = malloc(section->sh_size);
	*size = 0;
	if (packed && elf_image_read(image, section->sh_offset, packed, section->sh_size) &&
	    lzma_stream_decoder(&stream, MAX_WORK, 0) == LZMA_OK) {
		stream.next_in = packed;
		stream.avail_in = section->sh_size;
		good = unpack(&stream, &bytes, size);
	}
	lzma_end(&stream);
	free(packed);
	if (good)
		return bytes;
	free(bytes);
	return NULL;
}
