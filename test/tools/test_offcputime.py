# SPDX-License-Identifier: GPL-2.0-or-later
"""offcputime against tasks that know how long they were off the CPU."""

import pytest

from lab import has_frame, pick, total, within
from probes import NANOSLEEP


def sleeps(rows, **match):
    return pick(rows, lambda row: has_frame(row, *NANOSLEEP), state="S", **match)


def test_sleeper_time_count_and_stack(lab):
    result = lab.trace("offcputime", workload="sleeper 20 50")
    truth = result.fact("sleeper")
    rows = sleeps(result.rows, tid=truth["tid"])
    assert total(rows, "count") == truth["count"] == 20, result
    within(total(rows, "total_ns"), truth["sum_ns"], 3, "total_ns")
    within(max(row["max_ns"] for row in rows), truth["max_ns"], 3, "max_ns")
    assert {row["tgid"] for row in rows} == {truth["tgid"]}
    assert {row["comm"] for row in rows} == {"sleeper"}
    assert total(rows, "blocked") == 0, "nobody was still blocked"


def test_thread_is_told_from_its_process(lab):
    result = lab.trace("offcputime", workload=f"sleeper 20 {20 * lab.slow} --thread-name napper")
    truth = result.fact("sleeper")
    rows = sleeps(result.rows, comm="napper")
    assert total(rows, "count") == 20, result
    assert {(row["tgid"], row["tid"]) for row in rows} == {(truth["tgid"], truth["tid"])}
    assert truth["tid"] != truth["tgid"]
    within(total(rows, "total_ns"), truth["sum_ns"], 3, "total_ns")


def test_thread_blocked_in_read_all_the_time_is_shown(lab):
    result = lab.run("""
        $W/blocked >ready & pid=$!
        wait_line ready
        $KTRACE offcputime -j -d 2 -p $pid; rc=$?
        cat ready >&2
        kill $pid
        exit $rc""")
    truth = result.fact("blocked")
    rows = pick(result.rows, tid=truth["tid"])
    assert len(rows) == 1, result
    row = rows[0]
    assert row["blocked"] and row["state"] == "S" and row["comm"] == "blockreader"
    assert has_frame(row, "pipe_read"), row["kstack"]
    assert row["count"] == 1
    within(row["total_ns"], result.report["elapsed_ns"], 3, "total_ns")
    assert pick(result.rows, tid=truth["tgid"]), "its main thread is blocked too"


def test_thread_that_blocks_during_the_trace_and_stays_is_shown(lab):
    result = lab.run("""
        $W/onready --do '$W/blocked </dev/null >ready & echo $! >pid; wait_line() {
                until [ -s $1 ]; do sleep 0.1; done; }; wait_line ready; sleep 1' \\
            --signal TERM -- $KTRACE offcputime -j --ready-fd 9 -C blockreader; rc=$?
        kill $(cat pid)
        cat ready >&2
        exit $rc""")
    rows = pick(result.rows, tid=result.fact("blocked")["tid"])
    assert total(rows, "blocked") == 1, result
    assert 1e9 <= total(rows, "total_ns") <= result.report["elapsed_ns"], result


@pytest.mark.hostside
def test_blocked_time_grows_from_report_to_report(lab):
    """Each report is the total since the start, also for who has not moved in between."""
    result = lab.run(f"""
        $W/blocked >ready & pid=$!
        wait_line ready
        $KTRACE offcputime -j -i {0.5 * lab.slow} -d {1.7 * lab.slow} -p $pid; rc=$?
        cat ready >&2
        kill $pid
        exit $rc""")
    assert result.rc == 0, result
    tid = result.fact("blocked")["tid"]
    times = [total(pick(report["rows"], tid=tid), "total_ns") for report in result.reports]
    assert len(times) >= 3 and times == sorted(times) and times[0] > 0, times
    for report, ns in zip(result.reports, times):
        within(ns, report["elapsed_ns"], 3, "total_ns")
        assert total(pick(report["rows"], tid=tid), "count") == 1


def test_states_are_told_apart(lab):
    result = lab.trace("offcputime", workload=f"states {500 * lab.slow}")
    truth = result.fact("states")
    for comm, state in (("st-sleep", "S"), ("st-vfork", "K"), ("st-stop", "T")):
        rows = pick(result.rows, comm=comm, state=state, tid=truth[comm]["pid"])
        # a page to be read, or a realtime kernel's spin lock, can make it sleep in another state too
        assert total(rows, "count") == 1 <= truth[comm]["voluntary"], (comm, result)
        within(total(rows, "total_ns"), truth[comm]["ns"], 3, comm)


def test_preemption_is_state_r_and_counted_as_the_kernel_counts(lab):
    result = lab.trace("offcputime", "--state R", workload="states 2000")
    truth = result.fact("states")
    assert {row["state"] for row in result.rows} == {"R"}, result
    for comm in ("st-spin0", "st-spin1"):
        involuntary = truth[comm]["involuntary"]
        assert involuntary > 20, "the workload did not preempt itself"
        count = total(pick(result.rows, tid=truth[comm]["pid"]), "count")
        # fork and exit, outside of what the workload counts, can add a few
        assert involuntary <= count <= involuntary + 10 + involuntary * 0.03, (comm, count)


def test_stacks_end_where_the_task_blocked_not_in_the_tracer(lab):
    result = lab.trace("offcputime", workload="sleeper 5 5")
    tracer = ("bpf_", "__bpf_", "__traceiter", "trace_call_bpf", "perf_trace", "perf_call_bpf")
    for row in result.rows:
        for frame in row["kstack"]:
            assert not frame.startswith(tracer), row["kstack"]


@pytest.mark.hostside
def test_idle_tasks_are_no_tasks(lab):
    result = lab.trace("offcputime", "-d 1")
    assert result.rows
    assert not pick(result.rows, lambda row: row["comm"].startswith("swapper") or row["tid"] == 0)


@pytest.mark.hostside
def test_kernel_threads_are_seen_too(lab):
    result = lab.trace("offcputime", "-d 1 -k")
    assert result.rows
    for row in result.rows:
        assert row["ustack"] == [], row
        assert not row["kstack"] or has_frame(row, "kthread", "ret_from_fork"), row


@pytest.mark.hostside
def test_user_stack_of_a_process_that_ran_already_is_named(lab):
    result = lab.run("""
        $W/sleeper 2000 20 --ready >ready & pid=$!
        wait_line ready
        $KTRACE offcputime -j -d 0.5 -p $pid --state S; rc=$?
        kill $pid
        exit $rc""")
    rows = sleeps(result.rows)
    # the sleep that was on when tracing began left its user stack unseen
    assert total(pick(rows, lambda row: not row["ustack"]), "count") <= 1 < total(rows, "count"), result
    assert total(pick(rows, lambda row: has_frame(row, "main", stack="ustack")), "count") >= total(rows, "count") - 1
    assert not any(frame == "[unknown]" for row in rows for frame in row["ustack"]), rows
