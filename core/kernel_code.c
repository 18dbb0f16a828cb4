/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/kernel_code.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/grow.h"
#include "core/intern.h"

#define READ_BYTES 16384

/* "name size users by,whom, Live 0xffffffffc0000000 (OE)" */
uint64_t kernel_code_modules(const char *text, size_t len)
{
	unsigned field = 0;
	uint64_t hash = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == ' ')
			field++;
		else if (text[i] == '\n')
			field = 0;
		if (field != 2 && field != 3)
			hash = hash_word(hash, (unsigned char)text[i]);
	}
	return hash;
}

static bool read_modules(char **text, size_t *len)
{
	int fd = open("/proc/modules", O_RDONLY | O_CLOEXEC);
	size_t room = 0;
	ssize_t got = -1;

	while (fd >= 0) {
		if (grow((void **)text, &room, *len + READ_BYTES, 1, READ_BYTES))
			break;
		got = read(fd, *text + *len, room - *len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		*len += (size_t)got;
	}
	if (fd >= 0)
		close(fd);
	return !got;
}

void kernel_code_look(struct kernel_code *code)
{
	char *text = NULL;
	size_t len = 0;

	code->modules = read_modules(&text, &len) ? kernel_code_modules(text, len) : 0;
	free(text);
	/* Numbers only go up: from the last that is known on. */
	while (!bpf_prog_get_next_id(code->program, &code->program))
		;
}
