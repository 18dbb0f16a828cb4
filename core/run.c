// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * argv -> opts -> plan <- caps; plan -> session -> snapshot -> bytes. The loop
 * in the middle waits for time, a signal, or the command's end; duration,
 * interval and signals are handled here and in no tool.
 */
#include "core/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/cgroup.h"
#include "core/command.h"
#include "core/guard.h"
#include "core/help.h"
#include "core/host.h"
#include "core/outputs.h"
#include "core/session.h"
#include "core/symbols.h"

struct run {
	struct opts opts;
	struct caps caps;
	struct symbols symbols;
	struct plan plan;
	struct session session;
	struct guard guard;
	struct outputs outputs;
	struct command command;
	struct utsname uts;
	int signals;                        /* signalfd */
	sigset_t before;                    /* signal mask as we got it */
	uint64_t begin_ns, end_ns, next_ns; /* CLOCK_MONOTONIC; end, next: UINT64_MAX: none */
};

/* What the command line names must be there. Reads /proc, changes nothing. */
static enum status check_named(const struct opts *opts)
{
	bool is_thread;
	unsigned i;

	for (i = 0; i < opts->tgids.n; i++) {
		if (host_has_process(opts->tgids.id[i], &is_thread))
			continue;
		if (is_thread)
			return fail(USAGE, "%u is a thread, not a process: use -t %u",
				    opts->tgids.id[i], opts->tgids.id[i]);
		return fail(USAGE, "no process %u", opts->tgids.id[i]);
	}
	for (i = 0; i < opts->tids.n; i++)
		if (!host_has_thread(opts->tids.id[i]))
			return fail(USAGE, "no thread %u", opts->tids.id[i]);
	if (opts->ready_fd >= 0 && fcntl(opts->ready_fd, F_GETFD) < 0)
		return fail(USAGE, "--ready-fd %d is not an open file", opts->ready_fd);
	return opts->command ? command_check(opts->command) : OK;
}

static bool names_locks(const struct tool *tool)
{
	const struct column *column;

	for (column = tool->columns; column->name; column++)
		if (column->kind == KIND_LOCK)
			return true;
	return false;
}

static enum status learn_caps(struct run *run)
{
	const struct tool *const one[] = {run->opts.tool, NULL};

	if (run->opts.caps)
		return caps_read(&run->caps, run->opts.caps);
	if (!run->opts.tool->object)
		return OK;
	run->symbols.both = names_locks(run->opts.tool);
	return caps_probe(&run->caps, one, &run->opts, &run->symbols);
}

/* The cgroup's id, and for v1 which hierarchy of the task it stands in. */
static enum status find_cgroup(struct run *run)
{
	struct filter *filter = &run->plan.filter;
	struct cgroup_ref ref;
	char key[64];
	const char *index;
	int err;

	if (!run->opts.cgroup)
		return OK;
	err = cgroup_resolve(run->opts.cgroup, &ref);
	if (err == -ENOTSUP)
		return fail(CANNOT,
			    "cgroup %s: a named v1 hierarchy has no controller to find it by",
			    run->opts.cgroup);
	if (err)
		return fail(USAGE, "no cgroup '%s': %s", run->opts.cgroup, strerror(-err));
	filter->cgroup = ref.id;
	if (!ref.v1)
		return OK;
	snprintf(key, sizeof(key), "cgroup_subsys.%s", ref.controller);
	index = caps_get(&run->caps, key);
	if (!index)
		return fail(CANNOT,
			    "cgroup %s: this kernel's BTF does not tell where controller %s is",
			    run->opts.cgroup, ref.controller);
	filter->cgroup_v1 = 1;
	filter->cgroup_subsys = (uint32_t)strtoul(index, NULL, 10);
	return OK;
}

static enum status catch_signals(struct run *run)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	signal(SIGPIPE, SIG_IGN); /* a reader that went away is a write error */
	sigprocmask(SIG_BLOCK, &set, &run->before);
	run->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return run->signals < 0 ? fail(FAILED, "cannot catch signals: %s", strerror(errno)) : OK;
}

