# SPDX-License-Identifier: GPL-2.0-or-later
"""loads against sysinfo(2) and the tasks that make the load."""

import re

import pytest

COLUMNS = ("load1", "load5", "load15")


def samples_around(lab, args):
    """The reports, and what sysinfo said before and after them."""
    result = lab.run(f"$W/sysload >&2; $KTRACE loads -j {args}; rc=$?; $W/sysload >&2; exit $rc")
    assert result.rc == 0, result
    truths = [fact["loads"] for fact in result.facts if fact["workload"] == "sysload"]
    assert len(truths) == 2, result
    return result.reports, truths


@pytest.mark.hostside
def test_loads_are_those_of_sysinfo_to_three_decimals(lab):
    # the kernel computes them every 5 s: within 1 s they change once at most
    reports, truths = samples_around(lab, "0.2 4")
    for report in reports:
        row, = report["rows"]
        for i, column in enumerate(COLUMNS):
            allowed = {truth[i] / 65536 for truth in truths}
            assert any(abs(row[column] - load) <= 0.0005 for load in allowed), (row, truths)


@pytest.mark.hostside
def test_count_ends_the_run(lab):
    reports, _ = samples_around(lab, "0.1 3")
    assert len(reports) == 3
    assert all(len(report["rows"]) == 1 for report in reports)


def test_agrees_with_proc_loadavg(lab):
    result = lab.run("cat /proc/loadavg >&2; $KTRACE loads -j 0.1 1; rc=$?; cat /proc/loadavg >&2; exit $rc")
    row, = result.rows
    truths = [line.split()[:3] for line in result.messages]
    for i, column in enumerate(COLUMNS):
        # /proc/loadavg has two decimals
        assert any(abs(row[column] - float(truth[i])) <= 0.0101 for truth in truths), (row, truths)


@pytest.mark.hostside
def test_text_has_three_decimals_and_a_line_for_each_interval(lab):
    result = lab.ktrace("loads 0.1 3")
    assert result.rc == 0, result
    lines = [line for line in result.out.splitlines() if re.search(r"\d+\.\d{3}\b", line)]
    assert len(lines) == 3, result
    assert all(len(re.findall(r"\d+\.\d{3}\b", line)) >= 3 for line in lines), result


def test_detail_says_what_the_load_consists_of(lab):
    result = lab.ktrace("loads -j -D -i 0.3 -- $W/states 2000")
    assert result.rc == 0, result
    rows = [row for report in result.reports for row in report["rows"]]
    assert len(rows) >= 3
    assert max(row["running"] for row in rows) >= 2, "two tasks were spinning"
    assert max(row["uninterruptible"] for row in rows) >= 1, "a parent waited in vfork"


@pytest.mark.hostside
def test_without_detail_there_are_three_columns(lab):
    row, = lab.ktrace("loads -j 0.1 1").rows
    assert set(row) == set(COLUMNS)
