/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the workloads share. A workload does a known amount of something and
 * prints one JSON line on stdout, {"workload":"NAME", ...}, saying what it
 * really did. Numbers on the command line are checked: a test with a typo fails.
 */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define UNUSED_OK __attribute__((unused))
/* A function with a frame and a name of its own. */
#ifdef __clang__ /* makes no clones, and does not know the word */
#define OWN_FRAME __attribute__((noinline))
#else
#define OWN_FRAME __attribute__((noinline, noclone))
#endif

__attribute__((noreturn, format(printf, 1, 2))) UNUSED_OK static void die(const char *fmt, ...)
{
	int saved = errno;
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	if (saved)
		fprintf(stderr, ": %s", strerror(saved));
	fputc('\n', stderr);
	exit(1);
}

UNUSED_OK static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* One nanosleep, not restarted; returns the time it took by CLOCK_MONOTONIC. */
UNUSED_OK static uint64_t sleep_ns(uint64_t ns)
{
	struct timespec t = {.tv_sec = (time_t)(ns / 1000000000u),
			     .tv_nsec = (long)(ns % 1000000000u)};
	uint64_t start = now_ns();

	if (nanosleep(&t, NULL) && errno != EINTR)
		die("nanosleep");
	return now_ns() - start;
}

/*
 * One nanosleep of less than a second, in the very function that calls this: libc's functions need
 * not keep a frame pointer, and then the stack lacks their caller.
 */
UNUSED_OK static inline __attribute__((always_inline)) void sleep_here(uint64_t ns)
{
	struct timespec t = {.tv_nsec = (long)ns};

#if defined(__x86_64__)
	long nr = SYS_nanosleep;

	__asm__ volatile("syscall" : "+a"(nr) : "D"(&t), "S"(NULL) : "rcx", "r11", "memory");
#elif defined(__aarch64__)
	register long nr __asm__("x8") = SYS_nanosleep;
	register const void *request __asm__("x0") = &t;
	register void *rest __asm__("x1") = NULL;

	__asm__ volatile("svc 0" : "+r"(request) : "r"(nr), "r"(rest) : "memory");
#else
	syscall(SYS_nanosleep, &t, NULL);
#endif
}

#define MS 1000000u
#define US 1000u

UNUSED_OK static uint64_t number(const char *s)
{
	char *end;
	uint64_t n;

	errno = 0;
	n = s ? strtoull(s, &end, 10) : 0;
	if (!s || *end || end == s || errno || *s == '-')
		die("not a number: %s", s ? s : "(none)");
	return n;
}

UNUSED_OK static void set_comm(const char *name)
{
	if (prctl(PR_SET_NAME, name, 0, 0, 0))
		die("prctl PR_SET_NAME");
}

UNUSED_OK static pid_t gettid_(void)
{
	return (pid_t)syscall(SYS_gettid);
}

/* State letter of a thread of ours, from /proc. */
UNUSED_OK static char state_of(pid_t tid)
{
	char path[64], line[256], state = '?';
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)tid);
	f = fopen(path, "r");
	if (f && fgets(line, sizeof(line), f) && strrchr(line, ')'))
		state = strrchr(line, ')')[2];
	if (f)
		fclose(f);
	return state;
}

/* Memory that forked children write their results into. */
UNUSED_OK static void *shared_memory(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

UNUSED_OK static pid_t fork_or_die(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	return pid;
}

UNUSED_OK static void wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			die("waitpid");
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		die("child %d ended with status %d", (int)pid, status);
}

UNUSED_OK static struct rusage thread_usage(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_THREAD, &usage))
		die("getrusage");
	return usage;
}

/* Stays until stdin closes; where stdin is no pipe or terminal, until a signal kills. */
UNUSED_OK static void hold(void)
{
	struct stat st;
	char byte;

	fflush(stdout);
	if (fstat(0, &st) || (!S_ISFIFO(st.st_mode) && !S_ISSOCK(st.st_mode) && !isatty(0))) {
		for (;;)
			pause();
	}
	while (read(0, &byte, 1) > 0)
		;
}

/* Removes option NAME (and its argument) from argv; returns it, "" without one, or NULL. */
UNUSED_OK static const char *take_option(int *argc, char **argv, const char *name, bool has_arg)
{
	for (int i = 1; i < *argc && strcmp(argv[i], "--"); i++) {
		const char *value = "";
		int used = has_arg ? 2 : 1;

		if (strcmp(argv[i], name))
			continue;
		if (has_arg && i + 1 >= *argc)
			die("%s needs an argument", name);
		if (has_arg)
			value = argv[i + 1];
		memmove(argv + i, argv + i + used, (size_t)(*argc - i - used + 1) * sizeof(*argv));
		*argc -= used;
		return value;
	}
	return NULL;
}

/* The command after "--"; everything before must be taken by then. */
UNUSED_OK static char **command_or_die(int argc, char **argv)
{
	if (argc < 3 || strcmp(argv[1], "--"))
		die("usage: %s [OPTIONS] -- COMMAND...", argv[0]);
	return argv + 2;
}

#endif
