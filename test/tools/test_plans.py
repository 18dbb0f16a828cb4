# SPDX-License-Identifier: GPL-2.0-or-later
"""A run does what --explain says: a program that a kernel refuses gives way to the next one, and nobody would notice."""

import re

import pytest

from probes import KEYS, call

# Modes that options choose, beside what each tool does without any.
MODES = ["mlock -m 1ms", "mlock --contended", "offcputime -m 1ms", "memleak --kernel"]
ROLE = re.compile(r"^  (\S[^\n]*?)(?: \(optional\))?\n(?:    .*\n)*?    \* (\w+) ", re.M)


@pytest.mark.parametrize("ask", [*map(call, KEYS), *MODES])
def test_what_is_planned_is_what_is_used(lab, needs, ask):
    needs(ask)
    plan = lab.ktrace(f"{ask} --explain -- $W/sleeper 1 1")
    result = lab.ktrace(f"{ask} -j -- $W/sleeper 1 1")
    assert {(hook["role"], hook["via"]) for hook in result.report["hooks"]} == set(ROLE.findall(plan.out)), plan
