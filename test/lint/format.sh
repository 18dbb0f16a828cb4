#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# format.sh CLANG_FORMAT FILE...: names the files that clang-format would change.
set -eu
bad=$("$@" --dry-run -Werror 2>&1) && exit
printf '%s\n' "$bad" | sed -n 's/: error: code should be clang-formatted.*//p' | head -n 40
echo "mend with: $1 -i $(printf '%s\n' "$bad" | sed -n 's/:[0-9]*:[0-9]*: error:.*//p' | sort -u | tr '\n' ' ')"
exit 1
