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
rm -rf "$root/build/junit"
# Two at a time: guests mostly wait, and the suites that measure run alone (RUN_SERIAL).
# ctest has the last word; what its suites skipped is said just before it.
ctest --test-dir "$root/build" -j 2 --no-tests=error --output-on-failure --timeout 600 \
	--output-junit junit.xml --no-label-summary "${select[@]}" "$@" |
	sed -u "/^[0-9]*% tests passed/e python3 '$root/test/lint/skips.py' '$root/build/junit'"
