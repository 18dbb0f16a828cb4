/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tool is const data: what it hooks, which columns its rows have, which
 * options it takes. Help, completion, --explain, the plan and every output are
 * renderings of it. It never prints and owns no resource.
 */
#ifndef KTRACE_TOOL_H
#define KTRACE_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/shared.h"
#include "core/fail.h"

struct bpf_object;
struct bpf_object_open_opts;
struct opts;
struct plan;
struct session;
struct snapshot;
struct targets;

/* What a column holds; says how it is read, merged, and shown. */
enum kind {
	/* keys: equal values are one row */
	KIND_COMM,    /* char[COMM_LEN] */
	KIND_TEXT,    /* char[NAME_LEN]: a name that the kernel keeps, e.g. of a slab cache */
	KIND_U32,     /* a plain number: tgid, tid, order, node */
	KIND_STATE,   /* u32: a task state letter, see core/state.h */
	KIND_CGROUP,  /* u64 cgroup id, shown as its path */
	KIND_KSTACK,  /* u64 stack id */
	KIND_USTACK,  /* u64 stack id; .tgid says whose addresses these are */
	KIND_FUNC,    /* u64 kernel address, shown as symbol; or enum func_special */
	KIND_ENUM,    /* u32: one of column.names */
	KIND_CONTEXT, /* no bytes of its own: told from a kernel stack, see struct layout */
	KIND_CHAIN,   /* u64 chain id: who woke the waker, and so on */
	KIND_LOCK,    /* u64 address of a lock; the value has its struct lock_object */
	KIND_TARGET,  /* u32: number of a target, core/targets.h, shown as its name */
	/* values */
	KIND_COUNT,       /* u64 */
	KIND_NS,          /* u64 */
	KIND_BYTES,       /* u64 */
	KIND_DIFF_BYTES,  /* s64 */
	KIND_RATIO_BYTES, /* no bytes of its own: column num / column den */
	KIND_RATIO_NS,    /* the same, a time */
	KIND_QUANTILE_NS, /* no bytes of its own: of histogram num, at permille */
	KIND_RATE,        /* no bytes of its own: column num per second, in 1/1000 */
	KIND_ERROR,       /* u64, standard error: its square until the report is finished */
	KIND_ERROR_NS,    /* the same, a time; squared in units of snapshot.estimate.budget_ns */
	KIND_LOAD,        /* u64, 1/65536 */
	KIND_HIST_NS,     /* u64[], log2, at most HIST_SLOTS */
};

/*
 * One field of the row. Its name is the BPF struct's field, the text header,
 * the JSON key and the --sort value. Values merge by sum; names that begin
 * with "max_" by maximum.
 */
struct column {
	const char *name;
	enum kind kind;
	bool key;
	bool optional;            /* shown only when asked for by -g, or by the tool's own option */
	bool stats;               /* shown with --stats */
	bool running;             /* tells who ran: "[timer]" and the like where an interrupt did */
	bool in_value;            /* a key column whose bytes lie in the value struct */
	uint16_t off, size;       /* in the key or the value struct */
	uint32_t want;            /* WANT_ bits that make the kernel fill it in */
	uint16_t tgid;            /* KIND_USTACK: offset in the key of the tgid that owns it */
	const char *num, *den;    /* KIND_RATIO_BYTES: the columns divided; KIND_RATE: num */
	uint16_t object;          /* KIND_LOCK: offset in the value struct */
	uint16_t permille;        /* KIND_QUANTILE_NS: 500 is the median */
	const char *const *names; /* KIND_ENUM: by value, ends with NULL */
};

/* From other columns of the row, when all are there. */
static inline bool column_is_computed(const struct column *column)
{
	return column->kind == KIND_RATIO_BYTES || column->kind == KIND_RATIO_NS ||
	       column->kind == KIND_QUANTILE_NS || column->kind == KIND_RATE;
}

/* The columns' rows. More members may follow, such as OWNED_BY() of a user stack. */
#define KEY(type, field, kind_, want_, ...)                                               \
	{                                                                                 \
		.name = #field, .kind = kind_, .key = true, .off = offsetof(type, field), \
		.size = sizeof(((type *)0)->field), .want = want_, ##__VA_ARGS__          \
	}
#define KEY_OPTIONAL(type, field, kind_, want_, ...)                                             \
	{                                                                                        \
		.name = #field, .kind = kind_, .key = true, .optional = true,                    \
		.off = offsetof(type, field), .size = sizeof(((type *)0)->field), .want = want_, \
		##__VA_ARGS__                                                                    \
	}
