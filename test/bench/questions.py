# SPDX-License-Identifier: GPL-2.0-or-later
"""What is asked of ktrace and of a peer, and of what load: see bench.py."""
import collections

# BEGIN runs when everything else is attached.
BPFTRACE = {
    "kmem": """BEGIN { printf("ready\\n"); }
tracepoint:kmem:kmalloc, tracepoint:kmem:kmem_cache_alloc {
    @count[kstack(127), comm] = count();
    @bytes[kstack(127), comm] = sum(args->bytes_alloc);
    @requested[kstack(127), comm] = sum(args->bytes_req);
}""",
    "kpages": """BEGIN { printf("ready\\n"); }
tracepoint:kmem:mm_page_alloc {
    @count[kstack(127), comm] = count();
    @pages[kstack(127), comm] = sum(1 << args->order);
}""",
    "workq": """BEGIN { printf("ready\\n"); }
tracepoint:workqueue:workqueue_queue_work { @queued[args->work] = nsecs; }
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
    "slabratetop": """BEGIN { printf("ready\\n"); }
tracepoint:kmem:kmalloc {
    @allocs[args->bytes_alloc] = count(); @bytes[args->bytes_alloc] = sum(args->bytes_alloc);
}
tracepoint:kmem:kmem_cache_alloc {
    @allocs[args->bytes_alloc] = count(); @bytes[args->bytes_alloc] = sum(args->bytes_alloc);
}
tracepoint:kmem:kfree { @frees = count(); }
tracepoint:kmem:kmem_cache_free { @freed[str(args->name)] = count(); }""",
    "offwaketime": """BEGIN { printf("ready\\n"); }
tracepoint:sched:sched_waking {
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
    "spinlock": """BEGIN { printf("ready\\n"); }
tracepoint:lock:contention_begin /args->flags & 1/ {
    @begin[cpu] = nsecs; @lock[cpu] = args->lock_addr; @at[cpu] = kstack(127);
}
tracepoint:lock:contention_end /@begin[cpu]/ {
    $t = nsecs - @begin[cpu];
    @count[@lock[cpu], comm, @at[cpu]] = count(); @total[@lock[cpu], comm, @at[cpu]] = sum($t);
    @max[@lock[cpu], comm, @at[cpu]] = max($t); @time[@lock[cpu], comm, @at[cpu]] = hist($t);
    delete(@begin[cpu]); delete(@lock[cpu]); delete(@at[cpu]);
}
END { clear(@begin); clear(@lock); clear(@at); }""",
    "funccount": """BEGIN { printf("ready\\n"); }
tracepoint:sched:sched_switch { @ = count(); }""",
}

# ask: ktrace's arguments, of which the first is the tool
Question = collections.namedtuple("Question", "ask workload peer ready package")


def beside_bpftrace(ask, workload):
    program = BPFTRACE[ask.split()[0]]
    return Question(ask, workload, ["bpftrace", "-e", program], b"ready", "bpftrace")


QUESTIONS = [
    Question("offcputime", "pingpong 20000", ["offcputime"], None, "libbpf-tools"),
    Question("offcputime -K", "pingpong 20000", ["offcputime"], None, "libbpf-tools"),
    Question("offcputime -m 1ms", "pingpong 20000", ["offcputime", "-m", "1000"], None,
             "libbpf-tools"),
    Question("offcputime --budget 1ms", "pingpong 20000", ["offcputime"], None, "libbpf-tools"),
    Question("wakeuptime", "pingpong 20000", ["wakeuptime"], b"Tracing", "libbpf-tools"),
    beside_bpftrace("offwaketime", "pingpong 20000"),
    beside_bpftrace("workq", "workitems 500"),
    beside_bpftrace("kmem", "kmallocs 50000 2000"),
    beside_bpftrace("kpages", "pages 50000"),
    beside_bpftrace("slabratetop", "kmallocs 50000 2000"),
    beside_bpftrace("spinlock", "fdlock 4 2000"),
    beside_bpftrace("funccount t:sched:sched_switch", "pingpong 20000"),
    # It hooks functions: its peer is measured where the kernel has kprobes.
    Question("numamove", "numafault", ["numamove"], b"", "libbpf-tools"),
    Question("tasklets", None, None, None, None),
    Question("loads", None, None, None, None),
]
