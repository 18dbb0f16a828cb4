# SPDX-License-Identifier: GPL-2.0-or-later
"""The tools against ktrace_truth, see test/truth.py."""

import shlex

import pytest

from lab import has_frame, hist_sum, mostly, once, pick, total
from truth import COMM, around, by_name, facts, named, near, run, tell, truth

WORK = "truth_work_fn [ktrace_truth]"
TASKLET = "truth_tasklet_fn [ktrace_truth]"
OBJECT = 320  # bytes of an object of the cache ktrace_truth
WAITED = ["mutex mode=contend", "mutex mode=contend how=sleep", "lock mode=spin",
          "lock mode=raw_spin", "lock mode=read", "lock mode=write"]


def delay_fits(row, fact):
    """The histogram's bounds enclose the module's own sum of delays.

    The module's begins before ktrace's programs run at the one end, and ends after them at
    the other: an emulated machine takes 100 us and more for that.
    """
    low, high = (sum(slot[end] * slot["count"] for slot in row["delay_hist_ns"]) for end in ("lo", "hi"))
    return low * 0.97 - 50000 * fact["n"] <= fact["delay_ns"] <= high * 1.03 + 250000 * fact["n"]


def test_module_is_right_about_itself(lab):
    """What each command promises without a tracer: all of it, and not in less time."""
    lines = [f"mutex mode={mode} n=20 us=300" for mode in ("lock", "interruptible", "killable", "io", "trylock")]
    lines += [f"{line} n=20 us=300" for line in WAITED]
    result = run(lab, tell(*lines, "mutex mode=tryfail n=20", "mutex mode=interrupted n=20",
                           "tasklet n=50 us=100", "tasklet mode=hi n=50 us=100"))
    assert result.rc == 0, result
    said = facts(result)
    assert len(said) == len(lines) + 4, result
    for fact in said[:len(lines)]:
        assert fact["held_count"] == 20 and fact["held_ns"] >= 20 * 300000, fact
        assert fact.get("waited_count", 20) == 20, fact
    for fact in said[len(lines):-2]:
        assert (fact["held_count"], fact["failed_count"]) == (1, 20), fact
    for fact in said[-2:]:
        assert fact["ran_count"] == fact["delay_count"] == 50 and fact["ran_ns"] >= 50 * 100000, fact


@pytest.mark.portable
@pytest.mark.parametrize("line", [
    "", "nothing", "mutex", "mutex n=0", "mutex n=x", "mutex n=1 mode=x", "mutex n=1 size=8",
    "mutex n=1 us=99999999", "mutex n=100000 us=1000000", "lock n=1 waiters=3 us=1",
    "kmalloc n=1 size=8", "kmalloc n=100000 size=100000", "kmalloc_node n=1 size=64 node=99",
    "bulk n=1 then=rcu", "block n=1", "x" * 300])
def test_module_refuses(lab, line):
    result = run(lab, f"echo {shlex.quote(line)} >/proc/ktrace_truth && exit 1; cat /proc/ktrace_truth")
    assert result.rc == 0 and not result.out, result


WAKERS = {  # mode: what the stack of the waker has, its context, how its name begins
    "hrtimer": ("truth_wake_hrtimer_fn", "timer", "[timer]"),
    "timer": ("truth_wake_timer_fn", "timer", "[timer]"),
    "tasklet": ("truth_wake_tasklet_fn", "softirq", "[softirq]"),
    "thread": ("truth_wake_thread_fn", "task", "truth_waker"),
    "work": ("truth_wake_work_fn", "task", "kworker/"),
}


BLOCKS = {f"kt-{mode}": f"block mode={mode} n=20 us=40000" for mode in WAKERS}


def blocked(lab, tool, args=""):
    """A tool over sleeps that end in each way: the result, and what the module says of each sleeper."""
    result = once(truth, lab, tool, args, *named(BLOCKS))
    return result, by_name(result, BLOCKS)


@pytest.mark.parametrize("mode", WAKERS)
def test_offcputime_of_uninterruptible_sleep(lab, mode):
    result, said = blocked(lab, "offcputime")
    fact = said[f"kt-{mode}"]
    assert fact["switches"] == fact["n"], f"the module did not sleep as it meant to: {fact}"
    rows = pick(result.rows, lambda row: has_frame(row, "truth_block"), state="D", comm=f"kt-{mode}")
    assert total(rows, "count") == 20, result
    near(total(rows, "total_ns"), fact["blocked_ns"], 200000, 20, "total_ns")
    # what is between the two clocks' readings is little in sum, but for one sleep it may be long
    assert 39000000 <= max(row["max_ns"] for row in rows) <= fact["blocked_max_ns"] + 200000, (rows, fact)


