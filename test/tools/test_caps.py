# SPDX-License-Identifier: GPL-2.0-or-later
"""What a kernel offers, against what is stored of it for the plans' unit test.

KTRACE_UPDATE_GOLDEN=1 stores it anew.
"""

import os

import pytest

from lab import TEST_DIR

MACHINE = ("kernel ", "cpus ")  # differ with each update of the package, and change no plan


def test_stored_caps_are_what_the_kernel_says(lab):
    stored = TEST_DIR / "kernels" / f"{lab.name}.caps"
    result = lab.run("with_tracefs $KTRACE caps")
    assert result.rc == 0, result
    lines = result.out.splitlines()
    if os.environ.get("KTRACE_UPDATE_GOLDEN"):
        stored.write_text(result.out)
    if not stored.exists():
        pytest.skip(f"no {stored.name}")
    golden = stored.read_text().splitlines()
    if lab.name == "native" and not {line for line in lines if line.startswith("kernel ")} <= set(golden):
        pytest.skip("native.caps are another machine's")
    assert [line for line in lines if not line.startswith(MACHINE)] == \
        [line for line in golden if not line.startswith(MACHINE)]
