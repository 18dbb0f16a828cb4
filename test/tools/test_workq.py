# SPDX-License-Identifier: GPL-2.0-or-later
"""workq against the kernel's own count of its tracepoint."""

import pytest

from lab import fits_histogram, hist_sum, pick, total
from probes import PROBES

# Two tracefs instances count the same event: the inner one for less time than
# ktrace, the outer one for longer. What ktrace counts lies between them, exactly.
BETWEEN = """
    cat >count.sh <<'END'
mount -t tracefs none /sys/kernel/tracing 2>/dev/null
cd /sys/kernel/tracing/instances || exit 77
addr=$(awk '$3 == "flush_to_ldisc" { print $1; exit }' /proc/kallsyms)
event=events/workqueue/workqueue_execute_start
trap 'rmdir kt_inner_$$ kt_outer_$$ 2>/dev/null' EXIT
mkdir kt_inner_$$ kt_outer_$$
for one in kt_inner_$$ kt_outer_$$; do echo "function == 0x$addr" >$one/$event/filter; done
echo 1 >kt_outer_$$/$event/enable
$W/onready --do "echo 1 >kt_inner_$$/$event/enable; $W/workitems 300
        echo 0 >kt_inner_$$/$event/enable" --signal TERM -- $KTRACE workq -j --ready-fd 9
rc=$?
echo 0 >kt_outer_$$/$event/enable
for one in inner outer; do
	echo "{\\"workload\\":\\"$one\\",\\"count\\":$(grep -c workqueue_execute_start kt_${one}_$$/trace)}" >&2
done
exit $rc
END
    unshare -m sh count.sh"""


def flushes(rows):
    return pick(rows, func="flush_to_ldisc")


def test_count_is_the_tracepoints_own(lab):
    result = lab.run(BETWEEN)
    inner, outer = result.fact("inner")["count"], result.fact("outer")["count"]
    assert result.fact("workitems")["queued"] <= inner <= outer, result
    assert inner <= total(flushes(result.rows), "count") <= outer, (inner, outer, result)


@pytest.mark.hostside
def test_histograms_hold_every_run_and_every_delay(lab):
    result = lab.around("workq", "", "$W/workitems 300")
    rows = flushes(result.rows)
    assert total(rows, "count") >= 300, result
    for row in rows:
        assert hist_sum(row, "hist_ns") == row["count"], row
        assert hist_sum(row, "delay_hist_ns") == row["count"], row


@pytest.mark.hostside
def test_every_row_is_consistent_with_its_histogram(lab):
    for row in lab.around("workq", "", "$W/workitems 300; sleep 1").rows:
        for slot in row["hist_ns"] + row["delay_hist_ns"]:
            assert slot["lo"] < slot["hi"] and slot["count"] > 0, row
        fits_histogram(row)
        # works that were queued before the trace began have no delay
        assert hist_sum(row, "delay_hist_ns") <= row["count"], row


def test_command_counts_what_it_queued(lab):
    probe = PROBES["workq"]
    result = lab.trace("workq", workload=probe.command(100))
    assert probe.value(result.rows) == 100, result


@pytest.mark.hostside
def test_workqueue_is_named_and_can_be_asked_for(lab):
    every = flushes(lab.around("workq", "", "$W/workitems 50").rows)
    assert every and all(row["workqueue"].startswith("events") for row in every), every
    name = every[0]["workqueue"]
    this = lab.around("workq", f"-w {name}", "$W/workitems 50").rows
    assert {row["workqueue"] for row in this} == {name}
    assert total(flushes(this), "count") >= 50
    other = lab.around("workq", "-w mm_percpu_wq", "$W/workitems 50").rows
    assert not flushes(other) and {row["workqueue"] for row in other} <= {"mm_percpu_wq"}


@pytest.mark.hostside
@pytest.mark.parametrize("columns", ["func", "workqueue"])
def test_group_by_keeps_the_histograms(lab, columns):
    for row in lab.around("workq", f"-g {columns}", "$W/workitems 100").rows:
        assert hist_sum(row, "hist_ns") == row["count"], row
        assert set(row) & {"func", "workqueue"} == {columns}
