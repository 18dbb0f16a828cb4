# SPDX-License-Identifier: GPL-2.0-or-later
"""For each tool: a short workload, and what the tool must then say to the last one."""

import dataclasses
import typing

from lab import has_frame, pick, total

NANOSLEEP = ("do_nanosleep", "hrtimer_nanosleep")

KEYS = {
    "offcputime": ["comm", "tgid", "tid", "state", "kstack", "ustack"],
    "wakeuptime": ["target", "waker", "context", "kstack", "ustack"],
    "offwaketime": ["target", "target_tgid", "target_tid", "kstack", "ustack", "waker", "waker_tgid", "waker_tid",
                    "context", "waker_kstack", "waker_ustack"],
    "mlock": ["lock", "kstack", "comm"],
    "mheld": ["lock", "kstack", "comm"],
    "spinlock": ["lock", "type", "kstack", "comm"],
    "workq": ["func", "workqueue"],
    "tasklets": ["func"],
    "kmem": ["kstack", "comm"],
    "kpages": ["kstack", "comm"],
    "memleak": ["kstack"],
    "slabratetop": ["cache"],
    "numamove": [],
    "loads": [],
    "funccount": ["func"],
}
VALUES = {
    "offcputime": ["count", "total_ns", "max_ns", "blocked"],
    "wakeuptime": ["count", "total_ns", "max_ns"],
    "offwaketime": ["count", "total_ns", "max_ns"],
    "mlock": ["count", "total_ns", "max_ns", "waiting", "aborted", "hist_ns"],
    "mheld": ["count", "total_ns", "max_ns", "held", "hist_ns"],
    "spinlock": ["count", "total_ns", "max_ns", "hist_ns"],
    "workq": ["count", "total_ns", "max_ns", "hist_ns", "delay_hist_ns"],
    "tasklets": ["count", "total_ns", "max_ns", "hist_ns", "delay_hist_ns"],
    "kmem": ["count", "bytes", "requested_bytes", "avg_bytes"],
    "kpages": ["count", "pages", "bytes"],
    "memleak": ["count", "bytes"],
    "slabratetop": ["allocs", "bytes", "frees", "net_bytes"],
    "numamove": ["migrations", "failed", "total_ns"],
    "loads": ["load1", "load5", "load15"],
    "funccount": ["count"],
}
# What they look at need not happen at all on a machine, and no program can bring it about for sure.
QUIET = {"tasklets", "spinlock"}
PATTERNS = {"funccount": "t:sched:sched_process_fork"}  # what tools that need a pattern are given


def call(tool):
    """A tool's name, and its pattern where it needs one."""
    return f"{tool} {PATTERNS[tool]}" if tool in PATTERNS else tool



@dataclasses.dataclass(frozen=True)
class Probe:
    """A workload of n, the rows that it makes, and the sum that they must have."""

    workload: str  # with {n}
    rows: typing.Callable  # all rows -> those of the workload
    column: str
    per_n: int = 1  # the column's sum is n times this
    args: str = ""  # options of the tool, without which the workload's end is no time to report

    def command(self, n):
        return self.workload.format(n=n)

    def truth(self, n):
        return n * self.per_n

    def value(self, rows):
        return total(self.rows(rows), self.column)

    def stacks(self, rows):
        """The distinct kernel stacks of the workload's rows."""
        return {tuple(row["kstack"]) for row in self.rows(rows) if "kstack" in row}


def setxattr_of(size):
    """Rows of the copy that fsetxattr makes of its value: size bytes each, as allocated."""
    return lambda rows: pick(rows, lambda r: has_frame(r, "setxattr") and r["avg_bytes"] == size)


PROBES = {
    "offcputime": Probe("sleeper {n} 5", lambda rows: pick(
        rows, lambda r: has_frame(r, *NANOSLEEP), comm="sleeper", state="S"), "count"),
    "wakeuptime": Probe("sleeper {n} 5", lambda rows: pick(
        rows, lambda r: r["context"] != "task" and has_frame(r, "hrtimer"), target="sleeper"), "count"),
    "offwaketime": Probe("sleeper {n} 5", lambda rows: pick(
        rows, lambda r: has_frame(r, *NANOSLEEP) and has_frame(r, "hrtimer", stack="waker_kstack"),
        target="sleeper"), "count"),
    "workq": Probe("workitems {n}", lambda rows: pick(rows, func="flush_to_ldisc"), "count"),
    "kmem": Probe("kmallocs {n} 20000", setxattr_of(32768), "count"),
    "kpages": Probe("kmallocs {n} 20000", lambda rows: pick(
        rows, lambda r: has_frame(r, "setxattr") and r["pages"] == 8 * r["count"]), "pages", 8),
    "memleak": Probe("slabs {n} --kind eventfd --leave 8000", lambda rows: pick(
        rows, lambda r: r["kstack"][0] == "do_eventfd"), "count", args="--kernel --older 0"),
    "funccount": Probe("forks {n} 1 1", lambda rows: pick(
        rows, func="sched:sched_process_fork"), "count"),
    "slabratetop": Probe("slabs {n} --kind udp", lambda rows: pick(
        rows, cache="UDP"), "allocs", args="-i 100"),
}

# Tools whose counts nothing but the kernel itself foretells: what gives them rows.
LOADS = {
    "mlock": "pipelock 4 3",
    "spinlock": "fdlock 4 1000",
    "mheld": "pipelock 4 3",
}


def workload_of(tool, n):
    """A workload that the tool has something to say of, or None."""
    return PROBES[tool].command(n) if tool in PROBES else LOADS.get(tool)


def args_of(tool):
    """Options of the tool for that workload."""
    return PROBES[tool].args if tool in PROBES else ""
