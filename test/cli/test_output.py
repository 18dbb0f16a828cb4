# SPDX-License-Identifier: GPL-2.0-or-later
"""Where reports go, and what happens when they cannot."""

import json
import re

import pytest

from lab import pick, total
from probes import call


def failed(result):
    """Exit 1, one line that says why."""
    assert result.rc == 1 and len(result.messages) == 1, result


def test_full_disk_is_an_error(lab, running):
    for form in ("", "-j"):
        failed(lab.run(f"$KTRACE {call(running)} {form} -d 0.2 -i 0.1 >/dev/full"))


@pytest.mark.parametrize("words", ["list", "caps", "doctor", "--help", "--version", "offcputime --help",
                                   "offcputime --explain"])
def test_full_disk_is_an_error_for_every_subcommand(lab, words):
    failed(lab.run(f"$KTRACE {words} >/dev/full"))


def test_closed_stdout_is_an_error(lab, running):
    failed(lab.run(f"$KTRACE {call(running)} -j -d 0.2 -i 0.1 >&-"))


def test_closed_stdout_is_not_taken_by_another_file(lab):
    """Descriptor 1 is free then: the next file that is opened must not become stdout."""
    result = lab.run("$KTRACE offcputime -j -d 0.2 -o text=t >&-; cat t")
    assert result.rc != 1 or '"schema"' not in result.out, result


def test_closed_stdin_and_stderr_do_no_harm(lab):
    assert lab.run("$KTRACE offcputime -j -d 0.2 <&-").report["tool"] == "offcputime"
    assert lab.run("$KTRACE offcputime -j -d 0.2 2>&-").report["tool"] == "offcputime"


def test_no_directory_fails_before_tracing(lab, running):
    result = lab.ktrace(f"{call(running)} -d 1 -o json=/no/such/dir/x")
    assert result.rc in (1, 2) and len(result.messages) == 1 and not result.out, result
    assert "Tracing" not in result.err, "found out before, not after"


@pytest.mark.slow
def test_file_is_written_whole_and_alone(lab, running):
    result = lab.run(f"mkdir d; $KTRACE {call(running)} -d 0.3 -o json=d/x; rc=$?; ls -A d >&2; cat d/x; exit $rc")
    assert result.rc == 0 and result.messages[-1] == "x", result
    assert result.report["tool"] == running


def test_file_with_several_reports_has_them_all(lab):
    result = lab.run("$KTRACE loads -i 0.1 -o json=x 0.1 3; rc=$?; cat x; exit $rc")
    assert result.rc == 0 and len(result.reports) == 3, result


def test_old_file_stays_until_the_new_one_is_whole(lab):
    result = lab.run("""
        mkdir d; echo old >d/x
        $W/onready --do 'cat d/x' --signal KILL -- $KTRACE offcputime -o json=d/x --ready-fd 9
        cat d/x""")
    assert result.out == "old\n" and "old" in result.err, result


def test_old_file_stays_when_the_disk_is_full(lab):
    result = lab.run("""
        unshare -m sh -c 'mkdir d && mount -t tmpfs -o size=64k none d && echo old >d/x &&
            head -c 1000000 /dev/zero >d/fill 2>/dev/null
            $KTRACE offcputime -d 0.3 -o json=d/x -o text; rc=$?; ls -A d >&2; cat d/x >&2; exit $rc'""")
    assert result.rc == 1 and result.err.rstrip().endswith("old"), result
    assert "fill\nx\n" in result.err, "no half-written file is left"


@pytest.mark.parametrize("make, kind", [("mknod x c 1 3", "-c"), ("mknod x c 1 7", "-c"), ("mkfifo x; cat x >&2 &", "-p"),
                                        ("ln -s /dev/null x", "-L")])
def test_devices_are_written_to_not_replaced(lab, make, kind):
    result = lab.run(f"{make}\n$KTRACE loads -o json=x 0.1 1; rc=$?; [ {kind} x ] || echo replaced; exit $rc")
    assert "replaced" not in result.out, result
    if "1 7" in make:  # /dev/full
        assert result.rc == 1 and len(result.messages) == 1, result
    else:
        assert result.rc == 0, result


def test_a_link_to_a_file_is_not_followed(lab):
    """Root writes beside the name and renames: a link that somebody planted leads nowhere."""
    result = lab.run("echo old >t; ln -s t x; $KTRACE loads -o json=x 0.1 1; cat t; [ -L x ] || echo file")
    assert result.out.split() == ["old", "file"], result


