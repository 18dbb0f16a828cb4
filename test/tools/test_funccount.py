# SPDX-License-Identifier: GPL-2.0-or-later
"""funccount against programs, the truth module, and ftrace's own probes."""

import re
import shlex

import pytest

from lab import pick, total
from truth import fact_of, run as run_truth, tell, truth

MODULE = "[ktrace_truth]"
KMALLOC = f"truth_kmalloc {MODULE}"
WAYS = ["kprobe_multi", "kprobe"]


def counts(result):
    return {row["func"]: row["count"] for row in result.rows}


def traced(result):
    """How many targets it said that it traces, and that it skipped."""
    said = re.search(r"^(\d+) functions? traced, (\d+) skipped", result.err, re.M)
    assert said, result
    return int(said.group(1)), int(said.group(2))


# Tracepoints

@pytest.mark.hostside
@pytest.mark.parametrize("pattern", ["t:sched:sched_process_fork", "t:sch*d:sched_process_for*",
                                     "t:sched:/process_fork$/"])
def test_event_is_counted_exactly(lab, pattern):
    result = lab.trace("funccount", f"'{pattern}'", "forks 50 1 1")
    assert counts(result) == {"sched:sched_process_fork": 50}, result


@pytest.mark.hostside
def test_each_of_many_events_counts_for_itself(lab):
    result = lab.trace("funccount", "'t:sched:*' 't:task:*'", "forks 20 1 1")
    rows = counts(result)
    assert rows["sched:sched_process_fork"] == rows["task:task_newtask"] == 20, result
    assert rows["sched:sched_process_exit"] == 21, result
    assert traced(result)[0] > 15 and "sched:sched_move_numa" not in rows, result


@pytest.mark.hostside
def test_system_call_events(lab, needs):
    needs("funccount", "t:syscalls:sys_enter_getppid")
    result = lab.traced_in_tracefs("funccount", "'t:syscalls:sys_*_getppid' -C calls", "calls 500 2")
    assert counts(result) == {"syscalls:sys_enter_getppid": 1000, "syscalls:sys_exit_getppid": 1000}, result


# User functions

@pytest.mark.hostside
def test_user_functions_of_four_threads(lab):
    result = lab.trace("funccount", "\"u:$W/calls:calls_*\"", "calls 5000 4")
    assert counts(result) == {"calls:calls_often": 20000, "calls:calls_seldom": 4}, result
    assert traced(result) == (3, 0)


@pytest.mark.parametrize("kind", ["uprobe_multi", "uprobe"])
def test_ways_to_hook_user_functions_agree(lab, needs, kind):
    needs("funccount", f"u:/bin/sh:main --hook {kind}")
    result = lab.trace("funccount", f"\"u:$W/calls:/^calls_(often|never)$/\" --hook {kind}", "calls 300")
    assert counts(result) == {"calls:calls_often": 300}, result
    assert {hook["via"] for hook in result.report["hooks"] if hook["role"] == "user"} == {kind}


@pytest.mark.hostside
def test_calls_by_thread(lab):
    result = lab.trace("funccount", "\"u:$W/calls:calls_often\" --by tgid,tid,comm", "calls 400 3")
    assert sorted(row["count"] for row in result.rows) == [400] * 3, result
    assert len({row["tid"] for row in result.rows}) == 3
    assert {row["tgid"] for row in result.rows} == {result.fact("calls")["tgid"]}
    assert {(row["func"], row["comm"]) for row in result.rows} == {("calls:calls_often", "calls")}


@pytest.mark.hostside
def test_by_cpu_sums_up(lab):
    result = lab.trace("funccount", "\"u:$W/calls:calls_often\" --by cpu", "calls 3000 4")
    assert total(result.rows, "count") == 12000, result
    assert len({row["cpu"] for row in result.rows}) == len(result.rows)


@pytest.mark.hostside
def test_grouping_without_the_function(lab):
    result = lab.trace("funccount", "\"u:$W/calls:calls_*\" -g comm", "calls 100 2")
    assert result.rows == [{"comm": "calls", "count": 202}], result


@pytest.mark.hostside
def test_full_table_is_counted_as_loss(lab):
    result = lab.ktrace("funccount -j 't:sched:sched_process_fork' --by tid --row-storage-size 1 -- "
                        "sh -c 'for i in 1 2 3 4; do $W/forks 5 1 1; done'")
    assert result.rc == 0, result
    assert total(result.rows, "count") + result.report["loss"]["rows"] == 4 + 20, result
    assert result.report["loss"]["rows"] > 0, result


