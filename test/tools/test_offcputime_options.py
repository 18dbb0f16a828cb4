# SPDX-License-Identifier: GPL-2.0-or-later
"""The shared options, on the tool that has them all."""

import pytest

from lab import has_frame, pick, total
from probes import KEYS, NANOSLEEP, VALUES

pytestmark = [pytest.mark.hostside, pytest.mark.slow]


def nanosleeps(rows):
    return pick(rows, lambda row: has_frame(row, *NANOSLEEP), comm="sleeper", state="S")


@pytest.mark.parametrize("option, count", [
    ("-m 40ms", 10), ("-M 0.04s", 20),
    *[pytest.param(*case, marks=pytest.mark.slow) for case in (
        ("--min 40000", 10), ("-M 40ms", 20), ("-m 1us -M 1s", 30), ("-m 2s", 0))]])
def test_min_and_max_keep_what_is_between(lab, option, count):
    result = lab.two_sleepers("offcputime", option)
    assert total(nanosleeps(result.rows), "count") == count, result


STATES = [("S", "S"), ("K", "K"), ("S,T", "ST"), ("'!R'", "SKT"), ("2", "K")]
MORE_STATES = [("D,K", "K"), ("killable", "K"), ("T", "T"), ("R", "R"), ("'!S,R'", "KT"), ("1", "S"), ("0x2", "K"),
               ("4", "T"), ("0", "R")]


@pytest.mark.parametrize("option, letters", STATES + [
    pytest.param(*case, marks=pytest.mark.slow) for case in MORE_STATES])
def test_state_filter(lab, option, letters):
    result = lab.trace("offcputime", f"--state {option}", workload="states 200")
    of = {"S": "st-sleep", "K": "st-vfork", "T": "st-stop"}
    for state, comm in of.items():
        rows = pick(result.rows, comm=comm, state=state)
        assert total(rows, "count") == (1 if state in letters else 0), (comm, result)
    seen = {row["state"] for row in result.rows}
    if option.startswith("'!"):
        assert not seen & set(option.strip("'!").split(",")), seen
    else:
        assert seen <= set(letters) | ({"D"} if "D" in option or option in ("2", "0x2") else set()) \
            | ({"I"} if option in ("2", "0x2") else set()), seen


BACKGROUND = """
    $W/sleeper 2000 20 --thread-name kt-one --ready >one & one=$!
    $W/sleeper 2000 20 --thread-name kt-two --ready >two & two=$!
    wait_line one; wait_line two
    $KTRACE offcputime -j -d 0.7 {options}; rc=$?
    cat one two >&2
    kill $one $two
    exit $rc"""


def one_and_two(result):
    facts = [f for f in result.facts if f["workload"] == "sleeper"]
    assert len(facts) == 2, result
    return facts


@pytest.mark.parametrize("options, comms", [
    ("-p $one", {"kt-one", "sleeper"}), ("-C kt-two", {"kt-two"}), ("-t $(number two tid)", {"kt-two"}),
    *[pytest.param(*case, marks=pytest.mark.slow) for case in (
        ("-p $one,$two", {"kt-one", "kt-two", "sleeper"}), ("-C kt-one --state S", {"kt-one"}),
        ("-t $(number one tid),$(number two tid)", {"kt-one", "kt-two"}),
        ("-p $one -C kt-one", {"kt-one"}))]])
def test_task_filters_keep_these_and_no_others(lab, options, comms):
    result = lab.run(BACKGROUND.format(options=options))
    one_and_two(result)
    assert {row["comm"] for row in result.rows} == comms, result


def test_pid_takes_all_threads_of_the_process(lab):
    result = lab.run(BACKGROUND.format(options="-p $two"))
    two = one_and_two(result)[1]
    assert {row["tgid"] for row in result.rows} == {two["tgid"]}
    assert {row["tid"] for row in result.rows} == {two["tgid"], two["tid"]}


def test_user_and_kernel_threads(lab):
    user = lab.run(BACKGROUND.format(options="-u"))
    assert {"kt-one", "kt-two"} <= {row["comm"] for row in user.rows}
    assert not pick(user.rows, lambda row: has_frame(row, "kthread", "rcu_gp_kthread"))
    kernel = lab.run(BACKGROUND.format(options="-k"))
    assert kernel.rows
    assert not {"kt-one", "kt-two", "sleeper"} & {row["comm"] for row in kernel.rows}


CGROUP = """
    {find}
    [ -n "$root" ] || {{ echo "no cgroup hierarchy" >&2; exit 77; }}
    mkdir -p $root/ktrace-test/below
    trap 'kill $in $below $out 2>/dev/null; wait; rmdir $root/ktrace-test/below $root/ktrace-test
        cd /; rm -rf "$T"' EXIT
    enter() {{ sh -c 'echo $$ >'$root/$1/cgroup.procs'; exec $W/sleeper 2000 20 --thread-name '$2 & }}
    enter ktrace-test kt-in; in=$!
    enter ktrace-test/below kt-below; below=$!
    $W/sleeper 2000 20 --thread-name kt-out & out=$!
    sleep 0.5
    $KTRACE offcputime -j -d 0.7 -G {which}"""
