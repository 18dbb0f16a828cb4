// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * memleak, user heap: what a process's allocator gave and did not get back, by process
 * and address. One call of a thread counts, the outermost: what it calls itself, such as
 * malloc() in realloc(), is known by its deeper stack pointer. So is a call that never
 * returned (longjmp), by a later one that is not deeper.
 */
#include "bpf/kernel.h"
#include "bpf/heap.h"

const volatile struct leak_cfg cfg SEC(".rodata.cfg");

#define PREEMPTED /* as programs on user functions are */
#include "bpf/ktrace.bpf.h"
#include "bpf/user_regs.bpf.h"
#include "bpf/heap_call.bpf.h"
#include "bpf/heap_sample.bpf.h"

/* Sized before load, and its value cut. So it has no types, as stacks. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct heap_key));
	__uint(value_size, sizeof(struct heap_value));
} live SEC(".maps");

/* By process: those that have ended, or become another program, since the last report. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, struct heap_end);
} ends SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct heap_misses);
} misses SEC(".maps");

static __always_inline bool keep_bytes(__u64 bytes)
{
	return bytes >= cfg.min_bytes && (!cfg.max_bytes || bytes <= cfg.max_bytes);
}

static __always_inline struct heap_key key_of(__u64 addr)
{
	return (struct heap_key){.addr = addr, .tgid = bpf_get_current_pid_tgid() >> 32};
}

#define row_miss(field)                                                           \
	do {                                                                      \
		__u32 zero_ = 0;                                                  \
		struct heap_misses *miss_ = bpf_map_lookup_elem(&misses, &zero_); \
		if (miss_)                                                        \
			row_add(miss_->field, 1);                                 \
	} while (0)

static __always_inline void live_add(const struct heap_key *key, const struct heap_value *value)
{
	int err = bpf_map_update_elem(&live, key, value, BPF_NOEXIST);

	if (err == -EEXIST) {
		row_miss(retaken);
		err = bpf_map_update_elem(&live, key, value, BPF_ANY);
	}
	if (err)
		lose(events);
}

static __always_inline void value_begin(struct heap_value *value, enum leak_class class,
					__u64 bytes)
{
	value->ts_ns = bpf_ktime_get_ns();
	value->bytes = bytes;
	value->class = class;
	value->tid = bpf_get_current_pid_tgid();
	if (WANT(WANT_COMM))
		bpf_get_current_comm(value->comm, COMM_LEN);
	if (WANT(WANT_CGROUP))
		value->cgroup = cgroup_id((void *)bpf_get_current_task());
}

static __always_inline void on_result(struct user_regs *ctx, const struct heap_call *call,
				      __u64 addr)
{
	struct heap_value value = {};
	struct heap_key key = key_of(addr);

	value_begin(&value, LEAK_MALLOC, call->bytes);
	if (WANT(WANT_USTACK))
		value.ustack = STACK_WALK(walk_caller(ctx, call, walk_));
	live_add(&key, &value);
}

/* What the call gave; 0: it failed, or nothing. */
static __always_inline __u64 result_of(struct user_regs *ctx, const struct heap_call *call)
{
	__u64 addr = 0;

	if (call->function != HEAP_POSIX_MEMALIGN)
		return RESULT(ctx);
	if ((int)RESULT(ctx))
		return 0;
	if (bpf_probe_read_user(&addr, sizeof(addr), (void *)call->result))
		lose(events);
	return addr;
}

static __always_inline int on_return(struct user_regs *ctx)
{
	struct heap_call *call = call_of_thread(false);
	__u64 addr;

	if (!call || !call->sp || SP(ctx) != call->sp + RETURN_POPS)
		return 0;
	call->sp = 0;
	addr = result_of(ctx, call);
	/* realloc(p, 0) may free and give nothing; another that gives nothing has failed. */
	if (!addr && call->has_old && call->bytes)
		live_add(&call->old_key, &call->old);
	if (addr && call->kept)
		on_result(ctx, call, addr);
	return 0;
}

/* In a session an entry's result 1 saves the return; elsewhere that would make perf write. */
#define LEAVE (cfg.session ? 1 : 0)

