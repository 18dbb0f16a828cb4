# SPDX-License-Identifier: GPL-2.0-or-later
"""What holds for the reports of every tool: shape, number, and end."""

import re

import pytest

from lab import has_frame, pick, total, within
from probes import KEYS, NANOSLEEP, PROBES, QUIET, VALUES, args_of, call, workload_of

pytestmark = pytest.mark.hostside

HEADER = ["schema", "tool", "version", "host", "kernel", "start", "elapsed_ns", "hooks", "notes", "rows",
          "loss", "cost"]
FOLDED = re.compile(r"^(.+) (\d+)$")
STACK_TOOLS = [name for name, keys in KEYS.items() if "kstack" in keys]


def short_run(lab, tool, n=10):
    workload = workload_of(tool, n)
    return lab.trace(call(tool), args_of(tool) if workload else "-i 0.2 -d 0.3", workload)


def test_header_is_the_same_for_every_tool(lab, running):
    report = short_run(lab, running).report
    assert [key for key in report if key != "rows_hidden"] == HEADER
    assert report["schema"] == 1 and report["tool"] == running
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", report["start"])
    assert isinstance(report["elapsed_ns"], int) and report["elapsed_ns"] > 0
    assert set(report["loss"]) == {"events", "rows", "stacks", "missed"}
    assert all(isinstance(n, int) for n in report["loss"].values())
    assert set(report["cost"]) == {"events", "run_ns", "cpu_percent"}
    assert all(isinstance(note, str) for note in report["notes"])
    for hook in report["hooks"]:
        assert set(hook) == {"role", "via", "target"} and all(hook.values()), hook


def test_host_and_kernel_are_those_of_the_machine(lab):
    result = lab.run("$KTRACE loads -j 0.1 1; rc=$?; uname -n >&2; uname -r >&2; exit $rc")
    report = result.report
    assert result.messages[-2:] == [report["host"], report["kernel"]], result


@pytest.mark.parametrize("name", VALUES)
def test_columns_are_those_of_the_contract(lab, needs, name):
    needs(call(name))
    result = short_run(lab, name)
    rows = [row for report in result.reports for row in report["rows"]]
    assert rows or name in QUIET, result
    for row in rows:
        assert set(row) == set(KEYS[name] + VALUES[name]), row
        for column, value in row.items():
            kind = list if column.endswith("stack") or "hist" in column else \
                str if column in KEYS[name] and not column.endswith(("tgid", "tid")) else (int, float)
            assert isinstance(value, kind), (column, value)


@pytest.mark.parametrize("name", PROBES)
def test_exact_count_of_a_known_workload(lab, name):
    probe = PROBES[name]
    result = lab.trace(call(name), probe.args, probe.command(25))
    assert probe.value(result.rows) == probe.truth(25), result


@pytest.mark.parametrize("name", [name for name in PROBES if name != "workq"])
def test_cost_is_counted(lab, name):
    cost = short_run(lab, name).report["cost"]
    assert cost["events"] > 0 and cost["run_ns"] > 0 and cost["cpu_percent"] >= 0, cost


@pytest.mark.parametrize("name", ["offcputime", *[pytest.param(name, marks=pytest.mark.slow) for name in (
    "wakeuptime", "offwaketime", "kmem", "kpages", "workq")]])
def test_accumulating_tools_report_totals(lab, name):
    result = lab.ktrace(f"{call(name)} -j -d {2 * lab.slow} -i {0.8 * lab.slow}")
    assert result.rc == 0, result
    reports = result.reports
    assert len(reports) == 3, "after one interval, after two and at the end"
    elapsed = [report["elapsed_ns"] for report in reports]
    assert elapsed == sorted(elapsed) and elapsed[0] < elapsed[-1]
    counts = [total(report["rows"], "count") for report in reports]
    assert counts == sorted(counts), counts
    assert elapsed[-1] >= 2e9 * lab.slow, "the duration was kept"


@pytest.mark.parametrize("name", ["offcputime", "workq"])
def test_stats_adds_mean_and_quantiles(lab, name):
    rows = lab.trace(name, "--stats", workload_of(name, 50)).rows
    assert rows
    for row in rows:
        if not row["count"]:
            continue
        assert abs(row["avg_ns"] - row["total_ns"] / row["count"]) <= 1, row
        quantiles = [row[key] for key in ("p50_ns", "p90_ns", "p99_ns") if key in row]
        assert quantiles == sorted(quantiles) and all(0 < q <= row["max_ns"] for q in quantiles), row
        assert bool(quantiles) == ("hist_ns" in row)


