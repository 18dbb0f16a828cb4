// SPDX-License-Identifier: GPL-2.0-or-later
/* evil N MS: under each of some hostile task names, N nanosleeps of MS ms. */
#include "workload.h"

static const char *const names[] = {
    "\033[31mred\033[0m", "\033]0;title\007",  "quo\"te's",  "semi;colon", "back\\slash",
    "\xff\xfe bad utf8",  "new\nline",         "tab\tcr\rx", "trailing 5", "[timer]",
    "\302\23331m C1",     "\342\200\256 bidi", "%s%n%x",     "</script>",  "",
};

#define N_NAMES (sizeof(names) / sizeof(*names))

int main(int argc, char **argv)
{
	uint64_t n, ms, sum_ns = 0;

	if (argc != 3)
		die("usage: evil N MS");
	n = number(argv[1]);
	ms = number(argv[2]);
	for (size_t i = 0; i < N_NAMES; i++) {
		set_comm(names[i]);
		for (uint64_t j = 0; j < n; j++)
			sum_ns += sleep_ns(ms * MS);
	}
	printf("{\"workload\":\"evil\",\"names\":%zu,\"count\":%lu,\"sum_ns\":%lu,\"tgid\":%d,"
	       "\"hex\":[",
	       (size_t)N_NAMES, (unsigned long)(n * N_NAMES), sum_ns, (int)getpid());
	for (size_t i = 0; i < N_NAMES; i++) {
		printf("%s\"", i ? "," : "");
		for (const char *c = names[i]; *c; c++)
			printf("%02x", (unsigned char)*c);
		printf("\"");
	}
	printf("]}\n");
	return 0;
}
