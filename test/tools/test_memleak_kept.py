# SPDX-License-Identifier: GPL-2.0-or-later
"""memleak against what processes keep in the kernel: sockets, pipes, files, their own pages."""

import math

import pytest

from lab import pick, total
from probes import PROBES

NOW = "--older 0"


def followed(lab, workload):
    """Not lab.exact(): what the kernel skips is nested in interrupts, which the workload is not."""
    return lab.run(f"$KTRACE memleak --kernel -j {NOW} -- $W/{workload}")


@pytest.mark.hostside
def test_sample_of_files(lab):
    """The same natively, of what a process keeps."""
    n, every = 5000, 10
    probe = PROBES["memleak"]
    result = lab.run(f"$KTRACE memleak --kernel -j {NOW} --sample {every} -- $W/{probe.command(n)}")
    assert abs(probe.value(result.rows) - n) <= 5 * every * math.sqrt(n / every * (1 - 1 / every)), result


@pytest.mark.hostside
def test_addresses_of_files(lab):
    result = lab.run(f"$KTRACE memleak --kernel -j {NOW} -a -- $W/{PROBES['memleak'].command(50)}")
    rows = PROBES["memleak"].rows(result.rows)
    assert len(rows) == len({row["addr"] for row in rows}) == 50 == total(rows, "count"), result


def test_sockets_kept_and_closed(lab):
    """Natively too: what a socket takes, by the stack that took it, until it is closed."""
    kept = followed(lab, "slabs 300 --kind udp --leave 8000")
    files = pick(kept.rows, lambda row: row["kstack"][0] == "sk_prot_alloc")
    assert total(files, "count") == 300, kept
    closed = followed(lab, "slabs 300 --kind udp --close")
    left = pick(closed.rows, lambda row: row["kstack"][0] == "sk_prot_alloc")
    assert total(left, "count") == 0, closed


@pytest.mark.hostside
def test_sockets_take_what_slabinfo_says(lab):
    result = lab.run(f"""
        $KTRACE memleak --kernel -j {NOW} -g cache -- $W/slabs 300 --kind udp --leave 8000; rc=$?
        awk '$1 == "UDP" {{ printf "{{\\"workload\\":\\"slabinfo\\",\\"size\\":%d,\\"active\\":%d}}\\n", $4, $2 }}' \\
            /proc/slabinfo >&2
        exit $rc""")
    row, = pick(result.rows, cache="UDP")
    fact = result.fact("slabinfo")
    assert row["count"] == 300 <= fact["active"] and row["bytes"] == 300 * fact["size"], result


@pytest.mark.hostside
def test_pipes_kept(lab):
    rows = followed(lab, "slabs 300 --kind pipe --leave 8000").rows
    assert total(pick(rows, lambda row: row["kstack"][0] == "alloc_pipe_info"), "count") == 600, rows


@pytest.mark.hostside
@pytest.mark.slow
def test_whole_system_sees_who_frees_for_another(lab):
    """Sockets of one process, closed by the end of another that it left them to."""
    result = lab.run(f"$W/onready --do '$W/slabs 300 --kind udp --leave 500; sleep 3' --signal TERM -- "
                     f"$KTRACE memleak --kernel -j {NOW} --ready-fd 9")
    assert result.rc == 0, result
    assert not pick(result.rows, lambda row: row["kstack"][0] == "sk_prot_alloc" and row["count"] >= 300)


@pytest.mark.slow
def test_user_pages_are_left_out_unless_asked_for(lab):
    def pages(options):
        result = lab.run(f"$KTRACE memleak --kernel -j {NOW} -g comm {options} -d 1.5 -- $W/pages 3000 --hold")
        return total(pick(result.rows, comm="pagetouch"), "bytes"), result.report["notes"]
    kernels, notes = pages("")
    assert 0 < kernels < 3000 * 4096 / 10, "page tables"
    assert any("--user-pages" in note for note in notes), notes
    users, notes = pages("--class pages --user-pages")
    assert 3000 * 4096 <= users <= 3000 * 4096 * 1.1 and not any("--user-pages" in note for note in notes), users


@pytest.mark.hostside
@pytest.mark.parametrize("words, said", [
    ("--class heap", "--class takes"), ("--class slab,", "--class takes"), ("--sample 0", "--sample takes"),
    ("--sample 2000000", "--sample takes"), ("-z 2 -Z 1", "--min-size is larger"),
    ("--class slab --user-pages", "--user-pages without"), ("--row-storage-size 5", "no meaning"),
    ("--live-storage-size 0", "--live-storage-size takes"), ("--older x", "--older takes")])
def test_words_it_refuses(lab, words, said):
    result = lab.ktrace(f"memleak {words}")
    assert result.rc == 2 and said in result.err and not result.out, result


@pytest.mark.hostside
def test_bccs_word_for_missing_frees_is_taken(lab):
    assert lab.ktrace("memleak -j --wa-missing-free 0.2 1").rc == 0
