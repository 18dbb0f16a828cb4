# SPDX-License-Identifier: GPL-2.0-or-later
"""memleak against the truth module: memory of known number, size and place that is kept, then freed."""

import math
import shlex

import pytest

from lab import has_frame, mostly, once, pick, total
from truth import COMM, named, run, tell

NOW = "--older 0"
OBJECT = 320  # bytes of an object of the cache ktrace_truth
LARGE = 32768  # what a kmalloc of 20000 takes
# frame: line, count, bytes of one at least and at most (percpu: on each CPU)
LEAKS = {
    "kmalloc": ("truth_kmalloc", "kmalloc n=300 size=1024", 300, 1024, 1024),
    "kmalloc_node": ("truth_kmalloc_node", "kmalloc_node n=200 size=512", 200, 512, 512),
    "kvmalloc": ("truth_kvmalloc", "kvmalloc n=100 size=4096", 100, 4096, 4096),
    "large kmalloc": ("truth_kmalloc", "kmalloc n=100 size=20000", 100, LARGE, LARGE),
    "large kmalloc_node": ("truth_kmalloc_node", "kmalloc_node n=100 size=20000", 100, LARGE, LARGE),
    "large kvmalloc": ("truth_kvmalloc", "kvmalloc n=100 size=20000", 100, LARGE, LARGE),
    "many kmallocs": ("truth_kmalloc", "kmalloc n=3000 size=2048", 3000, 2048, 2048),
    "cache": ("truth_cache_alloc", "cache n=500", 500, OBJECT, OBJECT + 64),
    "bulk": ("truth_bulk_alloc", "bulk n=500", 500, OBJECT, OBJECT + 64),
    "page": ("truth_alloc_pages", "pages n=50", 50, 4096, 4096),
    "pages": ("truth_alloc_pages", "pages n=20 order=3", 20, 32768, 32768),
    "split pages": ("truth_alloc_exact", "exact n=20 size=32768", 20, 32768, 32768),
    "percpu": ("truth_alloc_percpu", "percpu n=50 size=64", 50, 64, 64),
}


def leaks(lab, args, *lines):
    """memleak while the module is told these lines; what leaks is freed afterwards, untraced."""
    result = run(lab, f"$KTRACE memleak --kernel -j {args} -- {tell(*lines)}; rc=$?\n"
                      "echo free >/proc/ktrace_truth; exit $rc")
    assert result.rc == 0, result
    return result


def of_report(report, frame):
    """Rows of what this function allocated itself. Under it the allocator may take what it keeps."""
    return pick(report["rows"], lambda row: row["kstack"][0] == f"{frame} [ktrace_truth]")


def of(result, frame):
    return of_report(result.report, frame)


def has_role(result, role):
    return role in {hook["role"] for hook in result.report["hooks"]}


def cpus_of(result):
    return result.fact("ktrace_truth", command="percpu")["cpus"]


@pytest.mark.parametrize("name", LEAKS)
def test_what_leaks_is_counted_to_the_last_one(lab, name):
    lines = {f"kt-{n}": f"{line} then=leak" for n, (_, line, *_) in enumerate(LEAKS.values())}
    result = once(leaks, lab, f"{NOW} -g comm,kstack,class", *named(lines))
    frame, _, count, low, high = LEAKS[name]
    own = pick(result.rows, comm=f"kt-{list(LEAKS).index(name)}")
    rows = [row for row in of(result, frame) if row in own]
    pages = pick(own, lambda row: has_frame(row, frame) and row not in rows, **{"class": "pages"})
    assert not pages, "pages that the allocator took for the objects count beside them"
    if name == "bulk" and not has_role(result, "bulk_alloc"):
        assert not rows and any("bulk allocations" in note for note in result.report["notes"]), result
        return
    copies = cpus_of(result) if name == "percpu" else 1
    assert total(rows, "count") == count, result
    assert low * count * copies <= total(rows, "bytes") <= high * count * copies, rows


def shown(result):
    return {name for name, (frame, *_) in LEAKS.items() if of(result, frame)}


@pytest.mark.parametrize("args", mostly([""], ["--sample 3"]))
def test_what_is_freed_is_not_shown(lab, args):
    """At once, or later by another command. With --sample a free is followed if its allocation was."""
    lines = [line for _, line, *_ in LEAKS.values()]
    result = leaks(lab, f"{NOW} {args}", *(f"{line} then=free" for line in lines))
    assert not shown(result), result
    result = leaks(lab, f"{NOW} {args}", *(f"{line} then=leak" for line in lines), "free")
    assert not shown(result), result


@pytest.mark.parametrize("name", mostly(["kmalloc"], ["kmalloc_node", "cache"]))
def test_what_is_given_to_rcu_is_freed(lab, name):
    frame, line, count, *_ = LEAKS[name]
    result = leaks(lab, NOW, f"{line} then=rcu")
    if name != "cache" and not has_role(result, "rcu_free"):  # the module frees those in a callback
        assert total(of(result, frame), "count") <= count
        assert any("kfree_rcu" in note for note in result.report["notes"]), result
        return
    assert not of(result, frame), result


@pytest.mark.parametrize("hook", mostly(["fentry"], ["kprobe"]))
def test_rcu_and_bulk_frees_by_either_kind_of_function_hook(lab, hook):
    result = leaks(lab, f"{NOW} --hook {hook}", "kmalloc n=300 size=1024 then=rcu", "cache n=500 then=leak",
                   "bulk n=500")
    used = {h["role"]: h["via"] for h in result.report["hooks"]}
    if used.get("rcu_free") != hook or used.get("bulk_free") != hook:
        assert any(word in note for note in result.report["notes"] for word in ("kfree_rcu", "bulk")), result
        return
    assert not of(result, "truth_kmalloc") and not of(result, "truth_bulk"), result
    assert total(of(result, "truth_cache_alloc"), "count") == 500, result


