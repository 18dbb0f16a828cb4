# SPDX-License-Identifier: GPL-2.0-or-later
"""The first report over many stacks, and what an idle tool does: bench.py's last two tables.

 report     from SIGINT to the end of the process, so what was read ahead is not in it
 lost       stacks and rows that the tool's own report misses of the workload's
"""
import json
import os
import signal
import statistics
import subprocess
import tempfile
import time

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

    def __init__(self, workloads, count):
        argv = [os.path.join(workloads, "stacks"), str(count), "--hold"]
        self.child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.child.stdout.readline()

    def end(self):
        self.child.kill()
        self.child.wait()
        self.child.stdout.close()


def first_report(bench, argv, count, is_ktrace):
    """(seconds of the report, peak RSS, rows lost) of one tool over one workload. Both write to a file."""
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL)
        while not bench.has_link(child.pid):
            if child.poll() is not None:
                raise bench.Failed(f"{argv[0]} ended before it was attached")
            time.sleep(0.01)
        time.sleep(SETTLE_SECONDS)
        stacks = Stacks(bench.WORKLOADS, count)
        peak, begin = 0, time.monotonic()
        child.send_signal(signal.SIGINT)
        while child.poll() is None:
            peak = bench.peak_rss(child.pid, peak)
            time.sleep(0.0005)
        took = time.monotonic() - begin
        stacks.end()
        if not is_ktrace:
            return took, peak, None
        out.seek(0)
        loss = json.loads(out.read().splitlines()[-1])["loss"]
    return took, peak, loss["rows"] + loss["stacks"]


def print_reports(bench, rounds, peer):
    """peer: is libbpf-tools there?"""
    print(f"\n### first report of offcputime: stacks N, {rounds} rounds\n\n"
          "| distinct stacks | ktrace | RSS | lost | libbpf-tools | RSS | ratio |\n|---|---|---|---|---|---|---|")
    for count in SIZES:
        ours, theirs = [], []
        for _ in range(rounds):
            for_us, for_peer = room(count)
            ours.append(first_report(bench, [bench.KTRACE, "offcputime", "-j", *for_us], count, True))
            if peer:
                theirs.append(first_report(bench, [PEER, *for_peer], count, False))
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


def print_idle(bench, tools):
    """Wakeups of a tool that is attached, in a run without an interval."""
    counted = {}
    for tool in tools:
        process = bench.Process([bench.KTRACE, tool, "-j", *bench.interval_of(tool)], True)
        process.wait_ready(b"\n")
        time.sleep(SETTLE_SECONDS)
        before = wakeups(process.child.pid)
        time.sleep(IDLE_SECONDS)
        counted[tool] = wakeups(process.child.pid) - before
        process.end()
    print(f"\nWakeups in {IDLE_SECONDS} s, attached and idle: "
          + ", ".join(f"{tool} {n}" for tool, n in counted.items()))
