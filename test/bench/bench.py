#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bench.py [--rounds N] [TOOL|reports|idle...]: what each tool costs, beside its peers' cost.

One round of a question is: the workload alone, then ktrace and each peer around the same
workload, in an order that changes from round to round. What is printed are medians over the
rounds, as Markdown; docs/PERFORMANCE.md says what the columns are. Start it through run.sh.
"""
import argparse
import collections
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import time

import reports
from questions import CALLS, NATIVE, QUESTIONS, VM, found
from tracer import KTRACE, READY_FD, WORKLOADS, Failed, Tracer, in_turns, lost_by, programs_of

STATS = "/proc/sys/kernel/bpf_stats_enabled"
TRUTH = "/proc/ktrace_truth"
SETTLE_SECONDS = 0.2
START_GOALS = {"bpftrace": 0.1}  # of the peer's start-up; of others' all
TITLES = ["ktrace and its work", "beside", "ns per run", "ratio", "BPF in all", "workload", "start-up ms",
          "CPU ms", "RSS MiB", "maps MiB", "lost"]

Sample = collections.namedtuple("Sample", "startup_s runs ns slowdown cpu_s rss_bytes map_bytes lost notes",
                                defaults=[()])


def run_workload(words):
    """Its wall time in seconds."""
    begin = time.monotonic()
    if words is None:
        time.sleep(0.3)
    elif words.startswith("truth "):
        if not os.path.exists(TRUTH):
            raise Failed("there is no ktrace_truth (test/kmod) here")
        with open(TRUTH, "w", encoding="ascii") as file:
            file.write(words.split(None, 1)[1])
    else:
        env = {**os.environ, "PATH": WORKLOADS + ":" + os.environ["PATH"]}
        subprocess.run(["sh", "-c", "exec " + words], check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, env=env)
    return time.monotonic() - begin


def interval_of(ask):
    """What has an interval by default gets one that does not end."""
    return ["-i", "3600"] if ask.split()[0] in ("loads", "slabratetop", "numamove") and " -i " not in ask else []


def measure(argv, ready, workload, alone):
    """One run around the workload, which alone took so many seconds."""
    tracer = Tracer(argv, ready)
    try:
        startup = tracer.wait_ready()
        time.sleep(SETTLE_SECONDS)
        before, _ = programs_of(tracer.child.pid)
        wall = run_workload(workload)
        programs, maps = programs_of(tracer.child.pid)
        ended = tracer.end()
    finally:
        tracer.kill()
    runs, ns, missed = (sum(now[i] - before.get(number, (0, 0, 0))[i] for number, now in programs.items())
                        for i in range(3))
    if ready == READY_FD:
        report = json.loads(ended.said.splitlines()[-1])
        lost, notes = sum(report["loss"].values()), report["notes"]
    else:
        lost, notes = missed + lost_by(ended.said), ()
    return Sample(startup, runs, ns, wall / alone, ended.cpu_s, ended.rss_bytes, maps, lost, tuple(notes))


def sides_of(question):
    """{name: (argv, ready)} of ktrace and the peers that are here, and {name: why not} of the others."""
    ask = question.ask.split()
    sides = {"ktrace": ([KTRACE, *ask, "-j", *interval_of(question.ask)], READY_FD)}
    trouble = {}
    for peer in question.peers:
        argv = found(peer.argv)
        if argv:
            sides[peer.name] = argv, peer.ready
        else:
            trouble[peer.name] = f"not installed (Debian package {peer.package})"
    return sides, trouble


def answers_to(question, rounds):
    """{name: samples}, and {name: why} of those that have none."""
    sides, absent = sides_of(question)
    samples, trouble = in_turns(rounds, sides, lambda side, alone: measure(*side, question.workload, alone),
                                lambda: run_workload(question.workload))
    return samples, {**absent, **trouble}


def median(samples, key):
    return statistics.median(key(sample) for sample in samples)


def per_run(sample):
    return sample.ns / sample.runs if sample.runs else 0


def missed(ours, theirs, goal):
    """What stands behind a figure that misses its goal."""
    return " !" if ours > theirs * goal else ""


def ratio(ours, theirs):
    return f"{ours / theirs:.2f}" if ours and theirs else "-"


def ratio_of(key, ours, theirs):
    return ratio(median(ours, key), median(theirs, key)) if theirs else "-"


def slowdown(samples):
    """Median and, behind it, the lowest and the highest of the rounds."""
    values = sorted(sample.slowdown for sample in samples)
    if not values:
        return "-"
    return f"{statistics.median(values):.2f} ({values[0]:.2f}-{values[-1]:.2f})"


def cells_beside(question, name, ours, theirs, ratios):
    """What follows the two names in a line of the table. ratios: of an emulated machine, no absolutes."""
    def both(key, form):
        values = [median(side, key) if side else 0 for side in (ours, theirs)]
        return ratio(*values) if ratios else " / ".join(form.format(value) if value else "-" for value in values)

    def behind(key, goal):
        return missed(median(ours, key), median(theirs, key), goal) if theirs and median(theirs, key) else ""

    cells = [] if ratios else [both(per_run, "{:.0f}")]
    # one program of ours may do what several of a peer's do: over the same work the sum is what an event takes
    for key, told in ((per_run, question.timed), (lambda s: s.ns, not question.timed)):
        cells.append(ratio_of(key, ours, theirs) + (behind(key, question.goal) if told else ""))
    cells.append(f"{slowdown(ours)} / {slowdown(theirs)}")
    cells.append(both(lambda s: s.startup_s * 1e3, "{:.0f}")
                 + behind(lambda s: s.startup_s, START_GOALS.get(name, 1)))
    cells.append(both(lambda s: s.cpu_s * 1e3, "{:.0f}"))
    cells.append(both(lambda s: s.rss_bytes / 1048576, "{:.1f}"))
    cells.append(both(lambda s: s.map_bytes / 1048576, "{:.1f}"))
    return cells + [" / ".join(str(sum(s.lost for s in side)) if side else "-" for side in (ours, theirs))]


def short(text):
    return text.replace(os.path.dirname(CALLS) + "/", "")


def lines_of(question, samples, ratios):
    """A line for each peer, the question before the first; without one, ktrace's own beside nothing."""
    ours = samples.get("ktrace")
    title = short(f"{question.ask}; {question.workload or 'idle'}")
    peers = {name: theirs for name, theirs in samples.items() if name != "ktrace"} or {"-": []}
    for name, theirs in peers.items() if ours else ():
        yield "| " + " | ".join([title, name, *cells_beside(question, name, ours, theirs, ratios)]) + " |"
        title = ""


