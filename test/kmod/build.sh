#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# build.sh NAME...: builds ktrace_truth.ko for kernels of test/kernels/matrix, into
# ${KTRACE_BUILD:-build}/kmod/NAME/, each with the compiler of its own Debian, in a
# root of its own. What is newer than the sources and for the same release stays.
# Needs to be root, or to be allowed user namespaces. Exit: 0, 1 failed, 2 usage.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
build=${KTRACE_BUILD:-$here/../../build}
[ $# -gt 0 ] || { echo "usage: build.sh NAME..." >&2; exit 2; }

for name; do
	got=$(python3 -B "$here/headers.py" "$name") || exit
	root=${got% *} release=${got##* }
	out=$build/kmod/$name
	mkdir -p "$out"
	if [ "$(cat "$out/release" 2>/dev/null)" = "$release" ] &&
		[ -z "$(find "$here" -newer "$out/release" -name '[!.]*.[ch]' -o -newer "$out/release" -name Makefile)" ]; then
		continue
	fi
	new=$(mktemp "$out/new.XXXXXX")
	# Inside of the root: what a chroot needs is mounted in a namespace that ends with it.
	unshare --map-root-user --mount sh -euc '
		mount --bind /dev/null "$1/dev/null"
		mount -t tmpfs tmpfs "$1/module"
		mount --rbind /proc "$1/proc" # objtool reads its limits there
		cp "$2"/*.c "$2"/*.h "$2"/Makefile "$1/module"
		chroot "$1" /usr/bin/env -i PATH=/usr/bin:/usr/sbin LC_ALL=C DEB_BUILD_ARCH=amd64 \
			DEB_HOST_ARCH=amd64 make -s -C "/usr/src/linux-headers-$3" M=/module modules >&2
		cat "$1/module/ktrace_truth.ko"' sh "$root" "$here" "$release" >"$new" || { rm -f "$new" "$out/release"; exit 1; }
	mv "$new" "$out/ktrace_truth.ko"
	echo "$release" >"$out/release"
	echo "$out/ktrace_truth.ko for $release"
done
