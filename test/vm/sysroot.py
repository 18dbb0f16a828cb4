#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""sysroot.py: what arm64 programs are built with, and busybox for arm64 guests.

Unpacks packages of this machine's own Debian, for arm64, into a directory in
${KTRACE_CACHE:-~/.cache/ktrace}, and prints its path. Nothing is installed, and
dpkg learns of no other architecture.
"""

import fcntl
import pathlib
import shutil
import subprocess
import sys
import tempfile

import kernels

PACKAGES = ["libbpf-dev", "libelf-dev", "zlib1g-dev", "liblzma-dev", "libiberty-dev", "libc6-dev", "libc6", "linux-libc-dev",
            "libgcc-12-dev", "libgcc-s1", "libcrypt-dev", "busybox-static"]


def unpacked():
    home = kernels.cache_dir() / "sysroot"
    home.mkdir(parents=True, exist_ok=True)
    root, stamp = home / "arm64", home / "arm64.stamp"
    with open(home / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = " ".join([kernels.codename(), *PACKAGES])
        if stamp.exists() and stamp.read_text() == wanted and root.is_dir():
            return root
        shutil.rmtree(root, ignore_errors=True)
        state = kernels.apt_state(kernels.codename(), "arm64")
        with tempfile.TemporaryDirectory(dir=home) as work:
            kernels.apt(state, "apt-get", "-qq", "download", *PACKAGES, cwd=work)
            for package in pathlib.Path(work).glob("*.deb"):
                subprocess.run(["dpkg", "-x", package, root], check=True)
        stamp.write_text(wanted)
    return root


if __name__ == "__main__":
    try:
        print(unpacked())
    except kernels.Unreachable as error:
        sys.exit(f"CANNOT FETCH the arm64 sysroot: {error}")