def test_positional_duration_is_the_option(lab):
    for words in ("1", "-d 1", "--duration=1", "--duration 1.0"):
        result = lab.ktrace(f"offcputime -j {words}")
        assert len(result.reports) == 1 and result.report["elapsed_ns"] >= 1e9, result


@pytest.mark.parametrize("name", ["slabratetop", "numamove", "memleak", "funccount", "loads"])
def test_interval_and_count(lab, needs, name):
    needs(call(name))
    result = lab.ktrace(f"{call(name)} -j 0.4 3")
    assert result.rc == 0 and len(result.reports) == 3, result


@pytest.mark.parametrize("name", STACK_TOOLS)
def test_folded_lines_are_what_flame_graph_tools_read(lab, needs, name):
    needs(call(name))
    result = lab.ktrace(f"{call(name)} -f {args_of(name)} -- $W/{workload_of(name, 10)}")
    assert result.rc == 0, result
    assert result.out or name in QUIET, result
    for line in result.out.splitlines():
        match = FOLDED.match(line)
        assert match, line
        assert all(match.group(1).split(";")), f"empty frame in {line}"
        assert not re.search(r" \d+$", match.group(1)), f"two numbers in {line}"


def test_folded_goes_from_root_to_leaf_and_sums_to_the_total(lab):
    result = lab.run("$KTRACE offcputime -K -o json=j -o folded=f -- $W/sleeper 10 20; rc=$?\n"
                     "cat j; sed 's/^/{\"workload\":\"line\",\"text\":\"/; s/$/\"}/' f >&2; exit $rc")
    lines = [FOLDED.match(f["text"]).groups() for f in result.facts if f["workload"] == "line"]
    sleeping = [(stack.split(";"), int(value)) for stack, value in lines if "nanosleep" in stack]
    rows = pick(result.rows, lambda row: has_frame(row, *NANOSLEEP))
    assert sorted(value for _, value in sleeping) == sorted(row["total_ns"] for row in rows), result
    assert sorted(frames for frames, _ in sleeping) == \
        sorted([row["comm"], *reversed(row["kstack"])] for row in rows)


def test_folded_separates_user_from_kernel_frames(lab):
    result = lab.ktrace("offcputime -f --state S -- $W/stacks 4")
    lines = [line for line in result.out.splitlines() if "nanosleep" in line and line.startswith("stacks;")]
    assert lines, result
    for line in lines:
        frames = FOLDED.match(line).group(1).split(";")[1:]
        assert frames.count("-") == 1, line
        assert any("nanosleep" in frame for frame in frames[frames.index("-"):]), line


@pytest.mark.parametrize("deep", ["", " --deep"])
def test_command_is_followed_into_its_children(lab, deep):
    result = lab.trace("offcputime", workload=f"forks 5 6 {25 * lab.slow}{deep}")
    truth = result.fact("forks")
    rows = pick(result.rows, lambda row: has_frame(row, *NANOSLEEP), comm="forkkid", state="S")
    assert total(rows, "count") == truth["count"] == 30, result
    within(total(rows, "total_ns"), truth["sum_ns"], 3, "total_ns")
    assert len({row["tgid"] for row in rows}) == 5


def test_command_is_followed_through_exec(lab):
    result = lab.ktrace("offcputime -j -- sh -c 'exec sh -c \"exec $W/sleeper 10 10\"'")
    assert PROBES["offcputime"].value(result.rows) == 10, result


def test_report_ends_with_the_command(lab):
    result = lab.trace("offcputime", "-d 100", workload="sleeper 1 500")
    assert 0.5e9 <= result.report["elapsed_ns"] < 100e9
    assert total(result.rows, "blocked") == 0, result


def test_duration_ends_the_report_before_the_command(lab):
    result = lab.trace("offcputime", "-d 0.5", workload="sleeper 1 3000")
    rows = PROBES["offcputime"].rows(result.rows)
    assert total(rows, "blocked") == total(rows, "count") == 1, result
    assert 0.5e9 <= result.report["elapsed_ns"] < 3e9


def test_commands_output_stays_out_of_the_reports(lab):
    result = lab.ktrace("offcputime -j -- sh -c 'echo from-the-command; sleep 0.1'")
    assert "from-the-command" not in result.out and "from-the-command" in result.err, result
    assert result.report["tool"] == "offcputime"


def test_two_at_once_do_not_disturb_each_other(lab):
    result = lab.run("""
        $KTRACE offcputime -o json=one -- $W/sleeper 20 20 2>e1 & one=$!
        $KTRACE offcputime -j -- $W/sleeper 20 20; rc=$?
        wait $one || rc=$?
        cat e1 >&2; cat one; exit $rc""")
    assert result.rc == 0 and len(result.reports) == 2, result
    for report in result.reports:
        assert PROBES["offcputime"].value(report["rows"]) == 20