#define KEY_RUNNING(type, field, kind_, want_, ...)                                              \
	{                                                                                        \
		.name = #field, .kind = kind_, .key = true, .running = true,                     \
		.off = offsetof(type, field), .size = sizeof(((type *)0)->field), .want = want_, \
		##__VA_ARGS__                                                                    \
	}
#define KEY_RUNNING_OPTIONAL(type, field, kind_, want_, ...)                                     \
	{                                                                                        \
		.name = #field, .kind = kind_, .key = true, .running = true, .optional = true,   \
		.off = offsetof(type, field), .size = sizeof(((type *)0)->field), .want = want_, \
		##__VA_ARGS__                                                                    \
	}
#define OWNED_BY(type, field) .tgid = offsetof(type, field)
#define KEY_IN_VALUE(type, field, kind_)                                         \
	{                                                                        \
		.name = #field, .kind = kind_, .key = true, .in_value = true,    \
		.off = offsetof(type, field), .size = sizeof(((type *)0)->field) \
	}
/* A lock's address in the key, and what it lies in in the value. */
#define KEY_LOCK(type, field, value_type, object_)                                            \
	{                                                                                     \
		.name = #field, .kind = KIND_LOCK, .key = true, .off = offsetof(type, field), \
		.size = sizeof(((type *)0)->field), .want = WANT_LOCK,                        \
		.object = offsetof(value_type, object_)                                       \
	}
#define VAL(type, field, kind_)                                              \
	{                                                                    \
		.name = #field, .kind = kind_, .off = offsetof(type, field), \
		.size = sizeof(((type *)0)->field)                           \
	}
#define VAL_OPTIONAL(type, field, kind_)                                                       \
	{                                                                                      \
		.name = #field, .kind = kind_, .optional = true, .off = offsetof(type, field), \
		.size = sizeof(((type *)0)->field)                                             \
	}

/* What row_interval() of bpf/ktrace.bpf.h adds to. */
#define VALS_INTERVAL(type) \
	VAL(type, count, KIND_COUNT), VAL(type, total_ns, KIND_NS), VAL(type, max_ns, KIND_NS)

/* What --stats adds: the mean, and where there is a histogram its quantiles. */
#define STATS_MEAN                                                                        \
	{                                                                                 \
		.name = "avg_ns", .kind = KIND_RATIO_NS, .optional = true, .stats = true, \
		.num = "total_ns", .den = "count"                                         \
	}
#define STATS_QUANTILE(name_, permille_)                                                  \
	{                                                                                 \
		.name = name_, .kind = KIND_QUANTILE_NS, .optional = true, .stats = true, \
		.num = "hist_ns", .permille = permille_                                   \
	}
#define STATS_QUANTILES \
	STATS_QUANTILE("p50_ns", 500), STATS_QUANTILE("p90_ns", 900), STATS_QUANTILE("p99_ns", 990)

/* Ways to hook the kernel, as --hook names them. */
enum via {
	VIA_NONE, /* no BPF: a system call or a file */
	VIA_TP_BTF,
	VIA_RAW_TP,
	VIA_TRACEPOINT,
	VIA_FENTRY,
	VIA_KPROBE,
	VIA_KPROBE_MULTI,
	VIA_UPROBE,
	VIA_UPROBE_MULTI,
	VIA_UPROBE_SESSION, /* at entry and return of many, by one program */
	VIA_ITER,
	N_VIA,
};

/* What a pattern of a tool with patterns may name. */
enum target_kind {
	TARGET_NONE,
	TARGET_FUNCTION, /* of the kernel */
	TARGET_EVENT,    /* a tracepoint */
	TARGET_SYSCALL,  /* an event of tracefs that is made from one */
	TARGET_USER,     /* a function of a program or library */
	TARGET_HEAP,     /* one of an allocator: no pattern names it, struct tool.find does */
};

/*
 * One way to fill a role. Hooks of the same role stand together and are tried
 * in order; the first that loads and attaches is used.
 */
