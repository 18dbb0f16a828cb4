# SPDX-License-Identifier: GPL-2.0-or-later
"""offwaketime against tasks that know where they blocked and who woke them."""

import re

import pytest

from lab import has_frame, mostly, pick, total, within
from probes import NANOSLEEP, PROBES

INTERRUPTS = {"timer": "[timer]", "hardirq": "[hardirq]", "softirq": "[softirq]"}
PIPE_READ, EVENT_READ = "pipe_read", "eventfd_read"
PIPE_WRITE, EVENT_WRITE = "pipe_write", "eventfd_write"


def reads(rows, target, read):
    """Rows of a target's blocks in this kind of read; its locks may have to be waited for, too."""
    return pick(rows, lambda row: has_frame(row, read), target=target)


def woken_by(rows, waker, write):
    return pick(rows, lambda row: has_frame(row, write, stack="waker_kstack"), waker=waker, context="task")


def check_side(result, side, other):
    truth = result.fact("pingpong")
    tid, waker_tid = truth["pids"][side], truth["pids"][other]
    rows = pick(result.rows, lambda row: not has_frame(row, "do_notify_parent", stack="waker_kstack"),
                target=truth["names"][side], waker=truth["names"][other])
    assert truth["blocked"][side] > truth["rounds"] / 20, "the workload hardly blocked"
    # the second one's end wakes the first, which waits for it by then or does not
    assert abs(total(rows, "count") - truth["blocked"][side]) <= 3, (truth, result)
    assert {(row["target_tgid"], row["target_tid"]) for row in rows} == {(tid, tid)}
    assert {(row["waker_tgid"], row["waker_tid"]) for row in rows} == {(waker_tid, waker_tid)}
    assert {row["context"] for row in rows} == {"task"}, rows
    for row in rows:
        if not has_frame(row, "schedule_rtlock"):  # PREEMPT_RT: for the pipe's own lock's
            assert has_frame(row, PIPE_READ) and has_frame(row, PIPE_WRITE, stack="waker_kstack"), row
        assert row["ustack"] and row["waker_ustack"] and row["ustack"] != row["waker_ustack"], row
        assert 0 < row["max_ns"] <= row["total_ns"] <= result.report["elapsed_ns"], row


def test_pingpong_has_both_sides_of_each_wakeup(lab):
    result = lab.pingpong("offwaketime")
    check_side(result, 0, 1)
    check_side(result, 1, 0)


def test_nanosleep_is_time_off_cpu_ended_by_an_interrupt(lab):
    result = lab.trace("offwaketime", workload="sleeper 20 50")
    truth = result.fact("sleeper")
    rows = PROBES["offwaketime"].rows(result.rows)
    assert total(rows, "count") == 20, result
    within(total(rows, "total_ns"), truth["sum_ns"], 3, "total_ns")
    realtime = "-rt" in result.report["kernel"]  # expires sleeps of ordinary tasks in a softirq
    assert {row["context"] for row in rows} <= {"timer", "hardirq"} | ({"softirq"} if realtime else set()), rows
    for row in rows:
        if realtime and row["waker"].startswith(("ktimers/", "ksoftirqd/")):
            continue
        assert row["waker"] == INTERRUPTS[row["context"]], row
        assert row["waker_tgid"] == row["waker_tid"] == 0 and row["waker_ustack"] == [], row


def test_pairs_are_not_lost_and_not_crossed_when_woken_and_blocked_again_at_once(lab):
    result = lab.trace("offwaketime", workload=f"twowakers {3000 // lab.slow}")
    blocked = result.fact("twowakers")["blocked"]
    assert min(blocked) > 300 / lab.slow, "the workload hardly blocked"
    pairs = ((PIPE_READ, "kt-piper", PIPE_WRITE), (EVENT_READ, "kt-eventer", EVENT_WRITE))
    stacks = []
    for (read, waker, write), truth in zip(pairs, blocked):
        rows = reads(result.rows, "kt-target", read)
        assert total(rows, "count") == truth, (waker, result)
        assert total(woken_by(rows, waker, write), "count") == truth, (waker, rows)
        stacks.append({tuple(row["waker_ustack"]) for row in rows})
    assert stacks[0] and not stacks[0] & stacks[1], "each waker has a function of its own"


