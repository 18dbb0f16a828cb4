# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab itself: frames survive noise, and guests that panic or hang are failures with a reason.

run.sh KERNEL vm/test_guest.py
"""

import os
import signal
import struct
import zlib

import pytest

from vm import guest as guest_module
from vm.guest import GZIPPED, Deframer, GuestDied, frame, unpack_answer


def frames_of(data, step):
    deframer = Deframer()
    return [one for i in range(0, len(data), step) for one in deframer.feed(data[i:i + step])]


@pytest.mark.parametrize("step", [1, 7, 4096])
def test_frames_are_found_in_noise(step):
    noise = b"\0KTF\xffKKTF1" + b"x" * 40
    data = noise + frame(b"A", 7, b"KTF1 inside") + noise + frame(b"H", 0, b"") + b"KTF"
    assert [one for one in frames_of(data, step) if one[0] != b"?"] == [(b"A", 7, b"KTF1 inside"), (b"H", 0, b"")]


@pytest.mark.parametrize("step", [1, 4096])
def test_damaged_frame_is_told_and_the_next_one_read(step):
    bad = bytearray(frame(b"A", 1, b"payload"))
    bad[-1] ^= 1
    assert frames_of(bytes(bad) + frame(b"A", 2, b"fine"), step) == [(b"?", 1, b""), (b"A", 2, b"fine")]


def test_answer_is_unpacked():
    zipped = zlib.compress(b"out" * 9, wbits=31)
    payload = struct.pack("<III", 3, len(zipped) | GZIPPED, 3) + zipped + b"err"
    assert unpack_answer(payload) == (3, b"out" * 9, b"err")


def in_guest(lab):
    if lab.name == "native":
        pytest.skip("not in a guest")
    return lab


def test_every_byte_comes_through(lab):
    result = in_guest(lab).run("""
        awk 'BEGIN { for (i = 0; i < 256; i++) printf "%c", i }' >bytes
        cat bytes
        for i in 1 2 3 4 5; do cat bytes bytes bytes bytes >more; mv more bytes; done
        cat bytes >&2
        exit 42""")
    assert result.rc == 42
    assert len(result.raw) == 256 and len(set(result.raw)) == 256
    assert len(result.err) >= 256 * 4 ** 5 // 2, "long enough to come compressed"


def test_script_that_hangs_is_ended_with_all_its_children(lab):
    with pytest.raises(TimeoutError):
        in_guest(lab).run("sleep 1000 & echo begun; sleep 1000", timeout=1)
    assert lab.run("pidof sleep").rc == 1, "the next script is alone, in the same guest"


def test_panic_is_told_by_the_console_and_the_next_script_runs(lab):
    with pytest.raises(GuestDied, match="(?s)gone.*sysrq_handle_crash"):
        in_guest(lab).run("echo 8 >/proc/sys/kernel/printk; echo c >/proc/sysrq-trigger")
    assert lab.run("echo alive").out == "alive\n"


def test_guest_that_does_not_answer_is_given_up(lab, monkeypatch):
    in_guest(lab).run("true")
    monkeypatch.setattr(guest_module, "ANSWER_SECONDS", 2)
    os.kill(lab.guest.process.pid, signal.SIGSTOP)
    with pytest.raises(GuestDied, match="does not answer"):
        lab.run("echo never", timeout=1)
    assert lab.guest is None