struct hook {
	const char *role;
	enum via via;
	/*
	 * "sched:sched_switch", of which tp_btf and raw_tp use the part after ':'; or functions
	 * (fentry, kprobe), "mutex_lock|_mutex_lock": the first that the kernel has.
	 */
	const char *target;
	size_t prog; /* offset of the struct bpf_program * in the skeleton */
	const char *prog_name;
	unsigned when; /* HOOK_ bits */
	enum target_kind
	    patterns; /* attached to each target of this kind; wanted when a pattern is of it */
	bool copies;  /* patterns: a copy of the program for each target, for want of a cookie */
	uint16_t functions; /* patterns: only targets of these numbers (bits); 0: all */
	uint8_t mode;  /* struct tool.modes, counted from 1: only in this one; 0: in every mode */
	uint8_t parts; /* only with one of these bits in struct opts.parts; 0: always */
	/* raw_tp and tp_btf: argument number param is of this type, e.g. "struct kmem_cache *" */
	const char *param_type;
	uint8_t param;
	/* Only on kernels that have this function, too; NULL: on each. */
	const char *beside;
	const char *loses;   /* what the user does not see with this hook; NULL: nothing */
	const char *without; /* HOOK_OPTIONAL: what the user does not see without the role */
};

enum {
	HOOK_FOLLOW = 1 << 0,   /* only when a command is followed */
	HOOK_OPTIONAL = 1 << 1, /* the tool runs without this role, and says what is lost */
	HOOK_IF_PRESENT =
	    1 << 2, /* some kernels lack the event, and then there is nothing to see */
};

