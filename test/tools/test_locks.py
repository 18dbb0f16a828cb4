# SPDX-License-Identifier: GPL-2.0-or-later
"""mlock and mheld against what the truth module did with a mutex."""

import re
import shlex

import pytest

from lab import has_frame, hist_sum, once, pick, total
from test_unwind import assert_learned, by_rules, checked
from truth import COMM, around, assert_waited, by_name, named, near, run, tell, truth

LOCK = "truth_mutex [ktrace_truth]"
HOOKS = ["fentry", "kprobe"]
# mlock's own choice: the return of functions beside lock:contention_*, where these are
ALL_HOOKS = ["its own", *HOOKS]
WAYS = ["lock", "interruptible", "killable", "io"]
FAIL = ["tryfail", "interrupted"]


def name_of(way):
    """Of who locks in this way: at most 15 bytes."""
    return f"kt-{way}"[:15]


WAITS = {name_of(way): f"mutex mode={way} n=100 us=50" for way in WAYS} | {
    "kt-trylock": "mutex mode=trylock n=100",
    "kt-tryfail": "mutex mode=tryfail n=100",
    "kt-contend": "mutex mode=contend n=50 us=2000",
    "kt-interrupted": "mutex mode=interrupted n=20"}
HOLDS = {name_of(way): f"mutex mode={way} n=60 us=1000" for way in [*WAYS, "trylock"]} | {
    name_of(way): f"mutex mode={way} n=30" for way in FAIL} | {
    "kt-contend": "mutex mode=contend n=40 us=2000"}


def by(hook):
    return "" if hook == "its own" else f"--hook {hook}"


@pytest.fixture(params=ALL_HOOKS)
def waits(request, lab, needs):
    """mlock, while the module locks in every way: the result, and what the module says of each writer."""
    needs("mlock", by(request.param))
    result = once(around, lab, "mlock", by(request.param), *named(WAITS))
    return result, by_name(result, WAITS)


@pytest.fixture(params=HOOKS)
def holds(request, lab, needs):
    """Likewise mheld."""
    needs("mheld", by(request.param))
    result = once(around, lab, "mheld", by(request.param), *named(HOLDS))
    return result, by_name(result, HOLDS)


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_lock_is_an_acquisition(waits, way):
    result, _ = waits
    rows = pick(result.rows, lambda row: has_frame(row, "truth_hold_mutex"), lock=LOCK, comm=name_of(way))
    assert total(rows, "count") == 100 and total(rows, "aborted") == total(rows, "waiting") == 0, result
    assert all(hist_sum(row) == row["count"] for row in rows), rows
    assert all(row["kstack"][0].startswith("truth_hold_mutex") for row in rows), rows


def test_a_trylock_takes_no_time(waits):
    result, _ = waits
    assert not pick(result.rows, comm="kt-trylock", lock=LOCK), result
    assert not pick(result.rows, lambda row: has_frame(row, "truth_fail_trylock")), result
    # tryfail's own mutex_lock() is one
    assert total(pick(result.rows, lock=LOCK, comm="kt-tryfail"), "count") == 1, result


@pytest.mark.parametrize("tool, hook", [("mlock", "fentry"), ("mlock", "its own"), ("mheld", "fentry")])
def test_rules_tell_the_stacks_of_function_hooks(lab, needs, tool, hook):
    """By --hook fentry mlock has two programs on each function, and the second changes the trampoline under the first."""
    needs(tool, "--hook fentry")
    # two system calls, whose stacks begin at places of their own: the second has to unlearn the first
    result = truth(lab, tool, f"{by(hook)} --unwind check", "mutex n=1000 us=0", "mutex n=4000 us=0")
    if not by_rules(lab):
        assert checked(result) is None
        return
    assert_learned(result, 3000)


