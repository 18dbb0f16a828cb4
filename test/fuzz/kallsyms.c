// SPDX-License-Identifier: GPL-2.0-or-later
/* The text of /proc/kallsyms, as functions and as data. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/ksyms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct ksyms *ks)
{
	static const char *const leaf[] = {"a*", "*sched*", NULL};
	struct ksym_range ranges[4];
	uint64_t ip[64], lo, hi;
	size_t n = ksyms_count(ks), used = 0;
	char buf[64];

	for (size_t i = 0; i < n && used + 2 <= 64; i++) {
		const struct ksym *sym = ksyms_at(ks, i);

		ip[used++] = sym->start;
		ip[used++] = sym->start + i;
		if (ksyms_ranges(ks, ksym_name(ks, sym), ranges, 4) == 0)
			abort();
		ksyms_range(ks, ksym_name(ks, sym), &lo, &hi);
		ksyms_format(ks, sym->start + i, i & 1, buf, sizeof(buf));
		if (i && ksyms_at(ks, i - 1)->start > sym->start)
			abort();
	}
	if (used && ksyms_trim(ks, ip, (unsigned)used, leaf) >= used)
		abort();
	ksyms_format(ks, UINT64_MAX, true, buf, sizeof(buf));
	ksyms_format(ks, 0, false, buf, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct ksyms *ks;
	char path[32];

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (int all = 0; all < 2; all++) {
		ks = NULL;
		if ((all ? ksyms_load_data : ksyms_load)(&ks, path) == 0)
			use(ks);
		ksyms_free(ks);
	}
	close(fd);
	return 0;
}
