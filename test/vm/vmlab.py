# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab in a virtual machine: the same tests, their scripts sent to a guest.

test/vm/run.sh says by environment which kernel (KTRACE_VM_KERNEL), with which
initramfs (KTRACE_VM_INITRD), and where the console's log goes (KTRACE_VM_LOG).
"""

import atexit
import os
import time

from lab import PRELUDE, Lab
from vm.guest import TIMED_OUT, Guest, GuestDied

SLOWER = 3  # a script's time limit, for what an emulated machine takes
BOOTS = 4  # a kernel that panics under one test must not stop all others, nor each of them


class VmLab(Lab):
    """One guest for all tests; a new one after it died."""

    slow = 4

    def __init__(self, name):
        self.name = name
        self.guest = None
        self.boots = 0
        self.started = False
        atexit.register(self.close)

    def boot(self):
        """Boots; a guest that never says hello is booted once more."""
        log = os.environ["KTRACE_VM_LOG"]
        for last in (False, True):
            self.boots += 1
            start = time.monotonic()
            try:
                self.guest = Guest(os.environ["KTRACE_VM_KERNEL"], os.environ["KTRACE_VM_INITRD"],
                                   f"{log}.{self.boots}")
                self.say(f"{self.guest.release} booted in {time.monotonic() - start:.1f} s")
                return
            except GuestDied as error:
                self.say(f"did not boot: {error}")
                if last:
                    raise

    def say(self, what):
        with open(os.environ["KTRACE_VM_LOG"], "a", encoding="utf-8") as log:
            print(f"{self.name}: {what}", file=log)

    def send(self, script, timeout):
        if self.guest is None:
            assert self.boots < BOOTS, f"guest {self.name} died too often"
            self.boot()
        try:
            rc, out, err = self.guest.run(script, timeout * SLOWER)
        except GuestDied:
            self.close()
            raise
        if rc == TIMED_OUT:
            raise TimeoutError(f"script hung for {timeout * SLOWER} s in guest {self.name}: "
                               f"{script[len(PRELUDE):]}\n{err.decode('utf-8', 'replace')[-2000:]}")
        return rc, out, err

    def close(self):
        if self.guest:
            self.guest.close()
            self.guest = None
