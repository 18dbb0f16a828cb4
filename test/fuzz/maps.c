// SPDX-License-Identifier: GPL-2.0-or-later
/* The text of /proc/TGID/maps. */
#include <stdlib.h>
#include <string.h>

#include "core/usyms.h"

#define NOBODY 4194305U /* above PID_MAX_LIMIT: no such process can be */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct usyms *us = usyms_new();
	char buf[64];

	if (!us)
		abort();
	(void)usyms_learn_text(us, NOBODY, (const char *)data, size);
	for (unsigned shift = 0; shift < 64; shift++)
		if (strnlen(usyms_frame(us, NOBODY, UINT64_MAX >> shift, buf, sizeof(buf)),
			    sizeof(buf)) == sizeof(buf))
			abort();
	for (uint64_t ip = 0x1000; ip < 0x10000; ip += 0x1000)
		usyms_frame(us, NOBODY, ip, buf, 1 + ip / 0x1000);
	usyms_free(us);
	return 0;
}
