// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * named N MS [KIND...] [--ready] [--memfd]: N naps of MS ms in each kind of place, whose
 * frames have known names:
 *
 *   c       nap, nap_middle, nap_outer      C functions
 *   cpp     ns::Napper::rest(int)           a C++ name, by its mangled form; the next three
 *   rust    naps::Napper::rest              likewise
 *   dlang   naps.Napper.rest()
 *   long    a C++ name of 3000 characters
 *   jit     "jitted nap"                    code made at run time, with a perf-TGID.map
 *   anon                                    the same without a map
 *   cut     nap_cut                         its caller's frame pointer is garbage
 *
 * Without a kind: c. --memfd: runs itself again from memory. --ready: a line with
 * its ids first. --then PROGRAM ARGS: execs that when it is done. Compiled with frame pointers,
 * also as a dynamic program.
 */
#include "workload.h"

#include <fcntl.h>

static struct timespec nap_time;

#if defined(__x86_64__)
#define NAP_REGISTERS(garbage)                                           \
	long result;                                                     \
	__asm__ volatile("push %%rbp\n\t" garbage "syscall\n\tpop %%rbp" \
			 : "=a"(result)                                  \
			 : "0"(SYS_nanosleep), "D"(&nap_time), "S"(0),   \
			   "r"(__builtin_frame_address(0))               \
			 : "rcx", "r11", "memory", "cc")
#define GARBAGE "mov $0x1234, %%ebp\n\t"
/* push rbp; mov rbp, rsp; call rdi; pop rbp; ret */
static const unsigned char call_first[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3};
#elif defined(__aarch64__)
#define NAP_REGISTERS(garbage)                                            \
	register long x0 __asm__("x0") = (long)&nap_time;                 \
	register long x1 __asm__("x1") = 0;                               \
	register long x8 __asm__("x8") = SYS_nanosleep;                   \
	long kept;                                                        \
	__asm__ volatile("mov %1, x29\n\t" garbage "svc 0\n\tmov x29, %1" \
			 : "+r"(x0), "=&r"(kept)                          \
			 : "r"(x1), "r"(x8)                               \
			 : "memory", "cc")
#define GARBAGE "mov x29, #0x1234\n\t"
/* stp x29, x30, [sp, #-16]!; mov x29, sp; blr x0; ldp x29, x30, [sp], #16; ret */
static const unsigned char call_first[] = {0xfd, 0x7b, 0xbf, 0xa9, 0xfd, 0x03, 0x00,
					   0x91, 0x00, 0x00, 0x3f, 0xd6, 0xfd, 0x7b,
					   0xc1, 0xa8, 0xc0, 0x03, 0x5f, 0xd6};
#endif

/* A call that is not the last thing that its function does leaves a frame; a number in it keeps
 * functions that do the same from becoming one. */
#define STAY __asm__ volatile("" ::"i"(__LINE__) : "memory")

/*
 * Straight to the system call: the C library's wrapper keeps no frame pointer. Asking for
 * the frame's address makes one, in a function that calls nothing too.
 */
OWN_FRAME static void nap(void)
{
	NAP_REGISTERS("");
}

OWN_FRAME static void nap_cut(void)
{
	NAP_REGISTERS(GARBAGE);
}

OWN_FRAME static void nap_middle(void (*how)(void))
{
	how();
	STAY;
}

OWN_FRAME static void nap_outer(void (*how)(void))
{
	nap_middle(how);
	STAY;
}

#define TEN(s) s s s s s s s s s s
#define NAMED(name, symbol)                           \
	void name(void (*how)(void)) __asm__(symbol); \
	OWN_FRAME void name(void (*how)(void))        \
	{                                             \
		how();                                \
		STAY;                                 \
	}

NAMED(cpp_nap, "_ZN2ns6Napper4restEi")
NAMED(rust_nap, "_ZN4naps6Napper4rest17h0123456789abcdefE")
NAMED(dlang_nap, "_D4naps6Napper4restFZv")
NAMED(long_nap, "_ZN3000" TEN(TEN(TEN("abc"))) "4restEv")

static void jit_nap(bool tell)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	char *code = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void (*call)(void (*)(void)) = (void (*)(void (*)(void)))code;
	char path[64];
	FILE *f;

	if (code == MAP_FAILED)
		die("mmap");
	memcpy(code, call_first, sizeof(call_first));
	if (mprotect(code, size, PROT_READ | PROT_EXEC))
		die("mprotect");
	__builtin___clear_cache(code, code + size);
	if (tell) {
		snprintf(path, sizeof(path), "/tmp/perf-%d.map", (int)getpid());
		f = fopen(path, "a");
		if (!f)
			die("%s", path);
		fprintf(f, "%lx %zx jitted nap\n", (unsigned long)code, sizeof(call_first));
		fclose(f);
	}
	call(nap);
	STAY;
}

static void once(const char *kind)
{
	static const struct {
		const char *kind;
		void (*call)(void (*)(void));
	} calls[] = {{"c", nap_outer},
		     {"cpp", cpp_nap},
		     {"rust", rust_nap},
		     {"dlang", dlang_nap},
		     {"long", long_nap}};

	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (!strcmp(calls[i].kind, kind)) {
			calls[i].call(nap);
			return;
		}
	if (!strcmp(kind, "cut"))
		nap_outer(nap_cut);
	else if (!strcmp(kind, "jit") || !strcmp(kind, "anon"))
		jit_nap(*kind == 'j');
	else
		die("no such kind: %s", kind);
}

/* The program as a file in memory: no path leads to what is mapped then. */
static void run_from_memory(char **argv)
{
	int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int copy = memfd_create("named", MFD_CLOEXEC);
	char buf[65536];
	ssize_t got;

	if (self < 0 || copy < 0)
		die("memfd");
	while ((got = read(self, buf, sizeof(buf))) > 0)
		if (write(copy, buf, (size_t)got) != got)
			die("memfd");
	fexecve(copy, argv, environ);
	die("fexecve");
}

/* Cuts off what follows --then, and returns it; NULL: nothing does. */
static char **take_next(int *argc, char **argv)
{
	for (int i = 1; i < *argc; i++)
		if (!strcmp(argv[i], "--then")) {
			argv[i] = NULL;
			*argc = i;
			return argv + i + 1;
		}
	return NULL;
}

int main(int argc, char **argv)
{
	char **next = take_next(&argc, argv);
	bool memfd = take_option(&argc, argv, "--memfd", false);
	bool ready = take_option(&argc, argv, "--ready", false);
	uint64_t n, i;
	int kind;

	if (memfd)
		run_from_memory(argv);
	if (argc < 3)
		die("usage: named N MS [KIND...] [--memfd | --ready]");
	n = number(argv[1]);
	nap_time.tv_sec = (time_t)(number(argv[2]) / 1000);
	nap_time.tv_nsec = (long)(number(argv[2]) % 1000) * (long)MS;
	if (ready) {
		printf("{\"workload\":\"named\",\"ready\":1,\"tgid\":%d}\n", (int)getpid());
		fflush(stdout);
	}
	for (i = 0; i < n; i++) {
		for (kind = 3; kind < argc; kind++)
			once(argv[kind]);
		if (argc == 3)
			once("c");
	}
	printf("{\"workload\":\"named\",\"count\":%lu,\"tgid\":%d}\n", n, (int)getpid());
	fflush(stdout);
	if (next) {
		execv(next[0], next);
		die("%s", next[0]);
	}
	return 0;
}
