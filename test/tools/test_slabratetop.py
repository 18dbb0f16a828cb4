# SPDX-License-Identifier: GPL-2.0-or-later
"""slabratetop against sockets, pipes and /proc/slabinfo."""

import pytest

from lab import pick, total

UDP = """awk -v cpus=$(grep -c ^processor /proc/cpuinfo) '$1 == "UDP" {
    printf "{\\"workload\\":\\"slabinfo\\",\\"active\\":%d,\\"size\\":%d,\\"per_slab\\":%d,\\"cpus\\":%d}\\n",
    $2, $4, $5, cpus }' /proc/slabinfo"""


def cache_sum(reports, column, match):
    return sum(row[column] for report in reports for row in report["rows"] if match(row["cache"]))


def named(*names):
    return lambda cache: cache in names


def test_allocs_and_frees_of_sockets(lab):
    result = lab.around("slabratetop", "-i 60", "$W/slabs 500 --kind udp --close; sleep 1")
    assert result.rc == 0, result
    rows = pick(result.rows, cache="UDP")
    # nothing else on a test machine makes hundreds of sockets in a second
    assert 500 <= total(rows, "allocs") <= 525, result
    # a socket is freed after an RCU grace period, which had a second to pass
    assert 500 <= total(rows, "frees") <= 525, result


@pytest.mark.parametrize("count", [2000])
def test_open_sockets_agree_with_slabinfo(lab, count):
    result = lab.run(f"""
        {UDP} >&2
        $W/onready --do '$W/slabs {count} --kind udp --hold </dev/null >ready & echo $! >pid
            until [ -s ready ]; do sleep 0.1; done' --signal TERM -- \\
            $KTRACE slabratetop -j -i 60 --ready-fd 9; rc=$?
        {UDP} >&2
        kill $(cat pid)
        exit $rc""")
    before, after = [f for f in result.facts if f["workload"] == "slabinfo"]
    row, = pick(result.rows, cache="UDP")
    assert row["bytes"] == row["allocs"] * before["size"], "bytes are the slab objects' whole size"
    assert row["net_bytes"] == (row["allocs"] - row["frees"]) * before["size"], row
    grown = after["active"] - before["active"]
    # slabinfo counts every object of the slabs that a CPU holds as active: for
    # each CPU its slab and its list of partial ones may differ before and after
    slack = before["per_slab"] * before["cpus"] * 8
    assert abs((row["allocs"] - row["frees"]) - grown) <= slack, (before, after, row)
    assert count <= row["allocs"] - row["frees"] <= count * 1.05


def test_kmalloc_caches_are_seen(lab):
    result = lab.around("slabratetop", "-i 60", "$W/kmallocs 5000 1000")
    reports = result.reports

    def one_k(cache):
        return cache.endswith("-1k") or cache.endswith("-1024")
    assert 5000 <= cache_sum(reports, "allocs", one_k), result
    if not lab.object_tells_cache():
        pytest.skip("a kfree does not tell its cache")
    assert 5000 <= cache_sum(reports, "frees", one_k), result


def test_a_kmalloc_and_its_kfree_are_of_one_cache(lab):
    """The one may be told by flags and size, the other by where the object lies: accounted ones, too."""
    if not lab.object_tells_cache():
        pytest.skip("a kfree does not tell its cache")
    result = lab.trace("slabratetop", "-i 60", workload="slabs 300 --kind pipe")
    rows = pick(result.rows, lambda row: row["cache"].startswith("kmalloc") and row["allocs"] >= 300)
    assert rows, result
    assert all(row["allocs"] * 0.95 <= row["frees"] <= row["allocs"] * 1.05 for row in rows), rows


def test_large_kmallocs_are_no_slab_objects(lab):
    result = lab.trace("slabratetop", workload="kmallocs 300 20000")
    assert result.rc == 0, result
    assert not any(row["allocs"] >= 300 and row["bytes"] >= 300 * 20000
                   for report in result.reports for row in report["rows"]), result


@pytest.mark.hostside
def test_pipes_of_a_command(lab):
    result = lab.trace("slabratetop", workload="slabs 300 --kind pipe")
    assert result.rc == 0, result
    assert cache_sum(result.reports, "allocs", lambda cache: cache.startswith("kmalloc")) >= 600


@pytest.mark.hostside
def test_each_report_holds_what_came_since_the_last(lab):
    result = lab.ktrace(f"slabratetop -j -i {0.5 * lab.slow} -- sh -c "
                        f"'$W/slabs 400 --kind udp; sleep {1.2 * lab.slow}'")
    assert result.rc == 0, result
    allocs = [total(pick(report["rows"], cache="UDP"), "allocs") for report in result.reports]
    assert len(allocs) >= 2 and sum(allocs) == 400, allocs
    assert allocs[-1] == 0, "a rate, not a total"


@pytest.mark.hostside
def test_rows_limits_the_report_and_sort_orders_it(lab):
    result = lab.around("slabratetop", "-i 60 -r 3 -S allocs", "$W/kmallocs 500 1000; $W/slabs 99 --kind udp")
    allocs = [row["allocs"] for row in result.rows]
    assert len(allocs) == 3 and allocs == sorted(allocs, reverse=True), result


@pytest.mark.hostside
def test_text_begins_with_time_and_load(lab):
    result = lab.ktrace("slabratetop 0.3 1")
    assert result.rc == 0, result
    head = result.out.splitlines()[0]
    assert ":" in head and "load" in head.lower(), result
