# SPDX-License-Identifier: GPL-2.0-or-later
"""The peers' answers in bpftrace, where it has to be told: as much as ktrace shows by default."""
import os

from tracer import WORKLOADS

CALLS = os.path.join(os.path.abspath(WORKLOADS), "calls")
BEGIN = 'BEGIN { printf("ready\\n"); }\n'  # runs when everything else is attached
LOCKS = "kprobe:mutex_lock, kprobe:mutex_lock_interruptible, kprobe:mutex_lock_killable"


def waits(begin, end, key):
    """Time between two events, by lock, task and stack, as the lock tools have it."""
    return f"""{begin}
{end} /@begin[{key}]/ {{
    $t = nsecs - @begin[{key}];
    @count[@lock[{key}], comm, @at[{key}]] = count(); @total[@lock[{key}], comm, @at[{key}]] = sum($t);
    @max[@lock[{key}], comm, @at[{key}]] = max($t); @time[@lock[{key}], comm, @at[{key}]] = hist($t);
    delete(@begin[{key}]); delete(@lock[{key}]); delete(@at[{key}]);
}}
END {{ clear(@begin); clear(@lock); clear(@at); }}"""


def contended(condition, key):
    return waits(f"""tracepoint:lock:contention_begin /{condition}/ {{
    @begin[{key}] = nsecs; @lock[{key}] = (uint64)args->lock_addr; @at[{key}] = kstack(127);
}}""", "tracepoint:lock:contention_end", key)


def timed(functions, key):
    return waits(f"""{functions} {{
    @begin[{key}] = nsecs; @lock[{key}] = arg0; @at[{key}] = kstack(127);
}}""", functions.replace("kprobe", "kretprobe"), key)