def test_a_wait_is_as_long_as_the_module_says(waits):
    result, facts = waits
    fact = facts["kt-contend"]
    rows = pick(result.rows, comm="truth_waiter", lock=LOCK)
    assert total(rows, "count") == fact["waited_count"] == 50, result
    assert_waited(total(rows, "total_ns"), fact, 50 * 2000000 * 0.97)
    assert all(has_frame(row, "truth_wait_contended_mutex") for row in rows), rows
    holder = pick(result.rows, comm="truth_holder", lock=LOCK)
    assert total(holder, "count") == 50, result


def test_an_interrupted_wait_is_counted_apart(waits):
    result, facts = waits
    rows = pick(result.rows, comm="truth_failer", lock=LOCK)
    assert total(rows, "aborted") == facts["kt-interrupted"]["failed_count"] == 20, result
    assert total(rows, "count") == 0, result


@pytest.mark.parametrize("tool, hook", [*(("mlock", hook) for hook in ALL_HOOKS), *(("mheld", hook) for hook in HOOKS)])
def test_a_sample_comes_to_what_all_of_them_come_to(lab, needs, tool, hook):
    """Also by mutex_lock_io(), which is followed or left out with the mutex_lock() inside of it."""
    needs(tool, by(hook))
    lines = {name_of(way): f"mutex mode={way} n=1000" for way in WAYS}
    result = around(lab, tool, f"{by(hook)} --sample 4", *named(lines))
    for name in lines:
        count = total(pick(result.rows, lock=LOCK, comm=name), "count")
        assert count % 4 == 0 and abs(count - 1000) <= 5 * (1000 * 3) ** 0.5, (name, result)


def test_only_contention_is_seen_by_its_tracepoints(lab, needs):
    needs("mlock", "--contended")
    result = around(lab, "mlock", "--contended", "mutex mode=contend n=50 us=2000", "mutex mode=lock n=50")
    fact = next(fact for fact in result.facts if "waited_ns" in fact)
    rows = pick(result.rows, comm="truth_waiter", lock=LOCK)
    assert total(rows, "count") == 50, result
    assert_waited(total(rows, "total_ns"), fact, 50 * 2000000 * 0.97)
    assert not pick(result.rows, lock=LOCK, comm=COMM), "who did not wait is not seen"
    assert any("only acquisitions that had to wait" in note for note in result.report["notes"]), result


def test_no_other_lock_passes_for_a_mutex(lab, needs):
    needs("mlock", "--contended")
    lines = [f"lock mode={mode} n=20 us=500" for mode in ("spin", "raw_spin", "read", "write")]
    result = around(lab, "mlock", "--contended", *lines)
    assert not pick(result.rows, lambda row: has_frame(row, "truth_wait_", "truth_hold_")), result


def test_the_owner_that_was_waited_for_is_named(lab):
    result = around(lab, "mlock", "-g lock,comm,owner,owner_tid", "mutex mode=contend n=30 us=2000")
    rows = pick(result.rows, comm="truth_waiter", lock=LOCK)
    assert total(pick(rows, owner="truth_holder"), "count") == 30, result
    assert all(row["owner_tid"] > 0 for row in rows), rows
    alone = pick(result.rows, comm="truth_holder", lock=LOCK)
    assert total(alone, "count") == 30, result


@pytest.mark.portable
def test_a_wait_that_goes_on_is_waiting(lab):
    script = f"{tell('mutex mode=contend n=2 us=1000000 how=sleep')} & sleep 1.4"
    result = run(lab, f"$W/onready --do {shlex.quote(script)} --signal TERM -- $KTRACE mlock -j --ready-fd 9; rc=$?; "
                      "sleep 2; exit $rc")
    rows = pick(result.rows, comm="truth_waiter", lock=LOCK)
    assert total(rows, "waiting") == 1, result
    assert 1 <= total(rows, "count") <= 2, rows


@pytest.mark.parametrize("way", [*WAYS, "trylock"])
def test_a_hold_is_as_long_as_the_module_says(holds, way):
    result, facts = holds
    fact = facts[name_of(way)]
    rows = pick(result.rows, lambda row: has_frame(row, "truth_hold_mutex"), lock=LOCK, comm=name_of(way))
    assert total(rows, "count") == fact["held_count"] == 60, result
    assert total(rows, "held") == 0, rows
    near(total(rows, "total_ns"), fact["held_ns"], 300000, 60, "total_ns")
    assert total(rows, "total_ns") >= fact["held_ns"], "the module's clock is read while it holds the lock"
    assert all(hist_sum(row) == row["count"] for row in rows), rows


