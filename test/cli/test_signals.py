# SPDX-License-Identifier: GPL-2.0-or-later
"""Signals are a normal end; nothing stays behind."""

import pytest

from probes import call

REPORT_KEYS = {"schema", "tool", "rows", "loss", "cost", "hooks", "notes", "elapsed_ns"}


def whole_reports(result):
    for report in result.reports:
        assert REPORT_KEYS <= set(report), result
    return result.reports


@pytest.mark.parametrize("name", [pytest.param("INT", marks=pytest.mark.slow), "TERM"])
def test_signal_prints_the_report_and_ends_well(lab, running, name):
    result = lab.run(f"$W/onready --do 'sleep 0.3' --signal {name} -- $KTRACE {call(running)} -j --ready-fd 9")
    assert result.rc == 0 and len(whole_reports(result)) >= 1, result
    assert result.fact("onready")["ready"] == 1, "one byte on --ready-fd"


@pytest.mark.parametrize("name", ["INT", "TERM"])
def test_signal_ends_a_run_with_duration_early(lab, name):
    result = lab.run(f"$W/onready --signal {name} -- $KTRACE offcputime -j -d 1000 --ready-fd 9")
    assert result.report["elapsed_ns"] < 1000e9


@pytest.mark.slow
def test_tracing_is_said_once(lab, running):
    result = lab.ktrace(f"{call(running)} -j -d 0.3 -i 0.1")
    assert result.err.count("Tracing") == 1 and "Tracing ... Ctrl-C to end." in result.err, result


def test_second_signal_kills_at_once(lab):
    result = lab.run("$W/onready --signal INT --signal INT --gap-ms 700 --stall-stdout -- "
                     "$KTRACE offcputime -j --ready-fd 9")
    assert result.fact("onready")["killed_by"] == 2, result


def test_one_signal_does_not_kill_a_report_that_waits_to_be_read(lab):
    result = lab.run("$W/onready --signal INT --signal KILL --gap-ms 700 --stall-stdout -- "
                     "$KTRACE offcputime -j --ready-fd 9")
    assert result.fact("onready")["killed_by"] == 9, result


@pytest.mark.slow
@pytest.mark.parametrize("name, number", [("INT", 2), ("TERM", 15)])
def test_signal_at_any_moment_of_the_start(lab, name, number):
    """Before the handlers stand it kills; from then on there is a whole report."""
    for delay in [*range(0, 30, 3), *range(30, 400, 30)]:
        result = lab.run(f"$W/onready --delay-ms {delay} --signal {name} -- $KTRACE offcputime -j")
        fact = result.fact("onready")
        if fact["killed_by"]:
            assert fact["killed_by"] == number and not result.out, (delay, result)
        else:
            assert fact["rc"] == 0 and len(whole_reports(result)) == 1, (delay, result)


@pytest.mark.parametrize("name", ["INT", "TERM"])
def test_signal_while_a_command_is_followed(lab, name):
    result = lab.run(f"$W/onready --do 'sleep 0.5' --signal {name} -- "
                     "$KTRACE offcputime -j --ready-fd 9 -- $W/sleeper 100 100")
    assert result.rc == 0 and len(whole_reports(result)) == 1, result
    assert any(row["comm"] == "sleeper" for row in result.rows)


def test_stop_and_continue_change_nothing(lab):
    result = lab.run("$W/onready --signal STOP --signal CONT --signal TERM --gap-ms 300 -- "
                     "$KTRACE offcputime -j --ready-fd 9")
    assert result.rc == 0 and len(whole_reports(result)) == 1, result


def test_kill_leaves_nothing_attached(lab):
    result = lab.run("""
        $W/bpfids | tr ',[]' '\\n\\n\\n' | grep '^[0-9]' | sort >before
        $W/onready --do '$W/bpfids' --signal KILL -- $KTRACE offcputime -j --ready-fd 9
        n=0
        while :; do
            $W/bpfids | tr ',[]' '\\n\\n\\n' | grep '^[0-9]' | sort >after
            left=$(grep -vxFf before after | wc -l)
            [ $left = 0 ] && break
            n=$((n + 1))
            [ $n -lt 100 ] || { echo "still there: $left" >&2; exit 1; }
            sleep 0.2
        done""")
    assert result.rc == 0, result
    assert result.fact("bpfids")["programs"], "nothing was attached before either"


def test_ready_byte_comes_once_and_after_attaching(lab, running):
    result = lab.run(f"$KTRACE {call(running)} -j -d 0.3 --ready-fd 9 9>ready; rc=$?; wc -c <ready >&2; exit $rc")
    assert result.rc == 0 and result.messages[-1].strip() == "1", result


def test_reader_that_goes_away(lab):
    """`ktrace ... | head -n 0`: an error, or SIGPIPE; no hang, no success."""
    result = lab.run("{ $KTRACE offcputime -j -i 0.1 -d 30; echo rc=$? >&2; } | true")
    assert "rc=1" in result.err or "rc=141" in result.err, result
