// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pages N [--huge] [--hold]: touches N pages of fresh anonymous memory under the task
 * name "pagetouch", so that no other page of the process is counted with them.
 * --huge asks for transparent huge pages instead (N small pages' worth); --hold keeps
 * them.
 */
#include "workload.h"

int main(int argc, char **argv)
{
	bool huge = take_option(&argc, argv, "--huge", false);
	bool stay = take_option(&argc, argv, "--hold", false);
	size_t page = (size_t)sysconf(_SC_PAGESIZE), align = 512 * page, size;
	volatile char *p;
	uint64_t n;

	if (argc != 2)
		die("usage: pages N [--huge] [--hold]");
	n = number(argv[1]);
	size = n * page + align;
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		die("mmap");
	p = (volatile char *)(((uintptr_t)p + align - 1) / align * align);
	if (madvise((void *)p, n * page, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) && errno != EINVAL)
		die("madvise");
	set_comm("pagetouch");
	for (uint64_t i = 0; i < n; i++)
		p[i * page] = 1;
	set_comm("pages");
	printf("{\"workload\":\"pages\",\"pages\":%lu,\"page_size\":%zu,\"huge\":%d}\n", n, page,
	       huge);
	if (stay)
		hold();
	return 0;
}
