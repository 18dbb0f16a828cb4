#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""names.py [--rounds N] [--processes N]: names of processes that exit while traced, and their price.

Names: ktrace and libbpf-tools' offcputime trace the same short-lived processes at
the same time. A stack counts as named when at least one of its user frames is.
Price: the same load alone, and with ktrace around it that keeps no stack of anybody
(-C nobody), once with the kernel's records of mappings and once with these refused.
In turns; medians, as Markdown. Start it through run.sh.
"""
import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from bench import KTRACE, WORKLOADS, describe, has_link

PEER = "offcputime"
EPERM = "1"
REFUSE = [os.path.join(WORKLOADS, "failnth"), "1", EPERM, "--perf", "--from", "--"]


def load(processes):
    """CPU seconds that so many short-lived processes take: where others run too, the wall says less."""
    child = subprocess.Popen([os.path.join(WORKLOADS, "shortlived"), str(processes)],
                             stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"shortlived ended with {child.returncode}")
    return usage.ru_utime + usage.ru_stime


class Tracer:
    """A program from its start to its end; its stdout, and the CPU time that it took."""

    def __init__(self, argv, ready_fd):
        self.out = tempfile.TemporaryFile()
        self.err = tempfile.TemporaryFile()
        reader, writer = os.pipe()
        argv = argv + ["--ready-fd", str(writer)] if ready_fd else argv
        self.child = subprocess.Popen(argv, stdout=self.out, stderr=self.err, pass_fds=[writer])
        os.close(writer)
        if ready_fd:
            os.read(reader, 1)
        while not ready_fd and not has_link(self.child.pid) and self.child.poll() is None:
            time.sleep(0.01)
        os.close(reader)
        time.sleep(0.3)

    def end(self, pid=None):
        """(what it printed, CPU seconds)"""
        os.kill(pid or self.child.pid, signal.SIGINT)
        _, status, usage = os.wait4(self.child.pid, 0)
        self.child.returncode = os.waitstatus_to_exitcode(status)
        self.out.seek(0)
        self.err.seek(0)
        if self.child.returncode:
            sys.exit(f"{self.child.args[0]} ended with {self.child.returncode}: {self.err.read()[-300:]}")
        return self.out.read().decode(errors="replace"), usage.ru_utime + usage.ru_stime


def our_stacks(out):
    """The user frames of each sleep of a child."""
    rows = json.loads(out.splitlines()[-1])["rows"]
    return [row["ustack"] for row in rows if row["comm"] == "exe" and "do_nanosleep" in row["kstack"]
            for _ in range(row["count"])]


def their_stacks(out):
    """The same of libbpf-tools: blocks of frames, user frames behind the kernel's."""
    stacks = []
    for block in re.split(r"\n\s*\n", out):
        lines = [line.strip() for line in block.splitlines()]
        task = [line for line in lines if re.match(r"-\s+exe \(\d+\)$", line)]
        if task and "do_nanosleep" in lines:
            entry = [i for i, line in enumerate(lines) if line.startswith("entry_SYSCALL")]
            stacks.append(lines[entry[-1] + 1:lines.index(task[0])] if entry else [])
    return stacks


def print_names(processes):
    has_peer = any(os.access(os.path.join(path, PEER), os.X_OK) for path in os.get_exec_path())
    ours = Tracer([KTRACE, "offcputime", "-j"], True)
    peer = Tracer([PEER, "--stack-storage-size", "32768"], False) if has_peer else None
    load(processes)
    sides = [("ktrace", our_stacks(ours.end()[0]))]
    if peer:
        sides.append((PEER, their_stacks(peer.end()[0])))
    print(f"\n### Names of {processes} processes that exited\n")
    print("| | user stacks of their sleeps | without any name | frames printed | [unknown] |\n|---|---|---|---|---|")
    for name, stacks in sides:
        frames = [frame for stack in stacks for frame in stack if frame != "[cut]"]
        nameless = sum(all(frame == "[unknown]" for frame in stack) for stack in stacks)
        print(f"| {name} | {len(stacks)} | {nameless} ({100 * nameless / max(len(stacks), 1):.1f} %) "
              f"| {len(frames)} | {frames.count('[unknown]')} |")
    if not has_peer:
        print(f"\n{PEER} not measured: not installed (Debian package libbpf-tools)")


def around(argv, processes):
    """CPU seconds of the load, and of the tracer."""
    tracer = Tracer(argv, True)
    spent = load(processes)
    pid = None
    if argv[0] != KTRACE:  # the signal is for ktrace, not for what refuses its calls
        with open(f"/proc/{tracer.child.pid}/task/{tracer.child.pid}/children", encoding="ascii") as file:
            pid = int(file.read().split()[0])
    return spent, tracer.end(pid)[1]


def print_price(processes, rounds):
    idle = [KTRACE, "offcputime", "-j", "-C", "nobody"]
    sides = {"untraced": None, "no user stacks (-K)": idle + ["-K"], "records refused": REFUSE + idle,
             "with records": idle}
    loads = {name: [] for name in sides}
    cpus = {name: [] for name in sides}
    for number in range(rounds):
        for name in list(sides)[::1 if number % 2 else -1]:
            spent, cpu = around(sides[name], processes) if sides[name] else (load(processes), 0)
            loads[name].append(spent)
            cpus[name].append(cpu)
    print(f"\n### Price of the records: fork, exec and exit {processes} times, {rounds} rounds\n")
    print("| | CPU time per process | 1.00: untraced in that round | CPU time of ktrace |\n|---|---|---|---|")
    for name in sides:
        ratio = statistics.median(a / b for a, b in zip(loads[name], loads["untraced"]))
        print(f"| {name} | {statistics.median(loads[name]) / processes * 1e6:.0f} us | {ratio:.2f} "
              f"| {statistics.median(cpus[name]) * 1000:.0f} ms |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--processes", type=int, default=1000)
    args = parser.parse_args()
    describe()
    print_names(args.processes)
    print_price(args.processes, args.rounds)


if __name__ == "__main__":
    main()