@pytest.mark.parametrize("mode", WAKERS)
def test_wakeuptime_names_each_kind_of_waker(lab, mode):
    frame, context, waker = WAKERS[mode]
    result, said = blocked(lab, "wakeuptime")
    rows = pick(result.rows, lambda row: has_frame(row, frame), target=f"kt-{mode}")
    assert total(rows, "count") == 20, result
    assert {row["context"] for row in rows} == {context}, rows
    # a softirq that ran on top of no interrupt is its task's deed: ksoftirqd's, or on a
    # realtime kernel that of whoever let softirqs go on
    own = pick(rows, lambda row: mode in ("timer", "tasklet") and not row["waker"].startswith("["))
    assert all(row in own or row["waker"].startswith(waker) for row in rows), rows
    assert len(own) < len(rows) or "-rt" in result.report["kernel"], "an idle kernel needs no ksoftirqd"
    near(total(rows, "total_ns"), said[f"kt-{mode}"]["to_wake_ns"], 200000, 20, "total_ns")


@pytest.mark.parametrize("mode", WAKERS)
def test_offwaketime_joins_the_block_with_each_kind_of_waker(lab, mode):
    frame, context, _ = WAKERS[mode]
    result, said = blocked(lab, "offwaketime", "--chain 1")
    rows = pick(result.rows, lambda row: has_frame(row, "truth_block"), target=f"kt-{mode}")
    assert total(rows, "count") == 20, result
    assert all(has_frame(row, frame, stack="waker_kstack") and row["context"] == context for row in rows), rows
    near(total(rows, "total_ns"), said[f"kt-{mode}"]["blocked_ns"], 200000, 20, "total_ns")


@pytest.mark.parametrize("line", mostly(["work n=50 us=2000"], ["work n=50 us=2000 how=sleep", "work n=200"]))
def test_workq_runs_and_delays(lab, line):
    result = truth(lab, "workq", "", line)
    fact = result.fact("ktrace_truth")
    row, = pick(result.rows, func=WORK)
    assert row["workqueue"] == "ktrace_truth_wq" and row["count"] == fact["n"], result
    near(row["total_ns"], fact["ran_ns"], 50000, fact["n"], "total_ns")
    assert fact["ran_max_ns"] - 50000 <= row["max_ns"] <= row["total_ns"], (row, fact)
    assert hist_sum(row, "hist_ns") == hist_sum(row, "delay_hist_ns") == fact["n"], row
    assert delay_fits(row, fact), (row, fact)


def test_workq_of_a_work_that_is_queued_again_while_it_runs(lab):
    """Each run but the first waits for the end of the one before: no delay may be lost."""
    result = around(lab, "workq", "-w ktrace_truth_wq", "work mode=again n=30 us=3000")
    fact = result.fact("ktrace_truth")
    row, = pick(result.rows, func="truth_again_fn [ktrace_truth]")
    assert row["count"] == fact["ran_count"] == 30, result
    assert hist_sum(row, "delay_hist_ns") == 30 and delay_fits(row, fact), (row, fact)
    assert sum(slot["count"] for slot in row["delay_hist_ns"] if slot["hi"] > 3000000) >= 29, row


def test_workq_of_works_that_were_cancelled_and_queued_anew(lab):
    """The delay is that of the last queueing: 50 ms lie between it and the one that was cancelled."""
    result = truth(lab, "workq", "", "work mode=cancel n=10 us=1000")
    fact = result.fact("ktrace_truth")
    row, = pick(result.rows, func=WORK)
    assert fact["cancelled"] >= 5 and row["count"] == 10, (row, fact)
    assert hist_sum(row, "delay_hist_ns") == 10 and delay_fits(row, fact), (row, fact)


