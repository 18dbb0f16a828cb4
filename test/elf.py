# SPDX-License-Identifier: GPL-2.0-or-later
"""Which function an offset in a file lies in, where a frame says file+0xoffset."""

import functools
import pathlib
import re
import struct

STT_FUNC, SHT_SYMTAB, PT_LOAD, PF_X = 2, 2, 1, 1


@functools.lru_cache
def functions(path):
    """[(offset, size, name)] of .symtab."""
    data = pathlib.Path(path).read_bytes()
    phoff, shoff = struct.unpack_from("<QQ", data, 32)
    phnum, _, shnum = struct.unpack_from("<HHH", data, 56)
    loads = [struct.unpack_from("<IIQQQQ", data, phoff + i * 56) for i in range(phnum)]
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, shoff + i * 64) for i in range(shnum)]
    found = []
    for section in sections:
        if section[1] != SHT_SYMTAB:
            continue
        strings = sections[section[6]][4]
        for at in range(section[4], section[4] + section[5], 24):
            name, info, _, _, value, size = struct.unpack_from("<IBBHQQ", data, at)
            for kind, flags, offset, vaddr, _, filesz in loads:
                if info & 15 == STT_FUNC and kind == PT_LOAD and flags & PF_X and 0 <= value - vaddr < filesz:
                    end = data.index(b"\0", strings + name)
                    found.append((value - vaddr + offset, size, data[strings + name:end].decode()))
    return found


def frame_function(frame, *paths):
    """The function that a frame names, or lies in when it is file+0xoffset of one of these files."""
    offset = re.fullmatch(r"(.*)\+0x([0-9a-f]+)", frame)
    for path in paths:
        if offset and offset[1] == pathlib.Path(path).name:
            at = int(offset[2], 16) - 1  # where a call returns to may be behind the function
            for start, size, name in functions(path):
                if start <= at < start + size:
                    return name
    return re.split(r"[+ ]", frame)[0]
