#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""atomics.py OBJECT...: BPF programs have no atomic instruction but a plain add.

5.10 refuses a program that has another, even where it is never reached, and the
compiler makes some unasked (of adding 0, of a result that is used).
"""
import struct
import sys

SHF_EXECINSTR = 4
LDIMM64, STX_ATOMIC, STX_ATOMIC_MASK = 0x18, 0xC3, 0xE7


def programs(elf):
    """(name, bytes) of each section with instructions."""
    offset, = struct.unpack_from("<Q", elf, 40)
    size, count, names = struct.unpack_from("<HHH", elf, 58)
    headers = [struct.unpack_from("<IIQQQQ", elf, offset + i * size) for i in range(count)]
    strings = headers[names][4]
    for name, _, flags, _, start, length in headers:
        if flags & SHF_EXECINSTR:
            end = elf.index(b"\0", strings + name)
            yield elf[strings + name:end].decode(), elf[start:start + length]


def atomics(code):
    """Byte offsets of atomics that are no plain add."""
    at = 0
    while at < len(code):
        opcode, _, _, immediate = struct.unpack_from("<BBhi", code, at)
        if opcode & STX_ATOMIC_MASK == STX_ATOMIC and immediate:
            yield at, immediate
        at += 16 if opcode == LDIMM64 else 8


def main():
    bad = seen = 0
    for path in sys.argv[1:]:
        with open(path, "rb") as file:
            elf = file.read()
        for name, code in programs(elf):
            seen += 1
            for at, immediate in atomics(code):
                print(f"{path}: {name}+{at:#x}: atomic of kind {immediate:#x}")
                bad += 1
    if not seen:
        sys.exit("no BPF program was given")
    print(f"{seen} sections, {bad} atomics that 5.10 refuses")
    sys.exit(bad > 0)


main()
