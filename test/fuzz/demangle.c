// SPDX-License-Identifier: GPL-2.0-or-later
/* Names as binaries have them: the first byte is the room that there is for the answer. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/demangle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t room = size ? 1 + 4 * (size_t)data[0] : 1;
	char *name = calloc(1, size + 1), *buf = malloc(room);

	if (!name || !buf)
		abort();
	if (size)
		memcpy(name, data + 1, size - 1);
	if (demangle(name, buf, room) != buf || strnlen(buf, room) == room)
		abort();
	free(name);
	free(buf);
	return 0;
}
