#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""table.py [--check]: writes docs/KERNELS.md from test/golden/plans.txt; --check only compares.

The unit test unit.plan holds plans.txt against the code and test/kernels/*.caps.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PLANS = ROOT / "test" / "golden" / "plans.txt"
PAGE = ROOT / "docs" / "KERNELS.md"
HEAD = """# Which hook each tool uses on which kernel

Made by `test/kernels/table.py` from `test/golden/plans.txt`, which the unit test `unit.plan` makes
from `test/kernels/*.caps` (the output of `ktrace caps` on each kernel). Do not edit: after a change
of hooks, run

    for k in 5.10 6.1 ...; do KTRACE_UPDATE_GOLDEN=1 test/vm/run.sh $k tools/test_caps.py; done
    KTRACE_UPDATE_GOLDEN=1 build/test/test_plan && test/kernels/table.py

On a kernel of your own, `ktrace doctor` says the same about it, with the reason for each hook that
cannot be used. "native" is the machine that this project is developed on, whose kernel can neither
patch functions nor see tracefs unless it is mounted.
"""


class Plans:
    """plans.txt, read: releases, what each tool can be forced to use, and its roles."""

    def __init__(self, text):
        self.release, self.kinds, self.roles, self.tools = {}, {}, {}, []
        for line in text.splitlines():
            words = line.split("\t")
            if words[1] == "kernel":
                self.release[words[0]] = words[2]
            elif words[2] in ("ok", "NO"):
                self.kinds[words[0], words[1]] = (words[2] == "ok", words[3].split(",") if words[3] else [])
                if words[1] not in self.tools:
                    self.tools.append(words[1])
            else:
                self.roles.setdefault((words[0], words[1]), []).append(words[2:])


def row(cells):
    return "| " + " | ".join(cells) + " |"


def table(head, rows):
    return "\n".join([row(head), row(["---"] * len(head)), *map(row, rows)])


def summary(plans, kernel, tool):
    """One cell: the kinds of hook that the tool's roles use, most used first."""
    if not plans.kinds[kernel, tool][0]:
        return "**cannot**"
    kinds = [role[1] for role in plans.roles.get((kernel, tool), []) if role[1] != "none"]
    return " + ".join(sorted(dict.fromkeys(kinds), key=lambda kind: -kinds.count(kind))) or "no BPF"


def role_cell(plans, kernel, tool, name):
    for role, via, _, program, _ in plans.roles.get((kernel, tool), []):
        if role == name:
            return "none" if via == "none" else f"{via} `{program}`"
    return ""


def losses(plans, kernels, tool):
    """What the user does not see, and where."""
    lost = {}
    for kernel in kernels:
        for role, via, _, _, loss in plans.roles.get((kernel, tool), []):
            if loss != "-":
                lost.setdefault(f"{role} via {via}: {loss}", []).append(kernel)
    return [f"- {', '.join(where)}: {what}" for what, where in lost.items()]


def tool_section(plans, kernels, tool):
    names = list(dict.fromkeys(role[0] for kernel in kernels for role in plans.roles.get((kernel, tool), [])))
    if not names:
        return f"## {tool}\n\nReads what the kernel keeps anyway.\n"
    target = {role[0]: role[2] for kernel in kernels for role in plans.roles.get((kernel, tool), []) if role[2] != "-"}
    rows = [[name, f"`{target.get(name, '-')}`", *(role_cell(plans, kernel, tool, name) for kernel in kernels)]
            for name in names]
    forced = ["`--hook`", "", *(", ".join(plans.kinds[kernel, tool][1]) or "none" for kernel in kernels)]
    lost = losses(plans, kernels, tool)
    return f"## {tool}\n\n" + table(["role", "target", *kernels], [*rows, forced]) + "\n\n" + \
        ("Lost:\n\n" + "\n".join(lost) if lost else "Nothing is lost by the choice of hooks.") + "\n"


def page(plans):
    kernels = list(plans.release)
    parts = [HEAD, table(["kernel", "release of the stored caps"], plans.release.items()) + "\n",
             table(["tool", *kernels], [[tool, *(summary(plans, kernel, tool) for kernel in kernels)]
                                        for tool in plans.tools]) + "\n",
             "An empty cell below: that kernel has no such event, and nothing is missed by it. The row\n"
             "`--hook` has the kinds that all roles can be forced to.\n"]
    return "\n".join(parts + [tool_section(plans, kernels, tool) for tool in plans.tools])


def main(argv):
    text = re.sub(r"\n{3,}", "\n\n", page(Plans(PLANS.read_text())))
    if argv[1:] == ["--check"]:
        if PAGE.exists() and PAGE.read_text() == text:
            return 0
        print(f"{PAGE.relative_to(ROOT)} is stale: run test/kernels/table.py", file=sys.stderr)
        return 1
    PAGE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
