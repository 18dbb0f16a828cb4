# SPDX-License-Identifier: GPL-2.0-or-later
"""tasklets on any machine; what its figures are is tested with the truth module."""

import pytest


def test_it_hangs_on_the_tasklets_own_events_or_says_what_is_lost(lab):
    report = lab.ktrace("tasklets -j 0.5").report
    targets = {hook["role"]: hook["target"] for hook in report["hooks"]}
    if lab.caps()["proto.tasklet_entry"] == ["no"]:
        assert (targets["entry"], targets["exit"]) == ("softirq_entry", "softirq_exit"), report
        assert any("tell tasklets apart" in note for note in report["notes"]), report
    else:
        assert (targets["entry"], targets["exit"]) == ("tasklet_entry", "tasklet_exit"), report


def test_a_delay_that_is_not_seen_is_admitted(lab):
    report = lab.ktrace("tasklets -j 0.5").report
    seen = {"schedule", "schedule_hi"} <= {hook["role"] for hook in report["hooks"]}
    assert seen or any("delay" in note for note in report["notes"]), report


@pytest.mark.hostside
def test_each_row_is_consistent_with_its_histograms(lab):
    """With a command: its writes to the terminal make softirqs, if not tasklets."""
    result = lab.ktrace("tasklets -j -- $W/workitems 100")
    assert result.rc == 0, result
    for row in result.rows:
        assert row["count"] == sum(slot["count"] for slot in row["hist_ns"]) > 0, row
        assert sum(slot["count"] for slot in row["delay_hist_ns"]) <= row["count"], row
        assert row["max_ns"] <= row["total_ns"], row
