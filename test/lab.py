# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a test runs.

A test is a POSIX sh script and expectations on what it printed. The script may
use what busybox has, $KTRACE (the program), $W (the workloads' directory) and
the functions of PRELUDE, and nothing else: the same script runs natively and
in a virtual machine. It starts in an empty directory that is removed later.
Whatever judges the output (JSON, sums) is Python and runs out here.
"""

import fcntl
import fnmatch
import functools
import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import tempfile

import pytest

TEST_DIR = pathlib.Path(__file__).resolve().parent
ROOT = TEST_DIR.parent
TIMEOUT = 120
ATTEMPTS = 6
LOCK = pathlib.Path(tempfile.gettempdir()) / "ktrace-lab.lock"

PRELUDE = """
T=$(mktemp -d) && cd "$T" || exit 99
trap 'cd /; rm -rf "$T"' EXIT
# wait_line FILE: until FILE has a line, at most 30 s
wait_line() {
	n=0
	until [ -s "$1" ]; do
		n=$((n + 1))
		[ $n -lt 300 ] || { echo "nothing came into $1" >&2; exit 98; }
		sleep 0.1
	done
}
# number FILE KEY: the number behind the first "KEY": in FILE
number() {
	sed -n 's/.*"'"$2"'":\\([0-9][0-9]*\\).*/\\1/p' "$1" | head -n 1
}
# with_tracefs COMMAND...: in a mount namespace of its own that has tracefs
with_tracefs() {
	unshare -m sh -c 'mount --make-rprivate / 2>/dev/null
		mount -t tracefs none /sys/kernel/tracing 2>/dev/null
		exec "$@"' sh "$@"
}
# without_tracefs COMMAND...: in one that has none
without_tracefs() {
	unshare -m sh -c 'mount --make-rprivate / 2>/dev/null
		umount /sys/kernel/tracing 2>/dev/null
		umount /sys/kernel/debug/tracing 2>/dev/null
		umount /sys/kernel/debug 2>/dev/null
		exec "$@"' sh "$@"
}
"""


class Result:
    """What a script left: exit code, stdout, stderr."""

    def __init__(self, script, rc, out, err):
        self.script, self.rc, self.raw, self.err = script, rc, out, err
        self.out = out.decode("utf-8", "replace")

    def __repr__(self):
        return f"script: {self.script}\nrc: {self.rc}\nstdout: {self.out[:4000]}\nstderr: {self.err[:4000]}"

    @property
    def messages(self):
        """The lines of stderr that are no workload's facts, no ready signal, and no count of targets."""
        return [line for line in self.err.splitlines()
                if line and not line.startswith(('{"workload"', "Tracing"))
                and not re.match(r"\d+ functions? traced, ", line)]

    @property
    def facts(self):
        """What the workloads said that they did, in order."""
        return [json.loads(line) for line in (self.err + self.out).splitlines()
                if line.startswith('{"workload"')]

    def fact(self, workload, **match):
        """The last line of this workload (whose keys are so)."""
        found = [f for f in self.facts if f["workload"] == workload
                 and all(f.get(k) == v for k, v in match.items())]
        assert found, f"workload {workload} said nothing\n{self}"
        return found[-1]

    @property
    def reports(self):
        """The JSON reports on stdout; anything else there is a failure."""
        lines = self.raw.decode("utf-8").splitlines()
        return [json.loads(line) for line in lines if not line.startswith('{"workload"')]

    @property
    def report(self):
        """The last report, of a run that ended well."""
        assert self.rc == 0, self
        reports = self.reports
        assert reports, f"no report\n{self}"
        return reports[-1]

    @property
    def rows(self):
        return self.report["rows"]


def mostly(always, others):
    """Parameters: the first run on every kernel, the others where portable tests do."""
    return [*always, *(pytest.param(other, marks=pytest.mark.portable) for other in others)]


@functools.cache
def once(*call):
    """call[0](*call[1:]), run once for all tests that look at its result."""
    return call[0](*call[1:])


def has_frame(row, *names, stack="kstack"):
    """Does a frame of the row's stack contain one of these names?"""
    return any(name in frame for frame in row[stack] for name in names)


def pick(rows, predicate=None, **match):
    """Rows whose columns equal match and that satisfy predicate."""
    return [row for row in rows if all(row.get(k) == v for k, v in match.items())
            and (predicate is None or predicate(row))]


def total(rows, column):
    return sum(row[column] for row in rows)


def hist_sum(row, column="hist_ns"):
    """The events in a histogram."""
    return sum(slot["count"] for slot in row[column])


def fits_histogram(row):
    """Asserts that count, sum and maximum of a row are possible by its histogram."""
    assert hist_sum(row) == row["count"] > 0, row
    low, high = (sum(slot[end] * slot["count"] for slot in row["hist_ns"]) for end in ("lo", "hi"))
    assert low <= row["total_ns"] <= high, row
    last = max(row["hist_ns"], key=lambda slot: slot["lo"])
    assert last["lo"] <= row["max_ns"] < last["hi"], row


def within(value, truth, percent, what=""):
    """Asserts that value is within percent of truth."""
    assert abs(value - truth) <= truth * percent / 100, \
        f"{what} {value}, expected {truth} within {percent} %"


class Lab:
    """A kernel to test on. Subclasses bring a script to it."""

    name = "native"
    slow = 1  # workloads measure themselves: what they do outside of that takes so much longer

    def send(self, script, timeout):
        """Runs a script; returns (rc, stdout bytes, stderr bytes), or raises TimeoutError."""
        raise NotImplementedError

    def run(self, script, timeout=TIMEOUT):
        rc, out, err = self.send(PRELUDE + script, timeout)
        return Result(script.strip(), rc, out, err.decode("utf-8", "replace"))

    def ktrace(self, args, timeout=TIMEOUT):
        """ktrace with these words, in sh's syntax, and nothing around it."""
        return self.run(f"$KTRACE {args}", timeout)

    def exact(self, script, timeout=TIMEOUT):
        """run(), until nothing was lost on the way, a few times at most.

        Counts are exact in runs without loss only. Some kernels do not deliver
        every event (sched_switch out of idle on some virtual machines); the
        report must admit that in its loss, and then the run proves nothing.
        """
        for _ in range(ATTEMPTS):
            result = self.run(script, timeout)
            if result.rc or not any(any(report["loss"].values()) for report in result.reports):
                break
        return result

    def trace(self, tool, args="", workload=None, timeout=TIMEOUT):
        """A tool with JSON; a workload ("sleeper 5 10") is followed as its command."""
        command = f" -- $W/{workload}" if workload else ""
        return self.exact(f"$KTRACE {tool} -j {args}{command}", timeout)

    def two_sleepers(self, tool, args):
        """20 sleeps of 2 ms and 10 of 60 ms, in a run where none of the short ones took 40 ms."""
        for _ in range(ATTEMPTS):
            result = self.exact(f"$KTRACE {tool} -j {args} -- "
                                "sh -c '$W/sleeper 20 2; $W/sleeper 10 60'")
            if result.rc or result.fact("sleeper", count=20)["max_ns"] < 40e6:
                break
        return result

    def pingpong(self, tool):
        """A token goes to and fro between kt-ping and kt-pong, in a run where both often had to wait for it.

        Nothing is lost in it: see exact().
        """
        rounds = 20000 if self.slow == 1 else 2000
        for _ in range(ATTEMPTS):
            result = self.exact(f"$KTRACE {tool} -j -- $W/pingpong {rounds} --names kt-ping kt-pong")
            if result.rc or min(result.fact("pingpong")["blocked"]) > rounds / 20:
                break
        return result

    def around(self, tool, args, script, timeout=TIMEOUT):
        """A tool over the whole system while a script runs: from attached until SIGTERM."""
        return self.exact(f"$W/onready --do {shlex.quote(script)} --signal TERM -- "
                          f"$KTRACE {tool} -j --ready-fd 9 {args}", timeout)

    def traced_in_tracefs(self, tool, args, workload, timeout=TIMEOUT):
        """As trace(), in a mount namespace with tracefs: --hook tracepoint needs it."""
        return self.exact(f"with_tracefs $KTRACE {tool} -j {args} -- $W/{workload}", timeout)

    @functools.cache
    def tools(self):
        """The names that `ktrace list` prints."""
        result = self.ktrace("list")
        assert result.rc == 0, result
        return [line.split(None, 1)[0] for line in result.out.splitlines() if line.strip()]

    @functools.cache
    def caps(self):
        """`ktrace caps` as a dict: first word of a line to the list of what follows it."""
        result = self.ktrace("caps")
        assert result.rc == 0, result
        caps = {}
        for line in result.out.splitlines():
            words = re.split(r"[\s=:]+", line.strip(), maxsplit=1)
            caps.setdefault(words[0], []).append(words[1] if len(words) > 1 else "")
        return caps

    def object_tells_cache(self):
        """Can the slab cache of any object be told here?"""
        caps = self.caps()
        return caps["arch"] != ["aarch64"] or caps["kfunc.bpf_get_kmem_cache"] == ["yes"]

    @functools.cache
    def cannot(self, tool, args=""):
        """Why this kernel cannot run the tool so, or None if it can. One kernel gives one answer."""
        result = self.run(f"with_tracefs $KTRACE {tool} --explain {args}")
        if result.rc == 0:
            return None
        assert result.rc == 3, f"--explain must end with 0 or 3\n{result}"
        return (result.messages or ["no reason given"])[-1]


class NativeLab(Lab):
    """The kernel that the tests run on. Two test runs on one machine take turns, script by script."""

    def __init__(self):
        program = pathlib.Path(os.environ.get("KTRACE", ROOT / "build" / "ktrace")).resolve()
        workloads = os.environ.get("KTRACE_WORKLOADS", str(program.parent / "workload"))
        self.env = {"KTRACE": str(program), "W": workloads, "LC_ALL": "C",
                    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}

    def send(self, script, timeout):
        with open(LOCK, "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return self.send_alone(script, timeout)

    def send_alone(self, script, timeout):
        process = subprocess.Popen(["/bin/sh", "-c", script], env=self.env, start_new_session=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            raise TimeoutError(f"script hung for {timeout} s: {script[len(PRELUDE):]}\n"
                               f"{err.decode('utf-8', 'replace')[-2000:]}") from None
        return process.returncode, out, err


def open_lab():
    """The lab that KTRACE_LAB names: native (default), or vm:KERNEL."""
    name = os.environ.get("KTRACE_LAB", "native")
    if name == "native":
        return NativeLab()
    if name.startswith("vm:"):
        from vm.vmlab import VmLab  # test/vm/run.sh sets the rest
        return VmLab(name[3:])
    raise SystemExit(f"KTRACE_LAB={name}: no such lab")


def matrix_lines(kernel, word, path=TEST_DIR / "kernels" / "matrix"):
    """What follows the word in the lines of this kernel; None for one that is not in the matrix."""
    current, found, known = None, [], False
    for number, line in enumerate(path.read_text().splitlines(), 1):
        first, _, rest = line.strip().partition(" ")
        if not first or first.startswith("#"):
            continue
        if first == "kernel" and len(rest.split()) == 3:
            current = rest.split()[0]
            known |= current == kernel
        elif current and (first in ("skip", "without") and len(rest.split()) > 1 or line == "portable"):
            if first == word and current == kernel:
                found.append(rest)
        else:
            raise SystemExit(f"{path}:{number}: cannot read: {line}")
    return found if known else None


def glob_of(line):
    """The test that a line of the matrix is about: a "[" stands for itself."""
    return line.split()[0].replace("[", "[[]")


def wants_portable(kernel):
    """Do the tests marked portable run on this kernel? On one of a user's own they do."""
    return matrix_lines(kernel, "portable") != []


def left_out(kernel):
    """Globs of tests that this kernel does not run."""
    return [glob_of(line) for line in matrix_lines(kernel, "without") or []]


def granted_skips(kernel):
    """Globs of tests that the matrix lets a kernel skip; one of a user's own, any."""
    grants = matrix_lines(kernel, "skip")
    return ["*"] if grants is None else [glob_of(line) for line in grants]


def is_one_of(globs, test_id):
    return any(fnmatch.fnmatchcase(test_id, glob) for glob in globs)
