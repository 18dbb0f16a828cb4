#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# package.sh BUILD: makes the tarball and the Debian package, unpacks both, and
# calls each tool through its symlink.
set -eu
build=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# every_tool BIN: each row of tools.def has a link that answers to --help
every_tool() {
	sed -n 's/^TOOL(\([a-z0-9_]*\)).*/\1/p' cmd/tools.def | while read -r tool; do
		"$1/$tool" --help >/dev/null || { echo "$1/$tool does not run"; exit 1; }
	done
}

(cd "$build" && cpack -G 'TGZ;DEB' -B "$dir") >"$dir/log" 2>&1 || { cat "$dir/log"; exit 1; }
mkdir "$dir/tgz"
tar -xzf "$dir"/ktrace-*.tar.gz -C "$dir/tgz" --strip-components=1
every_tool "$dir/tgz/bin"
dpkg-deb -x "$dir"/ktrace_*.deb "$dir/deb"
every_tool "$dir/deb/usr/bin"
test -s "$dir/deb/usr/share/doc/ktrace/copyright"
if dpkg-deb -f "$dir"/ktrace_*.deb Depends | grep .; then
	echo 'the package of a static executable depends on something'
	exit 1
fi
