#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# twice.sh SUITE MOST PYTEST ARGS...: runs pytest; when at most MOST tests failed, those
# once again. A machine that others use too, or an emulated one, stumbles now and then over
# a test that counts what happened in time; what is wrong fails again. Nothing is hidden:
# who passed at the second try only is said here, and at the end of the whole run by
# test/lint/skips.py, for which --junitxml=DIR/NAME.xml also makes DIR/NAME.second-try.
# Exit: pytest's.
set -eu
suite=${1:?usage: twice.sh SUITE MOST PYTEST ARGS...}
most=$2
shift 2
cd "$(dirname "$(readlink -f "$0")")"
# Debian's own has the pytest of python3-pytest; another in $PATH may not.
python=$(PATH=/usr/bin:$PATH command -v python3)
state=$(mktemp -d)
trap 'rm -rf "$state"' EXIT
trap 'exit 1' HUP INT TERM
junit=
for arg in "$@"; do
	case $arg in --junitxml=*) junit=${arg#--junitxml=} ;; esac
done
tests() {
	"$python" -B -m pytest --tb=short --durations=40 -o cache_dir="$state/cache" "$@"
}

status=0
tests "$@" || status=$?
failed=$(grep -c '::' "$state/cache/v/cache/lastfailed" 2>/dev/null) || failed=0
[ $status -eq 1 ] && [ "$failed" -gt 0 ] && [ "$failed" -le "$most" ] || exit $status
names=$(grep -o '[^/"]*::[^"]*' "$state/cache/v/cache/lastfailed" | tr '\n' ' ')
echo "SECOND TRY in $suite of $failed failed tests: $names"
# The report of the first try stays: it has the whole suite.
tests --last-failed "$@" ${junit:+--junitxml="$state/second.xml"} || exit $?
echo "PASSED AT THE SECOND TRY ONLY in $suite: $names" |
	tee ${junit:+"${junit%.xml}.second-try"}