def test_workq_of_a_kthread_worker(lab):
    result = truth(lab, "workq", "-g func,workqueue,worker,requester", "kthread_work n=40 us=1000")
    fact = result.fact("ktrace_truth")
    rows = pick(result.rows, func="truth_kthread_work_fn [ktrace_truth]")
    if not any(hook["role"] == "kthread_queue" for hook in result.report["hooks"]):
        assert lab.caps()["proto.sched_kthread_work_queue_work"] == ["no"] and not rows, result
        return
    row, = rows
    assert (row["workqueue"], row["worker"], row["requester"]) == \
        ("kthread_worker:truth_kworker", "truth_kworker", COMM), row
    assert row["count"] == hist_sum(row, "delay_hist_ns") == 40 and delay_fits(row, fact), (row, fact)
    near(row["total_ns"], fact["ran_ns"], 200000, 40, "total_ns")


@pytest.mark.portable
def test_workq_tells_who_queued_and_who_ran(lab):
    result = truth(lab, "workq", "-g func,worker,requester", "work n=20 us=1000")
    rows = pick(result.rows, func=WORK)
    assert total(rows, "count") == 20 and {row["requester"] for row in rows} == {COMM}, result
    assert all(row["worker"].startswith("kworker/") for row in rows), rows


def test_workq_of_bh_works_on_top_of_what_the_cpu_does(lab):
    """They run in a softirq, whose thread is not theirs and may run a work of its own."""
    if run(lab, f"{tell('work mode=bh n=1')} || exit 3").rc == 3:
        pytest.skip("no BH workqueues")
    result = around(lab, "workq", "-g func,workqueue,worker", "work mode=bh n=50 us=500")
    fact = result.fact("ktrace_truth")
    rows = pick(result.rows, func=WORK)
    assert {row["worker"] for row in rows} == {"[softirq]"}, rows
    assert {row["workqueue"] for row in rows} == {"events_bh"}, rows
    assert total(rows, "count") == 50 == sum(hist_sum(row, "delay_hist_ns") for row in rows), rows
    near(total(rows, "total_ns"), fact["ran_ns"], 50000, 50, "total_ns")


# No worker can be made while a thread of higher priority keeps kthreadd's only CPU. Then a pool
# whose workers all sleep calls the rescuer, after 10 ms. It may have workers left from before.
STARVED = """
workers=$(cat /proc/[0-9]*/comm 2>/dev/null | grep -cE '^kworker/1:[0-9]+([-+]|$)')
echo -1 >/proc/sys/kernel/sched_rt_runtime_us
taskset -p 1 2 >/dev/null
$W/hog 0 & hog=$!
taskset 2 sleep 0.2
taskset 2 sh tell "work mode=rescue n=$((workers + 6)) us=200000 how=sleep"; rc=$?
kill -9 $hog || rc=97
taskset -p 3 2 >/dev/null
echo 950000 >/proc/sys/kernel/sched_rt_runtime_us
exit $rc
"""


def test_workq_names_the_rescuer(lab):
    result = run(lab, f"cat >starved <<'END'\n{STARVED}END\n"
                      "taskset 2 $W/onready --do 'sh ./starved' --signal TERM -- "
                      "$KTRACE workq -j --ready-fd 9 -w ktrace_rescued -g func,worker")
    fact = result.fact("ktrace_truth")
    assert result.rc == 0 and fact["ran_count"] == fact["n"], result
    rows = pick(result.rows, func=WORK)
    rescuer = [row for row in rows if row["worker"].startswith("[rescuer] ")]
    # All of the pool's workers end a work at once: who is put off its CPU within the program makes
    # the kernel skip it for the next one, and that is told.
    count = total(rows, "count")
    assert count <= fact["n"] <= count + result.report["loss"]["missed"], result
    assert len(rescuer) == 1, result
    # since 6.9 the thread has another name, of which 15 bytes are kept
    assert rescuer[0]["worker"] in ("[rescuer] ktrace_rescued", "[rescuer] kworker/R-ktrac"), result
    assert all(row["worker"].startswith("kworker/") for row in rows if row not in rescuer), result


def test_workq_of_delayed_works(lab):
    """Their queueing is the timer's: nobody's task, so the whole system is looked at."""
    result = around(lab, "workq", "-w ktrace_truth_wq", "work n=30 us=5000 delay_us=20000")
    row, = pick(result.rows, func=WORK)  # beside it a flush may have put a work of its own
    assert row["workqueue"] == "ktrace_truth_wq" and row["count"] == 30, result
    near(row["total_ns"], result.fact("ktrace_truth")["ran_ns"], 50000, 30, "total_ns")
    assert hist_sum(row, "delay_hist_ns") == 30, row


