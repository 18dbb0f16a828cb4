// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * slabs N --kind unix|udp|raw|pipe|eventfd|timer [--close] [--hold] [--leave MS]: makes
 * N of them, keeps them, or closes each at once; --hold stays with them open; --leave
 * ends, and a child keeps what are files for so long.
 */
#include "workload.h"

#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

typedef int make_fn(int fd[2]);

static int make_unix(int fd[2])
{
	return fd[0] = socket(AF_UNIX, SOCK_DGRAM, 0);
}

static int make_udp(int fd[2])
{
	return fd[0] = socket(AF_INET, SOCK_DGRAM, 0);
}

static int make_raw(int fd[2])
{
	return fd[0] = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

static int make_eventfd(int fd[2])
{
	return fd[0] = eventfd(0, 0);
}

/* A POSIX timer that is never armed: one object of posix_timers_cache, no file. */
static int make_timer(int fd[2])
{
	struct sigevent none = {.sigev_notify = SIGEV_NONE};
	timer_t timer;

	fd[0] = -1;
	return (int)timer_create(CLOCK_MONOTONIC, &none, &timer);
}

static const struct {
	const char *name;
	make_fn *make;
} kinds[] = {
    {"unix", make_unix}, {"udp", make_udp},         {"raw", make_raw},
    {"pipe", pipe},      {"eventfd", make_eventfd}, {"timer", make_timer},
};

static make_fn *kind_or_die(const char *name)
{
	for (size_t i = 0; name && i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!strcmp(name, kinds[i].name))
			return kinds[i].make;
	}
	die("--kind: unix, udp, raw, pipe, eventfd, timer");
}

static void allow_files(uint64_t n)
{
	struct rlimit limit = {n + 64, n + 64};

	if (setrlimit(RLIMIT_NOFILE, &limit))
		die("setrlimit RLIMIT_NOFILE %lu", n + 64);
	setrlimit(RLIMIT_SIGPENDING, &limit);
}

static void leave(uint64_t ms)
{
	if (fork_or_die())
		return;
	setsid();
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	sleep_ns(ms * MS);
	_exit(0);
}

int main(int argc, char **argv)
{
	const char *kind = take_option(&argc, argv, "--kind", true);
	bool close_each = take_option(&argc, argv, "--close", false);
	bool stay = take_option(&argc, argv, "--hold", false);
	const char *stays = take_option(&argc, argv, "--leave", true);
	make_fn *make = kind_or_die(kind);
	uint64_t n;

	if (argc != 2)
		die("usage: slabs N --kind KIND [--close] [--hold] [--leave MS]");
	n = number(argv[1]);
	allow_files(2 * n);
	for (uint64_t i = 0; i < n; i++) {
		int fd[2] = {-1, -1};

		if (make(fd) < 0)
			die("%s number %lu", kind, i);
		for (int j = 0; close_each && j < 2; j++) {
			if (fd[j] >= 0)
				close(fd[j]);
		}
	}
	printf("{\"workload\":\"slabs\",\"kind\":\"%s\",\"made\":%lu,\"closed\":%lu,\"tgid\":%d}\n",
	       kind, n, close_each ? n : 0, (int)getpid());
	fflush(stdout);
	if (stays)
		leave(number(stays));
	if (stay)
		hold();
	return 0;
}
