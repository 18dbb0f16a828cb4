# SPDX-License-Identifier: GPL-2.0-or-later
"""No privileges, no tracefs, no memory, bpf(2) calls that fail: never silence, never a lie."""

import errno
import json

import pytest

from probes import PROBES, call

NOBODY = "$W/asuid 65534 -- $KTRACE"


def test_without_privileges_says_what_is_missing(lab, tool):
    result = lab.run(f"{NOBODY} {call(tool)} -j -d 0.2 -i 0.1")
    if tool == "loads":
        assert result.rc == 0 and result.reports, "sysinfo(2) is for everybody"
        return
    assert result.rc == 3 and not result.out, result
    assert len(result.messages) == 1, result
    assert "CAP_" in result.messages[0] or "root" in result.messages[0], result


@pytest.mark.parametrize("words", ["list", "--help", "--version", "offcputime --help", "caps", "doctor",
                                   "offcputime --explain"])
def test_asking_needs_no_privileges(lab, words):
    result = lab.run(f"{NOBODY} {words}")
    assert result.rc in (0, 3) and "Traceback" not in result.err, result
    assert result.out.strip() or result.messages, result


def test_bad_words_are_told_before_missing_privileges(lab):
    assert lab.run(f"{NOBODY} offcputime --no-such").rc == 2


def test_without_tracefs_tools_run(lab, running):
    result = lab.run(f"without_tracefs $KTRACE {call(running)} -j -d 0.2 -i 0.1")
    assert result.rc == 0 and result.reports, result


@pytest.mark.parametrize("name", PROBES)
def test_tracepoint_hook_without_tracefs_works_or_says_why(lab, name):
    result = lab.run(f"without_tracefs $KTRACE {call(name)} -j -d 0.2 --hook tracepoint")
    if result.rc == 0:
        assert result.reports
    else:
        assert result.rc == 3 and len(result.messages) == 1 and "tracefs" in result.messages[0], result
        assert not result.out


@pytest.mark.parametrize("path", ["/no/such/file", "/dev/null", "/proc/self/cmdline", "/"])
def test_btf_file_that_is_none(lab, path):
    result = lab.ktrace(f"offcputime -j -d 0.2 --btf {path}")
    assert result.rc in (1, 2, 3) and not result.out and len(result.messages) == 1, result


def test_maps_too_large_for_memory(lab):
    for option in ("--stack-storage-size 4294967295", "--row-storage-size 4294967295"):
        result = lab.ktrace(f"kmem -j -d 0.2 {option}")
        assert result.rc in (1, 2, 3) and not result.out and len(result.messages) == 1, result


def test_little_address_space(lab):
    for megabytes in (6, 8, 16, 32, 64):  # the executable alone is nearly 5: below, exec(2) fails
        result = lab.run(f"ulimit -v {megabytes}000; $KTRACE offcputime -j -d 0.2")
        if result.rc == 0:
            assert len(result.reports) == 1, result
        else:
            assert result.rc in (1, 3) and not result.out and result.messages, (megabytes, result)


def test_few_open_files(lab):
    for files in (4, 6, 8, 12, 20, 40):
        result = lab.run(f"ulimit -n {files}; $KTRACE offcputime -j -d 0.2")
        if result.rc == 0:
            assert len(result.reports) == 1, result
        else:
            assert result.rc in (1, 3) and not result.out and result.messages, (files, result)


def is_honest(result, tool):
    """A whole and true report and 0, one that admits a loss, or a message and 1 or 3."""
    assert result.rc in (0, 1, 3), result
    messages = [line for line in result.messages]
    if result.rc:
        assert messages, f"silence\n{result}"
        for line in result.raw.decode().splitlines():
            json.loads(line)
        return
    assert result.reports, f"exit 0 without a report\n{result}"
    report = result.reports[-1]
    if tool in PROBES and PROBES[tool].value(report["rows"]) != PROBES[tool].truth(3):
        assert any(report["loss"].values()) or report["notes"] or messages, f"rows are missing\n{result}"


def fail_each(lab, tool, err, limit, step=1):
    """Lets the 1st, 2nd, ... bpf(2) call fail until the run is over before it comes to it."""
    command = f" -- $W/{PROBES[tool].command(3)}" if tool in PROBES else ""
    nth = 1
    while nth <= limit:
        result = lab.run(f"$W/failnth {nth} {err} -- $KTRACE {call(tool)} -j {PROBES[tool].args} -i 100 -d 10{command}"
                         if command else f"$W/failnth {nth} {err} -- $KTRACE {call(tool)} -j 0.1 1")
        is_honest(result, tool)
        if not result.fact("failnth")["failed"]:
            assert result.rc == 0, f"fails without a fault\n{result}"
            return nth - 1
        nth += step
    return limit


def test_offcputime_survives_failing_calls(lab):
    assert fail_each(lab, "offcputime", errno.ENOMEM, 300, step=7) > 5, "no bpf(2) call was seen"


@pytest.mark.slow
@pytest.mark.parametrize("name, err, step", [("offcputime", "ENOMEM", 1), ("offcputime", "EPERM", 2),
                                             ("slabratetop", "EINVAL", 2)] +
                         [(name, "ENOMEM", 3) for name in PROBES if name != "offcputime"])
def test_every_tool_survives_failing_calls(lab, name, err, step):
    assert fail_each(lab, name, getattr(errno, err), 300, step) > 5


@pytest.mark.parametrize("command, what", [(0, "map"), (5, "program")])
def test_when_all_calls_of_a_kind_fail_the_cause_is_named(lab, command, what):
    """BPF_MAP_CREATE with ENOMEM, BPF_PROG_LOAD with EPERM."""
    err = errno.ENOMEM if command == 0 else errno.EPERM
    for name in PROBES:
        result = lab.run(f"$W/failnth 1 {err} --cmd {command} --from -- $KTRACE {call(name)} -j -d 0.2")
        assert result.rc in (1, 3) and not result.out, result
        assert len(result.messages) == 1, f"one line about the {what}\n{result}"


def test_first_hook_refused_at_load_falls_back_and_says_so(lab):
    """Each program load fails once: the next hook of that role is used, and counts stay right."""
    probe = PROBES["offcputime"]
    fallbacks = 0
    for nth in range(1, 12):
        result = lab.run(f"with_tracefs $W/failnth {nth} {errno.EPERM} --cmd 5 -- "
                         f"$KTRACE offcputime -j -- $W/{probe.command(5)}")
        if not result.fact("failnth")["failed"]:
            break
        if result.rc == 0:
            vias = {hook["via"] for hook in result.report["hooks"]}
            fallbacks += "raw_tp" in vias or "tracepoint" in vias
            assert probe.value(result.rows) == probe.truth(5) or any(result.report["loss"].values()), result
    assert fallbacks, "no load was followed by another hook"


def test_first_hook_refused_at_attach_falls_back(lab):
    """BPF_LINK_CREATE and BPF_RAW_TRACEPOINT_OPEN (older libbpf attaches tp_btf by it)."""
    probe = PROBES["offcputime"]
    for command in (17, 28):
        result = lab.run(f"with_tracefs $W/failnth 1 524 --cmd {command} -- "
                         f"$KTRACE offcputime -j -- $W/{probe.command(5)}")
        if result.fact("failnth")["failed"]:
            assert result.rc == 0 and probe.value(result.rows) == probe.truth(5), result
