// SPDX-License-Identifier: GPL-2.0-or-later
/* What memleak hooks: in one mode the kernel's allocators, in the others those of processes. */
#include "bpf/heap.h"
#include "bpf/hooks.h"
#include "cmd/memleak.h"
#include "core/tool.h"
#include "heap.skel.h"
#include "leak.skel.h"

#define PARTS_SLAB (PART(LEAK_SLAB) | PART(LEAK_KMALLOC))

#define OF(class) .parts = PART(class), .mode = MEMLEAK_KERNEL
/* kfree() frees objects of slab caches too, kmem_cache_free() no kmalloc. */
#define OF_SLABS .parts = PARTS_SLAB, .mode = MEMLEAK_KERNEL
#define HOOKS_FREE(role, base, event, ...)                   \
	HOOKS_ADDRESS(leak, role, base, event, __VA_ARGS__), \
	    HOOK(leak, role, VIA_TRACEPOINT, base##_tp_old, event, __VA_ARGS__)
#define NEW_PERCPU OF(LEAK_PERCPU), .param = 2, .param_type = "bool"
#define OLD_PERCPU OF(LEAK_PERCPU), .param = 2, .param_type = "size_t"
#define RCU_FREE                                                                           \
	"kvfree_call_rcu", OF_SLABS,                                                       \
	    .when = HOOK_OPTIONAL,                                                         \
	    .without = "kfree_rcu() emits no event: what it frees looks leaked until its " \
		       "address is allocated again"
#define BULK_FREE                                                                           \
	"kmem_cache_free_bulk", OF_SLABS,                                                   \
	    .when = HOOK_OPTIONAL,                                                          \
	    .without = "bulk frees (kmem_cache_free_bulk, kfree_bulk) emit no event: what " \
		       "they free looks leaked until its address is allocated again"

#define OF_HEAP(mode_, functions_)                                                   \
	"functions of allocators", .patterns = TARGET_HEAP, .functions = functions_, \
				   .mode = mode_, .parts = PART(LEAK_MALLOC)
/* Entries, by a program for each kind of function: before 5.15 one cannot be told which it is. */
#define HOOKS_ENTRY(role, prog, function)                                                   \
	HOOK(heap, role, VIA_UPROBE_MULTI, prog, OF_HEAP(MEMLEAK_PAIRS, 1u << (function))), \
	    HOOK(heap, role, VIA_UPROBE, prog, OF_HEAP(MEMLEAK_PAIRS, 1u << (function)))
#define RETURNING ((1u << HEAP_FREE) - 1)
#define OF_MAPPER(mode_)                                                                      \
	"functions that map memory", .patterns = TARGET_HEAP, .functions = 1u << HEAP_MAPPER, \
				     .mode = mode_, .parts = PART(LEAK_MMAP)
/* With mappings a free has an end, too. */
#define OF_FREES                                                                     \
	"functions of allocators", .patterns = TARGET_HEAP,                          \
				   .functions = 1u << HEAP_FREE | 1u << HEAP_DELETE, \
				   .mode = MEMLEAK_PAIRS, .parts = PART(LEAK_MMAP)
#define HOOKS_SYSCALL(role, base, event, mode_)                                                   \
	HOOK(heap, role, VIA_TP_BTF, base##_btf, event, .mode = mode_, .parts = PART(LEAK_MMAP)), \
	    HOOK(heap, role, VIA_RAW_TP, base##_raw, event, .mode = mode_,                        \
		 .parts = PART(LEAK_MMAP))
#define HOOKS_USER(role, base, event, ...)                                         \
	HOOKS_EVENT(heap, role, base, event, .mode = MEMLEAK_USER, ##__VA_ARGS__), \
	    HOOKS_EVENT(heap, role, base, event, .mode = MEMLEAK_PAIRS, ##__VA_ARGS__)

const struct hook memleak_hooks[] = {
    HOOKS_KMALLOC(leak, OF(LEAK_KMALLOC)),
    HOOKS_CACHE_ALLOC(leak, OF(LEAK_SLAB)),
    HOOKS_FREE("kfree", kfree, "kmem:kfree", OF_SLABS),
    HOOKS_FREE("cache_free", cache_free, "kmem:kmem_cache_free", OF(LEAK_SLAB)),
    HOOK(leak, "rcu_free", VIA_FENTRY, rcu_free_fentry, RCU_FREE),
    HOOK(leak, "rcu_free", VIA_KPROBE, rcu_free_kprobe, RCU_FREE),
    HOOK(leak, "bulk_free", VIA_FENTRY, bulk_free_fentry, BULK_FREE),
    HOOK(leak, "bulk_free", VIA_KPROBE, bulk_free_kprobe, BULK_FREE),
    HOOK(leak, "bulk_alloc", VIA_FENTRY, bulk_alloc_fexit,
	 "kmem_cache_alloc_bulk_noprof|kmem_cache_alloc_bulk", OF(LEAK_SLAB), .when = HOOK_OPTIONAL,
	 .without = "bulk allocations (kmem_cache_alloc_bulk) emit no event and are not seen"),
    HOOKS_ADDRESS(leak, "page", page, "kmem:mm_page_alloc", OF(LEAK_PAGES)),
    HOOKS_ADDRESS(leak, "page_free", page_free, "kmem:mm_page_free", OF(LEAK_PAGES)),
    HOOK(leak, "percpu", VIA_RAW_TP, percpu_raw, "percpu:percpu_alloc_percpu", NEW_PERCPU),
    HOOK(leak, "percpu", VIA_RAW_TP, percpu_raw_old, "percpu:percpu_alloc_percpu", OLD_PERCPU),
    HOOK(leak, "percpu", VIA_TP_BTF, percpu_btf, "percpu:percpu_alloc_percpu", NEW_PERCPU),
    HOOK(leak, "percpu", VIA_TP_BTF, percpu_btf_old, "percpu:percpu_alloc_percpu", OLD_PERCPU),
    HOOK(leak, "percpu", VIA_TRACEPOINT, percpu_tp, "percpu:percpu_alloc_percpu", OF(LEAK_PERCPU)),
    HOOKS_ADDRESS(leak, "percpu_free", percpu_free, "percpu:percpu_free_percpu", OF(LEAK_PERCPU)),
    HOOKS_FOLLOW(leak, .mode = MEMLEAK_KERNEL),
    HOOK(heap, "allocator", VIA_UPROBE_SESSION, heap_session,
	 OF_HEAP(MEMLEAK_USER, (1u << HEAP_MAPPER) - 1)),
    HOOK(heap, "mapper", VIA_UPROBE_SESSION, heap_session, OF_MAPPER(MEMLEAK_USER)),
    HOOKS_ENTRY("malloc", heap_malloc, HEAP_MALLOC),
    HOOKS_ENTRY("new", heap_new, HEAP_NEW),
    HOOKS_ENTRY("memalign", heap_memalign, HEAP_MEMALIGN),
    HOOKS_ENTRY("calloc", heap_calloc, HEAP_CALLOC),
    HOOKS_ENTRY("realloc", heap_realloc, HEAP_REALLOC),
    HOOKS_ENTRY("reallocarray", heap_reallocarray, HEAP_REALLOCARRAY),
    HOOKS_ENTRY("posix_memalign", heap_posix_memalign, HEAP_POSIX_MEMALIGN),
    HOOKS_ENTRY("free", heap_free, HEAP_FREE),
    HOOKS_ENTRY("delete", heap_delete, HEAP_DELETE),
    HOOKS_ENTRY("wrapper", heap_wrapper, HEAP_WRAPPER),
    HOOK(heap, "return", VIA_UPROBE_MULTI, heap_return, OF_HEAP(MEMLEAK_PAIRS, RETURNING)),
    HOOK(heap, "return", VIA_UPROBE, heap_return, OF_HEAP(MEMLEAK_PAIRS, RETURNING)),
    HOOK(heap, "free_return", VIA_UPROBE_MULTI, heap_return, OF_FREES),
    HOOK(heap, "free_return", VIA_UPROBE, heap_return, OF_FREES),
    HOOK(heap, "mapper", VIA_UPROBE_MULTI, heap_wrapper, OF_MAPPER(MEMLEAK_PAIRS)),
    HOOK(heap, "mapper", VIA_UPROBE, heap_wrapper, OF_MAPPER(MEMLEAK_PAIRS)),
    HOOKS_SYSCALL("sys_enter", sys_enter, "raw_syscalls:sys_enter", MEMLEAK_USER),
    HOOKS_SYSCALL("sys_enter", sys_enter, "raw_syscalls:sys_enter", MEMLEAK_PAIRS),
    HOOKS_SYSCALL("sys_exit", sys_exit, "raw_syscalls:sys_exit", MEMLEAK_USER),
    HOOKS_SYSCALL("sys_exit", sys_exit, "raw_syscalls:sys_exit", MEMLEAK_PAIRS),
    HOOKS_USER("exec", exec, "sched:sched_process_exec"),
    HOOKS_USER("exit", exit, "sched:sched_process_exit"),
    HOOKS_FOLLOW(heap, .mode = MEMLEAK_USER),
    HOOKS_FOLLOW(heap, .mode = MEMLEAK_PAIRS),
    {0},
};