# By a name of our own: the tool's, and what tells its questions apart.
PROGRAMS = {
    "offcputime": """tracepoint:sched:sched_switch {
    @out[args->prev_pid] = nsecs; @state[args->prev_pid] = args->prev_state;
    @at[args->prev_pid] = kstack(127); @uat[args->prev_pid] = ustack(127);
    $p = args->next_pid;
    if (@out[$p]) {
        $t = nsecs - @out[$p];
        @count[args->next_comm, $p, @state[$p], @at[$p], @uat[$p]] = count();
        @total[args->next_comm, $p, @state[$p], @at[$p], @uat[$p]] = sum($t);
        @max[args->next_comm, $p, @state[$p], @at[$p], @uat[$p]] = max($t);
        delete(@out[$p]); delete(@state[$p]); delete(@at[$p]); delete(@uat[$p]);
    }
}
END { clear(@out); clear(@state); clear(@at); clear(@uat); }""",
    "wakeuptime": """tracepoint:sched:sched_switch /args->prev_state/ { @wait[args->prev_pid] = nsecs; }
tracepoint:sched:sched_waking /@wait[args->pid]/ {
    $t = nsecs - @wait[args->pid];
    @count[args->comm, comm, kstack(127), ustack(127)] = count();
    @total[args->comm, comm, kstack(127), ustack(127)] = sum($t);
    @max[args->comm, comm, kstack(127), ustack(127)] = max($t);
    delete(@wait[args->pid]);
}
END { clear(@wait); }""",
    "kmem": """tracepoint:kmem:kmalloc, tracepoint:kmem:kmem_cache_alloc {
    @count[kstack(127), comm] = count();
    @bytes[kstack(127), comm] = sum(args->bytes_alloc);
    @requested[kstack(127), comm] = sum(args->bytes_req);
}""",
    "kpages": """tracepoint:kmem:mm_page_alloc {
    @count[kstack(127), comm] = count();
    @pages[kstack(127), comm] = sum(1 << args->order);
}""",
    "workq": """tracepoint:workqueue:workqueue_queue_work { @queued[args->work] = nsecs; }
tracepoint:workqueue:workqueue_execute_start {
    $q = @queued[args->work];
    if ($q) { @delay[args->function] = hist(nsecs - $q); delete(@queued[args->work]); }
    @start[tid] = nsecs; @function[tid] = args->function;
}
tracepoint:workqueue:workqueue_execute_end /@start[tid]/ {
    $t = nsecs - @start[tid];
    @count[@function[tid]] = count(); @total[@function[tid]] = sum($t);
    @max[@function[tid]] = max($t); @time[@function[tid]] = hist($t);
    delete(@start[tid]); delete(@function[tid]);
}
END { clear(@queued); clear(@start); clear(@function); }""",
    "slabratetop": """tracepoint:kmem:kmalloc {
    @allocs[args->bytes_alloc] = count(); @bytes[args->bytes_alloc] = sum(args->bytes_alloc);
}
tracepoint:kmem:kmem_cache_alloc {
    @allocs[args->bytes_alloc] = count(); @bytes[args->bytes_alloc] = sum(args->bytes_alloc);
}
tracepoint:kmem:kfree { @frees = count(); }
tracepoint:kmem:kmem_cache_free { @freed[str(args->name)] = count(); }""",
    "offwaketime": """tracepoint:sched:sched_waking {
    $p = args->pid;
    if (@out[$p]) { @by[$p] = comm; @from[$p] = kstack(127); @user[$p] = ustack(127); }
}
tracepoint:sched:sched_switch {
    if (args->prev_state) {
        @out[args->prev_pid] = nsecs; @at[args->prev_pid] = kstack(127);
        @uat[args->prev_pid] = ustack(127);
    }
    $p = args->next_pid;
    if (@out[$p]) {
        $t = nsecs - @out[$p];
        @count[args->next_comm, @at[$p], @uat[$p], @by[$p], @from[$p], @user[$p]] = count();
        @total[args->next_comm, @at[$p], @uat[$p], @by[$p], @from[$p], @user[$p]] = sum($t);
        @max[args->next_comm, @at[$p], @uat[$p], @by[$p], @from[$p], @user[$p]] = max($t);
        delete(@out[$p]); delete(@at[$p]); delete(@uat[$p]);
        delete(@by[$p]); delete(@from[$p]); delete(@user[$p]);
    }
}
END { clear(@out); clear(@at); clear(@uat); clear(@by); clear(@from); clear(@user); }""",
    "spinlock": contended("args->flags & 1", "cpu"),
    "mlock --contended": contended("args->flags & 32", "tid"),
    "spinlock by function": timed("kprobe:native_queued_spin_lock_slowpath", "cpu"),
    "mlock": timed(LOCKS, "tid"),
    "mheld": f"""{LOCKS}, kprobe:mutex_trylock {{ @lock[tid] = arg0; }}
{LOCKS.replace("kprobe", "kretprobe")} /@lock[tid]/ {{
    $l = @lock[tid]; @begin[$l] = nsecs; @at[$l] = kstack(127); delete(@lock[tid]);
}}
kretprobe:mutex_trylock /@lock[tid]/ {{
    $l = @lock[tid];
    if (retval) {{ @begin[$l] = nsecs; @at[$l] = kstack(127); }}
    delete(@lock[tid]);
}}
kprobe:mutex_unlock /@begin[arg0]/ {{
    $t = nsecs - @begin[arg0];
    @count[arg0, comm, @at[arg0]] = count(); @total[arg0, comm, @at[arg0]] = sum($t);
    @max[arg0, comm, @at[arg0]] = max($t); @time[arg0, comm, @at[arg0]] = hist($t);
    delete(@begin[arg0]); delete(@at[arg0]);
}}
END {{ clear(@lock); clear(@begin); clear(@at); }}""",
    "tasklets": """tracepoint:irq:tasklet_entry { @begin[cpu] = nsecs; }
tracepoint:irq:tasklet_exit /@begin[cpu]/ {
    $t = nsecs - @begin[cpu];
    @count[args->func] = count(); @total[args->func] = sum($t);
    @max[args->func] = max($t); @time[args->func] = hist($t);
    delete(@begin[cpu]);
}
END { clear(@begin); }""",
    "tasklets with delays": """kprobe:__tasklet_schedule, kprobe:__tasklet_hi_schedule { @queued[arg0] = nsecs; }
tracepoint:irq:tasklet_entry {
    $q = @queued[(uint64)args->tasklet];
    if ($q) { @delay[args->func] = hist(nsecs - $q); delete(@queued[(uint64)args->tasklet]); }
    @begin[cpu] = nsecs;
}
tracepoint:irq:tasklet_exit /@begin[cpu]/ {
    $t = nsecs - @begin[cpu];
    @count[args->func] = count(); @total[args->func] = sum($t);
    @max[args->func] = max($t); @time[args->func] = hist($t);
    delete(@begin[cpu]);
}
END { clear(@queued); clear(@begin); }""",
    "numamove": """kprobe:migrate_misplaced_page { @begin[tid] = nsecs; }
kretprobe:migrate_misplaced_page /@begin[tid]/ {
    @migrations = count(); @total = sum(nsecs - @begin[tid]); delete(@begin[tid]);
}
END { clear(@begin); }""",
    "memleak": """tracepoint:kmem:kmalloc, tracepoint:kmem:kmem_cache_alloc {
    $p = (uint64)args->ptr;
    @at[$p] = kstack(127); @bytes[$p] = args->bytes_alloc; @since[$p] = nsecs;
}
tracepoint:kmem:kfree, tracepoint:kmem:kmem_cache_free {
    $p = (uint64)args->ptr;
    delete(@at[$p]); delete(@bytes[$p]); delete(@since[$p]);
}
tracepoint:kmem:mm_page_alloc {
    @pat[args->pfn] = kstack(127); @pages[args->pfn] = 1 << args->order; @psince[args->pfn] = nsecs;
}
tracepoint:kmem:mm_page_free {
    delete(@pat[args->pfn]); delete(@pages[args->pfn]); delete(@psince[args->pfn]);
}""",
    "funccount tracepoint": "tracepoint:sched:sched_switch { @ = count(); }",
    "funccount functions": "kprobe:vfs_* { @[func] = count(); }",
    "funccount user": f"uprobe:{CALLS}:calls_often {{ @[func] = count(); }}",
    "loads": """interval:s:1 {
    $load = (uint64 *)kaddr("avenrun");
    printf("%lu %lu %lu\\n", *$load, *($load + 1), *($load + 2));
}""",
}
