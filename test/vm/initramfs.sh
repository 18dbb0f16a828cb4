#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# initramfs.sh KTRACE WORKLOADS AGENT OUT [MODULE]: a guest's whole system as a cpio
# archive; MODULE is ktrace_truth.ko for its kernel (test/kmod), where there is one.
# $KTRACE_VM_PROGRAMS: programs of this machine to bring as well, with their libraries;
# $KTRACE_VM_TREES: directories, for /usr/lib.
# Not compressed: unpacking would cost the emulated machine more than reading does.
set -eu
ktrace=$1 workloads=$2 agent=$3 out=$4 module=${5-}
here=$(dirname "$(readlink -f "$0")")
applets=$(busybox --list) || { echo "no busybox: install busybox-static" >&2; exit 1; }
busybox=${KTRACE_VM_BUSYBOX:-$(command -v busybox)} # another architecture's, of the same version
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
cd "$root"
mkdir -p bin dev etc lib proc run sbin sys tmp usr/bin usr/sbin usr/lib/workload
install -m 755 "$here/init" init
install -m 755 "$busybox" bin/busybox
install -m 755 "$ktrace" usr/bin/ktrace
install -m 755 "$agent" usr/bin/agent
install -m 755 "$workloads"/* usr/lib/workload
[ ! -e "$module" ] || install -m 644 "$module" lib/ktrace_truth.ko
for applet in $applets; do
	[ "$applet" = busybox ] || ln -s busybox "bin/$applet"
done
for program in ${KTRACE_VM_PROGRAMS-}; do
	path=$(command -v "$program") || { echo "initramfs.sh: no $program here" >&2; exit 1; }
	for file in "$path" $(ldd "$path" | grep -o '/[^ ]*'); do
		install -D -m 755 "$file" ".$file"
	done
done
for tree in ${KTRACE_VM_TREES-}; do
	cp -r "$tree" usr/lib
done
find . | cpio --quiet -o -H newc -R 0:0 >"$out.new"
mv "$out.new" "$out"
