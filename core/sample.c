// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/sample.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

/* Of all CPUs since the start. Returns 0 or -errno. */
static int read_counts(const struct session *session, struct sample_count *sum)
{
	struct bpf_map *map = bpf_object__find_map_by_name(session->obj, "sample_counts");
	size_t n_cpus = (size_t)libbpf_num_possible_cpus(), i;
	struct sample_count *of_cpu = calloc(n_cpus, sizeof(*of_cpu));
	uint32_t zero = 0;
	int err = of_cpu ? bpf_map__lookup_elem(map, &zero, sizeof(zero), of_cpu,
						n_cpus * sizeof(*of_cpu), 0)
			 : -ENOMEM;

	for (i = 0; i < n_cpus && !err; i++) {
		sum->events += of_cpu[i].events;
		sum->followed += of_cpu[i].followed;
	}
	free(of_cpu);
	return err;
}

enum status sample_report(struct session *session, struct snapshot *snap)
{
	struct sample_count now = {};
	int err;

	if (*session->sample_why)
		snapshot_note(snap, "%s", session->sample_why);
	if (session->sample_every < 2)
		return OK;
	err = read_counts(session, &now);
	if (err)
		return fail(FAILED, "cannot read how many events there were: %s", strerror(-err));
	snap->sample = (struct sample){
	    .every = session->sample_every,
	    .events = now.events - session->sample_before.events,
	    .followed = now.followed - session->sample_before.followed,
	};
	return OK;
}
