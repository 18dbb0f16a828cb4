# SPDX-License-Identifier: GPL-2.0-or-later
"""--max-overhead: too much tracing ends the tracing and not the run."""

import pytest

from lab import pick, total

pytestmark = pytest.mark.slow

# for some seconds, whatever the machine: many switches, each traced
BUSY = 'sh -c "end=\\$((\\$(date +%s) + 4)); while [ \\$(date +%s) -lt \\$end ]; do $W/pingpong 3000; done >/dev/null"'


def stopped(result):
    return [note for note in result.report["notes"] if "--max-overhead" in note]


def test_a_load_that_costs_more_ends_the_tracing_and_the_report_says_so(lab):
    result = lab.ktrace(f"offcputime -j --max-overhead 0.001 -- {BUSY}")
    assert result.rc == 0
    note, = stopped(result)
    assert "ended early" in note and "0.001" in note
    report = result.report
    assert total(pick(report["rows"], comm="ping"), "count") > 0, "what was seen until then is there"
    # what is asked of the kernel for each report would be wrong: nobody saw those tasks run since
    assert not pick(report["rows"], lambda row: row["blocked"])


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