#define HOOK(object, role_, via_, prog_, target_, ...)                                   \
	{                                                                                \
		.role = role_, .via = via_, .target = target_,                           \
		.prog = offsetof(struct object##_bpf, progs.prog_), .prog_name = #prog_, \
		##__VA_ARGS__                                                            \
	}

/* One of several ways in which a tool can work, each with its own set of hooks. */
struct mode {
	const char *name;
	const char *note;            /* said in every report: what is not seen so; NULL: nothing */
	const struct object *object; /* NULL: the tool's */
};

/* How an option's argument is read and what is stored. */
enum unit {
	UNIT_FLAG, /* no argument; uint8_t 1 */
	UNIT_U32,  /* a whole number */
	UNIT_U64,
	UNIT_TIME,    /* "10us"; a bare number is microseconds; uint64_t ns */
	UNIT_SECONDS, /* "2", "0.5"; uint64_t ns */
	UNIT_SIZE,    /* "64", "4k"; uint64_t bytes */
	UNIT_NAME,    /* char[size], longer is refused */
	UNIT_STRING,  /* const char * */
	UNIT_CUSTOM,  /* .parse */
};

/*
 * One option. It parses into struct opts, or (in_cfg) into the struct that the
 * tool's BPF program reads, so there is no copy in between.
 */
struct option_row {
	int key; /* the letter, or a number above 255 where there is none */
	const char *name, *arg, *help;
	enum unit unit;
	bool in_cfg;
	uint16_t off, size;
	uint32_t needs; /* ACCEPT_ bits: refused by tools that lack them (shared options) */
	uint64_t min;   /* smallest number allowed */
	enum status (*parse)(const struct option_row *, const char *arg, struct opts *);
};

#define CFG_OPTION(type, field, key_, name_, arg_, unit_, help_)                                 \
	{                                                                                        \
		.key = key_, .name = name_, .arg = arg_, .help = help_, .unit = unit_,           \
		.in_cfg = true, .off = offsetof(type, field), .size = sizeof(((type *)0)->field) \
	}

/* Shared options that mean something to a tool. */
enum accept {
	ACCEPT_TASK = 1 << 0,    /* -p -t -C -G -u -k --self */
	ACCEPT_KSTACK = 1 << 1,  /* -s */
	ACCEPT_USTACK = 1 << 2,  /* -U -K */
	ACCEPT_LATENCY = 1 << 3, /* -m -M */
	ACCEPT_ROWS = 1 << 4,    /* -n -S -g */
	ACCEPT_HOOK = 1 << 5,    /* --hook --btf */
	ACCEPT_STATS = 1 << 6,   /* --stats: it has STATS_MEAN among its columns */
	ACCEPT_SAMPLE = 1 << 7,  /* --sample: its object has bpf/sample.bpf.h */
	ACCEPT_STACKS = ACCEPT_KSTACK | ACCEPT_USTACK,
};

enum at_interval {
	AT_TOTAL, /* [DURATION]: each report is the total since the start */
	AT_RATE,  /* [INTERVAL [COUNT]]: each report is what came since the last */
	AT_LIVE,  /* [INTERVAL [COUNT]]: each report is what is there now */
};

/* One BPF object: its skeleton, seen without its type. Made by CMake for each bpf/NAME.bpf.c. */
struct object {
	const char *name;
	void *(*open)(const struct bpf_object_open_opts *);
	void (*destroy)(void *skel);
	struct bpf_object *(*object)(void *skel);
};

#define OBJECT_DEFINE(n)                                         \
	static void *open_(const struct bpf_object_open_opts *o) \
	{                                                        \
		return n##_bpf__open_opts(o);                    \
	}                                                        \
	static void destroy_(void *skel)                         \
	{                                                        \
		n##_bpf__destroy(skel);                          \
	}                                                        \
	static struct bpf_object *object_(void *skel)            \
	{                                                        \
		return ((struct n##_bpf *)skel)->obj;            \
	}                                                        \
	const struct object object_##n = {#n, open_, destroy_, object_}

/* Sizes and defaults of what the BPF object and the collector share. */
struct layout {
	uint32_t cfg_size;
	const void *cfg; /* defaults, cfg_size bytes; NULL: zeros. Starts with struct filter */
	uint32_t key_size, value_size;
	/* offset in the key of the kernel stack that tells the context of what ran, for the
	 * columns that are .running or of KIND_CONTEXT */
	uint16_t running_kstack;
	bool no_rows; /* collect() makes the rows: there is no map of them */
	uint16_t
	    command_tgid; /* offset in cfg where the followed command's tgid goes; 0: nowhere */
	uint16_t slots;   /* offset of struct slots in cfg: rows and stacks are kept there; 0: in
			     hash maps */
};

struct tool {
	const char *name, *summary, *about;
	const char *example;         /* options of a typical call, for --help */
	const struct object *object; /* NULL: no BPF */
	const struct hook *hooks;    /* ends with a zero row */
	const struct mode *modes;    /* tried in order; ends with a zero row, or NULL */
	/* May the options use this mode, counted from 1? NULL: each. Pure. */
	bool (*mode_allowed)(const struct opts *, unsigned mode);
	const struct column *columns; /* ends with a zero row */
	const struct option_row
	    *options; /* beyond the shared ones; ends with a zero row, or NULL */
	/*
	 * Facts of core/caps.h that it depends on, NULL-terminated, or NULL. "no: REASON": it
	 * cannot run; "off: REASON": it runs, and every report says why there is nothing.
	 */
	const char *const *depends;
	unsigned accepts; /* ACCEPT_ */
	const char *sort; /* column; NULL: rows stay as they come */
	enum at_interval at_interval;
	uint64_t interval_ns;    /* default; 0: one report at the end */
	uint32_t text_top;       /* rows that text shows unless -n says otherwise; 0: all */
	bool screen;             /* on a terminal each report replaces the one before */
	bool load_header;        /* text reports begin with time and load averages */
	bool patterns;           /* first arguments are patterns, at least one */
	const char *note;        /* said in every report: what it samples or cannot see */
	const char *const *leaf; /* globs of functions cut from the leaf of a kernel stack: the
				    traced function itself; NULL-terminated, or NULL */
	struct layout layout;
	/*
	 * Checks options against each other, and sets what follows from them (opts.parts,
	 * opts.want); NULL: nothing to check. Pure.
	 */
	enum status (*check)(struct opts *);
	/* What cfg needs to know of the running kernel; NULL: nothing. */
	enum status (*prepare)(const struct plan *, void *cfg);
	/* What hooks with .patterns are attached to, on the running system; NULL: there are none.
	 */
	enum status (*find)(const struct plan *, struct targets *);
	/* Sizes of maps beyond those that the session knows; may set cfg. NULL: none. */
	enum status (*size_maps)(const struct plan *, struct bpf_object *, void *cfg);
	/* Draining map rows is not enough (loads, offcputime's blocked threads); else NULL. */
	enum status (*collect)(struct session *, struct snapshot *);
};

/* The objects, made from bpf/NAME.bpf.c. */
extern const struct object object_offcpu, object_wakeup, object_offwake, object_lock, object_spin,
    object_count, object_work, object_tasklet, object_alloc, object_leak, object_heap, object_slab,
    object_numa;

/* Every tool, in the order of cmd/tools.def, ends with NULL. */
extern const struct tool *const tools[];
const struct tool *tool_find(const char *name);
const struct column *tool_column(const struct tool *, const char *name);
/* KIND_ENUM: what a value is called; "?" one that has no name. */
const char *column_enum_name(const struct column *, uint32_t value);
#define TARGET_LEN 64
/* Writes the next of a hook's targets "a|b|c", returns the rest; NULL: there is no next. */
const char *tool_next_target(const char *targets, char target[TARGET_LEN]);
/* "tp_btf" and so on, as --hook and JSON have it. */
const char *via_name(enum via);

#endif
