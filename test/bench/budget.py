#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""budget.py [--rounds N]: what offcputime --budget costs, and how far its estimates are off.

Each round is one run with the budget inside of one that traces everything, so that
both see the same intervals. Rows are told apart by thread and state.
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile

KTRACE = os.environ.get("KTRACE", "build/ktrace")
WORKLOADS = os.environ.get("KTRACE_WORKLOADS", "build/workload")
LOAD = """for i in 1 2 3 4; do $W/pingpong 3000 & $W/stacks 1000 --us 100 & done
$W/sleeper 200 5 & $W/sleeper 20 60; wait"""
BUDGETS = ["100us", "1ms", "10ms", "100ms"]
# Rows of less than so many budgets mostly have no kept interval, and no error to speak of.
ROW_BUDGETS = 5


def both(budget, folder):
    """The report of everything, and the one with a budget."""
    full, part = f"{folder}/full", f"{folder}/part"
    subprocess.run([KTRACE, "offcputime", "-o", f"json={full}", "--", KTRACE, "offcputime", "--budget", budget,
                    "-o", f"json={part}", "--", "sh", "-c", LOAD], check=True, env=os.environ | {"W": WORKLOADS},
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    reports = []
    for path in full, part:
        with open(path, encoding="utf-8") as file:
            reports.append(json.load(file))
    return reports


def sums(report):
    """{(thread, state): [total, square of its error]}"""
    rows = {}
    for row in report["rows"]:
        if row["comm"] != "ktrace":
            entry = rows.setdefault((row["tid"], row["state"]), [0, 0])
            entry[0] += row["total_ns"]
            entry[1] += row.get("total_error_ns", 0) ** 2
    return rows


def deviations(full, part):
    """Of the rows with an error: how far they are off, in stated errors."""
    true, found = sums(full), sums(part)
    budget_ns = part["estimate"]["budget_ns"]
    return [(found[key][0] - true[key][0]) / found[key][1] ** 0.5 for key in found
            if key in true and found[key][1] and true[key][0] > ROW_BUDGETS * budget_ns]


def ns_per_switch(report, full):
    """Full tracing has one program that runs, once a switch."""
    return report["cost"]["run_ns"] / full["cost"]["events"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print(f"| budget | ns per switch | without | intervals kept | total off by | stated | rows "
          f"| within 1 error | within 2 |\n{'|---' * 9}|")
    for budget in BUDGETS:
        with tempfile.TemporaryDirectory() as folder:
            pairs = [both(budget, folder) for _ in range(rounds)]
        estimates = [part["estimate"] for _, part in pairs]
        off = [abs(e["total_ns"] / e["exact_total_ns"] - 1) for e in estimates]
        stated = [e["total_error_ns"] / e["exact_total_ns"] for e in estimates]
        rows = [z for full, part in pairs for z in deviations(full, part)]
        within = [sum(abs(z) < n for z in rows) / max(len(rows), 1) for n in (1, 2)]
        print(f"| {budget} | {statistics.median(ns_per_switch(part, full) for full, part in pairs):.0f} "
              f"| {statistics.median(ns_per_switch(full, full) for full, _ in pairs):.0f} "
              f"| {statistics.median(e['kept'] / e['exact_count'] for e in estimates):.2%} "
              f"| {statistics.median(off):.2%} | {statistics.median(stated):.2%} "
              f"| {len(rows)} | {within[0]:.0%} | {within[1]:.0%} |", flush=True)


if __name__ == "__main__":
    main()
