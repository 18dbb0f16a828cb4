// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * frames LIBRARY [FRAMES [ADDRESSES]]: how long it takes to name that many frames at that many
 * addresses of a library that this process has loaded, and what memory that takes.
 */
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/host.h"
#include "core/usyms.h"

static int find_text(struct dl_phdr_info *info, size_t size, void *text_)
{
	const char *const *wanted = text_;
	uint64_t *text = text_;
	int i;

	(void)size;
	if (!strstr(info->dlpi_name, *wanted))
		return 0;
	for (i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD && info->dlpi_phdr[i].p_flags & PF_X) {
			text[0] = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
			text[1] = text[0] + info->dlpi_phdr[i].p_memsz;
			return 1;
		}
	return 0;
}

static long rss_kib(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

int main(int argc, char **argv)
{
	const struct usyms_style style = {0};
	struct usyms *us = usyms_new(&style);
	uint64_t *address, begin_ns, first_ns, n, addresses, i;
	uint64_t kinds[USYMS_FIRST + 1] = {0};
	union {
		const char *name;
		uint64_t at[2];
	} text;
	struct usyms_walk walk = {.tgid = (uint32_t)getpid()};
	const struct usyms_frame *frame;
	long before_kib;

	if (argc < 2 || !us || !dlopen(argv[1], RTLD_NOW)) {
		fprintf(stderr, "frames: %s\n", argc < 2 ? "no library given" : dlerror());
		return 2;
	}
	n = argc > 2 ? strtoull(argv[2], NULL, 10) : 100000;
	addresses = argc > 3 ? strtoull(argv[3], NULL, 10) : 2000;
	address = calloc(addresses, sizeof(*address));
	text.name = argv[1];
	if (!address || !dl_iterate_phdr(find_text, &text))
		return 1;
	srandom(1);
	for (i = 0; i < addresses; i++)
		address[i] = text.at[0] + ((uint64_t)random() << 15 ^ (uint64_t)random()) %
					      (text.at[1] - text.at[0]);
	before_kib = rss_kib();
	begin_ns = host_monotonic_ns();
	usyms_frame(us, &walk, address[0], false);
	first_ns = host_monotonic_ns();
	for (i = 0; i < n; i++) {
		frame = usyms_frame(us, &walk, address[(uint64_t)random() % addresses], true);
		if (frame)
			kinds[frame->kind]++;
	}
	printf("| %s | %.1f ms | %.1f ms | %ld KiB | %llu | %llu |\n", argv[1],
	       (double)(first_ns - begin_ns) / 1e6, (double)(host_monotonic_ns() - first_ns) / 1e6,
	       rss_kib() - before_kib,
	       (unsigned long long)(kinds[USYMS_FUNCTION] + kinds[USYMS_FIRST]),
	       (unsigned long long)kinds[USYMS_FILE]);
	free(address);
	usyms_free(us);
	return 0;
}
