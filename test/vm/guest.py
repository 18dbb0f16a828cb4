# SPDX-License-Identifier: GPL-2.0-or-later
"""A kernel under QEMU, and the frames in which agent.c is asked to run scripts."""

import ctypes
import dataclasses
import gzip
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import zlib

MAGIC = b"KTF1"
HEADER = struct.Struct("<4scIII")  # magic, type, seq, length, crc32 of the payload
MAX_PAYLOAD = 32 << 20
GZIPPED = 1 << 31
TIMED_OUT = 1000  # in place of an exit code: the agent ended the script
BOOT_SECONDS = 120
ANSWER_SECONDS = 60  # beyond the script's own timeout, to kill, compress and send
PR_SET_PDEATHSIG = 1

# slab_nomerge: each cache has its own name, as the tests ask for them. mitigations=off: what
# they cost is a multiple of itself where each instruction is emulated. rcu_expedited: kprobes
# wait for grace periods when they are closed, one after the other.
COMMON = "-accel tcg,thread=single -smp 2 -m 1024 -nic none -display none -monitor none -no-reboot -no-user-config"
COMMAND_LINE = "panic=-1 oops=panic quiet slab_nomerge mitigations=off rcupdate.rcu_expedited=1"


@dataclasses.dataclass(frozen=True)
class Machine:
    """What QEMU 7.2 without KVM needs for an architecture, and where its serial lines are."""

    program: str
    words: str
    command_line: str
    line: str  # the device that carries the frames

    def command(self, kernel, initrd, console, line):
        """console, line: a file and a socket of the host. KTRACE_VM_QEMU, KTRACE_VM_APPEND: more words."""
        more, append = (os.environ.get(name, "") for name in ("KTRACE_VM_QEMU", "KTRACE_VM_APPEND"))
        return [self.program, *COMMON.split(), *more.split(), "-serial", f"file:{console}", "-chardev",
                f"socket,id=line,path={line},server=on,wait=off", *self.words.split(),
                "-kernel", kernel, "-initrd", initrd,
                "-append", f"{COMMAND_LINE} {self.command_line} {append} KTRACE_LINE={self.line}"]


# Emulated cmpxchg16b can leave junk flags behind, and 6.12 panics; with several TCG threads
# patched kernel text is executed half done. The timer check fails on a busy host; 5.10-rt
# takes the serial line's interrupt for a stray.
# The plain CPU: what "max" adds (AVX state at each switch, five levels of page tables, PCID) is
# emulated at a third of the guest's time. Without rdrand the kernel is long not able to hash a
# pointer. The TSC is good here, which a guest cannot know; else each look at the clock is an
# access to the HPET.
# Two NUMA nodes of one CPU each; pages move between them only when a test turns that on.
X86 = Machine("qemu-system-x86_64", "-cpu qemu64,cx16=off,+rdrand -serial chardev:line "
              "-object memory-backend-ram,id=node0,size=512M -numa node,memdev=node0,cpus=0 "
              "-object memory-backend-ram,id=node1,size=512M -numa node,memdev=node1,cpus=1",
              "console=ttyS0 tsc=reliable no_timer_check noirqdebug numa_balancing=disable", "/dev/ttyS1")
ARM64 = Machine("qemu-system-aarch64", "-M virt -cpu cortex-a57 -device pci-serial,chardev=line",
                "console=ttyAMA0", "/dev/ttyS0")


def machine_for(kernel):
    """Told by the image: an arm64 one has its magic at byte 56."""
    with open(kernel, "rb") as image:
        return ARM64 if image.read(60)[56:] == b"ARM\x64" else X86


class GuestDied(Exception):
    """The guest is gone or does not answer; says what its console said last."""


def frame(kind, seq, payload):
    return HEADER.pack(MAGIC, kind, seq, len(payload), zlib.crc32(payload)) + payload


