// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/sample.h"

#include <bpf/bpf.h>
#include <errno.h>

#include "core/session.h"

#define MAP ".data.sample"

int sample_begin(struct session *session, uint32_t every)
{
	struct bpf_map *map = bpf_object__find_map_by_name(session->obj, MAP);

	session->sample_every = every;
	return map ? bpf_map__set_initial_value(map, &every, sizeof(every)) : -ENOENT;
}

int sample_raise(struct session *session, uint32_t every)
{
	uint32_t zero = 0;

	if (!session->plan->filter.sampled)
		return -ENOENT;
	if (bpf_map_update_elem(bpf_object__find_map_fd_by_name(session->obj, MAP), &zero, &every,
				BPF_ANY))
		return -errno;
	session->sample_every = every;
	return 0;
}

void sample_report(const struct session *session, struct snapshot *snap)
{
	if (session->sample_every > 1)
		snap->sample_every = session->sample_every;
	if (*session->sample_why)
		snapshot_note(snap, "%s", session->sample_why);
}
