// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/slots.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/host.h"

#define SLOTS_BYTES (16u << 20)
#define SLOTS_LEAST 64
#define ROWS_MOST 8192
#define STACKS_MOST 4096
/* A row is written in some hundred nanoseconds; a CPU can be away in the middle of it. */
#define TRIES 1000000

static uint32_t slots_fitting(uint32_t cpus, size_t slot_size, uint32_t most)
{
	size_t n = SLOTS_BYTES / cpus / slot_size;

	return n < SLOTS_LEAST ? SLOTS_LEAST : n > most ? most : (uint32_t)n;
}

void slots_plan(const struct plan *plan, struct slots *slots)
{
	const struct layout *layout = &plan->opts->tool->layout;

	slots->cpus = host_cpus();
	slots->rows = slots_fitting(
	    slots->cpus, sizeof(struct slot_head) + layout->key_size + layout->value_size,
	    ROWS_MOST);
	slots->stacks =
	    slots_fitting(slots->cpus, sizeof(uint64_t) * (2 + plan->filter.depth), STACKS_MOST);
	if (plan->opts->max_rows)
		slots->rows = plan->opts->max_rows;
	if (plan->max_stacks == 1 || plan->opts->max_stacks)
		slots->stacks = plan->max_stacks;
}

int slots_map(struct slots_view *view, const struct bpf_map *map)
{
	long page = sysconf(_SC_PAGESIZE);
	size_t len;
	void *mem;

	/* The kernel rounds an array's elements up to 8 bytes. */
	view->slot_size = (bpf_map__value_size(map) + 7) / 8 * 8;
	view->n = bpf_map__max_entries(map);
	len = (size_t)view->slot_size * view->n;
	len = (len + (size_t)page - 1) / (size_t)page * (size_t)page;
	mem = mmap(NULL, len, PROT_READ, MAP_SHARED, bpf_map__fd(map), 0);
	if (mem == MAP_FAILED)
		return -errno;
	view->mem = mem;
	view->len = len;
	return 0;
}

void slots_unmap(struct slots_view *view)
{
	if (view->len)
		munmap((void *)view->mem, view->len);
	memset(view, 0, sizeof(*view));
}

/* A copy of the slot that no program wrote to meanwhile; false: it is free. */
static bool slot_copy(const unsigned char *slot, unsigned char *to, size_t size)
{
	const struct slot_head *head = (const struct slot_head *)slot;
	unsigned tries;
	uint64_t gen;

	for (tries = 0; tries < TRIES; tries++) {
		gen = __atomic_load_n(&head->gen, __ATOMIC_ACQUIRE);
		if (!gen)
			return false;
		if (gen & 1)
			continue;
		memcpy(to, slot, size);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (__atomic_load_n(&head->gen, __ATOMIC_RELAXED) == gen)
			return true;
	}
	memcpy(to, slot, size);
	return true;
}

int slots_read(const struct slots_view *view, struct rowset *rows, uint32_t key_size,
	       uint32_t value_size)
{
	unsigned char *slot = malloc(view->slot_size);
	const unsigned char *key;
	uint32_t i;
	int err = 0;

	memset(rows, 0, sizeof(*rows));
	rows->key_size = key_size;
	rows->value_size = value_size;
	if (!slot)
		return -ENOMEM;
	key = slot + sizeof(struct slot_head);
	for (i = 0; i < view->n && !err; i++)
		if (slot_copy(view->mem + (size_t)i * view->slot_size, slot, view->slot_size))
			err = rowset_add(rows, key, key + key_size);
	free(slot);
	return err;
}

const struct slot_stack *slots_stack(const struct slots_view *view, uint32_t i)
{
	const struct slot_stack *slot =
	    (const struct slot_stack *)(view->mem + (size_t)i * view->slot_size);

	return __atomic_load_n(&slot->id, __ATOMIC_ACQUIRE) ? slot : NULL;
}
