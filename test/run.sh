#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh [quick] [CTEST ARGS...]: installs what the tests need, builds, and runs
# all tests in one ctest run; quick leaves out those labelled slow.
set -euo pipefail
root=$(dirname "$(dirname "$(readlink -f "$0")")")
. "$root/packaging/deps.sh"

select=()
if [ "${1-}" = quick ]; then
	select=(-LE slow)
	shift
fi
exec </dev/null
deps build test
cmake -S "$root" --preset release -DKTRACE_TESTS=ON >/dev/null
ninja --quiet -C "$root/build"
# ctest has the last word: what did not run is listed after its closing line. Two at a
# time: guests mostly wait, and the suites that measure run alone (RUN_SERIAL).
exec ctest --test-dir "$root/build" -j 2 --no-tests=error --output-on-failure --timeout 600 \
	--output-junit junit.xml --no-label-summary "${select[@]}" "$@"
