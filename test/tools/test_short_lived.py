# SPDX-License-Identifier: GPL-2.0-or-later
"""User frames of processes that are gone when the report is made."""

import errno

import pytest

from lab import has_frame, pick, total
from probes import NANOSLEEP

pytestmark = pytest.mark.slow

UNKNOWN = "[unknown]"
REFUSED = "user frames of processes that exited may have no names: "


def short_lived(lab):
    """The workload: a sleep must be long enough to be one."""
    return f"shortlived {1000 if lab.slow == 1 else 100} {2 * lab.slow}"


def naps(rows):
    """Where the children of shortlived block; "exe" is what they executed."""
    return pick(rows, lambda row: has_frame(row, *NANOSLEEP), comm="exe", state="S")


def assert_named(rows, result):
    """Under one in a hundred of the frames, and of the stacks, has no name."""
    frames = [frame for row in rows for frame in row["ustack"]]
    assert len(frames) > 3 * len(rows), result
    assert frames.count(UNKNOWN) < len(frames) / 100, result
    assert sum(not row["ustack"] or UNKNOWN in row["ustack"] for row in rows) < len(rows) / 100, result


def assert_each_was_seen(result):
    rows = naps(result.rows)
    count = result.fact("shortlived")["count"]
    assert count * 0.98 <= total(rows, "count") <= count, result
    assert_named(rows, result)
    for row in rows:
        assert row["ustack"][:3] == ["block_for_a_while", "child", "main"], row
    assert not result.report["notes"], result


@pytest.mark.parametrize("how", ["", pytest.param("--kill", marks=pytest.mark.slow)])
def test_short_lived_processes_of_a_command_keep_their_names(lab, how):
    assert_each_was_seen(lab.trace("offcputime", workload=f"{short_lived(lab)} {how}"))


@pytest.mark.slow
def test_short_lived_processes_of_the_whole_system_keep_their_names(lab):
    assert_each_was_seen(lab.around("offcputime", "", f"$W/{short_lived(lab)}"))


def test_children_of_a_shell_that_was_there_before_keep_their_names(lab):
    """It forks without exec, so they have its mappings, which no record told."""
    result = lab.run("""
        mkfifo go
        sh -c 'read x <go; n=0; while [ $n -lt 20 ]; do (sleep 0.001; :) & wait; n=$((n+1)); done' &
        $W/onready --do 'echo >go; sleep 1; while kill -0 '$!' 2>&-; do sleep 0.1; done' --signal TERM -- \\
            $KTRACE offcputime -j --ready-fd 9""")
    rows = pick(result.rows, lambda row: row["comm"] in ("sh", "busybox") and row["ustack"])
    assert len(rows) > 20, result
    assert not pick(rows, lambda row: row["ustack"][0] == UNKNOWN), result


def test_a_process_that_execs_is_named_by_both_programs(lab):
    result = lab.trace("offcputime", workload="blockexec -- $W/sleeper 5 20")
    sleeper = result.fact("sleeper")
    tgid = sleeper["tgid"]
    # a nap whose timer fires before the task is off its CPU blocks nobody, and the workload knows
    for comm, function, count in (("blockexec", "block_before_exec", 1), ("sleeper", "main", sleeper["voluntary"])):
        rows = pick(result.rows, lambda row: has_frame(row, *NANOSLEEP), comm=comm, tgid=tgid, state="S")
        assert total(rows, "count") == count, result
        for row in rows:
            assert function in row["ustack"], row


def test_every_part_of_a_pipeline_is_named(lab):
    result = lab.trace("offcputime", workload="onready --delay-ms 1 --do 'n=0; while [ $n -lt 20 ]; do "
                       "echo x | (read x; sleep 0.001; echo $x) | cat >/dev/null; n=$((n+1)); done' -- true")
    rows = pick(result.rows, lambda row: row["ustack"])
    assert len(rows) > 40, result
    unknown = pick(rows, lambda row: row["ustack"][0] == UNKNOWN)
    assert len(unknown) < len(rows) / 100, unknown


@pytest.mark.slow
def test_a_given_process_that_exits_keeps_its_names(lab):
    result = lab.run(f"""
        $W/sleeper 30 {10 * lab.slow} --ready >ready & pid=$!
        wait_line ready
        $KTRACE offcputime -j -d {0.7 * lab.slow} -p $pid; rc=$?
        cat ready >&2
        exit $rc""")
    rows = pick(result.rows, lambda row: row["ustack"] and has_frame(row, *NANOSLEEP))
    assert rows, result
    for row in rows:
        assert "main" in row["ustack"], row


@pytest.mark.hostside
def test_without_the_kernels_records_the_report_says_so(lab):
    result = lab.run(f"$W/failnth 1 {errno.EACCES} --perf --from -- $KTRACE offcputime -j -- $W/shortlived 20")
    assert len(result.report["notes"]) == 1, result
    assert result.report["notes"][0].startswith(REFUSED), result
    assert "Permission denied" in result.report["notes"][0]


@pytest.mark.hostside
def test_no_records_are_asked_for_without_user_stacks(lab):
    for args in ("offcputime -K", "mlock", "kmem"):
        result = lab.run(f"$W/failnth 1 {errno.EACCES} --perf --from -- $KTRACE {args} -j -d 0.1")
        if result.rc != 3:
            assert not any(note.startswith(REFUSED) for note in result.report["notes"]), result


@pytest.mark.slow
@pytest.mark.hostside
def test_lost_records_are_told_and_living_processes_read_anew(lab):
    """A ring holds some 16000 names: a task that takes more of them fills it while nobody reads."""
    result = lab.run("""
        mkfifo ready; : >err
        $KTRACE offcputime -j --ready-fd 9 9>ready 2>err >out & k=$!
        read line <ready; sleep 0.5
        kill -STOP $k
        sh -c 'n=0; while [ $n -lt 50000 ]; do echo $n >/proc/$$/comm; n=$((n+1)); done'
        $W/sleeper 100 5 & sleeper=$!
        sleep 0.1
        kill -CONT $k; kill -TERM $k
        wait $k; rc=$?
        kill $sleeper
        cat err >&2; cat out
        exit $rc""")
    notes = [note for note in result.report["notes"] if "of the kernel's records of mappings at least" in note]
    assert len(notes) == 1, result
    rows = pick(result.rows, lambda row: has_frame(row, *NANOSLEEP) and row["ustack"], comm="sleeper")
    assert rows and all("main" in row["ustack"] for row in rows), result
