# SPDX-License-Identifier: GPL-2.0-or-later
"""wakeuptime against tasks that know who wakes them."""

import pytest

from lab import has_frame, pick, total, within
from probes import PROBES

INTERRUPTS = {"timer": "[timer]", "hardirq": "[hardirq]", "softirq": "[softirq]"}


def check_side(result, target, waker, blocked):
    # the second one's end wakes the first, which waits for it by then or does not
    rows = pick(result.rows, lambda row: not has_frame(row, "do_notify_parent"), target=target, waker=waker)
    # one or the other wait is for a lock or a page that somebody else has
    assert abs(total(rows, "count") - blocked) <= 3, (blocked, result)
    assert {row["context"] for row in rows} == {"task"}, rows
    # who has read its token may let go of the pipe's lock when the other waits for that
    assert all(has_frame(row, "pipe_write", "mutex_unlock") for row in rows), rows
    assert any(has_frame(row, "pipe_write") for row in rows), rows
    assert all(row["max_ns"] <= row["total_ns"] for row in rows)
    assert 0 < total(rows, "total_ns") <= result.report["elapsed_ns"]


def test_pingpong_names_each_waker_and_its_stack(lab):
    result = lab.pingpong("wakeuptime")
    truth = result.fact("pingpong")
    blocked = truth["blocked"]
    assert min(blocked) > truth["rounds"] / 20, "the workload hardly blocked"
    check_side(result, "kt-ping", "kt-pong", blocked[0])
    check_side(result, "kt-pong", "kt-ping", blocked[1])


def test_no_waker_is_lost_when_woken_and_blocked_again_at_once(lab):
    """Wakeups come before the target has left its CPU, and some find that it runs on."""
    result = lab.trace("wakeuptime", workload=f"twowakers {3000 // lab.slow}")
    for waker, blocked in zip(("kt-piper", "kt-eventer"), result.fact("twowakers")["blocked"]):
        assert blocked > 300 / lab.slow, "the workload hardly blocked"
        rows = pick(result.rows, lambda row: has_frame(row, "pipe_write", "eventfd_write"),
                    target="kt-target", waker=waker, context="task")
        assert total(rows, "count") == blocked, (waker, blocked, result)


def test_nanosleep_is_woken_by_an_interrupt(lab):
    result = lab.trace("wakeuptime", workload="sleeper 20 50")
    truth = result.fact("sleeper")
    rows = PROBES["wakeuptime"].rows(result.rows)
    assert total(rows, "count") == 20, result
    # until it is woken, which is before it runs again: the timers' own time, less what a thread
    # that has set its timer takes to leave its CPU: 120 us on an emulated machine
    assert 20 * 49e6 <= total(rows, "total_ns") <= truth["sum_ns"], result
    realtime = "-rt" in result.report["kernel"]  # expires sleeps of ordinary tasks in a softirq
    allowed = {"timer", "hardirq"} | ({"softirq"} if realtime else set())
    assert {row["context"] for row in rows} <= allowed, rows
    for row in rows:
        thread = realtime and row["waker"].startswith(("ktimers/", "ksoftirqd/"))
        assert row["waker"] == INTERRUPTS[row["context"]] or thread, row


@pytest.mark.hostside
def test_min_is_about_the_time_blocked(lab):
    result = lab.two_sleepers("wakeuptime", "-m 40ms")
    assert PROBES["wakeuptime"].value(result.rows) == 10, result


def test_preempted_tasks_were_not_woken(lab):
    result = lab.trace("wakeuptime", workload="states 1000")
    for comm in ("st-spin0", "st-spin1"):
        rows = pick(result.rows, target=comm)
        assert total(rows, "count") <= result.fact("states")[comm]["voluntary"] + 3, rows


def test_stopped_task_is_woken_by_who_continues_it(lab):
    result = lab.trace("wakeuptime", workload=f"states {500 * lab.slow}")
    rows = pick(result.rows, target="st-stop", waker="states", context="task")
    assert total(rows, "count") >= 1, result
    within(max(row["max_ns"] for row in rows), result.fact("states")["st-stop"]["ns"], 3, "stopped")


@pytest.mark.hostside
def test_waker_is_not_guessed_when_its_stack_is_lost(lab):
    """Task or interrupt is told from the stack: without one, who happened to run is not the waker."""
    result = lab.ktrace("wakeuptime -j --stack-storage-size 1 -- "
                        "sh -c '$W/sleeper 100 1; $W/pingpong 50; $W/sleeper 100 1'")
    lost = pick(result.rows, lambda row: row["kstack"] == ["[lost]"])
    assert lost and result.report["loss"]["stacks"] > 0, "the workload lost no stack"
    assert not pick(lost, context="task"), lost
