# SPDX-License-Identifier: GPL-2.0-or-later
"""The first report over many stacks, and what an idle tool does: bench.py's last two tables.

 report     from SIGINT to the end of the process, so what was read ahead is not in it
 lost       stacks and rows that the tool's own report misses of the workload's
"""
import json
import os
import shutil
import statistics
import subprocess
import time

from tracer import KTRACE, READY_FD, WORKLOADS, Failed, Tracer

SIZES = [1000, 10000, 100000]
PEER = "offcputime"
IDLE_SECONDS = 3
SETTLE_SECONDS = 1


def room(count):
    """ktrace's defaults hold 32768 stacks; the peer's 1024, and its 10240 rows are fixed."""
    ours = ["--stack-storage-size", str(2 * count), "--row-storage-size", str(2 * count)]
    return ours if count > 15000 else [], ["--stack-storage-size", str(2 * count)]


class Stacks:
    """The workload that makes so many user stacks, and stays until they are named."""

    def __init__(self, count):
        argv = [os.path.join(WORKLOADS, "stacks"), str(count), "--hold"]
        self.child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.child.stdout.readline()

    def end(self):
        self.child.kill()
        self.child.wait()
        self.child.stdout.close()


def first_report(argv, count, is_ktrace):
    """(seconds of the report, peak RSS, rows lost) of one tool over one workload. Both write to a file."""
    tracer = Tracer(argv)
    tracer.wait_ready()
    time.sleep(SETTLE_SECONDS)
    stacks = Stacks(count)
    ended = tracer.end()
    stacks.end()
    loss = json.loads(ended.said.splitlines()[-1])["loss"] if is_ktrace else {}
    return ended.took_s, ended.rss_bytes, loss.get("rows", 0) + loss.get("stacks", 0)


def print_reports(rounds):
    peer = shutil.which(PEER)
    print(f"\n### first report of offcputime: stacks N, {rounds} rounds\n\n"
          "| distinct stacks | ktrace | RSS | lost | libbpf-tools | RSS | ratio |\n|---|---|---|---|---|---|---|")
    for count in SIZES:
        ours, theirs = [], []
        for _ in range(rounds):
            for_us, for_peer = room(count)
            ours.append(first_report([KTRACE, "offcputime", "-j", *for_us], count, True))
            if peer:
                theirs.append(first_report([PEER, *for_peer], count, False))
        took, rss, lost = (statistics.median(values) for values in zip(*ours))
        cells = [str(count), f"{took * 1e3:.0f} ms", f"{rss / 1048576:.1f} MiB", f"{lost:.0f}"]
        if theirs:
            other = statistics.median(sample[0] for sample in theirs)
            other_rss = statistics.median(sample[1] for sample in theirs)
            cells += [f"{other * 1e3:.0f} ms", f"{other_rss / 1048576:.1f} MiB", f"{took / other:.2f}"]
        else:
            cells += ["-"] * 3
        print("| " + " | ".join(cells) + " |", flush=True)


def wakeups(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        return sum(int(line.split()[1]) for line in file if "ctxt_switches" in line)


def print_idle(asks):
    """Wakeups of a tool that is attached, in a run without an interval."""
    counted = {}
    for ask in asks:
        tracer = Tracer([KTRACE, *ask, "-j"], READY_FD)
        try:
            tracer.wait_ready()
            time.sleep(SETTLE_SECONDS)
            before = wakeups(tracer.child.pid)
            time.sleep(IDLE_SECONDS)
            counted[ask[0]] = wakeups(tracer.child.pid) - before
            tracer.end()
        except Failed as failed:
            counted[ask[0]] = f"not here ({failed})"
    print(f"\nWakeups in {IDLE_SECONDS} s, attached and idle: "
          + ", ".join(f"{tool} {n}" for tool, n in counted.items()))