def test_time_is_that_of_offcputime(lab):
    """Both tools at once over the same waits: the same counts, the same time.

    By the kernel's walks: learning rules takes time between the two programs on an event.
    """
    result = lab.exact("""
        $KTRACE offwaketime -o json=two -C relay-c --unwind kernel -- \\
            $KTRACE offcputime -o json=one -C relay-c --unwind kernel -- $W/relay 40 20; rc=$?
        cat one two; exit $rc""")
    assert result.rc == 0 and len(result.reports) == 2, result
    blocked = result.fact("relay")["blocked"][2]
    one = pick(result.reports[0]["rows"], lambda row: has_frame(row, EVENT_READ), state="S")
    two = reads(result.reports[1]["rows"], "relay-c", EVENT_READ)
    assert total(one, "count") == total(two, "count") == blocked, result
    within(total(two, "total_ns"), total(one, "total_ns"), 3, "total_ns")


@pytest.mark.parametrize("depth", mostly([2], [1, 3]))
def test_chain_names_who_woke_the_waker(lab, depth):
    result = lab.trace("offwaketime", f"--chain {depth}", workload=f"relay 60 {2 * lab.slow}")
    blocked = result.fact("relay")["blocked"]
    rows = woken_by(reads(result.rows, "relay-c", EVENT_READ), "relay-b", EVENT_WRITE)
    assert total(rows, "count") == blocked[2], result
    for row in rows:
        chain = row["chain"]
        assert chain[0]["waker"] == "relay-a" and has_frame(chain[0], PIPE_WRITE), row
        assert len(chain) == min(depth, 2), row  # an interrupt is where it ends
        if depth > 1 and "-rt" not in result.report["kernel"]:
            assert chain[1]["waker"] in ("[timer]", "[hardirq]") and has_frame(chain[1], "hrtimer"), row


def test_chain_ends_at_an_interrupt(lab):
    result = lab.trace("offwaketime", "--chain 8", workload="relay 30 2")
    assert result.rows
    for row in result.rows:
        if row["context"] != "task" and row["waker"].startswith("["):
            assert row["chain"] == [], row
        for link in row["chain"][:-1]:
            assert not link["waker"].startswith("["), row
        assert len(row["chain"]) <= 8


@pytest.mark.hostside
def test_chain_sees_wakers_that_the_filter_leaves_out(lab):
    result = lab.trace("offwaketime", "--chain 1 -C relay-c", workload=f"relay 60 {2 * lab.slow}")
    assert {row["target"] for row in result.rows} == {"relay-c"}, result
    rows = reads(result.rows, "relay-c", EVENT_READ)
    assert total(rows, "count") == result.fact("relay")["blocked"][2], result
    assert {(row["waker"], row["chain"][0]["waker"]) for row in rows} == {("relay-b", "relay-a")}, rows


@pytest.mark.hostside
def test_without_chain_there_is_no_such_column(lab):
    result = lab.trace("offwaketime", workload="relay 5 2")
    assert result.rows and not any("chain" in row for row in result.rows)


@pytest.mark.hostside
@pytest.mark.parametrize("words", ["--chain 0", "--chain 9", "--chain x", "--chain -1", "-g target,chain"])
def test_chain_needs_a_depth(lab, words):
    result = lab.ktrace(f"offwaketime {words} 1")
    assert result.rc == 2 and not result.out and len(result.messages) == 1, result


@pytest.mark.hostside
def test_chain_beside_chosen_columns(lab):
    result = lab.trace("offwaketime", "--chain 1 -g target,waker", workload=f"relay 60 {2 * lab.slow}")
    rows = pick(result.rows, target="relay-c", waker="relay-b")
    assert rows and all(set(row) == {"target", "waker", "chain", "count", "total_ns", "max_ns"} for row in rows)
    assert total(rows, "count") >= result.fact("relay")["blocked"][2]


