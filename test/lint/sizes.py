#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""sizes.py KTRACE: functions, files, licence lines and the executable within bounds.

Relies on kernel style, which lint.format enforces: a C function's body begins
with a lone "{" and ends with "}", both in the first column.
"""
import ast
import os
import re
import struct
import sys

FUNCTION_LINES = 60
FILE_LINES = 400
BINARY_BYTES = 5 << 20
TREES = ("cmd", "core", "bpf", "test", "packaging")
SOURCE = (".c", ".h", ".py", ".sh")
LICENSED = SOURCE + (".cmake", "CMakeLists.txt", ".ci/run")
USER = "SPDX-License-Identifier: GPL-2.0-or-later"
KERNEL = "SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause"
# Names of package registries' hosts, in pieces, so that this file has none itself.
REGISTRY = re.compile(
    r"\b(?:(?:deb|ftp|cdn-fastly|security|snapshot|archive|ports)\.(?:debian|ubuntu)"
    r"|pypi|pythonhosted|npmjs|yarnpkg|crates|rubygems|goproxy|golang)\.(?:org|com|io|net)\b")
PT_DYNAMIC, PT_INTERP = 2, 3


def walk(top="."):
    """Files of the project, without what is built or belongs to git."""
    for base, dirs, files in os.walk(top):
        dirs[:] = sorted(d for d in dirs if d not in (".git", "__pycache__", ".pytest_cache")
                         and d != "build" and not d.startswith("build-"))
        for name in sorted(files):
            path = os.path.relpath(os.path.join(base, name), top)
            if not os.path.islink(os.path.join(top, path)):
                yield path


def braces(lines, opens):
    """(name, lines) of each function whose body is a lone "{" to "}" in column one."""
    start = None
    for number, line in enumerate(lines):
        if opens(line):
            start = number
        elif line.startswith("}") and start is not None:
            yield head(lines, start), number - start + 1
            start = None


def head(lines, start):
    """The line that names the function whose body opens at start."""
    while start > 0 and not re.match(r"\w", lines[start]):
        start -= 1
    return lines[start].strip()


def functions(path, text):
    lines = text.split("\n")
    if path.endswith((".c", ".h")):
        return list(braces(lines, lambda line: line == "{"))
    if path.endswith(".sh"):
        return list(braces(lines, lambda line: re.match(r"\w+\(\) *[{(]$", line)))
    return [(node.name, node.end_lineno - node.lineno + 1) for node in ast.walk(ast.parse(text))
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


def check_size(path, text):
    lines = text.count("\n")
    if lines > FILE_LINES:
        yield f"{path}: {lines} lines, more than {FILE_LINES}"
    for name, length in functions(path, text):
        if length > FUNCTION_LINES:
            yield f"{path}: {length} lines, more than {FUNCTION_LINES}, in: {name}"


def check_licence(path, text):
    wanted = KERNEL if path.startswith("bpf/") and path.endswith((".c", ".h")) else USER
    first = text.split("\n", 3)[:3]
    if not any(wanted in line for line in first):
        yield f"{path}: no '{wanted}' in its first three lines"


def check_file(path):
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except UnicodeDecodeError:
        return
    if path.startswith(TREES) and path.endswith(SOURCE):
        yield from check_size(path, text)
    if path.endswith(LICENSED):
        yield from check_licence(path, text)
    for match in REGISTRY.finditer(text):
        yield f"{path}: names a package registry's host, {match.group()}"


def check_binary(path):
    with open(path, "rb") as file:
        elf = file.read()
    if len(elf) >= BINARY_BYTES:
        yield f"{path}: {len(elf)} bytes, {BINARY_BYTES} or more"
    if elf[:5] != b"\x7fELF\x02":
        yield f"{path}: no 64-bit ELF file"
        return
    offset, = struct.unpack_from("<Q", elf, 32)
    size, count = struct.unpack_from("<HH", elf, 54)
    kinds = {struct.unpack_from("<I", elf, offset + i * size)[0] for i in range(count)}
    if kinds & {PT_DYNAMIC, PT_INTERP}:
        yield f"{path}: linked dynamically"


def main():
    paths = list(walk())
    errors = [error for path in paths for error in check_file(path)]
    errors += check_binary(sys.argv[1])
    print("\n".join(errors) or f"{len(paths)} files, nothing to say")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
