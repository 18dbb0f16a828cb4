// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/sample.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "core/session.h"

int sample_begin(struct session *session, uint32_t every)
{
	struct bpf_map *map = bpf_object__find_map_by_name(session->obj, SAMPLE_MAP);

	session->sample_every = session->sample_most = every;
	return map ? bpf_map__set_initial_value(map, &every, sizeof(every)) : -ENOENT;
}

int sample_change(struct session *session, uint32_t every)
{
	uint32_t zero = 0;

	if (!session->plan->filter.sampled)
		return -ENOENT;
	if (bpf_map_update_elem(bpf_object__find_map_fd_by_name(session->obj, SAMPLE_MAP), &zero,
				&every, BPF_ANY))
		return -errno;
	session->sample_every = every;
	if (session->sample_most < every)
		session->sample_most = every;
	return 0;
}

enum status sample_report(struct session *session, struct snapshot *snap)
{
	struct sample_count now = {};
	int err;

	if (*session->sample_why)
		snapshot_note(snap, "%s", session->sample_why);
	if (session->sample_most < 2)
		return OK;
	err = session_sum_cpus(session, SAMPLE_COUNTS_MAP, &now, sizeof(now));
	if (err)
		return fail(FAILED, "cannot read how many events there were: %s", strerror(-err));
	snap->sample = (struct sample){
	    .every = session->sample_most,
	    .events = now.events - session->sample_before.events,
	    .followed = now.followed - session->sample_before.followed,
	};
	return OK;
}

void sample_next_period(struct session *session, const struct snapshot *snap)
{
	session->sample_before.events += snap->sample.events;
	session->sample_before.followed += snap->sample.followed;
	session->sample_most = session->sample_every;
	if (session->sample_every < 2)
		*session->sample_why = '\0';
}
