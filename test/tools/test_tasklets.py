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


def test_no_function_stays_hooked_but_those_asked_for(lab):
    """Another is, as we start, so that ours is not the system's first (core/fentry_first.c)."""
    result = lab.run("""
list=/sys/kernel/tracing/enabled_functions
cat >look <<END
n=0
while grep -q bpf_fentry_test1 $list && [ \\$n -lt 300 ]; do n=\\$((n + 1)); sleep 0.1; done 2>/dev/null
echo left: \\$(cat $list 2>/dev/null) >&2
END
$W/onready --do 'sh ./look' --signal TERM -- $KTRACE tasklets -j --ready-fd 9""")
    left = next((line for line in result.err.splitlines() if line.startswith("left:")), None)
    assert left is not None and "bpf_fentry_test1" not in left, result
    hooked = [hook["target"] for hook in result.report["hooks"] if hook["via"] == "fentry"]
    if left.strip() != "left:":  # there is tracefs, and so ftrace's list
        assert all(target in left for target in hooked), result