@pytest.mark.parametrize("way", FAIL)
def test_who_did_not_get_the_lock_holds_nothing(holds, way):
    result, facts = holds
    assert facts[name_of(way)]["failed_count"] == 30, result
    assert not pick(result.rows, comm="truth_failer", lock=LOCK), result
    rows = pick(result.rows, comm=name_of(way), lock=LOCK)
    assert total(rows, "count") == 1, result
    # one hold, of 1 ms: in it an emulated machine may run another CPU for some ms
    near(total(rows, "total_ns"), facts[name_of(way)]["held_ns"], 20000000, 1, "total_ns")


def test_both_sides_of_a_fight_hold_in_turn(holds):
    result, facts = holds
    holder = pick(result.rows, comm="truth_holder", lock=LOCK)
    assert total(holder, "count") == 40 and total(pick(result.rows, comm="truth_waiter", lock=LOCK), "count") == 40
    near(total(holder, "total_ns"), facts["kt-contend"]["held_ns"], 300000, 40, "total_ns")


@pytest.mark.portable
def test_a_hold_that_goes_on_is_held(lab):
    script = f"{tell('mutex n=2 us=1000000 how=sleep')} & sleep 1.4"
    result = run(lab, f"$W/onready --do {shlex.quote(script)} --signal TERM -- $KTRACE mheld -j --ready-fd 9; rc=$?; "
                      "sleep 2; exit $rc")
    rows = pick(result.rows, comm=COMM, lock=LOCK)
    assert total(rows, "held") == 1 and 1 <= total(rows, "count") <= 2, result
    assert total(rows, "total_ns") > 0, rows


@pytest.mark.portable
def test_a_hold_from_before_the_trace_is_not_seen(lab):
    result = run(lab, f"{tell('mutex n=1 us=1000000 how=sleep')} & sleep .3; $KTRACE mheld -j 2; rc=$?; wait; exit $rc")
    held = total(pick(result.rows, lock=LOCK), "count")
    assert result.rc == 0 and held == 0, result


def test_contended_holds_are_seen_by_their_release(lab, needs):
    needs("mheld", "--contended")
    result = lab.run("$KTRACE mheld --contended -j -- $W/pipelock 4 20")
    rows = pick(result.rows, comm="pipelock")
    assert total(rows, "count") > 0, result
    assert all(has_frame(row, "pipe_read", "pipe_write") for row in rows if "pipe" in "".join(row["kstack"])), rows
    assert all(0 < row["max_ns"] <= result.report["elapsed_ns"] and row["held"] == 0 for row in rows), rows
    assert any("ended while another waited" in note for note in result.report["notes"]), result
    assert {hook["role"] for hook in result.report["hooks"]} >= {"contention", "contention_end", "release"}


@pytest.mark.portable
@pytest.mark.parametrize("tool", ["mlock", "mheld"])
def test_one_lock_can_be_asked_for(lab, tool):
    result = truth(lab, tool, "-L truth_mutex", "mutex n=30", "kmalloc n=10 size=64")
    assert {row["lock"] for row in result.rows} == {LOCK}, result
    assert total(result.rows, "count") == 30, result


def test_a_lock_in_an_object_is_named_by_its_cache(lab, needs):
    needs("mheld")  # without function hooks only a lock that is waited for is seen
    result = lab.run("$KTRACE mlock -j -- $W/pingpong 200")
    rows = pick(result.rows, lambda row: has_frame(row, "pipe_read", "pipe_write", "pipe_release"))
    if not rows:  # by kprobe on arm64, which says so
        assert any("missing from its stack" in note for note in result.report["notes"]), result
        rows = pick(result.rows, lambda row: has_frame(row, "vfs_read", "vfs_write"))
    names = {row["lock"] for row in rows}
    assert names, result
    # where in the object is not told from 7.1 on, and on arm64 neither is the object
    told = r"kmalloc-[a-z0-9-]+(\+0x[0-9a-f]+)?" if lab.object_tells_cache() else "0x[0-9a-f]+"
    assert all(re.fullmatch(told, name) for name in names), names


