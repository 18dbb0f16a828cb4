#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# again.sh SUITE MOST PYTEST ARGS...: runs pytest; when at most MOST tests failed, those
# once again, and once more, alone: no other again.sh of this checkout runs meanwhile. A
# machine that others use too, or an emulated one, stumbles now and then over a test that
# counts what happened in time, the more the more runs beside; what is wrong fails again.
# Nothing is hidden: who did not pass at the first try is said here, and at the end of the
# whole run by test/lint/skips.py, for which --junitxml=DIR/NAME.xml also makes
# DIR/NAME.again.
# Exit: pytest's.
set -eu
suite=${1:?usage: again.sh SUITE MOST PYTEST ARGS...}
most=$2
shift 2
self=$(readlink -f "$0")
cd "$(dirname "$self")"
# Debian's own has the pytest of python3-pytest; another in $PATH may not.
python=$(PATH=/usr/bin:$PATH command -v python3)
state=$(mktemp -d)
trap 'rm -rf "$state"' EXIT
trap 'exit 1' HUP INT TERM
junit=
for arg in "$@"; do
	case $arg in --junitxml=*) junit=${arg#--junitxml=} ;; esac
done
failures=$state/cache/v/cache/lastfailed
# The lock is not for what pytest leaves behind.
tests() {
	"$python" -B -m pytest --tb=short --durations=40 -o cache_dir="$state/cache" "$@" 9<&-
}

exec 9<"$self"
flock -s 9
status=0
tests "$@" || status=$?
failed=$(grep -c '::' "$failures" 2>/dev/null) || failed=0
[ $status -eq 1 ] && [ "$failed" -gt 0 ] && [ "$failed" -le "$most" ] || exit $status
names=$(grep -o '[^/"]*::[^"]*' "$failures" | tr '\n' ' ')
flock -u 9
flock 9
for try in SECOND THIRD; do
	echo "$try TRY in $suite of $failed failed tests: $(grep -o '[^/"]*::[^"]*' "$failures" | tr '\n' ' ')"
	status=0
	# The report of the first try stays: it has the whole suite.
	tests --last-failed "$@" ${junit:+--junitxml="$state/again.xml"} || status=$?
	[ $status -eq 1 ] || break
	failed=$(grep -c '::' "$failures") || exit $status
done
[ $status -eq 0 ] || exit $status
echo "PASSED AT THE $try TRY ONLY in $suite: $names" |
	tee ${junit:+"${junit%.xml}.again"}
