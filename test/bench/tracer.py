# SPDX-License-Identifier: GPL-2.0-or-later
"""A tracer under measurement, ktrace or a peer: started, watched and ended in one way."""
import collections
import os
import pty
import re
import select
import signal
import subprocess
import tempfile
import time

KTRACE = os.environ.get("KTRACE", "build/ktrace")
WORKLOADS = os.environ.get("KTRACE_WORKLOADS", "build/workload")
READY_SECONDS = 300  # bpftrace in a guest on a busy machine
QUIET_SECONDS = 0.5  # so long nothing more is attached: then all is
RESEND_SECONDS = 4
# How a tracer tells that it is attached: a byte for --ready-fd, what it holds then, or a word on its terminal.
READY_FD, READY_LINKS = "--ready-fd", "links"

# said: what it printed; cpu_s: its own CPU time; took_s: from the signal to its end
Ended = collections.namedtuple("Ended", "said cpu_s rss_bytes took_s")


class Failed(Exception):
    """A program could not be measured; says why."""


def facts_of(pid):
    """What the kernel says of each descriptor of a process, as dicts."""
    try:
        numbers = os.listdir(f"/proc/{pid}/fdinfo")
    except OSError:
        return
    for number in numbers:
        try:
            with open(f"/proc/{pid}/fdinfo/{number}", encoding="ascii", errors="replace") as file:
                yield dict(line.split(":", 1) for line in file.read().splitlines() if ":" in line)
        except OSError:
            continue


def programs_of(pid):
    """BPF programs {id: (runs, ns, runs missed)} that the process holds, and bytes of its maps."""
    programs, maps = {}, {}
    for facts in facts_of(pid):
        if "run_cnt" in facts:
            programs[int(facts["prog_id"])] = tuple(
                int(facts.get(key, 0)) for key in ("run_cnt", "run_time_ns", "recursion_misses"))
        elif "map_type" in facts:
            maps[int(facts["map_id"])] = int(facts["memlock"])
    return programs, sum(maps.values())


def attached(pid):
    """How many links of BPF programs, and perf events, the process holds."""
    links = sum("link_type" in facts for facts in facts_of(pid))
    try:
        return links + sum(os.readlink(f"/proc/{pid}/fd/{fd}") == "anon_inode:[perf_event]"
                           for fd in os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return links


def peak_rss(pid, peak=0):
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return max(peak, int(line.split()[1]) * 1024)
    except OSError:
        pass
    return peak


def last_line(said):
    lines = [line for line in said.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it ended without a word"


def lost_by(said):
    """Stacks and events that a peer says it lost."""
    told = re.findall(rb"(?:WARNING: |Lost )(\d+) (?:stack traces|events)", said)
    return sum(map(int, told)) + len(re.findall(rb"\[Missed (?:Kernel|User) Stack\]", said))


def in_turns(rounds, sides, measure, begin=lambda: None):
    """Each round has each side once, in an order that changes: {name: what measure(side, begin()) gave},
    and {name: why} of those that failed; who fails once is left out from then on."""
    samples, trouble = {name: [] for name in sides}, {}
    for number in range(rounds):
        begun = begin()
        names = [name for name in sides if name not in trouble]
        turn = number % max(len(names), 1)
        for name in names[turn:] + names[:turn]:
            try:
                samples[name].append(measure(sides[name], begun))
            except Failed as failed:
                trouble[name] = str(failed)
    return {name: values for name, values in samples.items() if name not in trouble}, trouble


class Tracer:
    """From exec to its end."""

    def __init__(self, argv, ready=READY_LINKS):
        self.ready = ready
        self.err = tempfile.TemporaryFile()
        self.said = []
        self.reader = writer = None
        if isinstance(ready, bytes):  # a word would wait in a buffer, were it not for a terminal
            self.reader, writer = pty.openpty()
            out, err = writer, writer
        else:
            self.file = out = tempfile.TemporaryFile()
            err = self.err
        if ready == READY_FD:
            self.reader, writer = os.pipe()
            argv = argv + ["--ready-fd", str(writer)]
        self.begin = time.monotonic()
        self.child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                      pass_fds=[writer] if ready == READY_FD else [])
        if writer is not None:
            os.close(writer)

    def seconds(self):
        return time.monotonic() - self.begin

    def wait_ready(self):
        """Seconds from exec to attached."""
        at = self.wait_links() if self.ready == READY_LINKS else self.wait_word()
        if at is None:
            os.kill(self.child.pid, signal.SIGKILL)
            said = self.finish().said
            raise Failed(last_line(self.read_err() or said))
        return at

    def wait_links(self):
        """When the last of them came: some programs are attached to many places."""
        at, held = None, 0
        while self.seconds() < READY_SECONDS and self.is_running():
            looked = time.monotonic()
            now = attached(self.child.pid)
            if now > held:
                at, held = looked - self.begin, now
            elif at is not None and self.seconds() > at + QUIET_SECONDS:
                return at
            time.sleep(max(0.001, time.monotonic() - looked))
        return None

    def wait_word(self):
        word = b"\n" if self.ready == READY_FD else self.ready
        said = b""
        while self.seconds() < READY_SECONDS:
            if not select.select([self.reader], [], [], 1)[0]:
                continue
            got = self.read()
            said += got
            if not got:
                break
            if word in said:
                return self.seconds()
        self.said.append(said)
        return None

    def is_running(self):
        return os.waitid(os.P_PID, self.child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def read(self):
        """What came since; a terminal gives 4 KiB at a time."""
        try:
            return os.read(self.reader, 1 << 16)
        except OSError:
            return b""

    def read_err(self):
        self.err.seek(0)
        return self.err.read()

    def end(self, pid=None):
        """SIGINT to it (or to the process that it is around), and what it was then."""
        on_terminal = isinstance(self.ready, bytes)
        if on_terminal:
            os.set_blocking(self.reader, False)
        begin = time.monotonic()
        again = begin + RESEND_SECONDS
        peak = peak_rss(self.child.pid)
        os.kill(pid or self.child.pid, signal.SIGINT)
        while self.is_running():
            peak = peak_rss(self.child.pid, peak)
            got = self.read() if on_terminal else b""
            self.said.append(got)
            if not got:
                time.sleep(0.001)
            # bpftrace misses a signal that comes while it is not in its wait.
            if on_terminal and not any(self.said) and time.monotonic() > again:
                os.kill(self.child.pid, signal.SIGINT)
                again += RESEND_SECONDS
        ended = self.finish(peak, time.monotonic() - begin)
        # A second SIGINT may have killed a peer, when all but its RSS was read.
        if self.child.returncode not in ((0,) if self.ready == READY_FD else (0, -signal.SIGINT)):
            raise Failed(f"it ended with status {self.child.returncode}: {last_line(self.read_err())}")
        return ended

    def kill(self):
        """Nothing of it is left, whatever went wrong."""
        if self.child.returncode is None:
            os.kill(self.child.pid, signal.SIGKILL)
            self.finish()

    def finish(self, peak=0, took_s=0):
        _, status, usage = os.wait4(self.child.pid, 0)
        self.child.returncode = os.waitstatus_to_exitcode(status)
        if isinstance(self.ready, bytes):
            got = self.read()
            while got:
                self.said.append(got)
                got = self.read()
        else:
            self.file.seek(0)
            self.said.append(self.file.read())
        if self.reader is not None:
            os.close(self.reader)
        return Ended(b"".join(self.said), usage.ru_utime + usage.ru_stime, peak, took_s)
