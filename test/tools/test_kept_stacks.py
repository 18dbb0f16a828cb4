# SPDX-License-Identifier: GPL-2.0-or-later
"""offcputime --min and --budget: an interval has the stacks that it would have without.

Where the kernel can, stacks are walked for kept intervals only, when the thread has got its CPU;
by raw_tp always when it leaves its CPU. Both see the same work at once.
"""

import collections

import pytest

from lab import has_frame, pick, total
from probes import NANOSLEEP

pytestmark = pytest.mark.slow


def both_ways(lab, script, *options):
    """The report of stacks walked at once, with the first options, that of stacks walked later, result."""
    early, late = options if len(options) == 2 else options * 2
    result = lab.exact(f"""cat >load <<'END'\n{script}\nEND
        $KTRACE offcputime {early} --hook raw_tp -o json=early -- \\
            $KTRACE offcputime {late} -o json=late -- sh ./load; rc=$?
        cat early late
        [ -e pid ] && kill -9 $(cat pid)
        exit $rc""")
    assert result.rc == 0, result
    early, late = result.reports
    return early, late, result


def user_stacks(report, *leaf, **match):
    """{user stack: intervals} of the rows that have one of these functions in the kernel's."""
    counts = collections.Counter()
    for row in pick(report["rows"], lambda row: has_frame(row, *leaf), **match):
        counts[tuple(row["ustack"])] += row["count"]
    return counts


def walks_late(lab):
    caps = lab.caps()
    return caps["arch"] == ["x86_64"] and caps["proto.sched_exit_tp"] != ["no"]


def test_the_plan_walks_late_where_the_kernel_can(lab):
    plan = lab.ktrace("offcputime -m 1ms --explain").out
    assert ("* tp_btf     sched:sched_exit_tp" in plan) == walks_late(lab), plan


def test_each_of_many_stacks_is_the_one_that_slept(lab):
    early, late, result = both_ways(lab, f"$W/stacks 60 --us {5000 * lab.slow}", "-C stacks -m 1ms")
    walked = user_stacks(early, *NANOSLEEP, state="S")
    # on a slow machine some timers fire when the thread has hardly left its CPU
    assert user_stacks(late, *NANOSLEEP, state="S") == walked and 50 < len(walked) <= 60, result
    if walks_late(lab):
        assert user_stacks(late, "do_nanosleep", state="S") == walked, "the scheduler's functions are there"
        assert not late["notes"], late["notes"]


def test_who_is_killed_in_its_sleep_has_its_stack(lab):
    early, late, result = both_ways(lab, """
        for i in 1 2 3 4 5 6 7 8 9 10; do
            $W/sleeper 1 60000 --ready >ready & pid=$!
            until [ -s ready ]; do sleep 0.05; done; sleep 0.1
            kill -9 $pid; wait $pid; rm ready
        done 2>/dev/null""", "-C sleeper -m 1ms")
    walked = user_stacks(early, *NANOSLEEP, state="S")
    assert user_stacks(late, *NANOSLEEP, state="S") == walked and sum(walked.values()) == 10, result


def test_a_sleep_before_an_exec_has_the_stack_of_then(lab):
    early, late, result = both_ways(lab, "$W/blockexec -- true", "-C blockexec -m 1ms")
    (frames, count), = user_stacks(late, *NANOSLEEP).items()
    assert "block_before_exec" in frames and count == 1, result
    assert user_stacks(early, *NANOSLEEP) == {frames: 1}


def test_many_waits_of_one_system_call_have_its_stack(lab):
    early, late, result = both_ways(lab, """
        dd if=/dev/zero bs=1000000 count=1 2>/dev/null | for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
            sleep 0.03; head -c 65536 >/dev/null
        done""", "-C dd -m 1us")
    # Of any state: before 5.19 (fa2c3254d7cf, 9c2136be0878) a program reads it from the task, whose waker may be
    # there between the two programs.
    waits = user_stacks(early, "pipe_write")
    assert user_stacks(late, "pipe_write") == waits and sum(waits.values()) > 5, result


def test_who_is_blocked_at_the_report_has_its_stack(lab):
    early, late, result = both_ways(lab, """
        $W/blocked </dev/null >ready & echo $! >pid
        until [ -s ready ]; do sleep 0.05; done; sleep 0.5""", "-C blockreader -m 1ms")
    # it may have been preempted there before
    rows = [pick(report["rows"], lambda row: has_frame(row, "pipe_read"), blocked=1) for report in (early, late)]
    for row, in rows:
        assert row["count"] == 1 and "read" in row["ustack"][0], result
    assert rows[0][0]["ustack"] == rows[1][0]["ustack"]


@pytest.mark.slow
@pytest.mark.portable
@pytest.mark.parametrize("options", ["-m 20us", "--budget 1ms"])
def test_a_mixed_load_has_no_stack_that_was_not_there(lab, options):
    early, late, result = both_ways(lab, """
        for i in 1 2 3; do
            $W/pingpong 1500 & $W/stacks 50 & $W/shortlived 60 1 &
        done >/dev/null 2>&1; wait""", "", options)
    kinds = ("kstack", "ustack") if walks_late(lab) else ("ustack",)
    known = {(row["comm"], *(tuple(row[kind]) for kind in kinds)) for row in early["rows"]}
    wrong = [row for row in late["rows"] if not row["blocked"]
             and (row["comm"], *(tuple(row[kind]) for kind in kinds)) not in known]
    assert all(row["ustack"] == ["[lost]"] for row in wrong), (wrong, result)
    assert late["loss"]["stacks"] < total(early["rows"], "count") / 500, result
