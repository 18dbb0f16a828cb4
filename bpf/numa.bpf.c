// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * numamove: a task touches pages that NUMA balancing finds in the wrong node, and
 * moves them itself, in its page fault. The move begins and ends in one thread.
 *
 * Before 5.14 (c5b5a3dd2c1f) huge pages took a way of their own that has no
 * tracepoint, migrate_misplaced_transhuge_page().
 */
#include "bpf/kernel.h"
#include "bpf/numa.h"

const volatile struct numa_cfg cfg SEC(".rodata.cfg");

#include "bpf/ktrace.bpf.h"

/* ts 0: it moves nothing. */
struct moving {
	__u64 ts;
	__u32 node;
	__u32 unused;
};

/*
 * By tid, and kept for the thread's next move: a rewrite is cheaper than insert and delete. That
 * it ends is not seen, so what was not used for long makes room.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct moving);
} starts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct numa_key);
	__type(value, struct numa_value);
} rows SEC(".maps");

static const struct numa_value zero;

static __always_inline bool is_misplaced(int reason)
{
	if (bpf_core_enum_value_exists(enum migrate_reason, MR_NUMA_MISPLACED))
		return reason == (int)bpf_core_enum_value(enum migrate_reason, MR_NUMA_MISPLACED);
	return reason == MR_NUMA_MISPLACED;
}

/*
 * Balancing brings a page to the node of the CPU that touched it (mpol_misplaced()), so
 * that is where it goes, except under a memory policy that names another. Asked when the
 * move begins: it may sleep, and end on another CPU.
 */
static __always_inline void move_began(void)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 tid = id;
	struct moving *moving, new = {};

	if (!keep_current_as(id))
		return;
	if (WANT(WANT_NODE))
		new.node = bpf_get_numa_node_id();
	moving = bpf_map_lookup_elem(&starts, &tid);
	if (moving) {
		moving->node = new.node;
		moving->ts = bpf_ktime_get_ns();
		return;
	}
	new.ts = bpf_ktime_get_ns();
	if (bpf_map_update_elem(&starts, &tid, &new, BPF_ANY))
		lose(events);
}

static __always_inline void move_ended(__u64 migrations, __u64 failed)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 tid = id;
	struct numa_key key = {};
	struct moving *moving;
	struct numa_value *row;

	moving = bpf_map_lookup_elem(&starts, &tid);
	if (moving && !moving->ts)
		moving = NULL;
	if (!moving && !keep_current_as(id)) /* else it was kept as it began */
		return;
	if (WANT(WANT_TGID))
		key.tgid = id >> 32;
	if (WANT(WANT_COMM))
		bpf_get_current_comm(key.comm, COMM_LEN);
	if (WANT(WANT_NODE))
		key.node = moving ? moving->node : bpf_get_numa_node_id();
	row = row_get(&rows, &key, (const void *)&zero);
	if (row) {
		row_add(row->migrations, migrations);
		if (failed)
			row_add(row->failed, failed);
		if (moving)
			row_add(row->total_ns, bpf_ktime_get_ns() - moving->ts);
	}
	if (moving)
		moving->ts = 0;
}

static __always_inline void on_move(int reason)
{
	if (is_misplaced(reason))
		move_began();
}

static __always_inline void on_moved(int reason, __u64 migrations, __u64 failed)
{
	if (is_misplaced(reason))
		move_ended(migrations, failed);
}

ON_EVENT(start_btf, start_raw, mm_migrate_pages_start, on_move(reason), int mode, int reason)

/*
 * The reason in a classic record, which has become an enum. Read as memory: for a choice of
 * offsets, which is made before the program is loaded, 5.10 does not let the context be read.
 */
#define RECORD_REASON(ctx, record)            \
	(bpf_core_field_exists((ctx)->reason) \
	     ? BPF_CORE_READ(ctx, reason)     \
	     : (int)BPF_CORE_READ((struct record##___enum *)(ctx), reason))

SEC("tp/migrate/mm_migrate_pages_start")
int start_tp(struct trace_event_raw_mm_migrate_pages_start *ctx)
{
	on_move(RECORD_REASON(ctx, trace_event_raw_mm_migrate_pages_start));
	return 0;
}

/* migrate_misplaced_page, where there is no event for the beginning; both ask nothing of it. */
SEC("fentry")
int BPF_PROG(start_fentry)
{
	move_began();
	return 0;
}

SEC("kprobe")
int start_kprobe(void *ctx)
{
	move_began();
	return 0;
}

/* Since 6.7 (49cac03a8f0a) large_folio_split comes before mode. */
ON_EVENT(moved_btf, moved_raw, mm_migrate_pages, on_moved(reason, succeeded, failed),
	 unsigned long succeeded, unsigned long failed, unsigned long thp_succeeded,
	 unsigned long thp_failed, unsigned long thp_split, unsigned long large_folio_split,
	 int mode, int reason)

ON_EVENT(moved_btf_old, moved_raw_old, mm_migrate_pages, on_moved(reason, succeeded, failed),
	 unsigned long succeeded, unsigned long failed, unsigned long thp_succeeded,
	 unsigned long thp_failed, unsigned long thp_split, int mode, int reason)

SEC("tp/migrate/mm_migrate_pages")
int moved_tp(struct trace_event_raw_mm_migrate_pages *ctx)
{
	on_moved(RECORD_REASON(ctx, trace_event_raw_mm_migrate_pages), ctx->succeeded, ctx->failed);
	return 0;
}

SEC("kprobe")
int huge_start_kprobe(void *ctx)
{
	move_began();
	return 0;
}

/* Not 0 when the page was moved. */
SEC("kretprobe")
int BPF_KRETPROBE(huge_kprobe, int moved)
{
	move_ended(moved ? cfg.huge_pages : 0, moved ? 0 : cfg.huge_pages);
	return 0;
}
