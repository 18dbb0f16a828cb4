#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""in_guest.py [--rounds N] [TOOL...]: bench.py in a guest, where functions can be hooked; ratios only.

The clock of the guest counts instructions: how long an emulated one takes differs by the place
that code happens to have, by three and more, and by what else the host does. A kernel so emulated
does not bring up a second CPU; what needs two has the usual clock. Started by test/vm/run.sh.
"""
import argparse
import os
import sys

from questions import QUESTIONS, VM

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lab import open_lab  # noqa: E402

TOOL_SECONDS = 1200
COUNTED = {"KTRACE_VM_QEMU": "-icount shift=0", "KTRACE_VM_APPEND": "maxcpus=1"}
TWO_CPUS = ("spinlock",)
PREPARE = """
export LC_ALL=C KTRACE_WORKLOADS=$W
mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
[ -e /proc/ktrace_truth ] || insmod /lib/ktrace_truth.ko
for name in scan_delay_ms scan_period_min_ms; do
	echo 100 >/sys/kernel/debug/sched/numa_balancing/$name
done
python3 -B /usr/lib/bench/bench.py --in-guest"""


def run(tools, rounds, machine):
    """One guest for these tools: is all well?"""
    os.environ.update(machine)
    lab = open_lab()
    good = True
    for tool in tools:
        result = lab.run(f"{PREPARE} --rounds {rounds} {tool}", TOOL_SECONDS)
        print(result.out, result.err, sep="", flush=True)
        good &= result.rc == 0
    lab.close()
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("tool", nargs="*")
    args = parser.parse_args()
    tools = args.tool or dict.fromkeys(q.ask.split()[0] for q in QUESTIONS if VM[0] in q.where)
    good = run([tool for tool in tools if tool not in TWO_CPUS], args.rounds, COUNTED)
    good &= run([tool for tool in tools if tool in TWO_CPUS], args.rounds, dict.fromkeys(COUNTED, ""))
    return not good


if __name__ == "__main__":
    sys.exit(main())
