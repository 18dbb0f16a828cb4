# SPDX-License-Identifier: GPL-2.0-or-later
"""Whichever hook is used, the same workload gives the same counts and the same stacks."""

import pytest

from lab import once, within
from probes import PROBES, call

KINDS = ["tp_btf", "raw_tp", "tracepoint"]
BESIDE = {"iter", "fentry", "kprobe"}  # a tool's iterators and functions, whatever its events' kind
N = 60


QUICK = {"offcputime", "kmem", "workq"}


def vias(result):
    """The kinds of hooks of a run's events."""
    return {hook["via"] for hook in result.report["hooks"]} - BESIDE


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow)
                                  for name in PROBES])
def test_forced_hook_sees_what_the_default_sees(lab, needs, name, kind):
    needs(call(name), f"--hook {kind}")
    if (name, kind) == ("funccount", "tp_btf"):
        return  # a tp_btf program has one event, which is known when it is built
    if (name, kind) == ("slabratetop", "tracepoint") and not lab.object_tells_cache():
        pytest.skip("the record has no cache")
    probe = PROBES[name]
    default = once(lab.trace, call(name), probe.args, probe.command(N))
    forced = default if vias(default) == {kind} else \
        lab.traced_in_tracefs(call(name), f"--hook {kind} {probe.args}", probe.command(N))
    assert vias(forced) == {kind}, forced
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


@pytest.mark.parametrize("kind", KINDS)
def test_wakers_stack_is_the_same(lab, needs, kind):
    needs("wakeuptime", f"--hook {kind}")
    stacks = frequent_stacks(once(lab.ktrace, f"wakeuptime -jK -- {PING_PONG}"))
    forced = lab.run(f"with_tracefs $KTRACE wakeuptime -jK --hook {kind} -- {PING_PONG}")
    assert stacks and frequent_stacks(forced) == stacks


@pytest.mark.hostside
@pytest.mark.parametrize("kind", ["fentry", "kprobe"])
def test_hook_that_a_tool_does_not_have_is_refused_with_a_reason(lab, kind):
    result = lab.ktrace(f"loads --hook {kind} 0.1 1")
    assert result.rc in (2, 3) and not result.out and len(result.messages) == 1, result
