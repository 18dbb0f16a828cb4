# SPDX-License-Identifier: GPL-2.0-or-later
"""spinlock: every contended acquisition where functions can be hooked, less where they cannot."""

import re
import shlex

import pytest

from lab import fits_histogram, has_frame, mostly, once, pick, total
from truth import around, assert_waited, by_name, facts, named, run, tell

EVENTS = ["tp_btf", "raw_tp", "tracepoint"]
NOTE = "only waits behind another waiter are seen"
N = 30
US = 3000
# mode of the module's command: frame of who waits, lock, type
MODES = {
    "spin": ("truth_wait_spinlock", "truth_spinlock [ktrace_truth]", "spin"),
    "raw_spin": ("truth_wait_raw_spinlock", "truth_raw_spinlock [ktrace_truth]", "spin"),
    "read": ("truth_wait_read_lock", "truth_rwlock [ktrace_truth]", "read"),
    "write": ("truth_wait_write_lock", "truth_rwlock [ktrace_truth]", "write"),
}


def is_rt(result):
    return "-rt-" in result.report["kernel"]


FIGHTS = {f"kt-{mode}": f"lock mode={mode} n={N} us={US}" for mode in MODES}


def fights(lab, args=""):
    """spinlock over all of the module's fights: the result, and what the module says of each."""
    result = once(around, lab, "spinlock", args, *named(FIGHTS))
    return result, by_name(result, FIGHTS)


def is_inside(row):
    """RT's sleeping lock guards its own queue with a raw one: a wait for that is a wait within."""
    return row["type"] == "spin" and has_frame(row, "rtlock_slowlock", "rt_spin_lock", "rt_read_lock", "rt_write_lock")


def waits(result, mode):
    """The rows of the module's waiter, which must all be of the one lock and type."""
    frame, lock, kind = MODES[mode]
    rows = pick(result.rows, lambda row: has_frame(row, frame))
    if is_rt(result) and mode != "raw_spin":
        kind = "rt"
        rows = [row for row in rows if not is_inside(row)]
        if mode == "read":  # they wait for a mutex inside of the lock
            lock = lock.replace(" ", "+0x8 ")
    assert {row["lock"] for row in rows} <= {lock}, rows
    assert {row["type"] for row in rows} <= {kind}, rows
    assert {row["comm"] for row in rows} <= {"truth_waiter"}, rows
    assert all(row["kstack"][0].startswith(frame) for row in rows), "first frame is who wants the lock"
    return rows


@pytest.mark.parametrize("mode", MODES)
def test_truth_functions_see_every_contended_acquisition(lab, needs, mode):
    needs("spinlock", "--hook fentry")
    result, said = fights(lab)
    fact, rows = said[f"kt-{mode}"], waits(result, mode)
    assert not result.report["notes"], result
    assert {hook["via"] for hook in result.report["hooks"]} <= {"fentry", "tp_btf"}, result
    assert total(rows, "count") == fact["waited_count"] == N, (rows, fact, result.report["loss"])
    assert_waited(total(rows, "total_ns"), fact, N * US * 1000 * 0.8)
    assert max(row["max_ns"] for row in rows) <= fact["waited_max_ns"], (rows, fact)
    for row in rows:
        fits_histogram(row)
        assert all(slot["hi"] > US * 500 for slot in row["hist_ns"]), row


def test_truth_a_sample_comes_to_what_all_of_them_come_to(lab, needs):
    """A rwlock's wait hides that for the lock inside of it also when it is left out itself."""
    needs("spinlock", "--hook fentry")
    lines = {f"kt-{mode}": f"lock mode={mode} n=200 us=200" for mode in MODES}
    result = around(lab, "spinlock", "--sample 3", *named(lines))
    for mode in MODES:
        rows = waits(result, mode)
        assert total(rows, "count") % 3 == 0 and abs(total(rows, "count") - 200) <= 5 * 400 ** 0.5, (mode, rows)


@pytest.mark.parametrize("kind", mostly(EVENTS[:1], EVENTS[1:]))
@pytest.mark.parametrize("mode", MODES)
def test_truth_tracepoints_miss_the_only_waiter_of_a_spin_lock(lab, needs, mode, kind):
    """They say so, and miss nothing of the other locks. With two CPUs there is one waiter."""
    needs("spinlock", f"--hook {kind}")
    # Rules are learned before the clock starts, which takes long where each instruction is emulated.
    result, said = fights(lab, f"--hook {kind} --unwind kernel")
    fact, rows = said[f"kt-{mode}"], waits(result, mode)
    assert any(NOTE in note for note in result.report["notes"]), result
    assert {hook["via"] for hook in result.report["hooks"]} == {kind}, result
    spins = mode == "raw_spin" or (mode == "spin" and not is_rt(result))
    assert total(rows, "count") == (0 if spins else N), (rows, result.report["loss"])
    if not spins:
        assert_waited(total(rows, "total_ns"), fact, N * US * 1000 * 0.8)


