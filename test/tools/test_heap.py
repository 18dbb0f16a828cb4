# SPDX-License-Identifier: GPL-2.0-or-later
"""memleak of processes: programs that leak a known number of blocks of a size of its own for each way."""

import math
import pathlib
import re
import shlex

import pytest

from lab import ROOT, mostly, pick, total

pytestmark = pytest.mark.slow

PROGRAMS = ROOT / "build" / "programs"
LIBRARIES = pathlib.Path("/usr/lib/x86_64-linux-gnu")
PRELOADS = {"jemalloc": "libjemalloc.so.2", "tcmalloc": "libtcmalloc_minimal.so.4", "mimalloc": "libmimalloc.so.2.0"}
HEAP = "$W/heap"


def memleak(lab, args, command, env="", timeout=120):
    result = lab.exact(f"{env} $KTRACE memleak -j {args} -- {command}", timeout=timeout)
    assert result.rc == 0, result
    return result


def function_of(frame):
    """Its name, without the offset and file of -v."""
    return re.sub(r"\+0x[0-9a-f]+( \[.*\])?$", "", frame)


def by_size(rows, size):
    """Rows of blocks that are all of this size."""
    return pick(rows, lambda row: row["count"] and row["bytes"] == row["count"] * size)


def truth(result, workload="heap"):
    """What leaked in truth: {size: count}, and who: {size: function}."""
    facts = [fact for fact in result.facts if fact["workload"] == workload]
    sizes = {name: value for fact in facts for name, value in fact.items() if isinstance(value, list)}
    return {size: count for size, count in sizes.values()}, {size: name for name, (size, _) in sizes.items()}


def assert_exact(result, rows=None, workload="heap"):
    rows = result.rows if rows is None else rows
    counts, _ = truth(result, workload)
    seen = {size: total(by_size(rows, size), "count") for size in counts}
    assert seen == counts, result
    assert not any(result.report["loss"].values()), result


@pytest.mark.parametrize("hook", mostly([""], ["--hook uprobe_multi", "--hook uprobe"]))
def test_what_leaks_is_counted_to_the_last_one(lab, hook, needs):
    needs("memleak", f"{hook} -- true")
    assert_exact(memleak(lab, hook, f"{HEAP} leak 50"))


@pytest.mark.parametrize("command", [HEAP, *(pytest.param(str(PROGRAMS / name), marks=pytest.mark.hostside) for name
                                             in ("heap_dynamic", "heap_musl", "heap_musl_static"))])
def test_each_leak_is_shown_with_its_own_caller(lab, command):
    """The function that called the allocator is there, by whatever C library, linked in whatever way."""
    result = memleak(lab, "", f"{command} leak 20")
    assert_exact(result)
    for size, name in truth(result)[1].items():
        for row in by_size(result.rows, size):
            assert name in row["ustack"][1:3] and "leak_kinds" in row["ustack"][2:4], (name, row)


def test_threads(lab):
    assert_exact(memleak(lab, "", f"{HEAP} leak 20 --threads 8"))


@pytest.mark.slow
@pytest.mark.hostside
@pytest.mark.parametrize("allocator", PRELOADS)
@pytest.mark.parametrize("program", ["heap_dynamic leak 20 --threads 4", "heap_dynamic realloc 20", "new 20"])
def test_other_allocators(lab, allocator, program):
    library = LIBRARIES / PRELOADS[allocator]
    result = memleak(lab, "-v", f"{PROGRAMS}/{program}", env=f"LD_PRELOAD={library}")
    assert_exact(result, workload="new" if program.startswith("new") else "heap")
    assert not any("frees were of" in note for note in result.report["notes"]), result


@pytest.mark.hostside
@pytest.mark.parametrize("program", ["new", "new_static"])
def test_new_of_cplusplus(lab, program):
    """operator new and its caller are both there, though it keeps no frame pointer."""
    path = str(PROGRAMS / program)
    result = memleak(lab, "", f"{path} 20 --throw")
    assert_exact(result, workload="new")
    for size, name in truth(result, "new")[1].items():
        for row in by_size(result.rows, size):
            assert any(name in caller for caller in row["ustack"][2:4]), (name, row)
            assert "main" in row["ustack"], row


@pytest.mark.slow
@pytest.mark.hostside
@pytest.mark.parametrize("allocator", PRELOADS)
def test_operator_new_that_throws_is_caught_under_tracing(lab, allocator, needs):
    needs("memleak", "--hook uprobe_session -- true")
    result = memleak(lab, "", f"{PROGRAMS}/new 5 --throw", env=f"LD_PRELOAD={LIBRARIES / PRELOADS[allocator]}")
    assert_exact(result, workload="new")


@pytest.mark.parametrize("command", [HEAP, *(pytest.param(str(PROGRAMS / name), marks=pytest.mark.hostside) for name
                                             in ("heap_dynamic", "heap_musl"))])
