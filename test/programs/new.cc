// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * new N [--throw]: by each form of operator new N objects that stay, and others that are
 * deleted; with --throw one that no memory is enough for, which must be caught.
 */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <time.h>

#define NOINLINE __attribute__((noinline, noclone))
#define KEEP(p) __asm__ volatile("" : "+r"(p) : : "memory")

template <int size> struct sized {
	char bytes[size];
};

struct alignas(128) aligned {
	char bytes[128 * 3];
};

static NOINLINE sized<2401> *by_new()
{
	sized<2401> *p = new sized<2401>;

	KEEP(p);
	return p;
}

static NOINLINE char *by_new_array(size_t size)
{
	char *p = new char[size];

	KEEP(p);
	return p;
}

static NOINLINE sized<2403> *by_nothrow()
{
	sized<2403> *p = new (std::nothrow) sized<2403>;

	KEEP(p);
	return p;
}

static NOINLINE aligned *by_aligned()
{
	aligned *p = new aligned;

	KEEP(p);
	return p;
}

int main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 100;
	timespec moment = {0, 30000000};

	for (long i = 0; i < n; i++) {
		by_new();
		by_new_array(2402);
		by_nothrow();
		by_aligned();
		delete by_new();
		delete[] by_new_array(2402);
		delete by_nothrow();
		delete by_aligned();
	}
	if (argc > 2 && !strcmp(argv[2], "--throw")) {
		try {
			by_new_array(1UL << 62);
			return 2;
		} catch (std::bad_alloc &) {
		}
	}
	printf("{\"workload\":\"new\",\"by_new\":[2401,%ld],\"by_new_array\":[2402,%ld],"
	       "\"by_nothrow\":[2403,%ld],\"by_aligned\":[384,%ld]}\n",
	       n, n, n, n);
	fflush(stdout);
	nanosleep(&moment, nullptr);
	return 0;
}