@pytest.mark.hostside
def test_folded_hangs_the_waker_upside_down_below_the_target(lab):
    result = lab.run(f"""
        $KTRACE offwaketime -C relay-c --chain 1 -o json=j -o folded=f -- $W/relay 20 {2 * lab.slow}; rc=$?
        cat j; sed 's/^/{{"workload":"line","text":"/; s/$/"}}/' f >&2; exit $rc""")
    lines = sorted(fact["text"] for fact in result.facts if fact["workload"] == "line")
    assert lines and total(result.rows, "count") >= result.fact("relay")["blocked"][2] > 0, result

    def both(first, second):
        return first + ["-"] * bool(first and second) + second

    def line(row):
        parts = [row["target"], *both(row["ustack"][::-1], row["kstack"][::-1]), "--",
                 *both(row["waker_kstack"], row["waker_ustack"]), row["waker"]]
        for link in row["chain"]:
            parts += ["--", *link["kstack"], link["waker"]]
        return f"{';'.join(parts)} {row['total_ns']}"
    assert lines == sorted(line(row) for row in result.rows), result


@pytest.mark.hostside
def test_text_has_the_chain_above_the_waker_above_the_target(lab):
    result = lab.ktrace(f"offwaketime -C relay-c -K --chain 1 -n 1 -- $W/relay 20 {2 * lab.slow}")
    assert result.rc == 0, result
    marks = [line for line in result.out.splitlines()
             if line.startswith(("waker", "target")) or re.search("(pipe|eventfd)_(read|write)|^    --$", line)]
    order = [r"waker 2: relay-a$", r" +(anon_)?pipe_write$", " +--$", r"waker: relay-b .*context: task$",
             r" +eventfd_write$", " +--$", r" +eventfd_read$", r"target: relay-c "]
    assert len(marks) == len(order), result
    for line, pattern in zip(marks, order):
        assert re.match(pattern, line), (pattern, result)


@pytest.mark.hostside
def test_min_is_about_the_time_off_cpu(lab):
    result = lab.two_sleepers("offwaketime", "-m 40ms")
    assert PROBES["offwaketime"].value(result.rows) == 10, result


@pytest.mark.hostside
def test_preempted_tasks_were_not_woken(lab):
    result = lab.trace("offwaketime", workload="states 1000")
    for comm in ("st-spin0", "st-spin1"):
        rows = pick(result.rows, target=comm)
        assert total(rows, "count") <= result.fact("states")[comm]["voluntary"] + 3, rows


@pytest.mark.hostside
@pytest.mark.slow
def test_thread_that_slept_when_tracing_began_has_its_waker(lab):
    result = lab.exact(f"""
        $W/sleeper 1 {3000 * lab.slow} --ready >ready & pid=$!
        wait_line ready
        $KTRACE offwaketime -j -d {4 * lab.slow} -p $pid; rc=$?
        wait $pid; cat ready >&2
        exit $rc""")
    rows = PROBES["offwaketime"].rows(result.rows)
    assert total(rows, "count") == 1, result
    assert 0 < total(rows, "total_ns") <= result.fact("sleeper", count=1)["sum_ns"], result


@pytest.mark.hostside
def test_thread_still_blocked_is_not_in_the_report_which_says_so(lab):
    result = lab.trace("offwaketime", "-d 1", workload="sleeper 1 60000")
    assert not pick(result.rows, lambda row: has_frame(row, *NANOSLEEP), target="sleeper"), result
    assert any("still wait" in note for note in result.report["notes"]), result


@pytest.mark.hostside
def test_state_and_cgroup_of_the_target_can_be_asked_for(lab):
    result = lab.trace("offwaketime", "-g target,state,cgroup,context", workload="sleeper 20 5")
    rows = pick(result.rows, lambda row: row["context"] != "task", target="sleeper", state="S")
    assert total(rows, "count") == 20 and all(row["cgroup"] for row in rows), result


@pytest.mark.hostside
def test_waker_is_not_guessed_when_its_stack_is_lost(lab):
    """Task or interrupt is told from the stack: without one, who happened to run is not the waker."""
    result = lab.ktrace("offwaketime -j --stack-storage-size 1 --chain 2 -- "
                        "sh -c '$W/sleeper 100 1; $W/pingpong 50; $W/sleeper 100 1'")
    lost = pick(result.rows, lambda row: row["waker_kstack"] == ["[lost]"])
    assert lost and result.report["loss"]["stacks"] > 0, "the workload lost no stack"
    assert {(row["context"], row["waker"]) for row in lost} == {("unknown", "[unknown]")}, lost
    assert all(row["chain"] == [] and row["waker_ustack"] == [] for row in lost), lost