V2 = """root=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)"""
V1 = """root=$(awk '$3 == "cgroup" && $4 ~ /freezer|pids|cpu/ { print $2; exit }' /proc/mounts)"""


@pytest.mark.parametrize("find, which, comms", [
    (V2, "$root/ktrace-test", {"kt-in", "kt-below", "sleeper"}),
    (V2, "$root/ktrace-test/below", {"kt-below", "sleeper"}),
    (V2, "$(stat -c %i $root/ktrace-test)", {"kt-in", "kt-below", "sleeper"}),
    (V1, "$root/ktrace-test", {"kt-in", "kt-below", "sleeper"})],
    ids=["v2", "v2-below", "v2-id", "v1"])
def test_cgroup_and_below(lab, find, which, comms):
    result = lab.run(CGROUP.format(find=find, which=which))
    if result.rc == 77:
        pytest.skip(result.messages[-1])
    assert {row["comm"] for row in result.rows} == comms, result


def test_user_stacks_only(lab):
    result = lab.trace("offcputime", "-U", workload="stacks 4 --us 1000")
    assert pick(result.rows, lambda row: row["ustack"])
    assert not any("kstack" in row and row["kstack"] for row in result.rows)


def test_kernel_stacks_only(lab):
    result = lab.trace("offcputime", "-K", workload="stacks 4 --us 1000")
    assert pick(result.rows, lambda row: has_frame(row, *NANOSLEEP))
    assert not any("ustack" in row and row["ustack"] for row in result.rows)
    # preempted on its way into the sleep it is there once more, as R
    assert total(pick(result.rows, lambda r: has_frame(r, *NANOSLEEP), state="S"), "count") == \
        result.fact("stacks")["voluntary"], result


@pytest.mark.parametrize("depth", [1, 3])
def test_stack_depth_cuts_the_outer_end(lab, depth):
    whole = lab.trace("offcputime", "-K", workload="sleeper 3 5")
    cut = lab.trace("offcputime", f"-K -s {depth}", workload="sleeper 3 5")
    stack = nanosleeps(whole.rows)[0]["kstack"]
    stacks = [row["kstack"] for row in cut.rows if row["state"] == "S"]
    assert stack[:depth] in [frames[:depth] for frames in stacks], (stack, stacks)
    assert all(len(frames) - frames.count("[cut]") <= depth for frames in stacks), stacks


def test_stack_depth_zero_keeps_no_stack(lab):
    result = lab.trace("offcputime", "-s 0", workload="sleeper 3 5")
    assert total(pick(result.rows, comm="sleeper", state="S"), "count") >= 3
    assert not any(row.get("kstack") or row.get("ustack") for row in result.rows)


def test_top_keeps_the_first_rows(lab):
    result = lab.trace("offcputime", "-n 2 -d 0.5")
    assert len(result.rows) == 2


@pytest.mark.parametrize("column", ["count", "total_ns", "max_ns"])
def test_sort_is_descending(lab, column):
    result = lab.trace("offcputime", f"-S {column} -d 0.5")
    values = [row[column] for row in result.rows]
    assert len(values) > 1 and values == sorted(values, reverse=True), values


def test_rows_are_sorted_by_total_without_an_option(lab):
    values = [row["total_ns"] for row in lab.trace("offcputime", "-d 0.5").rows]
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize("columns", ["comm", "comm,state", "state", "tgid", "comm,cgroup"])
def test_group_by_sums_over_what_is_left_out(lab, columns):
    result = lab.trace("offcputime", f"-g {columns}", workload="forks 3 4 5")
    keys = columns.split(",")
    assert all(set(row) == set(keys + VALUES["offcputime"]) for row in result.rows), result
    seen = [tuple(row[key] for key in keys) for row in result.rows]
    assert len(seen) == len(set(seen)), "one row for each key"
    if columns == "comm,state":
        assert total(pick(result.rows, comm="forkkid", state="S"), "count") >= 12, result


def test_group_by_every_key_is_the_ungrouped_report(lab):
    keys = ",".join(KEYS["offcputime"])
    result = lab.trace("offcputime", f"-g {keys}", workload="sleeper 5 5")
    assert total(nanosleeps(result.rows), "count") == 5


def test_timestamp_stands_on_each_text_report(lab):
    with_time = lab.ktrace("offcputime -T -i 0.3 -d 1 -- $W/sleeper 3 100")
    import re
    assert with_time.rc == 0 and re.search(r"\b\d\d:\d\d:\d\d\b", with_time.out), with_time
    without = lab.ktrace("offcputime -- $W/sleeper 3 100")
    assert not re.search(r"^\d\d:\d\d:\d\d\b", without.out, re.M), without


@pytest.mark.parametrize("option, shown", [("", False), ("--self", True)])
def test_self_is_left_out_unless_asked_for(lab, option, shown):
    result = lab.run(f"""sh -c 'echo "{{\\"workload\\":\\"self\\",\\"tgid\\":$$}}" >&2
        exec $KTRACE offcputime -j -d 1 -i 0.2 {option}'""")
    own = pick(result.rows, tgid=result.fact("self")["tgid"])
    assert bool(own) == shown, result
