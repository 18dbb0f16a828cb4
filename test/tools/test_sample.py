# SPDX-License-Identifier: GPL-2.0-or-later
"""--sample: a part of the events, each counted for the others, comes to what all of them come to.

What is random has bounds that an honest run misses less than once in a million.
"""

import math
import re

import pytest

from lab import fits_histogram, has_frame, pick, total
from probes import PROBES

EVERY = 8
ALLOCS = {"kmem": 20000, "kpages": 20000, "slabratetop": 2000}


def is_near(value, truth, every=EVERY, each=1):
    """A sum over events of which one in every was followed, at random."""
    assert abs(value - truth) <= 5 * each * math.sqrt(truth / each * (every - 1)), (value, truth)


def assert_says_so(result):
    """What was counted of all events is exact, and of those that were followed they are a fair sample."""
    sample = result.report["sample"]
    assert sample["every"] == EVERY, sample
    is_near(EVERY * sample["followed"], sample["events"])


@pytest.mark.parametrize("tool", ALLOCS)
def test_allocations(lab, tool):
    probe, n = PROBES[tool], ALLOCS[tool]
    result = lab.trace(tool, f"{probe.args} --sample {EVERY}", workload=probe.command(n))
    assert_says_so(result)
    is_near(probe.value(result.rows), probe.truth(n), each=probe.per_n)
    assert probe.value(result.rows) % (EVERY * probe.per_n) == 0
    if tool == "kpages":  # kmem tells one of two events of a large kmalloc, rows of slabratetop are of two events
        assert result.report["sample"]["events"] >= n
        assert total(result.rows, "count") == EVERY * result.report["sample"]["followed"], result
    for row in probe.rows(result.rows):
        if tool == "kmem":
            assert row["bytes"] == 32768 * row["count"] and row["requested_bytes"] == 20000 * row["count"], row
        elif tool == "kpages":
            assert row["pages"] == 8 * row["count"], row


@pytest.mark.parametrize("tool, thread, is_waiting", [
    ("offcputime", "comm", lambda row: row["state"] != "R"),
    ("wakeuptime", "target", lambda row: True),
    ("offwaketime", "target", lambda row: True)])
def test_waits(lab, tool, thread, is_waiting):
    result = lab.pingpong(f"{tool} --sample {EVERY}")
    assert_says_so(result)
    for name, blocked in zip(("kt-ping", "kt-pong"), result.fact("pingpong")["blocked"]):
        rows = pick(result.rows, is_waiting, **{thread: name})
        is_near(total(rows, "count"), blocked)
        assert all(row["max_ns"] <= row["total_ns"] for row in rows), rows
        assert any(has_frame(row, "pipe_read") for row in rows) or tool == "wakeuptime", rows


@pytest.mark.parametrize("tool, who", [("offcputime", "comm"), ("offwaketime", "target")])
def test_a_wait_that_is_not_followed_is_no_part_of_the_next(lab, tool, who):
    """Of sleeps of 5 ms none can seem longer than the longest was, whatever is left out before and after it."""
    result = lab.trace(tool, f"--sample 2 -g {who},kstack", workload="sleeper 300 5")
    rows = pick(result.rows, lambda row: has_frame(row, "nanosleep"), **{who: "sleeper"})
    is_near(total(rows, "count"), 300, 2)
    assert 5e6 * total(rows, "count") <= total(rows, "total_ns"), rows
    assert max(row["max_ns"] for row in rows) <= result.fact("sleeper")["max_ns"], (rows, result)


def test_contended_waits_beside_all_of_them(lab, needs):
    """Two see the same waits: each of them, and a part."""
    needs("mlock", "--contended")
    result = lab.run(f"""$KTRACE mlock --contended -C pipelock -o json=full -- \\
        $KTRACE mlock --contended -C pipelock --sample 4 -o json=part -- $W/pipelock 4 400; rc=$?
        cat full part; exit $rc""")
    assert result.rc == 0, result
    full, part = result.reports
    seen, lost = total(full["rows"], "count"), sum(full["loss"].values()) + sum(part["loss"].values())
    assert seen > 100 and part["sample"]["every"] == 4, result
    assert abs(total(part["rows"], "count") - seen) <= 5 * math.sqrt(seen * 3) + lost, (full, part)
    for row in part["rows"]:
        assert row["count"] % 4 == 0, row
        fits_histogram(row)


@pytest.mark.hostside
def test_one_in_one_is_each(lab):
    result = lab.trace("kmem", "--sample 1", workload="kmallocs 500 20000")
    assert PROBES["kmem"].value(result.rows) == 500 and "sample" not in result.report, result


@pytest.mark.hostside
def test_text_states_the_error(lab):
    result = lab.ktrace("kmem --sample 10 -g comm -- $W/kmallocs 500 1000")
    said = r"from \d+ of \d+ events, at least one in 10: a count C is off by about 3.0 times the root of C"
    assert re.search(said, result.out), result


@pytest.mark.hostside
@pytest.mark.parametrize("words", ["kmem --sample 0", "kmem --sample x", "workq --sample 2",
                                   "offcputime --sample 2 --budget 1ms"])
def test_refused(lab, words):
    result = lab.ktrace(words)
    assert result.rc == 2 and not result.out and len(result.err.splitlines()) == 1, result
