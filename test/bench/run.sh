#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh [names | heap | budget | frames | vm] [--rounds N] [TOOL...]: what tracing costs: time per event,
# start-up, CPU time, memory, beside peers where they are installed (bench.py names those that are not).
# names: names.py instead, the names of processes that exit while they are traced.
# heap: heap.py instead, what memleak costs the process that it looks into.
# budget: budget.py instead, offcputime --budget beside full tracing of the same work.
# frames [LIBRARY...]: how long it takes to name 100000 user frames.
# vm: what needs functions that can be hooked, in the 6.1 guest (in_guest.py), as ratios.
# Nothing of this runs with the tests. KTRACE and KTRACE_WORKLOADS name a build
# that is there already; without them build/ is brought up to date.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
root=$(dirname "$(dirname "$here")")
if [ "$(id -u)" -ne 0 ]; then
	echo "run.sh: needs root" >&2
	exit 3
fi
if [ -z "${KTRACE-}" ] || [ -z "${KTRACE_WORKLOADS-}" ]; then
	"$root/packaging/deps.sh" build test
	cmake -S "$root" --preset release -DKTRACE_TESTS=ON >/dev/null
	ninja --quiet -C "$root/build" >&2
	export KTRACE=$root/build/ktrace KTRACE_WORKLOADS=$root/build/workload
fi
script=bench.py
case ${1-} in
names | heap | budget)
	script=$1.py
	shift
	;;
vm)
	shift
	export KTRACE_VM_PROGRAMS="/usr/bin/python3 bpftrace" KTRACE_VM_TREES="/usr/lib/python3.11 $here"
	for peer in klockstat slabratetop numamove; do
		! command -v $peer >/dev/null || KTRACE_VM_PROGRAMS="$KTRACE_VM_PROGRAMS $peer"
	done
	KTRACE_VM_NAME=${KTRACE_VM_NAME:-bench} KTRACE_VM_RUN=$here/in_guest.py exec "$root/test/vm/run.sh" 6.1 "$@"
	;;
esac
if [ "${1-}" = frames ]; then
	shift
	[ $# -gt 0 ] || set -- libc.so.6 libclang-cpp.so.14 libLLVM-14.so.1
	echo '| library | first frame | 100000 frames more | memory | with a function | without |'
	echo '|---|---|---|---|---|---|'
	for library; do
		"$(dirname "$KTRACE")/bench/frames" "$library"
	done
	exit
fi
# bpftrace looks for tracepoints in tracefs: give it one where nobody else sees it.
exec unshare -m sh -c 'mount --make-rprivate / 2>/dev/null
	[ -e /sys/kernel/tracing/events ] || mount -t tracefs none /sys/kernel/tracing 2>/dev/null
	exec "$@"' sh python3 -B "$here/$script" "$@"