def test_realloc(lab, command):
    """One that fails keeps what was there; to 0 frees; from NULL allocates."""
    result = memleak(lab, "-v", f"{command} realloc 30")  # -v: each line of a function has a row
    assert_exact(result)
    for size in (10, 9000, 2004, 2006):
        assert not by_size(result.rows, size), result


@pytest.mark.parametrize("hook", mostly([""], ["--hook uprobe"]))
def test_mappings_and_what_is_left_of_them(lab, hook, needs):
    """Parts that are given back are taken off; brk() counts; the allocator's own mappings do not."""
    needs("memleak", f"{hook} --mmap -- true")
    seen = {}
    for n in (10, 20):
        result = memleak(lab, f"--mmap {hook} -g class", f"{HEAP} map {n}")
        mapped, = pick(result.rows, **{"class": "mmap"})
        seen[n] = mapped["bytes"]
    fact = result.fact("heap")
    own = 4096 * fact["mapped_pages"]  # of the 20
    assert seen[20] - seen[10] == own / 2, result
    brk = 4096 * fact["brk_pages"]
    assert brk <= seen[20] - own < brk + 400000, result  # the C library has a little before main()
    result = memleak(lab, f"--mmap {hook} -g class", f"{HEAP} leak 200")
    assert total(pick(result.rows, **{"class": "mmap"}), "count") <= 2, result


def test_callers_of_mmap_are_there(lab):
    result = memleak(lab, "-v --class mmap", f"{HEAP} map 20")
    rows = by_size(result.rows, 40 * 4096)
    assert total(rows, "count") >= 20, result
    for row in rows:
        assert "map_pages" in [function_of(frame) for frame in row["ustack"][:3]], row


def test_children_have_a_heap_of_their_own(lab):
    result = memleak(lab, "-g ustack,tgid", f"{HEAP} fork 40")
    assert_exact(result)
    fact = result.fact("heap", tgid=result.fact("heap")["tgid"])
    assert {row["tgid"] for row in by_size(result.rows, 2101)} == {fact["tgid"]}, result
    assert {row["tgid"] for row in by_size(result.rows, 2102)} == {fact["child_tgid"]}, result
    assert any("2 processes ended" in note for note in result.report["notes"]), result


def test_exec_drops_what_was_there(lab):
    result = memleak(lab, "", f"{HEAP} exec 40 15")
    assert not by_size(result.rows, 2201), result
    assert_exact(result)


def later(lab, args, n=200, reports=""):
    """A process that was there before: traced by its number, freed and leaking under trace."""
    steps = "echo >&8; sleep 1; echo >&8; sleep 1"
    return lab.run(f"""
        mkfifo in; exec 8<>in
        $W/heap later {n} <in >said & process=$!
        wait_line said; cat said >&2
        $W/onready --do {shlex.quote(steps)} --signal TERM -- $KTRACE memleak -j {args} -p $process --ready-fd 9 {reports}""")


def test_a_process_that_runs_already(lab):
    result = later(lab, "--older 0")
    assert result.rc == 0, result
    assert total(by_size(result.rows, 2302), "count") == 200 and not by_size(result.rows, 2301), result
    frees, = [note for note in result.report["notes"] if "frees were of addresses" in note]
    assert frees.split()[0] == "200", result


@pytest.mark.slow
@pytest.mark.hostside
def test_processes_with_allocators_of_their_own(lab):
    """Of -p LIST each, by its own; one that is not named is not there, though it has the same library."""
    result = lab.run(f"""
        for i in 1 2 3; do mkfifo in$i; done; exec 6<>in1 7<>in2 8<>in3
        LD_PRELOAD={LIBRARIES / PRELOADS["jemalloc"]} {PROGRAMS}/heap_dynamic later 100 <in1 >said1 & one=$!
        {PROGRAMS}/heap_dynamic later 110 <in2 >said2 & two=$!
        {PROGRAMS}/heap_dynamic later 120 <in3 >said3 & three=$!
        wait_line said1; wait_line said2; wait_line said3
        $W/onready --do 'for fd in 6 7 8; do echo >&$fd; done; sleep 2' --signal TERM -- \
            $KTRACE memleak -j --older 0 -g tgid -p $one,$two --ready-fd 9; rc=$?
        kill $one $two $three; exit $rc""")
    assert sorted(row["count"] for row in result.rows) == [100, 110], result


@pytest.mark.slow
@pytest.mark.hostside
def test_cgroup(lab):
    """Processes that are in it; and only those."""
    result = lab.run(f"""
        cgroup=$(sed -n 's/^[^ ]* \\([^ ]*\\) cgroup2 .*/\\1/p' /proc/mounts | head -n 1)/ktrace-test-$$
        mkdir "$cgroup" || exit 97
        mkfifo in1; exec 7<>in1
        sh -c 'echo $$ >"$1/cgroup.procs" && exec {PROGRAMS}/heap_dynamic later 100 <in1 >said1' sh "$cgroup" & one=$!
        wait_line said1
        $W/onready --do 'echo >&7; {PROGRAMS}/heap_dynamic leak 10 >/dev/null; sleep 2' --signal TERM -- \
            $KTRACE memleak -j --older 0 -g tgid -G "$cgroup" --ready-fd 9; rc=$?
        kill $one; sleep 0.2; rmdir "$cgroup"; exit $rc""")
    assert [row["count"] for row in result.rows] == [100], result


