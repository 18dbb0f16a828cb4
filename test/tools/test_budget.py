# SPDX-License-Identifier: GPL-2.0-or-later
"""offcputime --budget: totals are exact, rows are estimates within their stated errors.

What is random has bounds that an honest run misses less than once in a million.
"""

import pytest

from lab import has_frame, mostly, pick, total, within
from probes import NANOSLEEP

SLEEPERS, SLEEPS, LONG = 24, 400, 8


def beside_full_tracing(lab, options):
    """Both see the same work at once: (all intervals of the sleepers, those with a budget, result).

    Each of 24 processes sleeps 400 times for a tenth of the budget, and one eight times for
    four budgets.
    """
    ms = 1 if lab.slow == 1 else 5
    args = f"-C sleeper --state S {options}"
    result = lab.exact(f"""$KTRACE offcputime {args} -o json=full -- \\
        $KTRACE offcputime {args} --budget {10 * ms}ms -o json=part -- sh -c '
            for i in $(seq {SLEEPERS}); do $W/sleeper {SLEEPS} {ms} & done
            $W/sleeper {LONG} {40 * ms}; wait' && cat full part""")
    assert result.rc == 0, result
    full, part = result.reports
    return full, part, result


def of_sleeper(report, fact):
    return pick(report["rows"], lambda row: has_frame(row, *NANOSLEEP), tid=fact["tid"])


def assert_totals_are_exact(full, part):
    estimate = part["estimate"]
    assert estimate["exact_count"] == total(full["rows"], "count")
    within(estimate["exact_total_ns"], total(full["rows"], "total_ns"), 1, "exact_total_ns")
    assert 0 < estimate["kept"] < estimate["exact_count"] / 2, "there was no sampling"


def assert_sums_are_near(part):
    """The sums of all rows, some thousand random draws, are within six standard errors."""
    estimate = part["estimate"]
    for value, error in ("total_ns", "total_error_ns"), ("count", "count_error"):
        assert estimate[value] == total(part["rows"], value)
        assert estimate[error] ** 2 == pytest.approx(sum(row[error] ** 2 for row in part["rows"]), rel=0.01)
        assert abs(estimate[value] - estimate[f"exact_{value}"]) < 6 * estimate[error], estimate


def assert_errors_are_honest(full, part, facts):
    """The rows' true errors in units of those stated: their squares follow chi-square of 24."""
    assert len(facts) == SLEEPERS
    squares = 0
    for fact in facts:
        true, rows = of_sleeper(full, fact), of_sleeper(part, fact)
        error = total(rows, "total_error_ns")
        squares += ((total(rows, "total_ns") - total(true, "total_ns")) / error) ** 2
        assert {tuple(row["ustack"]) for row in rows} <= {tuple(row["ustack"]) for row in true}
    assert 2.5 < squares < 110, (squares, part["estimate"])


def assert_long_ones_are_all_there(full, part, fact):
    true, rows = of_sleeper(full, fact), of_sleeper(part, fact)
    assert total(rows, "count") == fact["count"] == LONG
    assert total(rows, "total_error_ns") == total(rows, "count_error") == 0
    within(total(rows, "total_ns"), total(true, "total_ns"), 1, "total_ns")


@pytest.mark.parametrize("options", mostly([""], ["--hook raw_tp", "-K -g comm,tid,kstack -m 10us"]))
def test_estimates_beside_full_tracing(lab, options):
    full, part, result = beside_full_tracing(lab, options)
    facts = [fact for fact in result.facts if fact["workload"] == "sleeper"]
    assert_totals_are_exact(full, part)
    assert_sums_are_near(part)
    if "ustack" in part["rows"][0]:
        assert_errors_are_honest(full, part, pick(facts, count=SLEEPS))
    assert_long_ones_are_all_there(full, part, *pick(facts, count=LONG))


def test_who_is_blocked_is_in_the_exact_totals(lab):
    result = lab.run("""
        $W/blocked >ready & pid=$!
        wait_line ready
        $KTRACE offcputime -j -d 0.5 -p $pid --budget 1s; rc=$?
        cat ready >&2
        kill $pid
        exit $rc""")
    row, = pick(result.rows, tid=result.fact("blocked")["tid"])
    assert row["blocked"] == 1 and row["count_error"] == row["total_error_ns"] == 0
    assert has_frame(row, "pipe_read")
    estimate = result.report["estimate"]
    assert estimate["exact_count"] == estimate["kept"] == total(result.rows, "count")
    assert estimate["exact_total_ns"] == total(result.rows, "total_ns")


def test_without_a_budget_nothing_is_an_estimate(lab):
    result = lab.trace("offcputime", workload="sleeper 2 1")
    assert "estimate" not in result.report and "total_error_ns" not in result.rows[0]