def missing_in(table):
    """One line for each reason, with the questions that it is a reason for."""
    told = collections.defaultdict(list)
    for ask, trouble in table:
        for name, why in trouble.items():
            told[name, why].append(ask)
    for (name, why), asks in told.items():
        yield short(f"- {name} ({'; '.join(asks)}): {why}")


def notes_in(samples):
    """One line for each note of ktrace's reports: a figure may be of another way than the usual one."""
    counts = collections.Counter(note for sample in samples for note in sample.notes)
    for note, count in counts.items():
        yield f"  {count} of {len(samples)}: {note}"


def describe():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        model = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    print(f"Machine: {model[0] if model else platform.machine()}, {os.cpu_count()} CPUs, "
          f"kernel {platform.release()}, load {os.getloadavg()[0]:.2f} at the start")
    version = subprocess.run([KTRACE, "--version"], check=True, capture_output=True, text=True)
    print(version.stdout.strip())
    for package in ("libbpf-tools", "bpftrace", "bpfcc-tools", "linux-perf") if shutil.which("dpkg-query") else ():
        shown = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], check=False,
                               capture_output=True, text=True)
        print(f"{package}: {shown.stdout or 'not installed'}")


def print_questions(questions, rounds, ratios):
    titles = TITLES
    if ratios:
        titles = [title.removesuffix(" ms").removesuffix(" MiB") for title in TITLES if title != "ns per run"]
    print(f"\nMedians of {rounds} rounds; ktrace / the other\n")
    print("| " + " | ".join(titles) + " |\n" + "|---" * len(titles) + "|")
    missing, notes = [], []
    for question in questions:
        samples, trouble = answers_to(question, rounds)
        missing.append((question.ask, trouble))
        told = list(notes_in(samples.get("ktrace", ())))
        notes += [f"- {question.ask}", *told] if told else []
        for line in lines_of(question, samples, ratios):
            print(line, flush=True)
    lines = list(missing_in(missing))
    print("\n".join(["\nNot measured:", *lines] if lines else []), flush=True)
    print("\n".join(["\nNotes of ktrace's reports, in so many of the rounds:", *notes] if notes else []), flush=True)


def parse_args(names):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--in-guest", action="store_true", help="what needs functions, in ratios (in_guest.py)")
    parser.add_argument("tool", nargs="*")
    args = parser.parse_args()
    for tool in args.tool:
        if tool not in names:
            parser.error(f"no question '{tool}'; there are: {' '.join(names)}")
    return args


def main():
    names = [*dict.fromkeys(question.ask.split()[0] for question in QUESTIONS), "reports", "idle"]
    args = parse_args(names)
    wanted = args.tool or names
    here = VM if args.in_guest else NATIVE
    questions = [q for q in QUESTIONS if here[0] in q.where and q.ask.split()[0] in wanted]
    with open(STATS, encoding="ascii") as file:
        before = file.read()
    # Ended early, the setting is put back all the same.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    describe()
    try:
        with open(STATS, "w", encoding="ascii") as file:
            file.write("1\n")
        if questions:
            print_questions(questions, args.rounds, args.in_guest)
        if "reports" in wanted and not args.in_guest:
            reports.print_reports(args.rounds)
        if "idle" in wanted and not args.in_guest:
            asks = {q.ask.split()[0]: q.ask for q in reversed(QUESTIONS)
                    if NATIVE[0] in q.where and " -i " not in q.ask}
            reports.print_idle([ask.split() + interval_of(ask) for ask in asks.values()])
    finally:
        with open(STATS, "w", encoding="ascii") as file:
            file.write(before)


if __name__ == "__main__":
    main()