@pytest.mark.portable
def test_what_a_process_left_is_in_one_report(lab):
    """It ends between two reports: what it had not freed is in the next, and in no later one."""
    result = later(lab, "--growth --older 0", reports="0.5")
    assert result.rc == 0, result
    grown, ended = 0, 0
    for report in result.reports:
        rows = by_size(report["rows"], 2302)
        grown += sum(row["growth_bytes"] for row in report["rows"])
        assert grown == total(report["rows"], "bytes"), result
        ended += any("1 process ended" in note for note in report["notes"])
        assert total(rows, "count") in (0, 200), result
    assert ended == 1 and grown == 0, result


@pytest.mark.slow
@pytest.mark.portable
def test_sizes_and_ages_that_are_asked_for(lab):
    small = memleak(lab, "-Z 1200", f"{HEAP} leak 20")
    large = memleak(lab, "-z 1201", f"{HEAP} leak 20")
    assert total(by_size(small.rows, 1001), "count") == 20 and not by_size(small.rows, 1304), small
    assert total(by_size(large.rows, 1304), "count") == 20 and not by_size(large.rows, 1001), large
    young = later(lab, "--older 1000s", reports="0.5 1")
    assert not young.rows, young


@pytest.mark.portable
def test_addresses_and_keys(lab):
    result = memleak(lab, "-a -g comm,tgid,tid,class", f"{HEAP} leak 20")
    rows = by_size(result.rows, 1001)
    assert len(rows) == len({row["addr"] for row in rows}) == 20, result
    for row in rows:
        assert (row["comm"], row["class"], row["count"]) == ("heap", "malloc", 1), row
        assert row["tid"] == row["tgid"] and 0 < row["age_ns"] < result.report["elapsed_ns"], row


@pytest.mark.portable
def test_folded_lines_are_bytes(lab):
    result = lab.run(f"$KTRACE memleak -f -- {HEAP} leak 20")
    assert result.rc == 0 and any(line.endswith(f" {20 * 1505}") for line in result.out.splitlines()), result


@pytest.mark.slow
def test_sample_is_an_unbiased_estimate(lab):
    """An allocation of s bytes is followed with p = 1 - exp(-s / rate): within five standard deviations."""
    n, rate = 20000, 4096
    result = memleak(lab, f"--sample {rate} -a", f"{HEAP} sizes {n}")  # -a: as they were sampled
    for size, count in truth(result)[0].items():
        p = 1 - math.exp(-size / rate)
        seen = total(by_size(result.rows, size), "count")
        assert abs(seen - count * p) <= 5 * math.sqrt(count * p * (1 - p)) + 1, (size, seen, count * p, result)
    result = memleak(lab, f"--sample {rate}", f"{HEAP} sizes {n}")
    counts = truth(result)[0]
    variance = sum(count * size ** 2 * math.exp(-size / rate) / (1 - math.exp(-size / rate))
                   for size, count in counts.items())
    expected = sum(size * count for size, count in counts.items())
    assert abs(total(result.rows, "bytes") - expected) <= 5 * math.sqrt(variance) + 200000, result
    assert any("estimates" in note for note in result.report["notes"]), result


@pytest.mark.portable
def test_full_store_is_in_the_ledger(lab):
    result = memleak(lab, "--live-storage-size 100", f"{HEAP} leak 100")
    assert total(result.rows, "count") <= 100 and result.report["loss"]["events"] >= 800, result


@pytest.mark.hostside
def test_allocator_that_is_named(lab):
    library = LIBRARIES / PRELOADS["jemalloc"]
    command = f"env LD_PRELOAD={library} {PROGRAMS}/heap_dynamic leak 20"
    assert_exact(memleak(lab, f"-O {library}", command))


@pytest.mark.hostside
def test_stripped_program_has_no_allocator_to_be_found(lab):
    result = lab.run(f"strip -o stripped {PROGRAMS}/heap_musl_static && $KTRACE memleak -- ./stripped leak 5")
    assert result.rc == 3 and "found no allocator" in result.err, result


@pytest.mark.slow
@pytest.mark.hostside
def test_scripts_and_shells_are_followed(lab):
    result = memleak(lab, "-a", f"sh -c '{PROGRAMS}/heap_dynamic leak 10; true'")
    assert_exact(result)


@pytest.mark.parametrize("args", ["--class malloc", "--mmap", "--class slab,malloc -p 1", "--kernel --mmap -p 1",
                                  "-p 1 -g kstack", "-p 1 --user-pages", "-p 1 -K", "-O libc.so.6",
                                  "-p 1 --sample 2T", "-O nothing-of-that-name -p 1"])
@pytest.mark.hostside
def test_what_does_not_go_together(lab, args):
    result = lab.run(f"$KTRACE memleak {args} 1 1")
    assert result.rc == 2 and len(result.err.splitlines()) == 1, result
