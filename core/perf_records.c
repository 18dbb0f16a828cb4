/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/perf_records.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/host.h"
#include "core/perf_ring.h"

/*
 * A fork, an exec and an exit are some 300 bytes, 800 with shared libraries: a ring has room
 * for a second of the most that a CPU can do. It is also what kernel.perf_event_mlock_kb
 * gives each CPU, less the one page of the kernel's own.
 */
#define RING_BYTES (512U << 10)
#define RINGS_BYTES (32U << 20) /* of all CPUs */
#define RING_BYTES_LEAST (64U << 10)
#define LONGEST_BYTES 4200 /* a record of a mapping whose path is PATH_MAX */

struct perf_records {
	unsigned n; /* possible CPUs; arrays of so many */
	int *fd;    /* -1: that CPU is not there */
	struct perf_ring *rings;
	struct perf_event_mmap_page **pages; /* what is mapped, with the ring behind it */
	size_t page_bytes, ring_bytes;
	int epoll;
	long online;
	uint64_t lost;
	_Alignas(8) unsigned char bytes[PERF_RECORD_BYTES];
};

static int open_event(unsigned cpu)
{
	struct perf_event_attr attr = {
	    .type = PERF_TYPE_SOFTWARE,
	    .size = sizeof(attr),
	    .config = PERF_COUNT_SW_DUMMY,
	    .sample_type = PERF_SAMPLE_TIME,
	    .sample_id_all = 1,
	    .exclude_kernel = 1,
	    .mmap = 1,
	    .mmap2 = 1,
	    .comm = 1,
	    .comm_exec = 1,
	    .task = 1,
	    .watermark = 1,
	    .wakeup_watermark = 1,
	    .use_clockid = 1,
	    .clockid = CLOCK_MONOTONIC,
	};
	long fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : (int)fd;
}

static void close_ring(struct perf_records *records, unsigned cpu)
{
	if (records->pages[cpu])
		munmap(records->pages[cpu], records->page_bytes + records->ring_bytes);
	if (records->fd[cpu] >= 0)
		close(records->fd[cpu]);
	records->pages[cpu] = NULL;
	records->rings[cpu] = (struct perf_ring){0};
	records->fd[cpu] = -1;
}

/* Returns 0 or -errno: -ENODEV where the CPU is off. */
static int open_ring(struct perf_records *records, unsigned cpu)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = cpu};
	struct perf_event_mmap_page *page;
	int err = 0, fd = open_event(cpu);

	if (fd < 0)
		return fd;
	records->fd[cpu] = fd;
	page = mmap(NULL, records->page_bytes + records->ring_bytes, PROT_READ | PROT_WRITE,
		    MAP_SHARED, fd, 0);
	if (page == MAP_FAILED) {
		err = -errno;
	} else {
		records->pages[cpu] = page;
		records->rings[cpu] = (struct perf_ring){
		    .data = (const unsigned char *)page + records->page_bytes,
		    .size = records->ring_bytes,
		};
		if (epoll_ctl(records->epoll, EPOLL_CTL_ADD, fd, &event))
			err = -errno;
	}
	if (err)
		close_ring(records, cpu);
	return err;
}

static size_t choose_ring_bytes(unsigned cpus, size_t page_bytes)
{
	size_t bytes = RING_BYTES;

	while (bytes > RING_BYTES_LEAST && bytes * cpus > RINGS_BYTES)
		bytes /= 2;
	return bytes > page_bytes ? bytes : page_bytes;
}

/* 0, or why not one CPU could be opened. */
static int open_rings(struct perf_records *records)
{
	int err = -ENODEV;
	unsigned opened = 0;

	for (unsigned cpu = 0; cpu < records->n; cpu++) {
		int one = open_ring(records, cpu);

		if (!one)
			opened++;
		else if (one != -ENODEV && one != -EINVAL) /* EINVAL: there is no such CPU */
			return one;
	}
	return opened ? 0 : err;
}

