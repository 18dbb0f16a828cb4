// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/fentry_first.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/btf.h>
#include <signal.h>
#include <unistd.h>

#include "core/bpf_trivial.h"
#include "core/kernel_btf.h"

static void *hook(void *argument)
{
	const struct fentry_first *first = argument;
	int link = bpf_raw_tracepoint_open(NULL, first->program);
	char none;

	while (read(first->until[0], &none, 1) > 0)
		;
	if (link >= 0)
		close(link);
	return NULL;
}

/* Signals are for the main thread. */
static int start(struct fentry_first *first)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&first->thread, NULL, hook, first);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

void fentry_first_begin(struct fentry_first *first)
{
	struct kernel_btf *kernel = kernel_btf();
	uint32_t function;

	if (!kernel || kernel_btf_find(kernel, FENTRY_FIRST_NEEDLESS, BTF_KIND_FUNC))
		return;
	function = kernel_btf_find(kernel, FENTRY_FIRST_TARGET, BTF_KIND_FUNC);
	if (!function || pipe2(first->until, O_CLOEXEC))
		return;
	first->program = bpf_trivial_load(BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, function);
	if (first->program >= 0 && !start(first)) {
		first->runs = true;
		return;
	}
	if (first->program >= 0)
		close(first->program);
	close(first->until[0]);
	close(first->until[1]);
}

void fentry_first_done(struct fentry_first *first)
{
	if (first->runs && first->until[1] >= 0)
		close(first->until[1]);
	first->until[1] = -1;
}

void fentry_first_end(struct fentry_first *first)
{
	fentry_first_done(first);
	if (!first->runs)
		return;
	pthread_join(first->thread, NULL);
	close(first->until[0]);
	close(first->program);
	first->runs = false;
}
