// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * workitems N: N bytes through a raw pseudo-terminal, one by one. Each write
 * queues one work flush_to_ldisc on a system workqueue; the byte is read back,
 * and the worker given a pause to end, before the next, so no two writes share
 * a work.
 */
#include "workload.h"

#include <fcntl.h>
#include <termios.h>

int main(int argc, char **argv)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;
	struct termios raw;
	char byte = 'x';
	uint64_t n;

	if (argc != 2)
		die("usage: workitems N");
	n = number(argv[1]);
	if (master < 0 || grantpt(master) || unlockpt(master))
		die("posix_openpt");
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	if (slave < 0 || tcgetattr(slave, &raw))
		die("open %s", ptsname(master));
	cfmakeraw(&raw);
	if (tcsetattr(slave, TCSANOW, &raw))
		die("tcsetattr");
	for (uint64_t i = 0; i < n; i++) {
		if (write(master, &byte, 1) != 1 || read(slave, &byte, 1) != 1)
			die("byte %lu was lost", i);
		sleep_ns(MS);
	}
	printf("{\"workload\":\"workitems\",\"queued\":%lu,\"func\":\"flush_to_ldisc\"}\n", n);
	return 0;
}
