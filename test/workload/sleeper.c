// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sleeper N MS [--thread-name NAME]: N nanosleeps of MS ms, in the main thread
 * or in one thread called NAME. --ready first prints a line with its ids.
 */
#include "workload.h"

#include <pthread.h>

static struct {
	uint64_t n, ms, sum_ns, max_ns, voluntary;
	const char *name;
	bool ready;
	pid_t tid;
} run;

static void *sleep_all(void *unused)
{
	long before;

	(void)unused;
	if (run.name)
		set_comm(run.name);
	run.tid = gettid_();
	if (run.ready) {
		printf("{\"workload\":\"sleeper\",\"ready\":1,\"tgid\":%d,\"tid\":%d}\n",
		       (int)getpid(), (int)run.tid);
		fflush(stdout);
	}
	before = thread_usage().ru_nvcsw;
	for (uint64_t i = 0; i < run.n; i++) {
		uint64_t took = sleep_ns(run.ms * MS);

		run.sum_ns += took;
		if (took > run.max_ns)
			run.max_ns = took;
	}
	run.voluntary = (uint64_t)(thread_usage().ru_nvcsw - before);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	run.name = take_option(&argc, argv, "--thread-name", true);
	run.ready = take_option(&argc, argv, "--ready", false);
	if (argc != 3)
		die("usage: sleeper N MS [--thread-name NAME] [--ready]");
	run.n = number(argv[1]);
	run.ms = number(argv[2]);
	if (!run.name) {
		sleep_all(NULL);
	} else if (pthread_create(&thread, NULL, sleep_all, NULL) || pthread_join(thread, NULL)) {
		die("pthread");
	}
	printf("{\"workload\":\"sleeper\",\"count\":%lu,\"sum_ns\":%lu,\"max_ns\":%lu,"
	       "\"voluntary\":%lu,\"tid\":%d,\"tgid\":%d}\n",
	       run.n, run.sum_ns, run.max_ns, run.voluntary, (int)run.tid, (int)getpid());
	return 0;
}