class Deframer:
    """Bytes in, whole and undamaged frames out; what is between them is dropped."""

    def __init__(self):
        self.buffer = bytearray()

    def feed(self, data):
        self.buffer += data
        while True:
            start = self.buffer.find(MAGIC)
            if start < 0:
                del self.buffer[:max(0, len(self.buffer) - len(MAGIC) + 1)]
                return
            del self.buffer[:start]
            if len(self.buffer) < HEADER.size:
                return
            _, kind, seq, length, crc = HEADER.unpack_from(self.buffer)
            if length > MAX_PAYLOAD:
                del self.buffer[:1]  # not a frame
                continue
            if len(self.buffer) < HEADER.size + length:
                return
            payload = bytes(self.buffer[HEADER.size:HEADER.size + length])
            if zlib.crc32(payload) != crc:
                del self.buffer[:1]
                yield b"?", seq, b""
                continue
            del self.buffer[:HEADER.size + length]
            yield kind, seq, payload


def unpack_answer(payload):
    """(exit code, stdout, stderr) of an 'A' frame."""
    rc, *lengths = struct.unpack_from("<III", payload)
    at, parts = 12, []
    for length in lengths:
        data = payload[at:at + (length & ~GZIPPED)]
        at += len(data)
        parts.append(gzip.decompress(data) if length & GZIPPED else data)
    return (rc, *parts)


def die_with_parent():
    """A test run that is killed leaves no guest behind."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Guest:
    """One boot. console: the file that its first serial line is written to."""

    def __init__(self, kernel, initrd, console):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="ktrace-vm-"))
        self.console = pathlib.Path(console)
        self.console.write_bytes(b"")
        self.seq = 0
        self.frames = Deframer()
        command = machine_for(kernel).command(kernel, initrd, self.console, self.dir / "line")
        with open(self.dir / "stderr", "wb") as err:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=err, stderr=err,
                                            preexec_fn=die_with_parent)
        self.line = socket.socket(socket.AF_UNIX)
        self.release = None
        try:
            self.connect()
            self.release = self.receive(time.monotonic() + BOOT_SECONDS, b"H", 0).decode()
        except BaseException:
            self.close()
            raise

    def connect(self):
        deadline = time.monotonic() + 10
        while True:
            try:
                self.line.connect(str(self.dir / "line"))
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.died("QEMU did not start")
                time.sleep(0.05)

    def died(self, what):
        """Raises GuestDied with all that is known."""
        said = (self.dir / "stderr").read_text(errors="replace").strip()
        tail = self.console.read_text(errors="replace").splitlines()[-60:]
        raise GuestDied("\n".join([f"the guest {what}", said, f"--- end of {self.console} ---", *tail]))

    def receive(self, deadline, wanted, seq, request=b""):
        """Payload of the wanted frame; sends request again where a frame came damaged."""
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                self.died("does not answer")
            self.line.settimeout(left)
            try:
                data = self.line.recv(1 << 16)
            except TimeoutError:
                continue
            except OSError:
                data = b""
            if not data:
                self.died("is gone (panic, or QEMU ended)")
            for kind, number, payload in self.frames.feed(data):
                if (kind, number) == (wanted, seq):
                    return payload
                if kind in (b"N", b"?") and request:
                    self.line.sendall(request)

    def run(self, script, timeout):
        """Runs the script with sh in the guest: (exit code or TIMED_OUT, stdout, stderr)."""
        self.seq += 1
        request = frame(b"R", self.seq, struct.pack("<I", int(timeout)) + script.encode())
        self.line.settimeout(ANSWER_SECONDS)
        try:
            self.line.sendall(request)
        except OSError:
            self.died("takes no request")
        return unpack_answer(self.receive(time.monotonic() + timeout + ANSWER_SECONDS, b"A", self.seq, request))

    def close(self):
        self.process.kill()
        self.process.wait()
        self.line.close()
        shutil.rmtree(self.dir, ignore_errors=True)
