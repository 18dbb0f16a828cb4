#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""headers.py NAME: what a module for a kernel of test/kernels/matrix is built with.

Prints a directory and the kernel's release. The directory is a small root of the
suite that the kernel comes from: its headers, and the compiler and the libraries
that its kbuild asks for, which another Debian's would not do for (newer kernels'
kbuild wants a newer libc than an older machine has, and flags that its compiler
does not know). Fetched and unpacked as kernels.py does, never installed.

Exit codes: 0, 1 (cannot be had), 2 (usage).
"""

import fcntl
import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "test" / "vm"))

import kernels  # noqa: E402
import matrix  # noqa: E402
from kernels import Unreachable  # noqa: E402

# What kbuild calls, besides the compiler.
TOOLS = "make dash coreutils sed grep mawk findutils".split()
MERGED = ("bin", "sbin", "lib", "lib64")  # of /usr, also where packages still fill both


def release_of(kernel):
    """uname -r of the kernel that kernels.py fetched, from its package's name."""
    kernels.fetch(kernel)
    stamp = json.loads((kernels.cache_dir() / "kernels" / kernel.name / "stamp").read_text())
    return re.sub(r"^linux-(image|binary)-", "", stamp["package"])


def depends(state, package):
    """Names of the packages that a package depends on, the first of alternatives."""
    shown = kernels.apt(state, "apt-cache", "show", "--no-all-versions", package)
    line = re.search(r"(?m)^Depends: (.*)", shown)
    return [word.split()[0] for word in line[1].split(",")] if line else []


def first(names, pattern, of):
    for name in names:
        if re.fullmatch(pattern, name):
            return name
    raise Unreachable(f"{of} depends on no {pattern}")


def download(state, packages, folder):
    kernels.apt(state, "apt-get", "-qq", "download", *packages, cwd=folder)
    return pathlib.Path(folder).glob("*.deb")


def download_with_dependencies(state, packages):
    """As for an empty machine: with an own, empty list of what is installed."""
    kernels.apt(state, "apt-get", "-qq", "-y", "-o", "Dir::State::status=/dev/null", "-o",
                "Debug::NoLocking=1", "--no-install-recommends", "--download-only", "install",
                *packages)
    return (state / "cache" / "archives").glob("*.deb")


def unpack(debs, root):
    for name in MERGED:
        (root / "usr" / name).mkdir(parents=True, exist_ok=True)
        if not (root / name).is_symlink():
            (root / name).symlink_to(f"usr/{name}")
    for deb in debs:
        tar = subprocess.run(["dpkg", "--fsys-tarfile", deb], check=True, stdout=subprocess.PIPE)
        subprocess.run(["tar", "-x", "--keep-directory-symlink", "-C", root], check=True,
                       input=tar.stdout)


def base_of(suite):
    """The suite that a suite of updates or backports adds to, which has the compilers."""
    return re.sub(r"-(security|updates|backports)$", "", suite)


def unpack_headers(kernel, release, root):
    """Unpacks them, and all that their kbuild needs to run."""
    state = kernels.apt_state(kernel.suite)
    headers = f"linux-headers-{release}"
    needs = depends(state, headers)
    kbuild = first(needs, r"linux-kbuild-.*", headers)
    common = first(needs, r"linux-headers-.*-common.*", headers)
    compiler = re.search(r"gcc-[0-9]+", " ".join(needs))
    if not compiler:
        raise Unreachable(f"{headers} names no compiler")
    with tempfile.TemporaryDirectory() as folder:
        unpack(download(state, [headers, common, kbuild], folder), root)
    base = kernels.apt_state(base_of(kernel.suite))
    unpack(download_with_dependencies(base, [compiler[0], *TOOLS, *depends(state, kbuild)]), root)
    kernels.apt(base, "apt-get", "clean")
    for name, is_really in (("sh", "dash"), ("awk", "mawk")):
        (root / "usr/bin" / name).unlink(missing_ok=True)
        (root / "usr/bin" / name).symlink_to(is_really)
    for folder in ("dev", "proc", "tmp", "module"):
        (root / folder).mkdir(exist_ok=True)
    (root / "dev/null").touch()


def fetch(kernel):
    """(root, release). Kernels of the same Debian share a root."""
    if kernel.foreign_arch:
        raise Unreachable(f"no module is built for {kernel.foreign_arch}")
    release = release_of(kernel)
    home = kernels.cache_dir() / "headers"
    root = home / base_of(kernel.suite)
    root.mkdir(parents=True, exist_ok=True)
    done = root / f".{release}"
    with open(f"{root}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            print(f"{kernel.name}: linux-headers-{release} from {kernel.suite}", file=sys.stderr)
            unpack_headers(kernel, release, root)
            done.touch()
    return root, release


def main(argv):
    known = matrix.read()
    if len(argv) != 2 or argv[1] not in known or not known[argv[1]].is_guest:
        print("usage: headers.py NAME, one of:", *(k.name for k in known.values() if k.is_guest),
              file=sys.stderr)
        return 2
    try:
        print(*fetch(known[argv[1]]))
    except (Unreachable, subprocess.CalledProcessError) as error:
        print(f"CANNOT FETCH headers of {argv[1]}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