/* What is reallocated is out of live until that failed: else another may have its address. */
static __always_inline void take_old(struct heap_call *call, __u64 old)
{
	struct heap_key key = key_of(old);
	struct heap_value *value;

	call->has_old = 0;
	value = old ? bpf_map_lookup_elem(&live, &key) : NULL;
	if (!value) {
		if (old && cfg.count_misses)
			row_miss(frees);
		return;
	}
	call->has_old = 1;
	call->old_key = key;
	bpf_probe_read_kernel(&call->old, sizeof(call->old), value);
	bpf_map_delete_elem(&live, &key);
}

/*
 * The entry of any but free(). Those that call no other of them (leaf) leave no trace
 * when they are not followed.
 * An exception cannot pass a function whose return is hooked: the program would end. Operator
 * new throws where there is no memory, which is sure of what is more than there is.
 */
static __always_inline int on_entry(struct user_regs *ctx, enum heap_function function, __u64 bytes,
				    __u64 arg)
{
	bool leaf = (function == HEAP_MALLOC || function == HEAP_NEW) && !cfg.mappings, kept;
	__u64 sp = SP(ctx);
	struct heap_call *call;

	if (!keep_current() || (function == HEAP_NEW && bytes > cfg.max_new_bytes))
		return LEAVE;
	kept = function != HEAP_FREE && keep_bytes(bytes) && sampled(bytes);
	if (!kept && leaf && cfg.session)
		return LEAVE;
	call = call_of_thread(kept || !leaf);
	if (!call || is_within(call, sp, IP(ctx)))
		return LEAVE;
	call->sp = kept || !leaf ? sp : 0;
	if (!call->sp)
		return LEAVE;
	call->ip = IP(ctx);
	call->bytes = bytes;
	call->function = function;
	call->kept = kept;
	call->result = arg;
	take_wrapper(call, sp);
	call->has_old = 0;
	if (function == HEAP_REALLOC || function == HEAP_REALLOCARRAY)
		take_old(call, arg);
	return 0;
}

/* More than there is: the call fails. */
static __always_inline __u64 product(__u64 n, __u64 size)
{
	__u64 bytes = n * size;

	barrier_var(bytes); /* else a 128-bit product, which BPF has not */
	return size && bytes / size != n ? ~0ULL : bytes;
}

/* A free that was not expected: from before tracing, or within another call. */
static __always_inline void on_unknown_free(struct user_regs *ctx)
{
	struct heap_call *call;

	if (!keep_current())
		return;
	call = call_of_thread(false);
	if (call && call->sp && SP(ctx) < call->sp)
		return;
	if (call && call->deleted == ARG1(ctx))
		call->deleted = 0;
	else
		row_miss(frees);
}

static __always_inline int on_free(struct user_regs *ctx)
{
	struct heap_key key = key_of(ARG1(ctx));
	int err; /* of 32 bits: before 6.4 maps gave no more */

	if (!key.addr)
		return LEAVE;
	if (cfg.filter.by_tgid && !bpf_map_lookup_elem(&tgids, &key.tgid))
		return LEAVE;
	err = bpf_map_delete_elem(&live, &key);
	if (err == -ENOENT && cfg.count_misses)
		on_unknown_free(ctx);
	else if (err && err != -ENOENT)
		lose(events);
	/* What is unmapped within is the allocator's. */
	return cfg.mappings ? on_entry(ctx, HEAP_FREE, 0, 0) : LEAVE;
}

static __always_inline int on_delete(struct user_regs *ctx)
{
	struct heap_call *call;

	if (cfg.count_misses && keep_current()) {
		call = call_of_thread(true);
		on_free(ctx);
		if (call)
			call->deleted = ARG1(ctx);
		return LEAVE;
	}
	return on_free(ctx);
}

static __always_inline int on_wrapper(struct user_regs *ctx)
{
	__u64 sp = SP(ctx);
	struct heap_call *call;

	if (!WANT(WANT_USTACK) || !keep_current())
		return LEAVE;
	call = call_of_thread(true);
	if (!call)
		return LEAVE;
	/* One that calls another: it is the first whose caller is wanted. */
	if (call->wrapper_sp > sp && call->wrapper_sp - sp <= WRAPPER_FRAME)
		return LEAVE;
	call->wrapper_caller = caller_at_entry(ctx);
	call->wrapper_sp = call->wrapper_caller ? sp : 0;
	call->wrapper_bp = FRAME(ctx);
	return LEAVE;
}

/* Where one program sees entries or returns only. */
#define ON_FUNCTION(section, name, call) \
	SEC(section)                     \
	int name(struct user_regs *ctx)  \
	{                                \
		ON_TASK_STACK(ctx);      \
		return call;             \
	}

