#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# format.sh CLANG_FORMAT FILE...: names the files that clang-format would change.
set -eu
tool=$1
shift
bad=
for file in "$@"; do
	"$tool" "$file" | cmp -s - "$file" || bad="$bad $file"
done
[ -z "$bad" ] || { echo "not as .clang-format has it; mend with: $tool -i$bad"; exit 1; }