def test_truth_uncontended_locks_are_no_events(lab, needs):
    """The module's work takes locks all the time, and none of its own that is contended."""
    needs("spinlock", "--hook fentry")
    result = around(lab, "spinlock", "-L truth_spinlock", "mutex n=100 us=10", "lock mode=raw_spin n=5 us=500")
    assert not result.rows, result


@pytest.mark.portable
def test_truth_lock_by_symbol_and_type(lab, needs):
    needs("spinlock", "--hook fentry")
    lines = [f"lock mode={mode} n=10 us={US}" for mode in ("spin", "raw_spin", "read")]
    only = around(lab, "spinlock", "-L truth_raw_spinlock", *lines)
    assert {row["lock"] for row in only.rows} == {"truth_raw_spinlock [ktrace_truth]"}, only
    assert total(only.rows, "count") == 10, only
    reads = around(lab, "spinlock", "--type " + ("rt" if is_rt(only) else "read"), *lines)
    found = pick(reads.rows, lambda row: has_frame(row, "truth_wait_"))
    assert total(found, "count") == (20 if is_rt(only) else 10), reads
    assert {row["type"] for row in reads.rows} == {"rt" if is_rt(only) else "read"}, reads


@pytest.mark.portable
@pytest.mark.parametrize("args, count", [("-m 500us", 10), ("-M 500us", 0), ("-m 10s", 0)])
def test_truth_only_intervals_that_are_asked_for(lab, needs, args, count):
    needs("spinlock", "--hook fentry")
    result = around(lab, "spinlock", f"-L truth_raw_spinlock {args}", f"lock mode=raw_spin n=10 us={US}")
    assert total(result.rows, "count") == count, result


LOAD = """
for i in 1 2; do $W/fdlock 4 3000 >&2 & done
$W/sleeper 1000 1 >&2 & $W/kmallocs 5000 100 >&2 &
%s
wait"""


def test_truth_system_survives_contention_everywhere(lab, needs):
    """Threads and interrupts fight for locks on every CPU; the module's are all there still."""
    needs("spinlock", "--hook fentry")
    lines = [f"lock mode={mode} n=100 us=50" for mode in MODES] * 3
    result = run(lab, f"$W/onready --do {shlex.quote(LOAD % tell(*lines))} --signal TERM -- "
                      "$KTRACE spinlock -j --ready-fd 9")
    assert result.rc == 0, result
    for row in result.rows:
        fits_histogram(row)
    found = pick(result.rows, lambda row: has_frame(row, "truth_wait_") and not is_inside(row))
    lost = sum(result.report["loss"].values())
    waited = sum(fact["waited_count"] for fact in facts(result))
    assert len(facts(result)) == len(lines) and waited == 100 * len(lines), result
    # the holder may let go before an emulated waiter has got to it: then there was no wait
    assert waited * 0.7 - lost <= total(found, "count") <= waited, (lost, found)


@pytest.mark.slow
def test_many_threads_on_one_lock(lab):
    """Two CPUs do not always collide: whatever is seen is consistent, and hooks and note are right."""
    result = lab.around("spinlock", "", "$W/fdlock 4 1500", timeout=180)
    vias = {hook["via"] for hook in result.report["hooks"]}
    assert vias and ("fentry" in vias) != any(NOTE in note for note in result.report["notes"]), result
    for row in result.rows:
        fits_histogram(row)
        assert row["type"] in ("spin", "read", "write", "rt") and row["lock"], row


@pytest.mark.portable
def test_types_must_be_known(lab):
    for bad in ("spinn", "", "spin,", "mutex"):
        result = lab.run(f"$KTRACE spinlock --type '{bad}' 1")
        assert result.rc == 2 and "--type" in result.err, result
    assert lab.run("$KTRACE spinlock -L no_such_lock_at_all 1").rc == 2
    assert lab.run("$KTRACE spinlock -L 0xzz 1").rc == 2


def test_no_return_probe_on_a_spin_lock_function(lab):
    """--hook kprobe must not choose one: it is refused."""
    result = lab.run("$KTRACE spinlock --hook kprobe --explain")
    assert result.rc == 3 and not re.search(r"^ *\*? *kprobe", result.out, re.M), result


@pytest.mark.portable
@pytest.mark.slow
def test_small_stores_lose_and_say_so(lab):
    """One row and one stack of each CPU, on a load where the system contends for more."""
    cpus = """echo '{"workload":"cpus","n":'$(grep -c ^processor /proc/cpuinfo)'}'"""
    args = "-g lock,tid,kstack --row-storage-size 1 --stack-storage-size 1"
    result = lab.run(f"$W/onready --do {shlex.quote(cpus + '; $W/fdlock 6 3000')} --signal TERM -- "
                     f"$KTRACE spinlock -j --ready-fd 9 {args}")
    assert len(result.rows) <= result.fact("cpus")["n"], result
    stacks = {tuple(row["kstack"]) for row in result.rows} - {("[lost]",)}
    assert len(stacks) <= result.fact("cpus")["n"], result
    for row in result.rows:
        fits_histogram(row)
