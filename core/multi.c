// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/multi.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/bpf_log.h"
#include "core/fmt.h"
#include "core/grow.h"
#include "core/host.h"
#include "core/multi_link.h"
#include "core/session.h"

/* Longer than this nobody waits: what is not attached by then is skipped. */
#define ATTACH_LIMIT_NS 30000000000ULL
/* Links that we wait for until they are closed. */
#define CLOSE_MAX 64
/* Links tried to find out which targets of a set the kernel refuses. */
#define MAX_TRIES 256
#define REFUSED_LATE "not attached within 30 s: this kernel takes them one by one"

/* One role's targets on their way. */
struct job {
	struct session *session;
	struct link_maker maker;
	uint32_t *list; /* numbers of the targets */
	size_t n;
	uint64_t begin_ns;
	unsigned tries;
	int err; /* of the last refusal */
};

static int keep_fd(int **fds, size_t *n, size_t *room, int fd)
{
	if (grow((void **)fds, room, *n + 1, sizeof(**fds), 64)) {
		close(fd);
		return -ENOMEM;
	}
	(*fds)[(*n)++] = fd;
	return 0;
}

static int keep_link(struct job *job, int fd)
{
	struct multi *multi = &job->session->multi;

	return keep_fd(&multi->links, &multi->n_links, &multi->room_links, fd);
}

static void refuse(struct job *job, uint32_t number, const char *reason)
{
	struct targets *targets = &job->session->targets;

	targets_skip(targets, targets->at[number].name, reason);
}

/*
 * One link for list[lo, lo + n). Where the kernel refuses the set for the sake of a few,
 * halves are tried until these few are alone.
 */
static int attach_set(struct job *job, size_t lo, size_t n)
{
	struct targets *targets = &job->session->targets;
	size_t i;
	int fd, err;

	fd = job->tries++ < MAX_TRIES ? link_of_set(&job->maker, targets, job->list + lo, n)
				      : -E2BIG;
	if (fd >= 0) {
		for (i = lo; i < lo + n; i++)
			targets->at[job->list[i]].attached = true;
		return keep_link(job, fd);
	}
	job->err = fd == -E2BIG && job->err ? job->err : fd;
	if (fd == -ENOMEM || fd == -EPERM)
		return fd;
	if (n == 1 || fd == -E2BIG) {
		for (i = lo; i < lo + n; i++)
			refuse(job, job->list[i], bpf_log_strerror(-job->err));
		return 0;
	}
	err = attach_set(job, lo, n / 2);
	return err ? err : attach_set(job, lo + n / 2, n - n / 2);
}

/* Sets of one file each: a link has one path. Targets of a file stand together. */
static int attach_sets(struct job *job)
{
	const struct target *at = job->session->targets.at;
	size_t lo, n;
	int err = 0;

	for (lo = 0; lo < job->n && !err; lo += n) {
		for (n = 1; lo + n < job->n; n++)
			if (at[job->list[lo + n]].binary != at[job->list[lo]].binary)
				break;
		err = attach_set(job, lo, n);
	}
	return err;
}

/* A second Ctrl-C kills; the first is for the main loop, which is not there yet. */
static bool interrupted(void)
{
	sigset_t pending;

	return !sigpending(&pending) &&
	       (sigismember(&pending, SIGINT) || sigismember(&pending, SIGTERM));
}

static const char *out_of_time(const struct job *job)
{
	if (host_monotonic_ns() - job->begin_ns > ATTACH_LIMIT_NS)
		return REFUSED_LATE;
	return interrupted() ? "not attached: interrupted" : NULL;
}

static void show_progress(const struct job *job, size_t done)
{
	if (isatty(STDERR_FILENO) && (done % 64 == 0 || done == job->n))
		fprintf(stderr, "\rattached %zu of %zu%s", done, job->n,
			done == job->n ? "\r\033[K" : " ");
}

static int attach_singly(struct job *job)
{
	struct multi *multi = &job->session->multi;
	struct targets *targets = &job->session->targets;
	const char *late = NULL;
	size_t i;
	int fd, copy, err = 0;

	for (i = 0; i < job->n && !err; i++) {
		if (!late)
			late = i % 16 ? NULL : out_of_time(job);
		if (late) {
			refuse(job, job->list[i], late);
			continue;
		}
		copy = -1;
		fd = link_of_one(&job->maker, targets, job->list[i], &copy);
		if (fd < 0) {
			job->err = fd;
			refuse(job, job->list[i], bpf_log_strerror(-fd));
			continue;
		}
		targets->at[job->list[i]].attached = true;
		err = keep_link(job, fd);
		if (copy >= 0 &&
		    keep_fd(&multi->copies, &multi->n_copies, &multi->room_copies, copy))
			err = -ENOMEM;
		show_progress(job, i + 1);
	}
	return err;
}

