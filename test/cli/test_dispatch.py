# SPDX-License-Identifier: GPL-2.0-or-later
"""Subcommands, symlinks, caps, doctor and --explain."""

import re

from probes import call


def test_links_makes_one_symlink_for_each_tool(lab):
    result = lab.run("mkdir bin && $KTRACE links bin && cd bin && for f in *; do\n"
                     "[ -L $f ] && echo $f $(./$f --help | head -n 1); done")
    assert result.rc == 0, result
    lines = [line.split(None, 1) for line in result.out.splitlines()]
    assert sorted(name for name, _ in lines) == sorted(lab.tools()), result
    for name, usage in lines:
        assert name in usage, "the symlink runs its tool"


def test_links_twice_and_into_no_directory(lab):
    again = lab.run("mkdir bin && $KTRACE links bin && $KTRACE links bin && ls bin | wc -l")
    assert again.rc == 0 and int(again.out.split()[-1]) == len(lab.tools()), again
    missing = lab.ktrace("links /no/such/dir")
    assert missing.rc in (1, 2) and len(missing.messages) == 1 and not missing.out, missing


def test_links_does_not_overwrite_what_is_not_its_own(lab):
    result = lab.run("mkdir bin; echo mine >bin/kmem; $KTRACE links bin; rc=$?; cat bin/kmem; exit $rc")
    assert "mine" in result.out and result.rc == 1 and result.err.strip(), result


def test_symlink_and_prefixed_symlink_run_the_tool(lab, tool):
    result = lab.run(f"ln -s $KTRACE {tool}; ln -s $KTRACE ktrace-{tool}; ln -s $PWD/{tool} ktrace-again\n"
                     f"$KTRACE {call(tool)} --help >a; ./{tool} --help >b; ./ktrace-{tool} --help >c\n"
                     f"PATH=$PWD:$PATH {tool} --help >d; grep -c . a b c d")
    assert result.rc == 0, result
    counts = [line.split(":")[1] for line in result.out.splitlines()]
    assert len(set(counts)) == 1 and counts[0] != "0", result


def test_symlink_takes_options(lab):
    result = lab.run("ln -s $KTRACE loads; ./loads -j 0.1 2")
    assert result.rc == 0 and len(result.reports) == 2, result


def test_unknown_symlink_name_is_no_tool(lab):
    result = lab.run("ln -s $KTRACE something; ./something list")
    assert result.rc == 0 and "offcputime" in result.out, result


def test_explain_says_the_plan_or_why_not(lab, tool):
    result = lab.ktrace(f"{call(tool)} --explain")
    assert result.rc in (0, 3), result
    if result.rc == 0:
        assert result.out.strip(), result
    else:
        assert len(result.messages) == 1, result


def test_explain_loads_nothing(lab, tool):
    """With stored caps no bpf(2) call at all; else no more than `ktrace caps` needs to ask."""
    result = lab.run(f"$KTRACE caps >c; $KTRACE {call(tool)} --explain --caps c >a\n"
                     f"$W/failnth 1 1 --from -- $KTRACE {call(tool)} --explain --caps c >b; cmp a b")
    assert result.rc == 0 and result.fact("failnth")["seen"] == 0, result
    for command, name in ((5, "PROG_LOAD"), (0, "MAP_CREATE"), (28, "LINK_CREATE"), (17, "RAW_TRACEPOINT_OPEN")):
        counted = lab.run(f"$W/failnth 0 1 --cmd {command} -- $KTRACE {call(tool)} --explain >/dev/null\n"
                          f"$W/failnth 0 1 --cmd {command} -- $KTRACE caps >/dev/null")
        explain, caps = [fact["seen"] for fact in counted.facts]
        assert explain <= caps and (explain == 0 or name in ("PROG_LOAD", "LINK_CREATE")), (name, counted)


def test_explain_gives_a_reason_for_each_rejected_hook(lab):
    text = lab.run("without_tracefs $KTRACE offcputime --explain").out
    assert "sched_switch" in text and "tp_btf" in text, text


def test_caps_are_stable_and_read_back(lab):
    result = lab.run("$KTRACE caps >one && $KTRACE caps >two && cmp one two && wc -l <one >&2\n"
                     "for t in $($KTRACE list | awk '{ print $1 }'); do\n"
                     "$KTRACE $t --explain >live; a=$?; $KTRACE $t --explain --caps one >stored; b=$?\n"
                     "[ $a = $b ] && cmp live stored || echo differs $t; done")
    assert result.rc == 0 and "differs" not in result.out, result
    assert int(result.err.split()[0]) > 5, "a kernel has more to say"


def test_caps_name_the_kernel(lab):
    result = lab.run("$KTRACE caps; uname -r >&2")
    assert result.messages[-1] in result.out, result
    assert lab.caps()


def test_caps_from_a_file_that_is_none(lab, tool):
    for make in ("", "echo rubbish >x", ": >x", "head -c 1000 /dev/urandom >x", "mkdir x"):
        result = lab.run(f"{make}\n$KTRACE {call(tool)} --explain --caps x")
        assert result.rc in (1, 2) and not result.out and len(result.messages) == 1, (make, result)


def test_doctor_has_a_line_for_each_tool(lab):
    result = lab.ktrace("doctor")
    assert result.rc in (0, 3), result
    for tool in lab.tools():
        assert re.search(rf"^{tool}\b", result.out, re.M), (tool, result)


def test_doctor_of_one_tool_names_its_hooks(lab):
    result = lab.ktrace("doctor offcputime")
    assert re.match(r"offcputime +ok +switch=(tp_btf|raw_tp|tracepoint) ", result.out), result
    assert "kmem" not in result.out


def test_doctor_agrees_with_explain(lab, tool):
    doctor = lab.ktrace(f"doctor {tool}")
    explain = lab.ktrace(f"{call(tool)} --explain")
    assert doctor.rc == explain.rc, (doctor, explain)
