#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""heap.py [--rounds N] [--pairs N] [--peer COMMAND]: what tracing a heap costs the program traced.

CPU time of a pair of malloc() and free(), as the workload measures it of itself: untraced, and
under memleak -p in its ways; COMMAND is memleak of BCC or libbpf-tools, to which -p PID and an
interval are added. One round has each once, in turns; medians are printed, as Markdown.
"""
import argparse
import json
import os
import shlex
import signal
import statistics
import subprocess
import time

KTRACE = os.environ.get("KTRACE", "build/ktrace")
PROGRAM = os.environ.get("KTRACE_PROGRAMS", "build/programs") + "/heap_dynamic"
PEER_SECONDS = 4  # until it is attached, which it does not tell
WAYS = {
    "untraced": None,
    "ktrace memleak": [],
    "ktrace memleak -g comm": ["-g", "comm"],
    "ktrace memleak --sample 64k": ["--sample", "64k"],
    "ktrace memleak --sample 1M": ["--sample", "1M"],
    "ktrace memleak --hook uprobe": ["--hook", "uprobe"],
}


def start_ktrace(args, pid):
    ours, theirs = os.pipe()
    tracer = subprocess.Popen([KTRACE, "memleak", "-j", *args, "-p", str(pid), "--ready-fd", str(theirs)],
                              pass_fds=[theirs], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    os.close(theirs)
    ready = os.read(ours, 1)
    os.close(ours)
    assert ready, "ktrace did not start"
    return tracer


def start_peer(command, pid):
    tracer = subprocess.Popen([*command, "-p", str(pid), "600"], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    time.sleep(PEER_SECONDS)
    assert tracer.poll() is None, "the peer ended"
    return tracer


def pair_ns(pairs, start):
    """CPU time of one pair, and what was lost where that is known."""
    work = subprocess.Popen([PROGRAM, "churn", str(pairs), "--wait"], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True)
    tracer = start(work.pid) if start else None
    said = json.loads(work.communicate("\n")[0])
    if not tracer:
        return said["pair_ns"], 0
    tracer.send_signal(signal.SIGINT)
    out = tracer.communicate(timeout=60)[0]
    return said["pair_ns"], sum(json.loads(out)["loss"].values()) if out else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pairs", type=int, default=50000)
    parser.add_argument("--peer", type=shlex.split, action="append", default=[])
    opts = parser.parse_args()
    starts = {name: args if args is None else lambda pid, a=args: start_ktrace(a, pid)
              for name, args in WAYS.items()}
    starts.update({os.path.basename(" ".join(peer)): lambda pid, p=peer: start_peer(p, pid) for peer in opts.peer})
    seen = {name: [] for name in starts}
    lost = 0
    for _ in range(opts.rounds):
        for name, start in starts.items():
            ns, loss = pair_ns(opts.pairs, start)
            seen[name].append(ns)
            lost += loss
    print(f"| CPU time of a pair, median of {opts.rounds} | ns | lowest, highest |\n|---|---|---|")
    for name, values in seen.items():
        print(f"| {name} | {statistics.median(values):.0f} | {min(values)}, {max(values)} |")
    print(f"\nktrace lost in all rounds: {lost or 'nothing'}")


if __name__ == "__main__":
    main()
