#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""heap.py [--rounds N] [--pairs N]: what tracing a heap costs the program traced.

CPU time of a pair of malloc() and free(), as the workload measures it of itself: untraced, and
under memleak -p in its ways, and under its peers'. One round has each once, in turns; medians
are printed, as Markdown. Start it through run.sh.
"""
import argparse
import json
import os
import statistics
import subprocess

from bench import describe
from questions import Peer, bcc, debian, found
from tracer import KTRACE, READY_FD, READY_LINKS, Failed, Tracer, in_turns

PROGRAM = os.path.join(os.path.dirname(KTRACE), "programs/heap_dynamic")
WAYS = {
    "untraced": None,
    "ktrace memleak": [],
    "ktrace memleak -g comm": ["-g", "comm"],
    "ktrace memleak --sample 64k": ["--sample", "64k"],
    "ktrace memleak --sample 1M": ["--sample", "1M"],
    "ktrace memleak --hook uprobe": ["--hook", "uprobe"],
}
PEERS = [debian("memleak"), debian("memleak -s 100"), bcc("memleak"), bcc("memleak -s 100")]


def start(args, pid):
    """ktrace with these words, or a peer's command."""
    if isinstance(args, Peer):
        argv = found(args.argv)
        if not argv:
            raise Failed(f"not installed (Debian package {args.package})")
        tracer = Tracer([*argv, "-p", str(pid), "600"], READY_LINKS)
    else:
        tracer = Tracer([KTRACE, "memleak", "-j", *args, "-p", str(pid)], READY_FD)
    tracer.wait_ready()
    return tracer


def pair_ns(pairs, args):
    """CPU time of one pair, and what was lost where that is known."""
    work = subprocess.Popen([PROGRAM, "churn", str(pairs), "--wait"], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True)
    try:
        tracer = None if args is None else start(args, work.pid)
    except Failed:
        work.kill()
        raise
    said = json.loads(work.communicate("\n")[0])
    if tracer is None:
        return said["pair_ns"], 0
    out = tracer.end().said
    return said["pair_ns"], 0 if isinstance(args, Peer) else sum(json.loads(out)["loss"].values())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pairs", type=int, default=50000)
    opts = parser.parse_args()
    ways = {**WAYS, **{peer.name: peer for peer in PEERS}}
    describe()
    seen, missing = in_turns(opts.rounds, ways, lambda args, _: pair_ns(opts.pairs, args))
    print(f"| CPU time of a pair, median of {opts.rounds} | ns | lowest, highest |\n|---|---|---|")
    for name, samples in seen.items():
        values = [ns for ns, _ in samples]
        print(f"| {name} | {statistics.median(values):.0f} | {min(values)}, {max(values)} |")
    lost = sum(loss for samples in seen.values() for _, loss in samples)
    print(f"\nktrace lost in all rounds: {lost or 'nothing'}")
    for name, why in missing.items():
        print(f"- {name} not measured: {why}")


if __name__ == "__main__":
    main()
