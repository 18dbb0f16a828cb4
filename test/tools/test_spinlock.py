# SPDX-License-Identifier: GPL-2.0-or-later
"""spinlock: every contended acquisition where functions can be hooked, less where they cannot."""
from test_truth_module import around
from lab import has_frame, pick, total


def test_tmp(lab):
    for line in ("lock mode=spin n=20 us=2000", "lock mode=raw_spin n=20 us=2000", "lock mode=read n=20 us=2000", "lock mode=write n=20 us=2000"):
        for hook in ("", "--hook fentry", "--hook tp_btf"):
            try:
                r = around(lab, "spinlock", hook, line)
            except AssertionError as e:
                print(line, hook, "FAILED", str(e)[:3000])
                continue
            f = r.fact("ktrace_truth")
            print(line, hook, f, r.report["loss"], r.report["notes"], r.report["cost"], [h["via"] + ":" + h["target"] for h in r.report["hooks"]])
            for row in pick(r.rows, lambda row: has_frame(row, "truth_")):
                print("   ", row)
    assert 0