@pytest.mark.hostside
def test_rate_is_the_count_by_the_time(lab):
    result = lab.trace("funccount", "\"u:$W/calls:calls_often\" --rate", "calls 3000")
    [row] = result.rows
    assert abs(row["rate"] - 3000 / (result.report["elapsed_ns"] / 1e9)) <= 1, result


@pytest.mark.hostside
def test_intervals_are_differences(lab):
    result = lab.ktrace(f"funccount -j t:sched:sched_process_fork -C forks -i {0.3 * lab.slow} -- sh -c "
                        f"'$W/forks 7 1 1; sleep {0.7 * lab.slow}; $W/forks 9 1 1'")
    assert result.rc == 0 and len(result.reports) >= 3, result
    rows = [row for report in result.reports for row in report["rows"]]
    assert total(rows, "count") == 7 + 9, result
    assert [] in [report["rows"] for report in result.reports], "nothing was forked meanwhile"


@pytest.mark.hostside
def test_filter_by_comm(lab):
    result = lab.around("funccount", "\"u:$W/calls:calls_often\" -C calls", "$W/calls 50; cp $W/calls o; ./o 9")
    assert counts(result) == {"calls:calls_often": 50}, result
    none = lab.around("funccount", "\"u:$W/calls:calls_often\" -C nobody", "$W/calls 50")
    assert none.rows == [], none


# What is left out, and what is wrong

@pytest.mark.hostside
def test_exclude_is_a_list_of_globs_and_regexes(lab):
    every = traced(lab.ktrace("funccount 't:sched:*' 0.1 1"))[0]
    result = lab.ktrace("funccount 't:sched:*' -x 'sched_switch,/^sched_(wak|stat)/' -x '*fork' -j 0.1 1")
    assert result.rc == 0 and traced(result)[0] < every - 5, result
    assert not [func for func in counts(result) if "switch" in func or "wak" in func], result


@pytest.mark.hostside
@pytest.mark.parametrize("words", [
    "t:nosuch:event", "t:sched:nosuch", "t:sched", "t::x", "t:sched:", "u:nosuch:x", "u:/no/such:x",
    "u:$W/calls:nosuch", "u:/etc/passwd:x", "u:x", "''", "'/(/'", "/open", "'t:sched:/[/'",
    "t:sched:sched_switch t:nosuch:event", "t:sched:sched_switch -x '*'", "t:sched:sched_switch -x ''",
    "t:sched:sched_switch -x '/(/'", ""])
def test_bad_pattern_is_refused_before_anything_is_attached(lab, words):
    result = lab.ktrace(f"funccount {words} -d 5")
    assert result.rc == 2 and not result.out and len(result.messages) == 1, result
    assert "Tracing" not in result.err


@pytest.mark.portable
def test_kernel_functions_run_or_are_refused_with_the_reason(lab):
    result = lab.ktrace("funccount -j vfs_read 0.2 1")
    if result.rc:
        assert result.rc == 3 and "fprobe" in result.messages[0] and "kprobe" in result.messages[0], result


# Kernel functions

@pytest.mark.portable
def test_function_that_is_not_there(lab, needs):
    needs("funccount", "vfs_read")
    for words in ("no_such_function", "'*[nosuchmodule]'", "vfs_read /^no_such/"):
        result = lab.ktrace(f"funccount {words} 0.1 1")
        assert result.rc == 2 and len(result.messages) == 1 and "no kernel function" in result.messages[0], result


@pytest.mark.parametrize("kind", WAYS)
def test_module_functions_against_the_truth(lab, needs, kind):
    needs("funccount", f"vfs_read --hook {kind}")
    result = truth(lab, "funccount", f"'truth_*{MODULE}' --hook {kind}", "kmalloc n=1000 size=64", "cache n=77")
    rows = counts(result)
    assert rows[KMALLOC] == rows[f"truth_kfree {MODULE}"] == 1000, result
    assert rows[f"truth_cache_alloc {MODULE}"] == rows[f"truth_cache_free {MODULE}"] == 77
    assert f"truth_alloc_pages {MODULE}" not in rows, "was not called"
    assert {hook["via"] for hook in result.report["hooks"] if hook["role"] == "functions"} == {kind}


@pytest.mark.portable
@pytest.mark.parametrize("pattern", [f"'{KMALLOC}'", "truth_kmalloc", f"'*{MODULE}'", "/^truth_km/",
                                     f"'{MODULE}'"])
def test_patterns_that_name_a_module_function(lab, needs, pattern):
    needs("funccount", "vfs_read")
    result = truth(lab, "funccount", f"{pattern} -x truth_kfree", "kmalloc n=300 size=64")
    rows = counts(result)
    assert rows[KMALLOC] == 300 and f"truth_kfree {MODULE}" not in rows, result