/* From now on a signal kills at once. */
static void release_signals(void)
{
	sigset_t set;

	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* True when a signal or the command's end says stop. */
static bool take_signals(struct run *run)
{
	struct signalfd_siginfo info;
	bool stop = false;

	while (read(run->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			stop |=
			    run->opts.command && command_reap(&run->command, run->opts.command[0]);
		else
			stop = true;
	}
	if (stop)
		release_signals();
	return stop;
}

static enum status report(struct run *run)
{
	struct opts *opts = &run->opts;
	const struct column *optional[MAX_COLUMNS], *group[MAX_COLUMNS];
	struct snapshot snap = {};
	unsigned n_optional = 0, n_group = 0;
	const struct column *column;
	enum status status;

	for (column = opts->tool->columns; column->name; column++) {
		if (column->key && opts_shows(opts, column))
			group[n_group++] = column;
		if (!column->key && column->optional && opts_shows(opts, column))
			optional[n_optional++] = column;
	}
	if (snapshot_init(&snap, opts->tool, group, n_group, optional, n_optional))
		return fail(FAILED, "out of memory for the report");
	snap.version = KTRACE_VERSION;
	snap.host = run->uts.nodename;
	snap.kernel = run->uts.release;
	status = session_collect(&run->session, &snap);
	if (!status)
		status = outputs_write(&run->outputs, &snap);
	snapshot_free(&snap);
	return status;
}

static void say_ready(struct run *run)
{
	ssize_t wrote;

	fprintf(stderr, "Tracing ... Ctrl-C to end.\n");
	if (run->opts.ready_fd < 0)
		return;
	wrote = write(run->opts.ready_fd, "\n", 1);
	if (wrote != 1)
		warn("cannot write to --ready-fd %d: %s", run->opts.ready_fd, strerror(errno));
}

static void show_countdown(const struct run *run, uint64_t now_ns)
{
	if (run->end_ns != UINT64_MAX && isatty(STDERR_FILENO) && now_ns < run->end_ns)
		fprintf(stderr, "\r%llus to go \r",
			(unsigned long long)((run->end_ns - now_ns + 999999999) / 1000000000));
}

/* Sleeps until the deadline, a signal, work, or the next tick of the countdown. */
static void wait_until(const struct run *run, uint64_t deadline_ns)
{
	struct pollfd fds[] = {
	    {.fd = run->signals, .events = POLLIN},
	    {.fd = user_space_fd(&run->session.user_space), .events = POLLIN},
	};
	uint64_t now_ns = host_monotonic_ns(), left_ns;
	struct timespec timeout;

	show_countdown(run, now_ns);
	left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
	if (isatty(STDERR_FILENO) && run->end_ns != UINT64_MAX && left_ns > 1000000000)
		left_ns = 1000000000;
	timeout.tv_sec = (time_t)(left_ns / 1000000000);
	timeout.tv_nsec = (long)(left_ns % 1000000000);
	ppoll(fds, 2, deadline_ns == UINT64_MAX && left_ns > 1000000000 ? NULL : &timeout, NULL);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Work that waits for a moment when nothing else is to be done. Returns when to go on with it. */
static uint64_t work(struct run *run)
{
	uint64_t work_ns = user_space_work(&run->session.user_space);

	if (work_ns && run->plan.filter.want & (WANT_ANY_KSTACK | WANT_FUNC | WANT_LOCK))
		work_ns = earlier(work_ns, symbols_read_ahead(&run->symbols));
	return work_ns;
}

/* Reports until something says stop; the last report is made on the way out. */
static enum status loop(struct run *run)
{
	const struct opts *opts = &run->opts;
	uint64_t reports = 0, now_ns;
	enum status status = OK;

	for (;;) {
		wait_until(run, earlier(earlier(work(run), run->guard.look_ns),
					earlier(run->next_ns, run->end_ns)));
		now_ns = host_monotonic_ns();
		guard_look(&run->guard, &run->session, now_ns);
		if (take_signals(run) || now_ns >= run->end_ns)
			return report(run);
		if (now_ns < run->next_ns)
			continue;
		status = report(run);
		if (status || ++reports == opts->count)
			return status;
		run->next_ns += opts->interval_ns;
		if (run->next_ns < now_ns) /* the machine was away for longer than an interval */
			run->next_ns = now_ns + opts->interval_ns;
	}
}

static enum status trace(struct run *run)
{
	const struct opts *opts = &run->opts;
	enum status status;

	status = session_open(&run->session, &run->plan, (uint32_t)run->command.tgid);
	if (!status)
		status = guard_begin(&run->guard, &run->session, opts->max_overhead);
	if (status)
		return status;
	run->begin_ns = run->session.start_ns;
	run->end_ns = opts->duration_ns ? run->begin_ns + opts->duration_ns : UINT64_MAX;
	run->next_ns = opts->interval_ns ? run->begin_ns + opts->interval_ns : UINT64_MAX;
	/* The end falls on a tick: one report, not two. */
	if (opts->duration_ns && opts->interval_ns && opts->duration_ns % opts->interval_ns == 0)
		run->end_ns += 1000000;
	say_ready(run);
	symbols_begin(&run->symbols, run->begin_ns, opts->interval_ns);
	if (opts->command)
		status = command_release(&run->command, opts->command[0]);
	if (!status)
		status = loop(run);
	if (!status)
		status = outputs_commit(&run->outputs);
	return status;
}

static enum status run_traced(struct run *run)
{
	enum status status = outputs_open(&run->outputs, &run->opts);

	if (!status)
		status = catch_signals(run);
	if (!status && run->opts.command)
		status = command_start(&run->command, run->opts.command);
	if (!status)
		status = trace(run);
	return status;
}

static enum status run_parsed(struct run *run)
{
	enum status status = check_named(&run->opts);

	if (!status)
		status = learn_caps(run);
	if (status)
		return status;
	plan_make(&run->opts, &run->caps, &run->plan);
	run->plan.symbols = &run->symbols;
	if (run->opts.action == ACTION_EXPLAIN) {
		plan_print(&run->plan, stdout);
		status = help_flush();
		return status ? status : plan_check(&run->plan);
	}
	status = find_cgroup(run);
	if (!status)
		status = plan_check(&run->plan);
	return status ? status : run_traced(run);
}

enum status run_tool(const struct tool *tool, int argc, char **argv)
{
	struct run *run = calloc(1, sizeof(*run));
	enum status status;

	if (!run)
		return fail(FAILED, "out of memory");
	run->signals = -1;
	run->command.gate = run->command.outcome = -1;
	uname(&run->uts);
	status = opts_parse(tool, argc, argv, &run->opts);
	if (!status && run->opts.action == ACTION_HELP)
		status = help_tool(tool);
	else if (!status)
		status = run_parsed(run);
	session_close(&run->session);
	command_stop(&run->command);
	outputs_close(&run->outputs);
	caps_free(&run->caps);
	symbols_free(&run->symbols);
	if (run->signals >= 0)
		close(run->signals);
	free(run);
	return status;
}
