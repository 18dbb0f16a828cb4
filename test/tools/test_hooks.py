# SPDX-License-Identifier: GPL-2.0-or-later
"""Whichever hook is used, the same workload gives the same counts and the same stacks."""

import pytest

from lab import within
from probes import PROBES, call

KINDS = ["tp_btf", "raw_tp", "tracepoint"]
BESIDE = {"iter", "fentry", "kprobe"}  # a tool's iterators and functions, whatever its events' kind
N = 60


QUICK = {"offcputime", "kmem", "workq"}


@pytest.fixture(scope="module")
def by_default(lab):
    """What each tool sees of its workload by the hooks that it chooses, run once."""
    results = {}

    def run(name):
        if name not in results:
            results[name] = lab.trace(call(name), PROBES[name].args, PROBES[name].command(N))
        return results[name]
    return run


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow)
                                  for name in PROBES])
def test_forced_hook_sees_what_the_default_sees(lab, needs, by_default, name, kind):
    needs(call(name), f"--hook {kind}")
    if (name, kind) == ("funccount", "tp_btf"):
        return  # a tp_btf program has one event, which is known when it is built
    if (name, kind) == ("slabratetop", "tracepoint") and not lab.object_tells_cache():
        pytest.skip("the record has no cache")
    probe = PROBES[name]
    default = by_default(name)
    forced = lab.traced_in_tracefs(call(name), f"--hook {kind} {probe.args}", probe.command(N))
    used = {hook["via"] for hook in forced.report["hooks"]}
    assert used - BESIDE == {kind}, forced
    assert probe.value(default.rows) == probe.truth(N), default
    assert probe.value(forced.rows) == probe.truth(N), forced
    if name == "memleak":  # no event of it depends on what a virtual machine delivers
        assert forced.report["loss"]["events"] == default.report["loss"]["events"] == 0, forced
    if name != "wakeuptime":  # an interrupt's stack depends on what it interrupts
        assert probe.stacks(forced.rows) == probe.stacks(default.rows)


@pytest.mark.parametrize("kind", KINDS)
def test_times_agree_with_the_workload(lab, needs, kind):
    needs("offcputime", f"--hook {kind}")
    result = lab.traced_in_tracefs("offcputime", f"--hook {kind}", "sleeper 20 50")
    rows = PROBES["offcputime"].rows(result.rows)
    within(sum(row["total_ns"] for row in rows), result.fact("sleeper")["sum_ns"], 3, kind)


PING_PONG = "$W/pingpong 1000 --names kt-ping kt-pong"


def frequent_stacks(result):
    """Of at least a tenth of the wakeups: rare ones have an interrupt on top, or are lost."""
    rows = [r for r in result.rows if r["target"] == "kt-ping" and r["waker"] == "kt-pong"]
    count = sum(row["count"] for row in rows)
    merged = {}
    for row in rows:
        stack = tuple(row["kstack"])
        merged[stack] = merged.get(stack, 0) + row["count"]
    return {stack for stack, n in merged.items() if n * 10 >= count}


@pytest.fixture(scope="module")
def wakers_stacks(lab):
    """Those by the hooks that wakeuptime chooses, run once."""
    return frequent_stacks(lab.ktrace(f"wakeuptime -jK -- {PING_PONG}"))


@pytest.mark.parametrize("kind", KINDS)
def test_wakers_stack_is_the_same(lab, needs, wakers_stacks, kind):
    needs("wakeuptime", f"--hook {kind}")
    forced = lab.run(f"with_tracefs $KTRACE wakeuptime -jK --hook {kind} -- {PING_PONG}")
    assert wakers_stacks and frequent_stacks(forced) == wakers_stacks


@pytest.mark.hostside
@pytest.mark.parametrize("kind", ["fentry", "kprobe"])
def test_hook_that_a_tool_does_not_have_is_refused_with_a_reason(lab, kind):
    result = lab.ktrace(f"loads --hook {kind} 0.1 1")
    assert result.rc in (2, 3) and not result.out and len(result.messages) == 1, result