/* Descriptors: at most a link and a program for each, and what is open anyway. */
static void raise_limit(size_t n)
{
	struct rlimit limit;
	rlim_t need = 2 * n + 256;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= need)
		return;
	limit.rlim_cur = need;
	if (limit.rlim_max < need)
		limit.rlim_max = need;
	if (setrlimit(RLIMIT_NOFILE, &limit) && !getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int list_targets(struct job *job, const struct hook *hook)
{
	const struct targets *targets = &job->session->targets;
	uint32_t i;

	job->list = malloc((targets->n + 1) * sizeof(*job->list));
	if (!job->list)
		return -ENOMEM;
	for (i = 0; i < targets->n; i++)
		if (target_is_for(&targets->at[i], hook))
			job->list[job->n++] = i;
	return 0;
}

static void say_time(const char *what, uint64_t begin_ns)
{
	char time[32];

	warn("%s in %s", what, fmt_ns(time, sizeof(time), host_monotonic_ns() - begin_ns));
}

static enum status finish(struct job *job, struct candidate *chosen, bool *again, int err)
{
	struct targets *targets = &job->session->targets;

	if (err == -ENOMEM)
		return fail(FAILED, "cannot attach to %zu functions: out of memory", job->n);
	if (!err && targets_attached(targets, chosen->hook))
		return OK;
	if (!err && !job->n) /* -x left nothing of this kind */
		return OK;
	plan_reject(chosen, "refused at attach: %s", bpf_log_strerror(-(err ? err : job->err)));
	targets->n_skipped -= targets->n_skipped < job->n ? targets->n_skipped : job->n;
	*again = true;
	return OK;
}

/* Few enough processes for links of their own: then no other is slowed. */
#define OWN_LINKS_MAX 16

static int attach_all(struct job *job, const struct hook *hook)
{
	bool sets = hook->via == VIA_KPROBE_MULTI || hook->via == VIA_UPROBE_MULTI ||
		    hook->via == VIA_UPROBE_SESSION;
	const struct ids *tgids = &job->session->plan->opts->tgids;
	unsigned n = hook->patterns == TARGET_HEAP && tgids->n <= OWN_LINKS_MAX ? tgids->n : 0, i;
	int err = 0;

	if (!sets) {
		raise_limit(job->n * (n ? n : 1));
		job->session->multi.slow |= hook->via != VIA_RAW_TP;
	}
	for (i = 0; i < (n ? n : 1) && !err; i++) {
		job->maker.tgid = n ? tgids->id[i] : 0;
		err = sets ? attach_sets(job) : attach_singly(job);
		if (hook->via == VIA_UPROBE_MULTI)
			break; /* which is in all processes */
	}
	return err;
}

enum status multi_attach(struct session *session, struct candidate *chosen, bool *again)
{
	struct bpf_program *program = session_program(session, chosen->hook);
	struct job job = {.session = session, .begin_ns = host_monotonic_ns()};
	enum status status;
	int err = list_targets(&job, chosen->hook);

	if (!err)
		err = link_maker_init(&job.maker, chosen->hook, program);
	if (!err)
		err = attach_all(&job, chosen->hook);
	if (!err && session->targets.verbose)
		say_time("attached", job.begin_ns);
	status = finish(&job, chosen, again, err);
	link_maker_end(&job.maker);
	free(job.list);
	return status;
}

static bool is_link(const struct multi *multi, int fd)
{
	size_t i;

	for (i = 0; i < multi->n_links; i++)
		if (multi->links[i] == fd)
			return true;
	return false;
}

/*
 * Each event that is closed waits for grace periods, some 50 ms, and the kernel does one
 * after the other, whether threads close them or the process ends. A child keeps them and
 * closes them by and by, so that nobody waits; nothing else of ours stays open in it.
 */
static bool close_behind(const struct multi *multi)
{
	struct rlimit limit = {0};
	size_t i;
	int fd;
	pid_t child = fork();

	if (child)
		return child > 0;
	setsid();
	getrlimit(RLIMIT_NOFILE, &limit);
	for (fd = 0; fd < (int)(2 * multi->n_links + 512) && (rlim_t)fd < limit.rlim_cur; fd++)
		if (!is_link(multi, fd))
			close(fd);
	for (i = 0; i < multi->n_links; i++)
		close(multi->links[i]);
	_exit(0);
}

void multi_detach(struct multi *multi)
{
	size_t i;

	for (i = 0; i < multi->n_links; i++)
		close(multi->links[i]);
	multi->n_links = 0;
}

void multi_close(struct session *session, bool leaving)
{
	struct multi *multi = &session->multi;
	uint64_t begin_ns = host_monotonic_ns();
	bool any = multi->n_links;
	size_t i;

	if (leaving && multi->slow && multi->n_links > CLOSE_MAX && close_behind(multi))
		fprintf(stderr, "%zu probes are being removed in the background\n", multi->n_links);
	multi_detach(multi);
	for (i = 0; i < multi->n_copies; i++)
		close(multi->copies[i]);
	if (any && session->targets.verbose)
		say_time("detached", begin_ns);
	free(multi->links);
	free(multi->copies);
	memset(multi, 0, sizeof(*multi));
	for (i = 0; i < session->targets.n; i++)
		session->targets.at[i].attached = false;
}

const char *multi_describe(const struct session *session, const struct hook *hook,
			   struct snapshot *snap)
{
	bool event = hook->patterns == TARGET_EVENT || hook->patterns == TARGET_SYSCALL;
	size_t n = targets_attached(&session->targets, hook);
	char text[48];

	snprintf(text, sizeof(text), "%zu %s%s", n, event ? "event" : "function",
		 n == 1 ? "" : "s");
	return snapshot_text(snap, text, sizeof(text));
}
