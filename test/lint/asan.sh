#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# asan.sh TOP: configures (once) and builds the sanitized unit tests in TOP/build-asan.
set -eu
[ -e "$1/build-asan/build.ninja" ] || cmake -S "$1" --preset asan >/dev/null
ninja --quiet -C "$1/build-asan" unit_tests
