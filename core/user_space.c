/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/user_space.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/grow.h"
#include "core/host.h"
#include "core/usyms.h"

#define SLICE_NS 2000000
/*
 * A file that only a container or a memory has is to be opened before its process ends: so the
 * first record wakes us. What comes then is taken together, for a busy machine execs often.
 */
#define REST_NS 50000000

/*
 * Where only given processes are traced, the others' records are dropped first thing; not
 * where a stack belongs to somebody else than the filter speaks of, such as a waker.
 */
static enum processes_heed whom(const struct plan *plan)
{
	const struct column *tgid = tool_column(plan->opts->tool, "tgid"), *column;

	if (!plan->filter.by_tgid || !tgid)
		return HEED_ALL;
	for (column = plan->opts->tool->columns; column->name; column++)
		if (column->kind == KIND_USTACK && column->tgid != tgid->off)
			return HEED_ALL;
	return plan->filter.follow ? HEED_FAMILIES : HEED_GIVEN;
}

/* A process that is traced from the beginning. */
static void know(struct user_space *us, uint32_t tgid)
{
	if (us->records)
		processes_follow(us->processes, tgid);
	else
		(void)processes_learn(us->processes, tgid);
}

enum status user_space_open(struct user_space *us, struct symbolize *symbolize,
			    uint32_t command_tgid)
{
	const struct plan *plan = symbolize->plan;
	const struct ids *given = &plan->opts->tgids;
	const struct usyms_style style = {
	    .mangled = plan->opts->mangled,
	    .offset = plan->opts->verbose,
	};

	if (!(plan->filter.want & WANT_ANY_USTACK))
		return OK;
	symbolize->usyms = usyms_new(&style);
	if (!symbolize->usyms)
		return fail(FAILED, "out of memory");
	us->processes = usyms_processes(symbolize->usyms);
	us->err = perf_records_open(&us->records);
	us->heed = whom(plan);
	us->to_list = us->heed == HEED_ALL;
	processes_heed(us->processes, us->heed);
	for (unsigned i = 0; i < given->n; i++)
		know(us, given->id[i]);
	if (command_tgid)
		know(us, command_tgid);
	return OK;
}

void user_space_close(struct user_space *us)
{
	perf_records_close(us->records);
	free(us->unread);
	memset(us, 0, sizeof(*us));
}

int user_space_fd(const struct user_space *us)
{
	return us->records && !us->rest_ns ? perf_records_fd(us->records) : -1;
}

static int ascending(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The processes there are, by their numbers: the highest is likely to be the youngest. */
static void list_processes(struct user_space *us)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	size_t room = 0;

	free(us->unread);
	us->unread = NULL;
	us->n_unread = 0;
	us->to_list = false;
	if (!proc)
		return;
	while ((entry = readdir(proc))) {
		uint32_t tgid = (uint32_t)strtoul(entry->d_name, NULL, 10);

		if (!tgid)
			continue;
		if (grow((void **)&us->unread, &room, us->n_unread + 1, sizeof(tgid), 256))
			break;
		us->unread[us->n_unread++] = tgid;
	}
	closedir(proc);
	if (us->n_unread)
		qsort(us->unread, us->n_unread, sizeof(*us->unread), ascending);
}

/* All that was known may be stale. */
static void begin_anew(struct user_space *us)
{
	processes_doubt(us->processes);
	us->to_list = us->heed == HEED_ALL;
}

static size_t drain(struct user_space *us)
{
	uint64_t lost = perf_records_lost(us->records);
	size_t taken = perf_records_drain(us->records, us->processes);

	if (perf_records_lost(us->records) != lost)
		begin_anew(us);
	return taken;
}

void user_space_drain(struct user_space *us)
{
	if (us->records)
		drain(us);
}

static bool read_some(struct user_space *us, uint64_t end_ns)
{
	while (us->n_unread && host_monotonic_ns() < end_ns)
		processes_follow(us->processes, us->unread[--us->n_unread]);
	return us->n_unread;
}

uint64_t user_space_work(struct user_space *us)
{
	uint64_t now_ns = host_monotonic_ns();

	if (!us->records)
		return UINT64_MAX;
	if (now_ns >= us->rest_ns)
		us->rest_ns = drain(us) ? now_ns + REST_NS : 0;
	if (us->to_list)
		list_processes(us);
	if (read_some(us, now_ns + SLICE_NS))
		return 0;
	return us->rest_ns ? us->rest_ns : UINT64_MAX;
}

void user_space_report(struct user_space *us, struct snapshot *snap)
{
	uint64_t lost;

	if (!us->processes)
		return;
	if (us->records && perf_records_recount(us->records))
		begin_anew(us);
	if (!us->records)
		snapshot_note(snap,
			      "user frames of processes that exited may have no names: the kernel "
			      "refuses its records of mappings (perf_event_open: %s)",
			      strerror(-us->err));
	lost = us->records ? perf_records_lost(us->records) : 0;
	if (lost)
		snapshot_note(snap,
			      "user frames may have no names: of the kernel's records of "
			      "mappings at least %llu were lost",
			      (unsigned long long)lost);
	lost = processes_lost(us->processes);
	if (lost)
		snapshot_note(snap,
			      "user frames may have no names: %llu processes or mappings were too "
			      "many to be kept",
			      (unsigned long long)lost);
}
