#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""skips.py DIR: how many cases of each suite in DIR/*.xml (JUnit) did not run, and why;
and which did not pass at the first try (DIR/*.again, made by test/again.sh).

ctest knows suites only, and one with skipped cases has passed for it.
"""
import collections
import pathlib
import sys
import xml.etree.ElementTree


def skips(path):
    """(suite, reason) of each skipped case in one file."""
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        skipped = case.find("skipped")
        if skipped is not None:
            yield path.stem, skipped.get("message") or "no reason given"


def main():
    paths = sorted(pathlib.Path(sys.argv[1]).glob("*.xml"))
    count = collections.Counter(skip for path in paths for skip in skips(path))
    for (suite, reason), n in count.items():
        print(f"NOT RUN in {suite}: {n} cases: {reason}")
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.again")):
        print(path.read_text(), end="")


if __name__ == "__main__":
    main()
