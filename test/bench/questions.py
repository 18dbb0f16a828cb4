# SPDX-License-Identifier: GPL-2.0-or-later
"""What is asked of ktrace and of its peers, and of what load: see bench.py."""
import collections
import shutil

from programs import BEGIN, CALLS, PROGRAMS
from tracer import READY_LINKS

# name: as the table has it. argv: the first word is looked for, and as Debian 13 calls it.
Peer = collections.namedtuple("Peer", "name package argv ready")
# ask: ktrace's arguments, of which the first is the tool. workload: sh's, with test/workload in
# PATH; after "truth ", a line for the module of test/kmod. where: "native", "vm". goal: of the
# best peer's time per event. timed: the work goes on for a time and is not the same for both
Question = collections.namedtuple("Question", "ask workload peers where goal timed", defaults=[0.7, False])

NATIVE, VM = ("native",), ("vm",)
BOTH = NATIVE + VM


def debian(words, ready=READY_LINKS):
    """Of libbpf-tools."""
    argv = words.split()
    return Peer("libbpf-tools " + words, "libbpf-tools", argv, ready)


def bpftrace(name):
    return Peer("bpftrace", "bpftrace", ["bpftrace", "-e", BEGIN + PROGRAMS[name]], b"ready")


def perf(words, package="linux-perf"):
    """perf's recording only: its report takes as long again."""
    return Peer(words, package, [*words.split(), *([] if " stat " in words else ["-o", "-"])], READY_LINKS)


def bcc(words):
    return Peer("bcc " + words, "bpfcc-tools", [words.split()[0] + "-bpfcc", *words.split()[1:]], READY_LINKS)


def found(argv):
    """The peer's command with the name that it has here, or None. Debian 13 calls offcputime offcputime-libbpf."""
    path = shutil.which(argv[0]) or shutil.which(argv[0] + "-libbpf")
    return [path, *argv[1:]] if path else None


def unwinding(ask, workload, *peers, where=NATIVE, **more):
    """The same question with kernel stacks either way."""
    return [Question(f"{ask} --unwind {how}", workload, peers, where, **more) for how in ("kernel", "rules")]


SWITCHES = "pingpong 20000"
KMALLOCS = "kmallocs 50000 2000"
LEAKS = "kmallocs 50000 1000"
MUTEXES = "truth mutex n=20000 us=0"
SPINS = "truth lock mode=spin n=2000 us=50"
TRACING = b"Tracing"
KLOCKSTAT = debian("klockstat", TRACING)
PAGES = "numafault 16 small"

QUESTIONS = [
    *unwinding("offcputime", SWITCHES, debian("offcputime"), bpftrace("offcputime"), bcc("offcputime"),
               perf("perf sched record -a -g")),
    Question("offcputime -K --unwind rules", SWITCHES, [debian("offcputime")], NATIVE),
    *unwinding("offcputime -m 1ms", SWITCHES, debian("offcputime -m 1000"), goal=0.15),
    Question("offcputime -K -m 1ms --unwind rules", SWITCHES, [debian("offcputime -m 1000")], NATIVE, 0.15),
    Question("offcputime --budget 1ms", SWITCHES, [debian("offcputime")], NATIVE),
    Question("offcputime --sample 10", SWITCHES, [debian("offcputime")], NATIVE),
    *unwinding("wakeuptime", SWITCHES, debian("wakeuptime", TRACING), bpftrace("wakeuptime")),
    *unwinding("offwaketime", SWITCHES, bpftrace("offwaketime"), bcc("offwaketime")),
    Question("workq", "workitems 500", [bpftrace("workq")], NATIVE),
    *unwinding("kmem", KMALLOCS, bpftrace("kmem"), perf("perf kmem --slab record -a -g")),
    Question("kmem --sample 100", KMALLOCS, [bpftrace("kmem")], NATIVE),
    *unwinding("kpages", "pages 50000", bpftrace("kpages"), perf("perf kmem --page record -a -g")),
    *unwinding("memleak --kernel", LEAKS, debian("memleak 3600", TRACING), bpftrace("memleak")),
    Question("memleak --kernel --sample 100", LEAKS, [debian("memleak -s 100 3600", TRACING)], NATIVE),
    Question("slabratetop", KMALLOCS, [bpftrace("slabratetop"), debian("slabratetop -C 3600"), bcc("slabratetop")],
             BOTH),
    *unwinding("spinlock", "fdlock 4 2000", bpftrace("spinlock"), perf("perf lock record -a -g"), timed=True),
    *unwinding("mlock --contended", "pipelock 4 10", bpftrace("mlock --contended"), perf("perf lock record -a -g"),
               timed=True),
    Question("funccount t:sched:sched_switch", SWITCHES,
             [bpftrace("funccount tracepoint"), perf("perf stat -a -e sched:sched_switch")], NATIVE),
    Question(f"funccount u:{CALLS}:calls_often", "calls 20000",
             [bpftrace("funccount user"), bcc(f"funccount {CALLS}:calls_often")], NATIVE),
    Question("tasklets", None, [bpftrace("tasklets")], NATIVE),
    Question("loads -i 1", "sleep 3", [bpftrace("loads")], BOTH),
    # What needs functions that can be hooked, on a kernel that has the module of test/kmod.
    *unwinding("mlock", MUTEXES, KLOCKSTAT, bpftrace("mlock"), where=VM),
    Question("mlock --sample 10", MUTEXES, [KLOCKSTAT], VM),
    *unwinding("mheld", MUTEXES, KLOCKSTAT, bpftrace("mheld"), where=VM),
    *unwinding("spinlock", SPINS, bpftrace("spinlock by function"), where=VM),
    Question("tasklets", "truth tasklet n=1000 us=10", [bpftrace("tasklets with delays")], VM),
    Question("numamove", PAGES, [debian("numamove", b"NUMA"), bpftrace("numamove")], VM),
    Question("funccount vfs_*", "pingpong 2000", [bpftrace("funccount functions")], VM),
    *unwinding("memleak --kernel", "kmallocs 20000 1000", bpftrace("memleak"), where=VM),
]