def tells_tasklets(result):
    """Does the kernel tell each run of a tasklet, or only those of the softirq?"""
    return "tasklet_entry" in {hook["target"] for hook in result.report["hooks"]}


def sees_scheduling(result):
    return {"schedule", "schedule_hi"} <= {hook["role"] for hook in result.report["hooks"]}


@pytest.mark.parametrize("mode", ["normal", "hi"])
def test_tasklets_runs_and_delays(lab, mode):
    """All scheduled before the first runs: a kernel without tasklet_entry has one run of several."""
    result = around(lab, "tasklets", "", f"tasklet mode={mode} n=50 us=1000")
    fact = result.fact("ktrace_truth")
    if not tells_tasklets(result):
        row, = pick(result.rows, func="[several]")
        assert row["count"] == 1 and not row["delay_hist_ns"], result
        near(row["total_ns"], fact["ran_ns"], 50000, fact["n"], "total_ns")
        assert not pick(result.rows, func=TASKLET), result
        assert any("[several]" in note for note in result.report["notes"]), result
        return
    row, = pick(result.rows, func=TASKLET)
    assert row["count"] == fact["n"] == hist_sum(row, "hist_ns"), result
    near(row["total_ns"], fact["ran_ns"], 50000, fact["n"], "total_ns")
    assert fact["ran_max_ns"] - 50000 <= row["max_ns"] <= row["total_ns"], (row, fact)
    assert sees_scheduling(result), result
    assert hist_sum(row, "delay_hist_ns") == fact["n"] and delay_fits(row, fact), (row, fact)


@pytest.mark.parametrize("mode", ["normal", "hi"])
def test_tasklets_one_at_a_time_are_told_apart_on_every_kernel(lab, mode):
    line = f"tasklet mode={mode} n=1 us=2000"
    result = around(lab, "tasklets", "", *[line] * 20)
    said = facts(result)
    row, = pick(result.rows, func=TASKLET)
    assert row["count"] == len(said) == 20 and sees_scheduling(result), result
    near(row["total_ns"], total(said, "ran_ns"), 100000, 20, "total_ns")
    assert hist_sum(row, "delay_hist_ns") == 20, row
    assert delay_fits(row, {"n": 20, "delay_ns": total(said, "delay_ns")}), (row, said)


@pytest.mark.parametrize("kind", mostly(["tracepoint"], ["tp_btf", "raw_tp"]))
def test_tasklets_of_a_forced_hook(lab, needs, kind):
    needs("tasklets", f"--hook {kind}")
    result = around(lab, "tasklets", f"--hook {kind}", *["tasklet n=1 us=2000"] * 10)
    used = {hook["role"]: hook["via"] for hook in result.report["hooks"]}
    assert used["entry"] == used["exit"] == kind, result
    row, = pick(result.rows, func=TASKLET)
    assert row["count"] == hist_sum(row, "delay_hist_ns") == 10, result


@pytest.mark.portable
def test_tasklets_of_a_run_time(lab):
    result = around(lab, "tasklets", "-m 4ms", *["tasklet n=1 us=500", "tasklet n=1 us=5000"] * 5)
    row, = pick(result.rows, func=TASKLET)
    long = [fact for fact in result.facts if fact.get("ran_ns", 0) >= 5000000]
    assert 5 <= row["count"] <= len(long) + 1 and row["total_ns"] >= 5 * 5000000, result


KMALLOCS = [("kmalloc", 1000, 1024), ("kmalloc", 20000, 32768), ("kmalloc", 100000, 131072),
            ("kmalloc_node", 1000, 1024), ("kmalloc_node", 20000, 32768)]
KMALLOC_LINES = {f"kt-{n}-{then}": f"{command} n=60 size={size} then={then}"
                 for n, (command, size, _) in enumerate(KMALLOCS) for then in ("free", "leak", "rcu")}


