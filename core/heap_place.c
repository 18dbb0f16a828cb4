// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/heap_place.h"

#include <stdbool.h>
#include <string.h>

#if defined(__x86_64__)
/* arch/x86/kernel/uprobes.c: push_setup_xol_ops(), branch_setup_xol_ops(). */
static bool is_emulated(const unsigned char *code, size_t len)
{
	if (len < 6) /* the longest of them */
		return false;
	switch (code[0]) {
	case 0x41: /* PUSH r8 to r15 */
		return (code[1] & 0xf8) == 0x50;
	case 0x50 ... 0x57: /* PUSH */
	case 0x70 ... 0x7f: /* Jcc, short */
	case 0x90:          /* NOP */
	case 0xe8:          /* CALL */
	case 0xe9:          /* JMP */
	case 0xeb:          /* JMP, short */
		return true;
	case 0x0f: /* Jcc */
		return (code[1] & 0xf0) == 0x80;
	}
	return false;
}

/* Length of an instruction that changes neither memory, stack, nor arguments; 0: of another. */
static size_t harmless(const unsigned char *code, size_t len)
{
	static const unsigned char endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};
	bool registers;

	if (len < 7)
		return 0;
	if (!memcmp(code, endbr64, sizeof(endbr64)))
		return sizeof(endbr64);
	if (code[0] != 0x48) /* of 64 bits, no register above the eighth */
		return 0;
	registers = (code[2] & 0xc0) == 0xc0;
	if (code[1] == 0x85 && registers) /* TEST */
		return 3;
	if (code[1] == 0x89 && (code[2] & 0xc7) == 0xc0) /* MOV to rax */
		return 3;
	if (code[1] == 0x83 && (code[2] & 0xf8) == 0xf8) /* CMP with a byte */
		return 4;
	if (code[1] == 0x81 && (code[2] & 0xf8) == 0xf8) /* CMP with four */
		return 7;
	if (code[1] == 0x8b && code[2] == 0x05) /* MOV from the program's data to rax */
		return 7;
	return 0;
}

size_t heap_place(const unsigned char *code, size_t len)
{
	size_t at = 0, step;

	while (at < len && !is_emulated(code + at, len - at)) {
		step = harmless(code + at, len - at);
		if (!step)
			return 0;
		at += step;
	}
	return at < len ? at : 0;
}
#else
/* All of arm64 is simulated or stepped through alike. */
size_t heap_place(const unsigned char *code, size_t len)
{
	(void)code;
	(void)len;
	return 0;
}
#endif
