#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bench.py [--rounds N] [TOOL|reports|idle...]: what each tool costs, beside a peer's cost.

One round of a question is: the workload alone, then ktrace and the peer around
the same workload, in an order that changes from round to round. What is printed
are medians over the rounds, as Markdown. Start it through run.sh.

 start-up   from exec to attached: the byte of --ready-fd; a peer's first line
            after it attached or, where it prints none, the link in its fdinfo
 run time   run_time_ns and run_cnt of each BPF program, as the kernel counts
            them for the process (/proc/PID/fdinfo, kernel.bpf_stats_enabled=1)
 RSS        VmHWM, read every millisecond until the process is gone
 maps       memory of its BPF maps (memlock in fdinfo) when the workload is done
 workload   its wall time beside its wall time alone
"""
import argparse
import collections
import json
import os
import platform
import pty
import select
import shutil
import signal
import statistics
import subprocess
import sys
import time

import reports
from questions import QUESTIONS

KTRACE = os.environ.get("KTRACE", "build/ktrace")
WORKLOADS = os.environ.get("KTRACE_WORKLOADS", "build/workload")
STATS = "/proc/sys/kernel/bpf_stats_enabled"
READY_SECONDS = 60
RESEND_SECONDS = 4


class Failed(Exception):
    """A program could not be measured; says why."""


def run_workload(words):
    """Its wall time in seconds."""
    if not words:
        time.sleep(0.3)
        return 0.0
    argv = words.split()
    argv[0] = os.path.join(WORKLOADS, argv[0])
    begin = time.monotonic()
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    return time.monotonic() - begin


def fdinfo(pid):
    """BPF programs {id: (runs, ns)} that the process holds, and bytes of its maps."""
    programs, maps = {}, {}
    for fd in os.listdir(f"/proc/{pid}/fdinfo"):
        try:
            with open(f"/proc/{pid}/fdinfo/{fd}", encoding="ascii", errors="replace") as file:
                facts = dict(line.split(":", 1) for line in file.read().splitlines() if ":" in line)
        except OSError:
            continue
        if "run_cnt" in facts:
            programs[int(facts["prog_id"])] = int(facts["run_cnt"]), int(facts["run_time_ns"])
        elif "map_type" in facts:
            maps[int(facts["map_id"])] = int(facts["memlock"])
    return programs, sum(maps.values())


def has_link(pid):
    """Is a BPF program of this process attached by a link?"""
    try:
        for fd in os.listdir(f"/proc/{pid}/fdinfo"):
            with open(f"/proc/{pid}/fdinfo/{fd}", encoding="ascii", errors="replace") as file:
                if "link_type" in file.read():
                    return True
    except OSError:
        pass
    return False


def program_name(number):
    shown = subprocess.run(["bpftool", "prog", "show", "id", str(number), "-j"], check=False,
                           capture_output=True, text=True)
    try:
        return json.loads(shown.stdout)["name"]
    except (ValueError, KeyError):
        return "?"


def peak_rss(pid, peak=0):
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return max(peak, int(line.split()[1]) * 1024)
    except OSError:
        pass
    return peak


class Process:
    """A tracer from exec to its end; both kinds are started, read and ended in one way."""

    def __init__(self, argv, ready_fd):
        self.out = []
        self.master = self.reader = None
        if ready_fd:
            self.reader, writer = os.pipe()
            argv = argv + ["--ready-fd", str(writer)]
            streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "pass_fds": [writer]}
        else:
            # On a terminal, or the first line would wait in a buffer.
            self.master, writer = pty.openpty()
            self.reader = self.master
            streams = {"stdout": writer, "stderr": writer}
        self.begin = time.monotonic()
        self.child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, **streams)
        os.close(writer)

    def wait_ready(self, word):
        """Seconds from exec to attached. word: what it prints then; None: look for a link."""
        said = b""
        while time.monotonic() - self.begin < READY_SECONDS:
            if word is None and self.child.poll() is None and has_link(self.child.pid):
                return time.monotonic() - self.begin
            if not select.select([self.reader], [], [], 1 if word else 0.001)[0]:
                continue
            try:
                got = os.read(self.reader, 4096)
            except OSError:
                got = b""
            if not got:
                break
            said += got
            if word and word in said:
                return time.monotonic() - self.begin
        self.child.kill()
        err = self.child.communicate()[1]
        text = (said + (err or b"")).decode(errors="replace").strip().splitlines()
        raise Failed(text[-1] if text else "it ended without a word")

    def drain(self, fd):
        """Takes what was printed since; a terminal gives 4 KiB at a time. False: nothing."""
        try:
            got = os.read(fd, 1 << 20)
        except OSError:
            return False
        self.out.append(got)
        return bool(got)

    def end(self):
        """SIGINT; its peak RSS and, where there is a pipe, its stdout."""
        peak = peak_rss(self.child.pid)
        self.child.send_signal(signal.SIGINT)
        again = time.monotonic() + RESEND_SECONDS
        os.set_blocking(self.reader, False)
        stdout = self.child.stdout
        if stdout:
            os.set_blocking(stdout.fileno(), False)
        while self.child.poll() is None:
            peak = peak_rss(self.child.pid, peak)
            if not self.drain(stdout.fileno() if stdout else self.master):
                time.sleep(0.001)
            # bpftrace misses a signal that comes while it is not in its wait.
            if not stdout and not self.out and time.monotonic() > again:
                self.child.send_signal(signal.SIGINT)
                again += RESEND_SECONDS
        if stdout:
            self.out.append(stdout.read() or b"")
            self.child.stderr.close()
            stdout.close()
        os.close(self.reader)
        # A second SIGINT may have killed a peer, when all but its RSS was read.
        if self.child.returncode not in ((0,) if stdout else (0, -signal.SIGINT)):
            raise Failed(f"it ended with status {self.child.returncode}")
        return peak, b"".join(self.out)


def measure(argv, workload, ready_word, is_ktrace):
    """One run around the workload."""
    process = Process(argv, is_ktrace)
    sample = {"startup": process.wait_ready(ready_word)}
    time.sleep(0.2)
    before, _ = fdinfo(process.child.pid)
    sample["wall"] = run_workload(workload)
    programs, sample["maps"] = fdinfo(process.child.pid)
    sample["programs"] = collections.Counter(), collections.Counter()
    for number, (runs, ns) in programs.items():
        name = program_name(number)
        sample["programs"][0][name] += runs - before.get(number, (0, 0))[0]
        sample["programs"][1][name] += ns - before.get(number, (0, 0))[1]
    sample["rss"], out = process.end()
    if is_ktrace:
        report = json.loads(out.splitlines()[-1])
        sample["loss"] = report["loss"]
    return sample


def interval_of(tool):
    """What has an interval by default gets one that does not end."""
    return ["-i", "3600"] if tool in ("loads", "slabratetop") else []


def measure_ktrace(question):
    ask = question.ask.split()
    argv = [KTRACE, ask[0], "-j"] + ask[1:] + interval_of(ask[0])
    return measure(argv, question.workload, b"\n", True)


def measure_peer(question):
    return measure(question.peer, question.workload, question.ready, False)


def interleave(question, rounds, peer):
    """Samples of each side; a peer that fails once is left out from then on."""
    alone, ours, theirs, trouble = [], [], [], None
    for number in range(rounds):
        alone.append(run_workload(question.workload))
        sides = [True, False] if number % 2 else [False, True]
        for is_ktrace in sides:
            if is_ktrace:
                ours.append(measure_ktrace(question))
            elif peer and not trouble:
                try:
                    theirs.append(measure_peer(question))
                except Failed as failed:
                    trouble = str(failed)
    return alone, ours, theirs, trouble


def median(samples, key):
    return statistics.median(key(sample) for sample in samples)


def ns_per_run(sample, name=None):
    runs, ns = sample["programs"]
    if name:
        return ns[name] / runs[name] if runs[name] else 0
    return sum(ns.values()) / sum(runs.values()) if sum(runs.values()) else 0


def row(label, value, peer, form):
    """One line of the table; the ratio is ktrace's to the peer's."""
    cells = [label, form(value), form(peer) if peer is not None else "-",
             f"{value / peer:.2f}" if peer else "-"]
    print("| " + " | ".join(cells) + " |")


def print_programs(title, samples):
    names = sorted({name for sample in samples for name in sample["programs"][0]})
    parts = []
    for name in names:
        runs = median(samples, lambda s, n=name: s["programs"][0][n])
        if runs:
            parts.append(f"{name} {median(samples, lambda s, n=name: ns_per_run(s, n)):.0f} ns "
                         f"({runs:.0f} runs)")
    if parts:
        print(f"{title}: {', '.join(parts)}")


def print_question(question, rounds, trouble_before):
    alone, ours, theirs, trouble = interleave(question, rounds, question.peer and not trouble_before)
    trouble = trouble or trouble_before
    peer = question.peer[0] if question.peer else "no peer"
    print(f"\n### {question.ask}: {question.workload or 'no workload'}, {rounds} rounds\n")
    print(f"| median of {rounds} | ktrace | {peer} | ratio |\n|---|---|---|---|")
    lines = [("start-up", lambda s: s["startup"], lambda v: f"{v * 1000:.0f} ms"),
             ("peak RSS", lambda s: s["rss"], lambda v: f"{v / 1048576:.1f} MiB"),
             ("BPF maps", lambda s: s["maps"], lambda v: f"{v / 1048576:.1f} MiB"),
             ("BPF time per run", ns_per_run, lambda v: f"{v:.0f} ns"),
             ("BPF time in all", lambda s: sum(s["programs"][1].values()),
              lambda v: f"{v / 1e6:.1f} ms")]
    if question.workload:
        base = statistics.median(alone)
        lines.append(("workload, 1.00 untraced", lambda s: s["wall"] / base, lambda v: f"{v:.2f}"))
    for label, key, form in lines:
        if median(ours, key):
            row(label, median(ours, key), median(theirs, key) if theirs else None, form)
    print()
    print_programs("ktrace", ours)
    print_programs(peer, theirs)
    loss = sum((collections.Counter(sample["loss"]) for sample in ours), collections.Counter())
    print("ktrace lost in all rounds:",
          ", ".join(f"{n} {what}" for what, n in loss.items()) or "nothing")
    if trouble:
        print(f"{peer} not measured: {trouble}")


def missing(question):
    if question.peer and not shutil.which(question.peer[0]):
        return f"not installed (Debian package {question.package})"
    return None


def describe():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        model = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    print(f"Machine: {model[0] if model else platform.machine()}, {os.cpu_count()} CPUs, "
          f"kernel {platform.release()}, load {os.getloadavg()[0]:.2f} at the start")
    version = subprocess.run([KTRACE, "--version"], check=True, capture_output=True, text=True)
    print(version.stdout.strip())
    for package in ("libbpf-tools", "bpftrace"):
        shown = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], check=False,
                               capture_output=True, text=True)
        print(f"{package}: {shown.stdout or 'not installed'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("tool", nargs="*")
    args = parser.parse_args()
    known = [question.ask.split()[0] for question in QUESTIONS] + ["reports", "idle"]
    for tool in args.tool:
        if tool not in known:
            parser.error(f"no question '{tool}'; there are: {' '.join(known)}")
    with open(STATS, encoding="ascii") as file:
        before = file.read()
    # Ended early, the setting is put back all the same.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    describe()
    try:
        with open(STATS, "w", encoding="ascii") as file:
            file.write("1\n")
        for question in QUESTIONS:
            if not args.tool or question.ask.split()[0] in args.tool:
                try:
                    print_question(question, args.rounds, missing(question))
                except Failed as failed:
                    print(f"\n### {question.ask}: not measured here: {failed}")
                sys.stdout.flush()
        if not args.tool or "reports" in args.tool:
            reports.print_reports(sys.modules[__name__], args.rounds, shutil.which("offcputime"))
        if not args.tool or "idle" in args.tool:
            reports.print_idle(sys.modules[__name__],
                               [q.ask for q in QUESTIONS if " " not in q.ask])
    finally:
        with open(STATS, "w", encoding="ascii") as file:
            file.write(before)


if __name__ == "__main__":
    main()
