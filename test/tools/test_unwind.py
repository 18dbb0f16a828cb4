# SPDX-License-Identifier: GPL-2.0-or-later
"""Stacks by rules (bpf/unwind.bpf.h) are those that the kernel walks."""

import re

import pytest

from lab import pick

LOADS = [("offcputime", "pingpong 5000", 1000), ("wakeuptime", "pingpong 5000", 500),
         ("offwaketime", "pingpong 5000", 1000), ("kmem", "kmallocs 5000 2000", 2000),
         ("kpages", "pages 5000", 2000)]


def by_rules(lab):
    caps = lab.caps()
    return caps["arch"] == ["x86_64"] and caps["helper.bpf_task_pt_regs"] == ["yes"]


def checked(result):
    """How many stacks both ways gave, and how many of them differed; None: not compared."""
    note, = [note for note in result.report["notes"] if "--unwind check" in note]
    found = re.search(r"(\d+) stacks by rules, (\d+) not as walked", note)
    return found and tuple(int(number) for number in found.groups())


def assert_learned(result, at_least):
    """So many stacks by rules at least, and none that differs."""
    done, differ = checked(result)
    assert done >= at_least, "the rules were not learned"
    assert differ == 0


@pytest.mark.slow
@pytest.mark.parametrize("tool, load, at_least", LOADS)
def test_rules_give_what_the_kernel_walks(lab, tool, load, at_least):
    if not by_rules(lab):
        assert checked(lab.ktrace(f"{tool} -j --unwind check -- $W/sleeper 1 1")) is None
        return
    assert_learned(lab.ktrace(f"{tool} -j --unwind check -- $W/{load}"), at_least)


@pytest.mark.slow
def test_a_mixed_load_gives_no_wrong_stack(lab):
    if not by_rules(lab):
        return
    n = 6000 // lab.slow
    load = f"""sh -c "for i in 1 2; do $W/pingpong {n} & $W/pages {n} & $W/sleeper 20 1 &
                      find /proc/self /sys/kernel/slab & done >/dev/null 2>&1; wait" """
    result = lab.ktrace(f"offcputime -j --unwind check -- {load}")
    assert_learned(result, 1)


@pytest.mark.parametrize("how", ["kernel", "rules"])
def test_the_blocked_reader_has_the_same_stack_both_ways(lab, how):
    result = lab.ktrace(f"offcputime -j --unwind {how} -- $W/pingpong 3000")
    rows = [row for row in pick(result.rows, comm="pong") if row["state"] == "S"]
    most = max(rows, key=lambda row: row["count"])
    frames = most["kstack"]
    assert any(frame.endswith("pipe_read") for frame in frames)
    assert frames.index("vfs_read") > 0 and frames[-1].startswith(("entry_SYSCALL", "el0"))


def test_rules_that_were_found_wrong_are_given_up_and_the_report_says_so(lab):
    result = lab.run("$KTRACE offcputime -j -- sh -c '$W/pingpong 3000 >&2; $W/mapset unwind_checks 5 1 >&2; "
                     "$W/sleeper 20 1 >&2'")
    assert result.rc == 0 and result.rows, result
    given_up = [note for note in result.report["notes"] if "--unwind kernel" in note]
    assert len(given_up) == by_rules(lab), result
    assert all(note.startswith("1 of ") for note in given_up), given_up


def test_once_rules_were_found_wrong_all_stacks_are_walked(lab):
    if not by_rules(lab):
        return
    # in one run of seven in a guest 5000 rounds do not settle the rules of both sides, 20000 do
    result = lab.run("$KTRACE offcputime -j -- sh -c '$W/pingpong 20000 >&2; $W/mapset unwind_checks 0 1 >&2; "
                     "$W/pingpong 1000 >&2'")
    note, = [note for note in result.report["notes"] if "--unwind kernel" in note]
    assert int(re.search(r"of (\d+) stacks", note)[1]) > 100, note
