#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh KERNEL [PYTEST ARGS...]: the tests of test/tools in a guest that runs
# KERNEL: a name in test/kernels/matrix, or the path of a vmlinuz of your own. One
# boot for all tests. Consoles: build/vm/NAME.console.*, NAME being $KTRACE_VM_NAME
# or the kernel: two runs at a time need two names. KTRACE and
# KTRACE_WORKLOADS name the program and workloads, else build/ has them; for an
# arm64 kernel KTRACE_ARM64, else build-arm64/ (cmake --preset arm64).
# KTRACE_VM_RUN: a program in pytest's place, which gets the arguments (test/bench/in_guest.py).
# Exit: pytest's; 77 when the kernel cannot be had (with CI=true that is 1).
set -eu
here=$(dirname "$(readlink -f "$0")")
test=$(dirname "$here")
kernel=${1:?usage: run.sh KERNEL [PYTEST ARGS...]}
shift
root=$(dirname "$test")

case $kernel in
*/*)
	[ -r "$kernel" ] || { echo "run.sh: cannot read $kernel" >&2; exit 2; }
	image=$(readlink -f "$kernel")
	kernel=$(basename "$image")
	has_module= # its headers are not to be had
	;;
*)
	has_module=1
	status=0
	image=$("$here/kernels.py" "$kernel") || status=$?
	[ $status -ne 2 ] || exit 2
	if [ $status -ne 0 ]; then
		echo "NOT TESTED on kernel $kernel: it could not be fetched" >&2
		[ "${CI-}" = true ] && exit 1
		exit 77
	fi
	;;
esac
if [ "$(od -An -tx1 -j56 -N4 "$image")" = " 41 52 4d 64" ]; then # an arm64 image's magic
	KTRACE=${KTRACE_ARM64:-$root/build-arm64/ktrace}
	KTRACE_WORKLOADS=
	sysroot=$("$here/sysroot.py")
	export KTRACE_VM_BUSYBOX="$sysroot/bin/busybox"
	has_module=
fi
KTRACE=${KTRACE:-$root/build/ktrace}
build=$(dirname "$(readlink -f "$KTRACE")")
[ -x "$build/vm/agent" ] || { echo "run.sh: no $build/vm/agent: build first" >&2; exit 1; }
if [ "$has_module" ]; then # without it the truth tests fail
	KTRACE_BUILD="$build" "$test/kmod/build.sh" "$kernel"
fi
initrd=$(mktemp "$build/vm/initrd.XXXXXX")
trap 'rm -f "$initrd"' EXIT
trap 'exit 1' HUP INT TERM
"$here/initramfs.sh" "$KTRACE" "${KTRACE_WORKLOADS:-$build/workload}" "$build/vm/agent" "$initrd" \
	"$build/kmod/$kernel/ktrace_truth.ko"

paths=tools
for arg in "$@"; do
	[ -e "$test/${arg%%::*}" ] && paths=
done
export KTRACE_LAB="vm:$kernel" KTRACE_VM_KERNEL="$image" KTRACE_VM_INITRD="$initrd"
export KTRACE_VM_LOG="$build/vm/${KTRACE_VM_NAME:-$kernel}.console"
: >"$KTRACE_VM_LOG"
status=0
if [ -n "${KTRACE_VM_RUN-}" ]; then
	python=$(PATH=/usr/bin:$PATH command -v python3) # Debian's, which has its pytest
	"$python" -B "$KTRACE_VM_RUN" "$@" || status=$?
	exit $status
fi
"$test/again.sh" "vm.${KTRACE_VM_NAME:-$kernel}" 8 -v ${paths:+"$paths"} "$@" || status=$?
cat "$KTRACE_VM_LOG" # when it booted, and what it said where it did not
exit $status
