// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kmallocs N SIZE: the kernel allocates and frees SIZE bytes by kvmalloc, N
 * times: fsetxattr() copies the value in before it finds that no file system
 * has attributes named "bogus.*", so nothing is stored anywhere. SIZE is at
 * most 65536; above two pages the allocation comes from the page allocator.
 */
#include "workload.h"

#include <sys/xattr.h>

int main(int argc, char **argv)
{
	uint64_t n, size;
	char *value;
	int fd;

	if (argc != 3)
		die("usage: kmallocs N SIZE");
	n = number(argv[1]);
	size = number(argv[2]);
	fd = memfd_create("kmallocs", 0);
	value = calloc(1, size);
	if (fd < 0 || !value || size > 65536)
		die("memfd_create, memory or size");
	for (uint64_t i = 0; i < n; i++) {
		if (!fsetxattr(fd, "bogus.ktrace", value, size, 0) || errno != EOPNOTSUPP)
			die("fsetxattr did not end as it should");
	}
	printf("{\"workload\":\"kmallocs\",\"count\":%lu,\"size\":%lu,\"bytes\":%lu}\n", n, size,
	       n * size);
	return 0;
}
