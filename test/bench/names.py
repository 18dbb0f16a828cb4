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
import shutil
import statistics
import subprocess
import sys
import time

from bench import describe
from tracer import KTRACE, READY_FD, READY_LINKS, WORKLOADS, Tracer, in_turns

PEER = "offcputime"
SETTLE_SECONDS = 0.3
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


def start(argv, ready):
    tracer = Tracer(argv, ready)
    tracer.wait_ready()
    time.sleep(SETTLE_SECONDS)
    return tracer


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
    has_peer = shutil.which(PEER)
    ours = start([KTRACE, "offcputime", "-j"], READY_FD)
    peer = start([PEER, "--stack-storage-size", "32768"], READY_LINKS) if has_peer else None
    load(processes)
    sides = [("ktrace", our_stacks(ours.end().said.decode(errors="replace")))]
    if peer:
        sides.append((PEER, their_stacks(peer.end().said.decode(errors="replace"))))
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
    tracer = start(argv, READY_FD)
    spent = load(processes)
    pid = None
    if argv[0] != KTRACE:  # the signal is for ktrace, not for what refuses its calls
        with open(f"/proc/{tracer.child.pid}/task/{tracer.child.pid}/children", encoding="ascii") as file:
            pid = int(file.read().split()[0])
    return spent, tracer.end(pid).cpu_s


def print_price(processes, rounds):
    idle = [KTRACE, "offcputime", "-j", "-C", "nobody"]
    sides = {"untraced": None, "no user stacks (-K)": idle + ["-K"], "records refused": REFUSE + idle,
             "with records": idle}
    spent, trouble = in_turns(rounds, sides, lambda argv, _: around(argv, processes) if argv else (load(processes), 0))
    print(f"\n### Price of the records: fork, exec and exit {processes} times, {rounds} rounds\n")
    print("| | CPU time per process | 1.00: untraced in that round | CPU time of ktrace |\n|---|---|---|---|")
    untraced = [cpu for cpu, _ in spent["untraced"]]
    for name, samples in spent.items():
        cpus = [cpu for cpu, _ in samples]
        ratio = statistics.median(a / b for a, b in zip(cpus, untraced))
        print(f"| {name} | {statistics.median(cpus) / processes * 1e6:.0f} us | {ratio:.2f} "
              f"| {statistics.median(own for _, own in samples) * 1000:.0f} ms |")
    for name, why in trouble.items():
        print(f"- {name} not measured: {why}")


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