@pytest.mark.portable
@pytest.mark.parametrize("tool", ["mlock", "mheld"])
@pytest.mark.parametrize("lock", ["nosuch_lock_anywhere", "0xzz", "0x"])
def test_a_lock_that_is_not_there_is_refused(lab, needs, tool, lock):
    needs(tool)
    result = lab.run(f"$KTRACE {tool} -L {lock} 0.1")
    assert result.rc == 2 and not result.out and len(result.messages) == 1, result


@pytest.mark.parametrize("hook", ALL_HOOKS)
def test_min_leaves_short_waits_out(lab, needs, hook):
    needs("mlock", f"-m 1ms {by(hook)}")
    result = around(lab, "mlock", f"-m 1ms {by(hook)}", "mutex mode=contend n=20 us=5000", "mutex n=100")
    rows = pick(result.rows, comm="truth_waiter", lock=LOCK)
    assert total(rows, "count") == 20, result
    assert all(has_frame(row, "truth_wait_contended_mutex") for row in rows), rows
    assert not pick(result.rows, comm=COMM, lock=LOCK), result


def test_who_found_the_lock_free_waited_for_nothing(lab, needs):
    """By lock:contention_begin; by functions alone it is as long as they take."""
    needs("mlock")
    result = around(lab, "mlock", "", "mutex n=200", "mutex mode=contend n=20 us=2000")
    rows = pick(result.rows, comm=COMM, lock=LOCK)
    by_contention = any(hook["role"] == "contention" for hook in result.report["hooks"])
    assert total(rows, "count") == 200, result
    assert (total(rows, "total_ns") == 0) == by_contention, rows
    assert total(pick(result.rows, comm="truth_waiter", lock=LOCK), "total_ns") > 20 * 1000000, result


CONTEND = """
    cat >contend.sh <<'END'
mkdir /sys/kernel/tracing/instances/kt_$$ || exit 99
cd /sys/kernel/tracing/instances/kt_$$ || exit 99
trap 'cd /; rmdir /sys/kernel/tracing/instances/kt_$$' EXIT
echo 16384 >buffer_size_kb
echo 1 >events/lock/contention_begin/enable
echo 1 >events/lock/contention_end/enable
$KTRACE mlock --contended -j --stack-storage-size 4096 -- $W/pipelock 4 %d
rc=$?
echo 0 >events/lock/enable
grep pipelock- trace >&2
exit $rc
END
    with_tracefs sh contend.sh"""
MUTEX = 32
EVENT = re.compile(r"pipelock-(\d+) .*contention_(begin|end): (0x)?([0-9a-f]+) \((?:flags=([A-Z|]*)|ret=(-?\d+))\)")


def mutex_waits(trace):
    """What the kernel's own ring buffer has: waits for a mutex that ended with it."""
    waits_for, count = {}, 0
    for tid, kind, _, lock, flags, ret in EVENT.findall(trace):
        if kind == "begin" and "MUTEX" in flags:
            waits_for[tid] = lock
        elif kind == "end" and waits_for.get(tid) == lock:
            del waits_for[tid]
            count += ret == "0"
    return count


def test_contended_waits_are_those_of_the_kernels_own_trace(lab, needs):
    needs("mlock", "--contended")
    result = lab.run(CONTEND % 5)
    rows = pick(result.rows, comm="pipelock")
    assert total(rows, "count") == mutex_waits(result.err) > 0, result
    pipe = pick(rows, lambda row: has_frame(row, "pipe_read", "pipe_write"))
    assert len({row["lock"] for row in pipe}) <= 1, pipe
    assert all(0 < row["max_ns"] <= row["total_ns"] for row in rows), rows
