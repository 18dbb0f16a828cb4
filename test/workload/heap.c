// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * heap WHAT [N [ARG]] [--threads T] [--wait]: allocates and does not free a known number of blocks,
 * of a size of its own for each kind, and says how many of which. leak      N of each kind; 4 N
 * others are freed (--threads T: by each of T threads) realloc   N: grown, shrunk, from NULL, to 0,
 * and failed sizes     N of 64 bytes, N / 10 of 3000, N / 100 of 100000 fork      N, then a child
 * that frees them in its copy, leaks N of its own, and ends exec      N, then becomes "heap leak
 * ARG" later     N before a line comes from stdin; then frees them, leaks N others, and waits for a
 * second line map       N mappings, of which every other is given back in part, and brk churn     N
 * pairs of malloc() and free(), and says what CPU time one took; --wait: after a line came from
 * stdin
 */
#include "workload.h"

#include <malloc.h>
#include <pthread.h>

#define KEEP(p) __asm__ volatile("" : "+r"(p) : : "memory")

static OWN_FRAME void *by_malloc(size_t size)
{
	void *p = malloc(size);

	KEEP(p);
	return p;
}

static OWN_FRAME void *by_calloc(size_t size)
{
	void *p = calloc(size / 7, 7);

	KEEP(p);
	return p;
}

static OWN_FRAME void *by_realloc(size_t size)
{
	void *p = malloc(size / 2), *q;

	KEEP(p);
	q = realloc(p, size);
	KEEP(q);
	return q;
}

static OWN_FRAME void *by_reallocarray(size_t size)
{
	void *p = reallocarray(NULL, size / 7, 7);

	KEEP(p);
	return p;
}

static OWN_FRAME void *by_posix_memalign(size_t size)
{
	void *p = NULL;

	if (posix_memalign(&p, 256, size))
		die("posix_memalign");
	KEEP(p);
	return p;
}

static OWN_FRAME void *by_aligned_alloc(size_t size)
{
	void *p = aligned_alloc(64, size);

	KEEP(p);
	return p;
}

static OWN_FRAME void *by_memalign(size_t size)
{
	void *p = memalign(128, size);

	KEEP(p);
	return p;
}

static OWN_FRAME void *by_valloc(size_t size)
{
	void *p = valloc(size);

	KEEP(p);
	return p;
}

static OWN_FRAME void *by_strdup(size_t size)
{
	static char text[2000];
	char *p;

	memset(text, 'x', size - 1);
	text[size - 1] = '\0';
	p = strdup(text);
	KEEP(p);
	return p;
}

/* For ever. */
static void leak(void *p)
{
	KEEP(p);
}

static const struct {
	const char *name;
	void *(*allocate)(size_t size);
	size_t size; /* told from all others, and divided by 7 where that is needed */
} kinds[] = {
    {"by_malloc", by_malloc, 1001},
    {"by_calloc", by_calloc, 1008},
    {"by_realloc", by_realloc, 1102},
    {"by_reallocarray", by_reallocarray, 1204},
    {"by_posix_memalign", by_posix_memalign, 1304},
    {"by_aligned_alloc", by_aligned_alloc, 1408},
    {"by_memalign", by_memalign, 1505},
    {"by_valloc", by_valloc, 1606},
    {"by_strdup", by_strdup, 1703},
};
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* So that what reads our mappings while we live has the time to. */
static void linger(void)
{
	fflush(stdout);
	sleep_ns(30 * MS);
}

static OWN_FRAME void leak_kinds(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		for (size_t k = 0; k < N_KINDS; k++) {
			void *freed[4];

			for (int j = 0; j < 4; j++)
				freed[j] = kinds[k].allocate(kinds[k].size);
			leak(kinds[k].allocate(kinds[k].size));
			for (int j = 0; j < 4; j++)
				free(freed[j]);
		}
	}
}

static void *leak_thread(void *n)
{
	leak_kinds(*(uint64_t *)n);
	return NULL;
}

