# SPDX-License-Identifier: GPL-2.0-or-later
"""test/kernels/matrix, read."""

import dataclasses
import pathlib

PATH = pathlib.Path(__file__).resolve().parent.parent / "kernels" / "matrix"


@dataclasses.dataclass
class Kernel:
    """A kernel of the matrix: where it comes from, and what it may skip."""

    name: str
    suite: str
    package: str

    @property
    def is_guest(self):
        return self.suite != "-"

    @property
    def foreign_arch(self):
        """None for the machine's own."""
        return "arm64" if self.package.endswith("-arm64") else None


def read(path=PATH):
    """All kernels of the matrix by name, in its order."""
    kernels = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#") or words[0] in ("skip", "portable", "without"):
            continue
        if words[0] == "kernel" and len(words) == 4:
            kernels[words[1]] = Kernel(*words[1:])
        else:
            raise SystemExit(f"{path}:{number}: cannot read: {line}")
    return kernels