def test_a_link_to_a_descriptor_is_written_through(lab):
    """/dev/stdout is such a one, and its stdout may be a file."""
    result = lab.run("ln -s /proc/self/fd/1 x; $KTRACE loads -o json=x 0.1 1 >t; rc=$?\n"
                     "[ -L x ] || echo replaced; cat t; exit $rc")
    assert result.rc == 0 and "replaced" not in result.out, result
    assert result.report["tool"] == "loads"


def test_files_are_for_their_owner_alone(lab):
    """Stacks tell how the kernel is laid out."""
    result = lab.run("umask 022; $KTRACE loads -o json=x 0.1 1; stat -c %a x")
    assert result.out.strip() == "600", result


def test_two_formats_of_one_run_agree(lab):
    result = lab.run("$KTRACE offcputime -o json=j -o folded=f -o text=t -- $W/sleeper 5 20; rc=$?\n"
                     "cat j; wc -l <f >&2; awk '{ s += $NF } END { printf \"%d\\n\", s }' f >&2\n"
                     "grep -c nanosleep t >&2; exit $rc")
    lines, ns, text = [int(word) for word in result.messages[-3:]]
    assert lines == len(result.rows) and text >= 1, result
    assert abs(ns - total(result.rows, "total_ns")) <= 1e-9 * ns, "awk counts in doubles"


def test_file_and_stdout_together(lab):
    result = lab.run("$KTRACE offcputime -j -o folded=f -- $W/sleeper 5 20; rc=$?; wc -l <f >&2; exit $rc")
    assert len(result.reports) == 1 and int(result.messages[-1]) == len(result.rows), result


EVIL = "evil 2 10"


def evil_names(result):
    return [bytes.fromhex(text) for text in result.fact("evil")["hex"]]


def test_hostile_names_are_valid_json_and_keep_their_characters(lab):
    result = lab.trace("offcputime", "--state S", workload=EVIL)
    comms = {row["comm"] for row in result.rows}
    for name in evil_names(result):
        assert name.decode("utf-8", "replace") in comms, (name, comms)
    assert all(ord(char) >= 0x20 for line in result.raw.decode().splitlines() for char in line)


def test_hostile_names_cannot_reach_the_terminal(lab):
    result = lab.ktrace(f"offcputime --state S -g comm -- $W/{EVIL}")
    assert result.rc == 0, result
    text = result.raw.decode("utf-8")  # raises where it is not UTF-8
    bad = re.findall(r"[^\n\t\x20-\x7e\xa0-\u200d\u2010-\u2027\u2030-\u2065\u2070-\U0010ffff]", text)
    assert not bad, bad
    assert "\\x1b[31mred" in text and "semi;colon" in text and "new\\x0aline" in text, text


def test_hostile_names_keep_folded_lines_apart(lab):
    result = lab.run(f"$KTRACE offcputime --state S -K -o json=j -o folded=f -- $W/{EVIL}; rc=$?\n"
                     "cat f >&2; cat j; exit $rc")
    lines = [line for line in result.messages if "nanosleep" in line]
    rows = pick(result.rows, lambda row: any("nanosleep" in frame for frame in row["kstack"]))
    assert len(lines) == len(rows) >= 14, result
    for line in lines:
        stack, value = re.fullmatch(r"(.+) (\d+)", line).groups()
        assert len(stack.split(";")) == 1 + len(rows[0]["kstack"]), line
        assert stack.isprintable() and int(value) > 0, line


def test_hostile_name_at_the_end_of_a_folded_line(lab):
    """Without a stack the name stands last; its digits must not become a second value."""
    result = lab.ktrace(f"offcputime --state S -s 0 -f -- $W/{EVIL}")
    assert result.rc == 0, result
    for line in result.out.splitlines():
        name, _ = re.fullmatch(r"(.*) (\d+)", line).groups()
        assert not re.search(r" \d+$", name), line


def test_hostile_workqueue_and_comm_filter(lab):
    """A filter finds a hostile name by its own bytes."""
    result = lab.ktrace(f"offcputime -j -C 'semi;colon' -- $W/{EVIL}")
    assert {row["comm"] for row in result.rows} == {"semi;colon"}, result


def test_text_of_every_tool_is_plain(lab, running):
    result = lab.ktrace(f"{call(running)} -d 0.5 -i 0.2")
    assert result.rc == 0, result
    assert "\x1b" not in result.out, "no colour and no cursor movement where stdout is no terminal"


def test_json_is_one_line_for_each_report(lab, running):
    result = lab.ktrace(f"{call(running)} -j -i 0.2 -d 0.5")
    assert result.rc == 0 and result.raw.endswith(b"\n"), result
    assert all(isinstance(json.loads(line), dict) for line in result.raw.splitlines())
