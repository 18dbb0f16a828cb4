# SPDX-License-Identifier: GPL-2.0-or-later
"""--max-overhead: where tracing takes too much it goes over to a sample, or it ends, and never the run."""

import pytest

from lab import pick, total
from probes import setxattr_of

pytestmark = pytest.mark.slow

# for some seconds, whatever the machine: many switches, each traced
ALLOCATING = ('sh -c "end=\\$((\\$(date +%s) + 6)); '
              'while [ \\$(date +%s) -lt \\$end ]; do $W/kmallocs 20000 2000; done"')
BUSY = 'sh -c "end=\\$((\\$(date +%s) + 4)); while [ \\$(date +%s) -lt \\$end ]; do $W/pingpong 3000; done >/dev/null"'


def stopped(result):
    return [note for note in result.report["notes"] if "--max-overhead" in note]


def test_a_load_that_costs_more_ends_the_tracing_and_the_report_says_so(lab):
    result = lab.ktrace(f"offcputime -j --max-overhead 0.001 -- {BUSY}")
    assert result.rc == 0
    first, last = stopped(result)
    assert "went over to a sample" in first and "ended early" in last and "0.001" in last, result
    report = result.report
    assert total(pick(report["rows"], comm="ping"), "count") > 0, "what was seen until then is there"
    # what is asked of the kernel for each report would be wrong: nobody saw those tasks run since
    assert not pick(report["rows"], lambda row: row["blocked"])


def test_a_load_that_costs_more_is_sampled_and_its_sums_are_still_right(lab):
    limit = 1.0 if lab.slow == 1 else 5.0
    result = lab.ktrace(f"kmem -j --max-overhead {limit} -- {ALLOCATING}")
    report = result.report
    note = stopped(result)[0]
    assert "went over to a sample" in note and report["sample"]["every"] >= 4, result
    if len(stopped(result)) == 2:  # the machine was too slow, or too busy, for that: then it ended, as it says
        assert "ended early" in stopped(result)[1], result
        return
    done = sum(fact["count"] for fact in result.facts if fact["workload"] == "kmallocs")
    count = total(setxattr_of(2048)(report["rows"]), "count")
    assert abs(count - done) <= 5 * (done * report["sample"]["every"]) ** 0.5, (count, done, result)


@pytest.mark.portable
def test_when_the_load_is_over_more_are_followed_again(lab):
    """Under a limit that the load is a little above: at first one event in four will do."""
    load = f"{ALLOCATING[:-1]}; sleep 9" + '"'
    untouched = lab.run("$KTRACE slabratetop -j 1 3 -- $W/kmallocs 10000000 2000; cat /sys/devices/system/cpu/possible >&2")
    n_cpus = int(untouched.messages[-1].split("-")[-1]) + 1
    limit = 0.7 * untouched.reports[-1]["cost"]["cpu_percent"] / n_cpus
    result = lab.ktrace(f"slabratetop -j --max-overhead {limit:.6f} 1 100 -- {load}")
    samples = [report["sample"]["every"] if "sample" in report else 1 for report in result.reports]
    if any("ended early" in note for note in stopped(result)):  # the machine was busy with something else, too
        return
    assert max(samples) >= 4 and samples[-1] < max(samples), samples


@pytest.mark.portable
@pytest.mark.slow
def test_a_load_that_costs_less_is_traced_to_its_end(lab):
    result = lab.ktrace(f"offcputime -j --max-overhead 100 -- {BUSY}")
    assert result.rc == 0 and not stopped(result)


@pytest.mark.portable
@pytest.mark.slow
def test_each_report_of_an_interval_says_it(lab):
    result = lab.ktrace(f"funccount -j -i 1 --max-overhead 0.001 t:sched:sched_switch -- {BUSY}")
    assert result.rc == 0
    last = result.reports[-1]
    assert [note for note in last["notes"] if "--max-overhead" in note]
    assert len(result.reports) > 2, "the run went on"