@pytest.mark.portable
@pytest.mark.parametrize("kind", WAYS)
def test_calls_by_task_in_the_kernel(lab, needs, kind):
    needs("funccount", f"vfs_read --hook {kind}")
    result = truth(lab, "funccount", f"truth_kmalloc --by comm,tgid --hook {kind}", "kmalloc n=500 size=64")
    [row] = result.rows
    assert (row["func"], row["comm"], row["count"]) == (KMALLOC, "kt-truth", 500), result


PROFILE = """
cat >profiled <<'END'
t=/sys/kernel/tracing
for f in truth_kmalloc truth_kfree vfs_read vfs_write vfs_open; do
	echo "p:kt_profile/$f $f" >>$t/kprobe_events || exit 97
done
echo 1 >$t/events/kt_profile/enable
"$@"
for i in 1 2 3; do cat /proc/version; done >/dev/null
echo 0 >$t/events/kt_profile/enable
awk '{ printf "{\\"workload\\":\\"profile\\",\\"func\\":\\"%s\\",\\"hits\\":%d}\\n", $1, $2 }' $t/kprobe_profile >&2
echo >$t/kprobe_events
END
"""


def test_agrees_with_ftraces_own_probes(lab, needs):
    """These count for less time than ktrace, which sees no less, and both see the truth."""
    needs("funccount", "vfs_read")
    script = "sh profiled " + tell("kmalloc n=200 size=64")
    result = run_truth(lab, PROFILE + f"with_tracefs $W/onready --do {shlex.quote(script)} --signal TERM -- "
                                      "$KTRACE funccount -j --self --ready-fd 9 'vfs_*' 'truth_*'")
    assert result.rc == 0, result
    hits = {}
    for fact in result.facts:
        if fact["workload"] == "profile":
            hits[fact["func"]] = hits.get(fact["func"], 0) + fact["hits"]
    rows = {func.split()[0]: n for func, n in counts(result).items()}
    assert "truth_kmalloc" in hits and "truth_kmalloc" in rows, (hits, rows, result.err)
    assert hits["truth_kmalloc"] == rows["truth_kmalloc"] == 200 == fact_of(result, "kmalloc")["count"], result
    assert hits["truth_kfree"] == rows["truth_kfree"] == 200, result
    assert hits["vfs_read"] > 3, result
    for func, n in hits.items():
        assert func not in rows or rows[func] + result.report["loss"]["missed"] >= n, (func, n, result)


def test_denied_functions_are_skipped_and_named(lab, needs):
    needs("funccount", "vfs_read")
    alone = lab.ktrace("funccount 'bpf_get_*' 0.1 1")
    assert alone.rc == 3 and len(alone.messages) == 1 and "denied" in alone.messages[0], alone
    beside = lab.ktrace("funccount -v bpf_get_current_comm vfs_read 0.1 1")
    assert beside.rc == 0 and traced(beside) == (1, 1), beside
    assert "skipped bpf_get_current_comm: denied" in beside.err, beside


def test_thousands_of_functions_and_the_machine_lives(lab, needs):
    """One by one it is some dozens: the kernel takes 0.1 s for each when they are removed."""
    needs("funccount", "vfs_read")
    many = lab.cannot("funccount", "vfs_read --hook kprobe_multi") is None
    pattern, least = ("[a-v]*", 500) if many else ("vfs_*", 40)
    result = lab.run(f"with_tracefs $KTRACE funccount -j '{pattern}' -d 3 -- $W/forks 5 1 1; rc=$?\n"
                     "echo alive >&2; exit $rc", timeout=400)
    assert result.rc == 0 and "alive" in result.err, result
    n, skipped = traced(result)
    assert n > least and (skipped > 100 or not many), (n, skipped)
    assert len(result.rows) > (100 if many else 3), result


@pytest.mark.hostside
@pytest.mark.slow
def test_probes_that_take_long_to_remove_outlast_the_run_and_go(lab, needs):
    needs("funccount", "t:syscalls:sys_enter_getppid")
    result = lab.run("with_tracefs $KTRACE funccount -j -d 0.2 't:syscalls:sys_enter_[a-f]*'; rc=$?\n"
                     "n=0\nwhile readlink /proc/[0-9]*/exe | grep -qx \"$(readlink -f $KTRACE)\"; do\n"
                     "n=$((n + 1)); [ $n -lt 900 ] || exit 98; sleep 0.1; done; exit $rc")
    assert result.rc == 0 and len(result.reports) == 1, result
    assert traced(result)[0] > 64 and "removed in the background" in result.err, result
