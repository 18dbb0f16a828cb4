# SPDX-License-Identifier: GPL-2.0-or-later
"""numamove against the kernel's own count, on a machine with two NUMA nodes."""

import shlex

import pytest

from lab import pick, total

# Balancing is on only while the workload runs: nothing moves before ktrace is there or after it ends.
BALANCED = """
mkdir -p d && mount -t debugfs none d 2>/dev/null
for file in /proc/sys/kernel/numa_balancing_scan_delay_ms d/sched/numa_balancing/scan_delay_ms; do
	[ ! -e $file ] || echo 100 >$file
done
for file in /proc/sys/kernel/numa_balancing_scan_period_m??_ms d/sched/numa_balancing/scan_period_m??_ms; do
	[ ! -e $file ] || echo 100 >$file
done
umount d 2>/dev/null
migrated() { sed -n 's/^numa_pages_migrated //p' /proc/vmstat; }
migrated_since() { echo "{\\"workload\\":\\"vmstat\\",\\"migrated\\":$(($(migrated) - $1))}" >&2; }
"""


@pytest.fixture
def nodes(lab, needs):
    needs("numamove")
    if lab.caps()["numa_nodes"] != ["yes"]:
        pytest.skip("one NUMA node")


def checked(fact):
    """The kernel moved nearly all: now and then it leaves a page for minutes."""
    assert fact["began"] == fact["pages"] and fact["moved"] >= 0.9 * fact["pages"], fact
    return fact


def moved(lab, args, pages, timeout=240):
    """A run over the whole system, ended when numafault has: the result, and what numafault says."""
    script = BALANCED + f"""
before=$(migrated)
with_tracefs $W/onready --do "$W/numafault {pages}" --signal TERM -- $KTRACE numamove -j --self -i 600 --ready-fd 9 {args}
rc=$?
migrated_since $before
exit $rc"""
    result = lab.run(script, timeout)
    assert result.rc == 0, result
    fact = result.fact("numafault")
    return result, checked(fact)


@pytest.mark.parametrize("size", ["small", "huge"])
def test_two_nodes_pages_are_the_kernels_own_count(lab, nodes, size):
    result, fact = moved(lab, "", f"16 {size}")
    row, = result.rows
    assert (fact["huge_kb"] >= 16384) == (size == "huge"), fact
    assert fact["moved"] <= fact["numa_pages_migrated"] <= row["migrations"], (row, fact)
    assert row["migrations"] <= result.fact("vmstat")["migrated"], (row, result)
    # one thread moves them, in its own time
    assert 0 < row["total_ns"] < result.report["elapsed_ns"], row


@pytest.mark.portable
def test_two_nodes_by_process_and_node(lab, nodes):
    result, fact = moved(lab, "-g comm,tgid,node", "16 small")
    mine = pick(result.rows, comm="numafault", tgid=fact["tgid"])
    there = pick(mine, node=fact["to"])
    assert total(there, "migrations") >= fact["moved"], (fact, result)
    assert fact["numa_pages_migrated"] <= total(result.rows, "migrations"), (fact, result)
    assert {row["node"] for row in result.rows} <= {fact["from"], fact["to"]}, result


@pytest.mark.portable
def test_two_nodes_a_command_is_followed(lab, nodes):
    result = lab.run(BALANCED + "$KTRACE numamove -j -i 600 -g tgid -- $W/numafault 16 small", 240)
    fact = checked(result.fact("numafault"))
    row, = result.rows
    assert row["tgid"] == fact["tgid"] and fact["moved"] <= row["migrations"], result


KINDS = ["tp_btf", "raw_tp", "tracepoint"]


def test_two_nodes_each_hook_counts_the_same(lab, nodes, needs):
    """All at once, over the same moves."""
    script = "$W/numafault 16 small"
    for kind in KINDS:
        needs("numamove", f"--hook {kind}")
        script = (f"$W/onready --do {shlex.quote(script)} --signal TERM -- "
                  f"$KTRACE numamove -o json=out.{kind} --self -i 600 --ready-fd 9 --hook {kind}")
    result = lab.run(BALANCED + f"""
before=$(migrated)
with_tracefs sh -c {shlex.quote(script)}; rc=$?
migrated_since $before
cat out.*
exit $rc""", 240)
    fact, used = checked(result.fact("numafault")), set()
    assert result.rc == 0, result
    for report in result.reports:
        used |= {hook["via"] for hook in report["hooks"] if hook["role"] == "moved"}
        row, = report["rows"]
        assert fact["numa_pages_migrated"] <= row["migrations"] <= result.fact("vmstat")["migrated"], (fact, result)
        times = {hook["role"] for hook in report["hooks"]} & {"start"}
        assert bool(row["total_ns"]) == bool(times), result
        assert times or any("how long" in note for note in report["notes"]), result
    assert used == set(KINDS) and len(result.reports) == len(KINDS), result


def test_two_nodes_moves_that_a_program_asks_for_do_not_count(lab, nodes):
    """move_pages(2), as migratepages does: another reason."""
    result = lab.run("$KTRACE numamove -j -- $W/numafault 4 small --ask")
    row, = result.rows
    assert result.fact("numafault")["pgmigrate_success"] >= 1024 and row["migrations"] == 0, result


def test_an_interval_without_moves_is_a_row_of_zeros(lab, needs):
    needs("numamove")
    reports = lab.ktrace("numamove -j -p 1 0.3 3").reports
    assert len(reports) == 3
    for report in reports:
        assert report["rows"] == [{"migrations": 0, "failed": 0, "total_ns": 0}], report


@pytest.mark.portable
def test_text_is_a_line_with_the_time(lab, needs):
    needs("numamove")
    result = lab.ktrace("numamove -p 1 0.3 2")
    lines = [line.split() for line in result.out.splitlines() if not line.startswith("note:")]
    assert lines[0] == ["TIME", "migrations", "failed", "total"] and len(lines) == 3, result
    assert all(len(line) == 4 and line[1:3] == ["0", "0"] for line in lines[1:]), result


def test_why_there_is_nothing_to_see_is_said(lab):
    """Compiled out: exit 3 and the reason. Off, or one node: in every report."""
    caps = lab.caps()
    result = lab.ktrace("numamove -j 0.2 1")
    if caps["numa_balancing"][0].startswith("no"):
        assert result.rc == 3 and not result.out, result
        assert len(result.messages) == 1 and "CONFIG_NUMA_BALANCING" in result.messages[0], result
        return
    notes = " ".join(result.report["notes"])
    assert ("numa_balancing is 0" in notes) == caps["numa_balancing"][0].startswith("off"), notes
    assert ("one NUMA node" in notes) == caps["numa_nodes"][0].startswith("off"), notes
