/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Before 6.10 the first function of the system that is hooked by fentry makes its caller wait for a
 * grace period of Tasks RCU, 20 to 200 ms, when the function is hooked already: what held none
 * before is freed. So that this is somebody else's time, a thread hooks a function that nothing
 * calls, while we load; ours is not the first then.
 */
#ifndef KTRACE_FENTRY_FIRST_H
#define KTRACE_FENTRY_FIRST_H

#include <pthread.h>
#include <stdbool.h>

struct fentry_first {
	pthread_t thread;
	int program;
	int until[2]; /* a pipe: the hook stays until its other end is closed */
	bool runs;
};

/* What kernel_btf() will be asked for it. */
#define FENTRY_FIRST_TARGET "bpf_fentry_test1"
#define FENTRY_FIRST_NEEDLESS "register_ftrace_direct_cb" /* with it nobody waits */

/* Before anything is lent (core/btf_lend.h). What fails is left out, and then we wait. */
void fentry_first_begin(struct fentry_first *);
/* Ours are attached, or never will be: the hook goes, in its own time. */
void fentry_first_done(struct fentry_first *);
/* Waits until it is gone. */
void fentry_first_end(struct fentry_first *);

#endif
