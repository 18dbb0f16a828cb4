# SPDX-License-Identifier: GPL-2.0-or-later
"""kpages against memory that was touched page by page."""

import pytest

from lab import has_frame, pick, total
from probes import PROBES


@pytest.mark.hostside
def test_touched_pages(lab):
    result = lab.trace("kpages", workload="pages 5000")
    page_size = result.fact("pages")["page_size"]
    rows = pick(result.rows, comm="pagetouch")
    faults = pick(rows, lambda row: has_frame(row, "handle_mm_fault"))
    # besides the pages themselves: one page of page table for every 512, its upper
    # levels, and what an interrupt allocates under the task's name
    assert 5000 <= total(rows, "pages") <= 5000 + 5000 // 512 + 32, result
    assert total(faults, "pages") >= 5000
    assert all(row["bytes"] == row["pages"] * page_size for row in result.rows)


def test_an_allocation_of_order_n_is_two_to_the_n_pages(lab):
    result = lab.trace("kpages", workload="kmallocs 300 20000")
    rows = PROBES["kpages"].rows(result.rows)
    assert total(rows, "count") == 300, result
    assert total(rows, "pages") == 8 * 300
    assert total(rows, "bytes") == 32768 * 300


@pytest.mark.hostside
@pytest.mark.parametrize("size, order", [(8193, 2), (20000, 3), (65536, 4)])
def test_order_filter(lab, size, order):
    command = f"kmallocs 100 {size}"
    this = lab.trace("kpages", f"--order {order}", workload=command).rows
    assert total(pick(this, lambda r: has_frame(r, "setxattr")), "count") == 100, this
    assert all(row["pages"] == row["count"] << order for row in this), this
    other = lab.trace("kpages", f"--order {order + 1}", workload=command).rows
    assert not pick(other, lambda row: has_frame(row, "setxattr")), other


def test_huge_pages_are_counted_in_small_ones(lab):
    result = lab.run("""
        grep -q '\\[never\\]' /sys/kernel/mm/transparent_hugepage/enabled && exit 77
        [ -e /sys/kernel/mm/transparent_hugepage/enabled ] || exit 77
        $KTRACE kpages -j -- $W/pages 2048 --huge""")
    if result.rc == 77:
        pytest.skip("no transparent huge pages")
    rows = pick(result.rows, comm="pagetouch")
    # where memory is fragmented some come as small pages: the sum stays
    assert 2048 <= total(rows, "pages") <= 2048 + 2048 // 512 * 2 + 32, result


@pytest.mark.hostside
def test_pages_of_every_task_without_a_filter(lab):
    result = lab.around("kpages", "", "$W/pages 2000; $W/pages 1000")
    assert total(pick(result.rows, comm="pagetouch"), "pages") >= 3000, result
