/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/kernel_code.h"

#include <bpf/bpf.h>
#include <stdlib.h>

#include "core/intern.h"
#include "core/read_all.h"

#define MODULES_BYTES (1U << 24)

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

void kernel_code_look(struct kernel_code *code)
{
	char *text;
	size_t len;

	code->modules = 0;
	if (!read_path("/proc/modules", MODULES_BYTES, &text, &len))
		code->modules = kernel_code_modules(text, len);
	free(text);
	/* Numbers only go up: from the last that is known on. */
	while (!bpf_prog_get_next_id(code->program, &code->program))
		;
}
