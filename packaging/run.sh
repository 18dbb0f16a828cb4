#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh [TOOL ARGS...]: installs what the build needs, builds build/ktrace and
# runs the tool (offcputime 5 by default). stdout is the tool's alone.
set -eu
root=$(dirname "$(dirname "$(readlink -f "$0")")")
binary=$root/build/ktrace
. "$root/packaging/deps.sh"

say() {
	echo "run.sh: $*" >&2
}

# Tests are left out, for they need more than is installed here; test/run.sh turns them on.
configure() {
	cmake -S "$root" --preset release -DKTRACE_TESTS=OFF >/dev/null
}

build() {
	{ [ -e "$root/build/build.ninja" ] || configure; } &&
		ninja --quiet -C "$root/build" ktrace
}

# Says nothing, not even ninja's "no work to do", unless the build fails.
build_quietly() {
	log=$(build 2>&1 </dev/null) && return
	printf '%s\n' "$log" >&2
	say "build failed"
	return 1
}

# Somebody else's tree, built already: use it as it is.
readonly_tree() {
	[ -x "$binary" ] && [ ! -w "$root/build" ]
}

if ! readonly_tree; then
	deps build
	[ -x "$binary" ] || say "building build/ktrace"
	build_quietly
fi
[ $# -gt 0 ] || set -- offcputime 5
exec "$binary" "$@"