@pytest.mark.portable
def test_each_class_alone_shows_its_own(lab):
    lines = [f"{LEAKS[name][1]} then=leak" for name in ("many kmallocs", "cache", "pages", "percpu")]
    own = {"kmalloc": "truth_kmalloc", "slab": "truth_cache_alloc", "percpu": "truth_alloc_percpu"}
    frames = [*own.values(), "truth_alloc_pages"]
    for name, frame in own.items():
        result = leaks(lab, f"{NOW} --class {name}", *lines)
        assert [other for other in frames if of(result, other)] == [frame], result
    result = leaks(lab, f"{NOW} --class pages", *lines)
    assert total(of(result, "truth_alloc_pages"), "count") == 20, result
    # now nothing else stands for the slabs' pages
    slabs = pick(result.rows, lambda row: has_frame(row, "truth_kmalloc"))
    assert total(slabs, "bytes") >= 2000 * 2048, result


@pytest.mark.portable
def test_keys_that_are_asked_for(lab):
    result = leaks(lab, f"{NOW} -g comm,tgid,class,cache", "kmalloc n=300 size=1024 then=leak",
                   "cache n=500 then=leak", "pages n=20 order=3 then=leak")
    rows = pick(result.rows, comm=COMM)
    cache, = pick(rows, cache="ktrace_truth")
    rows = pick(rows, tgid=cache["tgid"])  # a shell before it becomes another program has the name too
    assert (cache["class"], cache["count"]) == ("slab", 500), result
    pages, = pick(rows, **{"class": "pages"})
    assert pages["cache"] == "" and pages["count"] >= 20, result
    kmalloc, = pick(rows, cache="kmalloc-1k", **{"class": "kmalloc"})
    assert 300 <= kmalloc["count"] < 400, result


@pytest.mark.portable
def test_addresses_are_shown_only_when_asked_for(lab):
    result = leaks(lab, f"{NOW} -a -z 1000 -Z 1024", "kmalloc n=300 size=1024 then=leak")
    rows = of(result, "truth_kmalloc")
    assert len(rows) == len({row["addr"] for row in rows}) == 300, result
    for row in rows:
        assert row["addr"].startswith("0x") and row["count"] == 1 and row["bytes"] == 1024, row
        assert 0 < row["age_ns"] < result.report["elapsed_ns"], row
    assert "addr" not in of(leaks(lab, NOW, "kmalloc n=1 size=1024 then=leak"), "truth_kmalloc")[0]


@pytest.mark.portable
def test_only_what_is_old_enough(lab):
    line = "kmalloc n=300 size=1024 then=leak"
    assert not leaks(lab, "--older 1000s", line).rows
    command = f"{tell(line)}; sleep 2; {tell('kmalloc_node n=200 size=512 then=leak')}"
    result = run(lab, f"$KTRACE memleak --kernel -j --older 2s -- sh -c {shlex.quote(command)}; rc=$?\n"
                      "echo free >/proc/ktrace_truth; exit $rc")
    assert total(of(result, "truth_kmalloc"), "count") == 300, result
    assert not of(result, "truth_kmalloc_node") or result.report["elapsed_ns"] > 4e9, result


@pytest.mark.portable
def test_size_filters(lab):
    lines = ("kmalloc n=300 size=1000 then=leak", "kmalloc_node n=200 size=500 then=leak")
    small = leaks(lab, f"{NOW} -Z 500", *lines)
    large = leaks(lab, f"{NOW} -z 501", *lines)
    assert total(of(small, "truth_kmalloc_node"), "count") == 200 and not of(large, "truth_kmalloc_node")
    assert total(of(large, "truth_kmalloc"), "count") == 300, large
    assert not of(small, "truth_kmalloc"), small


@pytest.mark.portable
def test_sample_is_an_unbiased_estimate(lab):
    """Each of n is followed with probability 1/N: within five standard deviations."""
    n, every = 20000, 10
    result = leaks(lab, f"{NOW} --sample {every}", f"kmalloc n={n} size=64 then=leak")
    rows = of(result, "truth_kmalloc")
    assert abs(total(rows, "count") - n) <= 5 * every * math.sqrt(n / every * (1 - 1 / every)), rows
    assert total(rows, "bytes") == 64 * total(rows, "count") and total(rows, "count") % every == 0
    assert any("1 of 10 addresses" in note for note in result.report["notes"]), result


@pytest.mark.portable
def test_growth_is_since_the_last_report(lab):
    steps = (tell("kmalloc n=300 size=1024 then=leak"), tell("kmalloc n=100 size=1024 then=leak"), tell("free"))
    script = "; sleep 2.5; ".join(steps) + "; sleep 2.5"
    result = run(lab, f"$W/onready --do {shlex.quote(script)} --signal TERM -- "
                      f"$KTRACE memleak --kernel -j {NOW} --growth --ready-fd 9 1")
    assert result.rc == 0, result
    seen = [of_report(report, "truth_kmalloc") for report in result.reports]
    values = [(total(rows, "bytes"), total(rows, "growth_bytes")) for rows in seen]
    grown = 0
    for size, growth in values:
        grown += growth
        assert grown == size, values
    assert {300 * 1024, 400 * 1024} <= {size for size, _ in values} and values[-1][0] == 0, values


@pytest.mark.portable
def test_full_store_is_in_the_ledger(lab):
    result = leaks(lab, f"{NOW} --live-storage-size 100 --class kmalloc", "kmalloc n=300 size=1024 then=leak")
    assert total(result.rows, "count") <= 100 and result.report["loss"]["events"] >= 200, result
