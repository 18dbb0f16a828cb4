# SPDX-License-Identifier: GPL-2.0-or-later
"""kmem against allocations of known number and size."""

import pytest

from lab import has_frame, pick, total
from probes import PROBES, setxattr_of


def test_kmalloc_count_and_both_sizes(lab):
    rows = setxattr_of(1024)(lab.trace("kmem", workload="kmallocs 500 1000").rows)
    assert total(rows, "count") == 500, rows
    assert total(rows, "requested_bytes") == 500 * 1000
    assert total(rows, "bytes") == 500 * 1024
    assert {row["comm"] for row in rows} == {"kmallocs"}


@pytest.mark.parametrize("size, allocated", [(8193, 16384), (20000, 32768), (65536, 65536)])
def test_large_kmalloc_is_counted_once(lab, size, allocated):
    """Above two pages; new kernels trace each of them twice."""
    rows = setxattr_of(allocated)(lab.trace("kmem", workload=f"kmallocs 500 {size}").rows)
    assert total(rows, "count") == 500, rows
    assert total(rows, "requested_bytes") == 500 * size
    assert total(rows, "bytes") == 500 * allocated


@pytest.mark.hostside
def test_sockets_are_counted_in_their_cache(lab):
    result = lab.run("""
        $KTRACE kmem -j --cache UDP -- $W/slabs 500 --kind udp; rc=$?
        awk '$1 == "UDP" { printf "{\\"workload\\":\\"slabinfo\\",\\"size\\":%d}\\n", $4 }' \\
            /proc/slabinfo >&2
        exit $rc""")
    assert total(result.rows, "count") == 500, result
    assert all(has_frame(row, "sk_alloc", "sk_prot_alloc") for row in result.rows), result
    size = result.fact("slabinfo")["size"]
    assert total(result.rows, "bytes") == 500 * size, "bytes are the slab object's whole size"
    assert 0 < total(result.rows, "requested_bytes") <= 500 * size


def test_pipes_are_counted_by_stack(lab):
    result = lab.trace("kmem", workload="slabs 500 --kind pipe")
    # the allocator's own needs (object extensions, sheaves) come under the same frame, rarely
    rows = pick(result.rows, lambda row: has_frame(row, "alloc_pipe_info") and row["count"] >= 500)
    assert total(rows, "count") == 1000, "a pipe and its ring of buffers"


@pytest.mark.hostside
def test_requested_is_never_more_than_allocated(lab):
    rows = lab.around("kmem", "", "$W/slabs 50 --kind unix; $W/kmallocs 50 3000").rows
    assert rows
    for row in rows:
        assert row["count"] > 0 and row["requested_bytes"] <= row["bytes"], row
        assert abs(row["avg_bytes"] - row["bytes"] / row["count"]) < 1, row


@pytest.mark.hostside
def test_size_filters(lab):
    commands = "sh -c '$W/kmallocs 20 500; $W/kmallocs 30 1000; $W/kmallocs 40 20000'"

    def count(options):
        rows = lab.exact(f"$KTRACE kmem -j {options} -- {commands}").rows
        # as above: a row of one or two is the allocator's own
        return total(pick(rows, lambda row: has_frame(row, "setxattr") and row["count"] > 5), "count")
    assert count("") == 20 + 30 + 40
    assert count("-z 1000") == 30 + 40
    assert count("-Z 1000") == 20 + 30
    assert count("-z 501 -Z 19999") == 30


@pytest.mark.hostside
def test_allocations_of_others_are_not_the_commands(lab):
    result = lab.run("""
        ( while :; do $W/kmallocs 100 5000; done ) >/dev/null & other=$!
        $KTRACE kmem -j -- $W/kmallocs 50 1000; rc=$?
        kill $other
        exit $rc""")
    assert not setxattr_of(8192)(result.rows), result
    assert total(setxattr_of(1024)(result.rows), "count") == 50


def test_stack_begins_at_the_caller_of_the_allocator(lab):
    rows = PROBES["kmem"].rows(lab.trace("kmem", workload="kmallocs 50 20000").rows)
    tracer = ("bpf_", "__bpf_", "__traceiter", "trace_call_bpf", "perf_trace")
    assert rows and not any(f.startswith(tracer) for row in rows for f in row["kstack"]), rows
    assert len({tuple(row["kstack"]) for row in rows}) == 1, "the same event is one stack"