@pytest.mark.parametrize("then", ["free", "leak", "rcu"])
@pytest.mark.parametrize("kind", range(len(KMALLOCS)), ids=[f"{command}-{size}" for command, size, _ in KMALLOCS])
def test_kmem_of_kmalloc(lab, kind, then):
    command, size, allocated = KMALLOCS[kind]
    result = once(truth, lab, "kmem", "", *named(KMALLOC_LINES), "free")
    rows = pick(result.rows, lambda row: has_frame(row, f"truth_{command}"), comm=f"kt-{kind}-{then}")
    assert total(rows, "count") == 60, result
    assert total(rows, "requested_bytes") == 60 * size, rows
    assert total(rows, "bytes") == 60 * allocated, rows


def test_kmem_of_kvmalloc_above_the_slabs(lab):
    result = truth(lab, "kmem", "", "kvmalloc n=40 size=65536")
    rows = pick(result.rows, lambda row: has_frame(row, "truth_kvmalloc") and row["avg_bytes"] == 65536)
    assert total(rows, "count") == 40 and total(rows, "bytes") == 40 * 65536, result


@pytest.mark.parametrize("then", ["free", "leak", "rcu"])
def test_kmem_of_one_cache(lab, then):
    lines = {f"kt-{then}": f"cache n=500 then={then}" for then in ("free", "leak", "rcu")}
    result = once(truth, lab, "kmem", "--cache ktrace_truth", *named(lines), "kmalloc n=50 size=320", "free")
    rows = pick(result.rows, comm=f"kt-{then}")
    assert total(rows, "count") == 500 and total(result.rows, "count") == 1500, result
    assert all(has_frame(row, "truth_cache_alloc") for row in result.rows), result
    assert total(rows, "requested_bytes") == 500 * OBJECT, result
    # the constructor keeps the free pointer out of the object: a slot is a little larger
    assert 500 * OBJECT <= total(rows, "bytes") <= 500 * (OBJECT + 64), result


PAGES = {f"kt-{order}-{then}": f"pages n=20 order={order} then={then}"
         for order in (0, 1, 3, 9) for then in ("free", "leak")}


@pytest.mark.parametrize("name", PAGES)
def test_kpages_of_pages(lab, name):
    result = once(truth, lab, "kpages", "", *named({**PAGES, COMM: "free"}))
    fact = by_name(result, {**PAGES, COMM: "free"})[name]
    rows = pick(result.rows, lambda row: has_frame(row, "truth_alloc_pages"), comm=name)
    assert total(rows, "count") == 20, result
    assert total(rows, "pages") == fact["pages"] == 20 << int(name.split("-")[1]), rows
    assert total(rows, "bytes") == fact["bytes"], rows


@pytest.mark.portable
def test_kpages_of_large_kmallocs(lab):
    result = truth(lab, "kpages", "", "kmalloc n=30 size=20000")
    rows = pick(result.rows, lambda row: has_frame(row, "truth_kmalloc"))
    assert (total(rows, "count"), total(rows, "pages")) == (30, 240), result


def cache_row(result):
    row, = pick(result.rows, cache="ktrace_truth")
    return row


def test_slabratetop_of_allocations_that_are_freed(lab):
    row = cache_row(truth(lab, "slabratetop", "", "cache n=500"))
    assert (row["allocs"], row["frees"], row["net_bytes"]) == (500, 500, 0), row
    assert 500 * OBJECT <= row["bytes"] <= 500 * (OBJECT + 64), row


def test_slabratetop_of_a_leak_and_of_its_end(lab):
    row = cache_row(truth(lab, "slabratetop", "", "cache n=500 then=leak"))
    assert (row["allocs"], row["frees"]) == (500, 0) and row["net_bytes"] == row["bytes"], row
    row = cache_row(truth(lab, "slabratetop", "", "free"))
    assert (row["allocs"], row["frees"]) == (0, 500) and row["net_bytes"] < 0, row


def test_slabratetop_of_frees_after_a_grace_period(lab):
    """Whoever runs the callbacks: over the whole system."""
    row = cache_row(around(lab, "slabratetop", "-i 100", "cache n=500 then=rcu"))
    assert (row["allocs"], row["frees"], row["net_bytes"]) == (500, 500, 0), row


def test_loads_counts_the_uninterruptible(lab):
    result = run(lab, f"{tell('block n=10 us=300000')} & sleep 1; $KTRACE loads -Dj 0.2 5; rc=$?; wait; exit $rc")
    assert result.rc == 0, result
    seen = [report["rows"][0]["uninterruptible"] for report in result.reports]
    assert sorted(seen)[len(seen) // 2] == 1, "the one that is told to block, most of the time"