static void do_leak(uint64_t n, uint64_t threads)
{
	pthread_t thread[64];

	if (threads > 64)
		die("at most 64 threads");
	for (uint64_t i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, leak_thread, &n))
			die("pthread_create");
	if (!threads)
		leak_kinds(n);
	for (uint64_t i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	printf("{\"workload\":\"heap\"");
	for (size_t k = 0; k < N_KINDS; k++)
		printf(",\"%s\":[%zu,%llu]", kinds[k].name, kinds[k].size,
		       (unsigned long long)(n * (threads ? threads : 1)));
	puts("}");
}

static OWN_FRAME void *resize(void *p, size_t size)
{
	void *resized = realloc(p, size);

	KEEP(resized);
	return resized;
}

static void do_realloc(uint64_t n)
{
	volatile size_t too_much = SIZE_MAX / 2, many = SIZE_MAX / 4;

	for (uint64_t i = 0; i < n; i++) {
		void *failed = by_malloc(2005), *none[4];

		leak(resize(by_malloc(10), 2001));   /* grown */
		leak(resize(by_malloc(9000), 2002)); /* shrunk */
		leak(resize(NULL, 2003));
		free(resize(NULL, 2004));
		none[0] = resize(failed, too_much);
		none[1] = reallocarray(failed, many, 8);
		none[2] = malloc(too_much);
		none[3] = calloc(many, 8);
		if (none[0] || none[1] || none[2] || none[3])
			die("there is more memory than there can be");
		free(resize(by_malloc(2006), 0)); /* NULL, or what some make of it */
		KEEP(failed);
	}
	leak(by_malloc(0));
	printf("{\"workload\":\"heap\",\"grown\":[2001,%llu],\"shrunk\":[2002,%llu],"
	       "\"from_null\":[2003,%llu],\"failed\":[2005,%llu]}\n",
	       (unsigned long long)n, (unsigned long long)n, (unsigned long long)n,
	       (unsigned long long)n);
}

static void do_sizes(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		leak(by_malloc(64));
		if (i % 10 == 0)
			leak(by_calloc(3003));
		if (i % 100 == 0)
			leak(by_memalign(100000));
	}
	printf("{\"workload\":\"heap\",\"small\":[64,%llu],\"middle\":[3003,%llu],"
	       "\"large\":[100000,%llu]}\n",
	       (unsigned long long)n, (unsigned long long)n / 10, (unsigned long long)n / 100);
}

static void do_fork(uint64_t n)
{
	void **kept = calloc(n, sizeof(*kept));
	pid_t child;

	for (uint64_t i = 0; i < n; i++)
		kept[i] = by_malloc(2101);
	child = fork_or_die();
	for (uint64_t i = 0; i < n; i++) {
		if (child)
			continue;
		free(kept[i]); /* the parent's are its own */
		leak(by_malloc(2102));
	}
	if (!child) {
		sleep_ns(30 * MS);
		_exit(0);
	}
	wait_for(child);
	for (uint64_t i = 0; i < n / 2; i++)
		free(kept[i]);
	printf("{\"workload\":\"heap\",\"parent\":[2101,%llu],\"child\":[2102,%llu],"
	       "\"tgid\":%d,\"child_tgid\":%d}\n",
	       (unsigned long long)(n - n / 2), (unsigned long long)n, getpid(), child);
}

static void do_exec(uint64_t n, char *program, char *next)
{
	char *argv[] = {program, "leak", next, NULL};

	for (uint64_t i = 0; i < n; i++)
		leak(by_malloc(2201));
	sleep_ns(30 * MS);
	execv("/proc/self/exe", argv);
	die("execv");
}

static void await_line(void)
{
	int c;

	fflush(stdout);
	do {
		c = getchar();
	} while (c != '\n' && c != EOF);
}

static void do_later(uint64_t n)
{
	void **kept = calloc(n, sizeof(*kept));

	for (uint64_t i = 0; i < n; i++)
		kept[i] = by_malloc(2301);
	printf("{\"workload\":\"heap\",\"tgid\":%d,\"before\":[2301,%llu],\"after\":[2302,%llu]}\n",
	       getpid(), (unsigned long long)n, (unsigned long long)n);
	await_line();
	for (uint64_t i = 0; i < n; i++) {
		free(kept[i]);
		leak(by_malloc(2302));
	}
	await_line();
}

