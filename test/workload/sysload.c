// SPDX-License-Identifier: GPL-2.0-or-later
/* sysload: the load averages as sysinfo(2) has them, in 1/65536. */
#include "workload.h"

#include <sys/sysinfo.h>

int main(void)
{
	struct sysinfo info;

	if (sysinfo(&info))
		die("sysinfo");
	printf("{\"workload\":\"sysload\",\"loads\":[%lu,%lu,%lu]}\n", info.loads[0], info.loads[1],
	       info.loads[2]);
	return 0;
}