int perf_records_open(struct perf_records **out)
{
	struct perf_records *records = calloc(1, sizeof(*records));
	int err = -ENOMEM;

	*out = NULL;
	if (!records)
		return -ENOMEM;
	records->n = host_cpus();
	records->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	records->ring_bytes = choose_ring_bytes(records->n, records->page_bytes);
	records->online = sysconf(_SC_NPROCESSORS_ONLN);
	records->epoll = epoll_create1(EPOLL_CLOEXEC);
	records->fd = malloc(records->n * sizeof(*records->fd));
	records->rings = calloc(records->n, sizeof(*records->rings));
	records->pages = calloc(records->n, sizeof(*records->pages));
	if (records->fd)
		memset(records->fd, 0xff, records->n * sizeof(*records->fd));
	if (records->epoll < 0)
		err = -errno;
	else if (records->fd && records->rings && records->pages)
		err = open_rings(records);
	if (err)
		perf_records_close(records);
	else
		*out = records;
	return err;
}

void perf_records_close(struct perf_records *records)
{
	if (!records)
		return;
	if (records->fd && records->rings && records->pages)
		for (unsigned cpu = 0; cpu < records->n; cpu++)
			close_ring(records, cpu);
	if (records->epoll >= 0)
		close(records->epoll);
	free(records->fd);
	free(records->rings);
	free(records->pages);
	free(records);
}

int perf_records_fd(const struct perf_records *records)
{
	return records->epoll;
}

/* How far the kernel has written. */
static void look(struct perf_records *records, unsigned cpu)
{
	struct perf_ring *ring = &records->rings[cpu];

	if (!records->pages[cpu])
		return;
	ring->head = __atomic_load_n(&records->pages[cpu]->data_head, __ATOMIC_ACQUIRE);
	/*
	 * Of what did not fit the kernel tells before the next record that does, which may come
	 * too late.
	 */
	if (ring->head - ring->tail + LONGEST_BYTES > ring->size)
		records->lost++;
}

/* Gives back to the kernel what was read. */
static void release(struct perf_records *records, unsigned cpu)
{
	if (records->pages[cpu])
		__atomic_store_n(&records->pages[cpu]->data_tail, records->rings[cpu].tail,
				 __ATOMIC_RELEASE);
}

static void hand_over(struct perf_records *records, struct processes *ps)
{
	struct perf_record record;

	perf_record_parse(records->bytes, sizeof(records->bytes), &record);
	if (record.kind == PERF_MAP)
		processes_map(ps, &record.seen, record.pgoff);
	else if (record.kind == PERF_EXEC)
		processes_exec(ps, record.tgid);
	else if (record.kind == PERF_FORK)
		processes_fork(ps, record.tgid, record.parent);
	else if (record.kind == PERF_EXIT)
		processes_exit(ps, record.tgid);
	else if (record.kind == PERF_LOST)
		records->lost += record.lost;
}

size_t perf_records_drain(struct perf_records *records, struct processes *ps)
{
	/*
	 * What follows from a record was stamped when the record lay in its ring. So of what is
	 * not younger than this moment nothing can come up later that belongs before it.
	 */
	uint64_t until_ns = host_monotonic_ns();
	struct perf_ring *ring;
	size_t taken = 0;

	for (unsigned cpu = 0; cpu < records->n; cpu++)
		look(records, cpu);
	while ((ring = perf_rings_take(records->rings, records->n, until_ns, records->bytes,
				       &records->lost))) {
		release(records, (unsigned)(ring - records->rings));
		hand_over(records, ps);
		taken++;
	}
	for (unsigned cpu = 0; cpu < records->n; cpu++) /* also what was skipped */
		release(records, cpu);
	return taken;
}

/* Is the CPU there, where CPUs come and go? */
static bool is_online(unsigned cpu)
{
	return !close(open_event(cpu));
}

bool perf_records_recount(struct perf_records *records)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	bool came = false;

	if (online == records->online)
		return false;
	records->online = online;
	for (unsigned cpu = 0; cpu < records->n; cpu++) {
		if (records->fd[cpu] < 0)
			came |= !open_ring(records, cpu);
		else if (!is_online(cpu))
			close_ring(records, cpu);
	}
	return came;
}

uint64_t perf_records_lost(const struct perf_records *records)
{
	return records->lost;
}