static OWN_FRAME char *map_pages(size_t pages)
{
	char *p =
	    mmap(NULL, pages * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

/* Of 40 pages: whole; less its head, middle and tail; none; made larger. */
static void do_map(uint64_t n)
{
	uint64_t pages = 0;

	for (uint64_t i = 0; i < n; i++) {
		char *p = map_pages(40), *q = map_pages(40), *gone = map_pages(40);
		char *larger = map_pages(40);

		if (munmap(q, 4096) || munmap(q + 10 * 4096, 5 * 4096) ||
		    munmap(q + 38 * 4096, 2 * 4096) || munmap(gone, 40 * 4096))
			die("munmap");
		if (mremap(larger, 40 * 4096, 60 * 4096, MREMAP_MAYMOVE) == MAP_FAILED)
			die("mremap");
		KEEP(p);
		pages += 40 + 32 + 60;
	}
	if (sbrk(64 * 4096) == (void *)-1 || sbrk(-16 * 4096) == (void *)-1)
		die("sbrk");
	printf("{\"workload\":\"heap\",\"mapped_pages\":%llu,\"brk_pages\":48}\n",
	       (unsigned long long)pages);
}

/* 256 blocks at a time, of 16 to 1039 bytes, some calls deep. */
static OWN_FRAME void *churn_deep(int depth, size_t size)
{
	void *p = depth ? churn_deep(depth - 1, size) : by_malloc(size);

	KEEP(p);
	return p;
}

static void do_churn(uint64_t n)
{
	uint32_t random = 1, slot;
	void *block[256] = {NULL};
	struct rusage before, after;
	uint64_t cpu_us;

	if (getrusage(RUSAGE_SELF, &before))
		die("getrusage");
	for (uint64_t i = 0; i < n; i++) {
		random = random * 1103515245 + 12345;
		slot = random >> 24;
		free(block[slot]);
		block[slot] = churn_deep(8, 16 + (random >> 8) % 1024);
	}
	if (getrusage(RUSAGE_SELF, &after))
		die("getrusage");
	cpu_us = (uint64_t)(after.ru_utime.tv_sec + after.ru_stime.tv_sec - before.ru_utime.tv_sec -
			    before.ru_stime.tv_sec) *
		     1000000 +
		 (uint64_t)(after.ru_utime.tv_usec + after.ru_stime.tv_usec -
			    before.ru_utime.tv_usec - before.ru_stime.tv_usec);
	printf("{\"workload\":\"heap\",\"pairs\":%llu,\"pair_ns\":%llu}\n", (unsigned long long)n,
	       (unsigned long long)(n ? cpu_us * 1000 / n : 0));
}

int main(int argc, char **argv)
{
	const char *threads = take_option(&argc, argv, "--threads", true);
	bool wait = take_option(&argc, argv, "--wait", false);
	uint64_t n = number(argc > 2 ? argv[2] : "100");
	const char *what = argc > 1 ? argv[1] : "";

	if (wait)
		await_line();
	if (!strcmp(what, "leak"))
		do_leak(n, threads ? number(threads) : 0);
	else if (!strcmp(what, "realloc"))
		do_realloc(n);
	else if (!strcmp(what, "sizes"))
		do_sizes(n);
	else if (!strcmp(what, "fork"))
		do_fork(n);
	else if (!strcmp(what, "exec"))
		do_exec(n, argv[0], argc > 3 ? argv[3] : "10");
	else if (!strcmp(what, "later"))
		do_later(n);
	else if (!strcmp(what, "map"))
		do_map(n);
	else if (!strcmp(what, "churn"))
		do_churn(n);
	else
		die("heap leak|realloc|sizes|fork|exec|later|map|churn [N [ARG]]");
	linger();
	return 0;
}