ON_FUNCTION("uprobe", heap_malloc, on_entry(ctx, HEAP_MALLOC, ARG1(ctx), 0))
ON_FUNCTION("uprobe", heap_new, on_entry(ctx, HEAP_NEW, ARG1(ctx), 0))
ON_FUNCTION("uprobe", heap_memalign, on_entry(ctx, HEAP_MEMALIGN, ARG2(ctx), 0))
ON_FUNCTION("uprobe", heap_calloc, on_entry(ctx, HEAP_CALLOC, product(ARG1(ctx), ARG2(ctx)), 0))
ON_FUNCTION("uprobe", heap_realloc, on_entry(ctx, HEAP_REALLOC, ARG2(ctx), ARG1(ctx)))
ON_FUNCTION("uprobe", heap_reallocarray,
	    on_entry(ctx, HEAP_REALLOCARRAY, product(ARG2(ctx), ARG3(ctx)), ARG1(ctx)))
ON_FUNCTION("uprobe", heap_posix_memalign, on_entry(ctx, HEAP_POSIX_MEMALIGN, ARG3(ctx), ARG1(ctx)))
ON_FUNCTION("uprobe", heap_free, on_free(ctx))
ON_FUNCTION("uprobe", heap_delete, on_delete(ctx))
ON_FUNCTION("uprobe", heap_wrapper, on_wrapper(ctx))
ON_FUNCTION("uretprobe", heap_return, on_return(ctx))

/* A session: entry and return of all functions. The cookie says what it is. */
SEC("uprobe")
int heap_session(struct user_regs *ctx)
{
	__u64 function, bytes = ARG1(ctx), arg = 0;

	ON_TASK_STACK(ctx);
	if (IP(ctx) != bpf_get_func_ip(ctx))
		return on_return(ctx);
	function = bpf_get_attach_cookie(ctx);
	switch (function) {
	case HEAP_FREE:
		return on_free(ctx);
	case HEAP_DELETE:
		return on_delete(ctx);
	case HEAP_WRAPPER:
	case HEAP_MAPPER:
		return on_wrapper(ctx);
	case HEAP_MEMALIGN:
		bytes = ARG2(ctx);
		break;
	case HEAP_CALLOC:
		bytes = product(ARG1(ctx), ARG2(ctx));
		break;
	case HEAP_REALLOC:
		arg = ARG1(ctx);
		bytes = ARG2(ctx);
		break;
	case HEAP_REALLOCARRAY:
		arg = ARG1(ctx);
		bytes = product(ARG2(ctx), ARG3(ctx));
		break;
	case HEAP_POSIX_MEMALIGN:
		arg = ARG1(ctx);
		bytes = ARG3(ctx);
		break;
	}
	return on_entry(ctx, function, bytes, arg);
}

static __always_inline void on_end(bool exits)
{
	__u64 id = bpf_get_current_pid_tgid(), now = bpf_ktime_get_ns();
	struct heap_end end = {}, *known;
	__u32 tgid = id >> 32;

	known = bpf_map_lookup_elem(&ends, &tgid);
	if (known)
		end = *known;
	if (exits)
		end.exit_ns = now;
	else
		end.exec_ns = now;
	if (bpf_map_update_elem(&ends, &tgid, &end, BPF_ANY))
		lose(events);
}

static __always_inline void forget_thread(void)
{
	__u32 tid = bpf_get_current_pid_tgid();

	bpf_map_delete_elem(&starts, &tid);
}

static __always_inline void on_exec(void)
{
	if (!keep_current())
		return;
	forget_thread();
	on_end(false);
}

/* A thread ends; the last one takes the process with it. */
static __always_inline void on_exit(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	if (!keep_current())
		return;
	forget_thread();
	if (!BPF_CORE_READ(task, signal, live.counter))
		on_end(true);
}

ON_EVENT(exec_btf, exec_raw, sched_process_exec, on_exec())
ON_EVENT(exit_btf, exit_raw, sched_process_exit, on_exit())

SEC("tp/sched/sched_process_exec")
int exec_tp(void *ctx)
{
	on_exec();
	return 0;
}

SEC("tp/sched/sched_process_exit")
int exit_tp(void *ctx)
{
	on_exit();
	return 0;
}

#include "bpf/heap_map.bpf.h"
