#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""kernels.py NAME: fetches a kernel of test/kernels/matrix; prints the path of its vmlinuz.

The package comes through the machine's own apt configuration: the sources that
name this machine's release, with another suite in its place, in a private apt
state. Nothing is installed. What was fetched stays in ${KTRACE_CACHE:-~/.cache/ktrace}
for as long as the matrix says the same; KTRACE_VM_UPDATE=1 asks again.

Exit codes: 0, 1 (cannot be had: the suite or package), 2 (usage).
"""

import fcntl
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import matrix


class Unreachable(Exception):
    """The kernel is not to be had from here."""


def cache_dir():
    home = os.environ.get("HOME") or "/root"
    return pathlib.Path(os.environ.get("KTRACE_CACHE") or f"{home}/.cache/ktrace")


def codename():
    for line in pathlib.Path("/etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.split("=", 1)[1].strip().strip('"')
    raise Unreachable("/etc/os-release names no release: no Debian machine")


def deb822_stanzas(text):
    for block in re.split(r"\n\s*\n", text):
        lines = [line for line in block.splitlines() if line and not line.startswith("#")]
        fields = dict(re.findall(r"(?m)^([A-Za-z-]+):[ \t]*(.*(?:\n[ \t]+.*)*)", "\n".join(lines)))
        if fields:
            yield {key.lower(): " ".join(value.split()) for key, value in fields.items()}


def one_line_stanzas(text):
    for line in text.splitlines():
        match = re.match(r"deb\s+(?:\[(.*?)\]\s+)?(\S+)\s+(\S+)\s+(.*)", line)
        if match:
            options = dict(o.split("=", 1) for o in (match[1] or "").split() if "=" in o)
            yield {"types": "deb", "uris": match[2], "suites": match[3], "components": match[4],
                   **({"signed-by": options["signed-by"]} if "signed-by" in options else {})}


def stanzas():
    """Every binary source that this machine has."""
    for path in [pathlib.Path("/etc/apt/sources.list"), *pathlib.Path("/etc/apt/sources.list.d").glob("*")]:
        if path.suffix == ".sources" and path.is_file():
            yield from deb822_stanzas(path.read_text())
        elif path.suffix == ".list" and path.is_file():
            yield from one_line_stanzas(path.read_text())


def sources_for(suite):
    """The machine's sources of its own release, bent to another suite."""
    release, security = codename(), suite.endswith("-security")
    for stanza in stanzas():
        suites = stanza.get("suites", "").split()
        own = any(s == release or s.startswith(release + "-") for s in suites)
        if "deb" in stanza.get("types", "").split() and own and \
                security == any(s.endswith("-security") for s in suites):
            yield "".join(f"{key}: {suite if key == 'suites' else value}\n"
                          for key, value in {**stanza, "types": "deb"}.items()
                          if key in ("types", "uris", "suites", "components", "signed-by"))


def apt(state, program, *words, cwd=None):
    options = {"Dir::Etc::SourceList": "/dev/null", "Dir::Etc::SourceParts": state / "sources",
               "Dir::State::Lists": state / "lists", "Dir::Cache": state / "cache",
               "Dir::Cache::pkgcache": "", "Dir::Cache::srcpkgcache": "", "APT::Sandbox::User": "root",
               "Acquire::Retries": 2, "Acquire::Languages": "none"}
    if (state / "arch").exists():
        options["APT::Architecture"] = options["APT::Architectures"] = (state / "arch").read_text()
    command = [program, *(word for key, value in options.items() for word in ("-o", f"{key}={value}")), *words]
    done = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise Unreachable(f"{program} {words[0] if words else ''}: {(done.stderr or done.stdout).strip()[-500:]}")
    return done.stdout


def apt_state(suite, arch=None):
    """A private apt that knows this suite and no other; arch: when it is not the machine's."""
    state = cache_dir() / "apt" / (f"{suite}-{arch}" if arch else suite)
    for folder in ("sources", "lists/partial", "cache/archives/partial"):
        (state / folder).mkdir(parents=True, exist_ok=True)
    sources = list(sources_for(suite))
    if not sources:
        raise Unreachable(f"no apt source of this machine names {codename()}: cannot tell where {suite} is")
    (state / "sources" / "suite.sources").write_text("\n".join(sources))
    if arch:
        (state / "arch").write_text(arch)
    apt(state, "apt-get", "-qq", "update", "-o", "APT::Update::Error-Mode=any")
    return state


def version_order(name):
    """Sorts names with numbers in them as people do."""
    return [int(word) if word.isdigit() else word for word in re.split(r"(\d+)", name)]


def newest(state, pattern):
    found = [line.split(" - ")[0] for line in
             apt(state, "apt-cache", "search", "--names-only", f"^{pattern}$").splitlines()]
    found = [name for name in found if re.fullmatch(pattern, name)]
    if not found:
        raise Unreachable(f"no package {pattern}")
    return max(found, key=version_order)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def unpack(state, package, work):
    """Downloads and unpacks the package; returns its one vmlinuz."""
    apt(state, "apt-get", "-qq", "download", package, cwd=work)
    archive, = work.glob("*.deb")
    subprocess.run(["dpkg", "-x", archive, work / "root"], check=True)
    images = [p for pattern in ("boot/vmlinu?-*", "usr/lib/modules/*/vmlinu?") for p in work.glob(f"root/{pattern}")]
    if not images:
        raise Unreachable(f"{package} holds no kernel image")
    return images[0]


def is_fresh(kernel, home):
    try:
        stamp = json.loads((home / "stamp").read_text())
        return not os.environ.get("KTRACE_VM_UPDATE") and \
            (stamp["suite"], stamp["pattern"]) == (kernel.suite, kernel.package) and \
            stamp["sha256"] == digest(home / "vmlinuz")
    except (OSError, ValueError, KeyError):
        return False


def fetch(kernel):
    """The kernel's vmlinuz, from the cache or the mirror."""
    home = cache_dir() / "kernels" / kernel.name
    home.mkdir(parents=True, exist_ok=True)
    # Two runs may want the same kernel at once.
    with open(home / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_fresh(kernel, home):
            return home / "vmlinuz"
        with tempfile.TemporaryDirectory(dir=home) as work:
            state = apt_state(kernel.suite, kernel.foreign_arch)
            package = newest(state, kernel.package)
            print(f"{kernel.name}: {package} from {kernel.suite}", file=sys.stderr)
            image = unpack(state, package, pathlib.Path(work))
            shutil.move(image, home / "vmlinuz")
        (home / "stamp").write_text(json.dumps({
            "suite": kernel.suite, "pattern": kernel.package, "package": package,
            "sha256": digest(home / "vmlinuz")}) + "\n")
    return home / "vmlinuz"


def main(argv):
    kernels = matrix.read()
    if len(argv) != 2 or argv[1] not in kernels or not kernels[argv[1]].is_guest:
        print("usage: kernels.py NAME, one of:", *(k.name for k in kernels.values() if k.is_guest), file=sys.stderr)
        return 2
    try:
        print(fetch(kernels[argv[1]]))
    except Unreachable as error:
        print(f"CANNOT FETCH kernel {argv[1]}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
