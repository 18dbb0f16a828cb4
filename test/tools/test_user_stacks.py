# SPDX-License-Identifier: GPL-2.0-or-later
"""User frames have the names that the programs gave them, wherever these are to be found."""

import pathlib
import shlex

import pytest

from lab import has_frame, pick, total
from probes import NANOSLEEP

pytestmark = pytest.mark.slow

NAPS = 10


def naps(rows, *frames):
    """Rows of the workload's naps, whose stack begins with these frames."""
    return pick(rows, lambda row: row["ustack"][:len(frames)] == list(frames), state="S")


def traced(lab, program, args="", options=""):
    """Stacks of a followed command."""
    return lab.exact(f"$KTRACE offcputime -j {options} -- {program} {NAPS} 5 {args}")


def in_trace(lab, prepare, run):
    """Stacks of what a script runs as the traced command; what came before was prepared."""
    return lab.exact(f"""
        set -e
        dir=$(mktemp -d); trap 'rm -rf $dir' EXIT; cp $W/named $dir/named; chmod 755 $dir $dir/named
        {prepare}
        set +e
        export dir
        $KTRACE offcputime -j -- sh -c {shlex.quote(run)}""")


def all_named(result, *frames):
    rows = naps(result.rows, *frames)
    assert total(rows, "count") == NAPS, result
    for row in rows:
        assert "main" in row["ustack"] and "[cut]" not in row["ustack"], row
    return rows


def test_static_functions_are_named(lab):
    all_named(traced(lab, "$W/named"), "nap", "nap_middle", "nap_outer")


@pytest.mark.parametrize("kind, name, mangled", [
    ("cpp", "ns::Napper::rest(int)", "_ZN2ns6Napper4restEi"),
    ("rust", "naps::Napper::rest", "_ZN4naps6Napper4rest17h0123456789abcdefE"),
    ("dlang", "naps.Napper.rest()", "_D4naps6Napper4restFZv"),
])
@pytest.mark.hostside
def test_names_are_demangled_unless_told_otherwise(lab, kind, name, mangled):
    all_named(traced(lab, "$W/named", kind), "nap", name)
    all_named(traced(lab, "$W/named", kind, "--no-demangle"), "nap", mangled)


@pytest.mark.hostside
def test_a_name_without_end_is_cut(lab):
    rows = naps(traced(lab, "$W/named", "long").rows, "nap")
    assert total(rows, "count") == NAPS
    for row in rows:
        assert row["ustack"][1].startswith("abcabcabc") or row["ustack"][1].startswith("_ZN3000abc"), row
        assert row["ustack"][1].endswith("...") and len(row["ustack"][1]) < 512, row


@pytest.mark.hostside
def test_verbose_frames_have_offset_and_file(lab):
    rows = pick(traced(lab, "$W/named", options="-v").rows, lambda row: has_frame(row, "nap", stack="ustack"))
    assert total(rows, "count") == NAPS
    for frame in (frame for row in rows for frame in row["ustack"][:3]):
        assert frame.startswith("nap") and "+0x" in frame and frame.endswith(" [named]"), frame


def test_jitted_code_is_named_by_its_compilers_map(lab):
    all_named(traced(lab, "$W/named", "jit"), "nap", "jitted nap")


@pytest.mark.hostside
def test_code_without_a_map_is_told_by_its_memory(lab):
    rows = naps(traced(lab, "$W/named", "anon").rows, "nap")
    assert total(rows, "count") == NAPS
    assert {frame.split("+")[0] for row in rows for frame in row["ustack"][1:2]} == {"[anon]"}


def test_a_map_of_another_user_is_not_believed(lab):
    """Who may write to /tmp must not name other users' functions."""
    result = lab.exact("""
        $KTRACE offcputime -j -- sh -c '
            echo "0 7fffffffffff lie" >/tmp/perf-$$.map; chown 12345 /tmp/perf-$$.map
            trap "rm -f /tmp/perf-$$.map" EXIT
            exec $W/named 10 5 anon'
        rc=$?; rm -f /tmp/perf-*.map; exit $rc""")
    rows = naps(result.rows, "nap")
    assert total(rows, "count") == NAPS, result
    assert not any("lie" in row["ustack"] for row in rows)


def test_a_walk_that_ended_for_want_of_frame_pointers_is_marked_once(lab):
    rows = naps(traced(lab, "$W/named", "cut").rows, "nap_cut")
    assert total(rows, "count") == NAPS
    for row in rows:
        assert row["ustack"][-1] == "[cut]" and row["ustack"].count("[cut]") == 1, row
        assert "main" not in row["ustack"], row


def test_code_in_memory_files_is_named(lab):
    all_named(traced(lab, "$W/named", "--memfd"), "nap", "nap_middle", "nap_outer")


@pytest.mark.parametrize("fate", ["rm $dir/named", "cp $W/sleeper $dir/new; mv $dir/new $dir/named"],
                         ids=["deleted", "replaced"])
def test_the_file_that_is_mapped_is_read_and_not_what_its_path_leads_to(lab, fate):
    result = lab.run(f"""
        dir=$(mktemp -d); cp $W/named $dir/named
        $dir/named 100000 20 --ready >ready & pid=$!
        wait_line ready
        {fate}
        $KTRACE offcputime -j -d 0.5 -p $pid --state S; rc=$?
        kill $pid; rm -r $dir
        exit $rc""")
    rows = naps(result.rows, "nap", "nap_middle", "nap_outer")
    # the sleep that was on when tracing began left its user stack unseen
    assert 5 < total(rows, "count") >= total(result.rows, "count") - 1, result
    assert not result.report["notes"], result


@pytest.mark.hostside
def test_stripped_programs_show_file_and_offset(lab):
    result = in_trace(lab, "strip -o $dir/bare $dir/named", "$dir/bare 10 5")
    rows = pick(result.rows, comm="bare", state="S")
    assert total(rows, "count") >= NAPS, result
    for frame in (frame for row in rows for frame in row["ustack"]):
        assert frame.startswith("bare+0x") or frame.startswith("[vdso]") or frame == "[cut]", frame


@pytest.mark.hostside
@pytest.mark.parametrize("place", [".debug/named.debug", "named.debug"])
def test_stripped_programs_are_named_by_the_debug_file_they_link_to(lab, place):
    result = in_trace(lab, f"""
        mkdir -p $dir/.debug
        objcopy --only-keep-debug $dir/named $dir/{place}
        strip $dir/named
        objcopy --add-gnu-debuglink=$dir/{place} $dir/named""", "$dir/named 10 5")
    all_named(result, "nap", "nap_middle", "nap_outer")


@pytest.mark.hostside
def test_a_debug_file_of_another_build_is_not_used(lab):
    result = in_trace(lab, """
        objcopy --only-keep-debug $dir/named $dir/named.debug
        strip $dir/named
        objcopy --add-gnu-debuglink=$dir/named.debug $dir/named
        objcopy --only-keep-debug $W/sleeper $dir/named.debug""", "$dir/named 10 5")
    rows = pick(result.rows, comm="named", state="S")
    assert total(rows, "count") >= NAPS
    assert all(frame.startswith("named+0x") or frame == "[cut]" for row in rows for frame in row["ustack"]), rows


COMPILE = "gcc -O2 -D_GNU_SOURCE -fno-omit-frame-pointer -fno-optimize-sibling-calls $dir/named.c"
WORKLOADS = pathlib.Path(__file__).resolve().parent.parent / "workload"


@pytest.mark.hostside
@pytest.mark.parametrize("flags", ["-pie -fPIE", "-no-pie -fno-pie", "-static-pie -fPIE"])
def test_functions_of_programs_however_linked(lab, flags):
    result = in_trace(lab, f"cp {WORKLOADS}/named.c {WORKLOADS}/workload.h $dir; {COMPILE} {flags} -o $dir/named",
                      "$dir/named 10 5")
    all_named(result, "nap", "nap_middle", "nap_outer")


@pytest.mark.hostside
def test_functions_of_a_shared_library_that_has_dynamic_symbols_only(lab):
    result = in_trace(lab, f"""
        cp {WORKLOADS}/named.c {WORKLOADS}/workload.h $dir
        {COMPILE} -shared -fPIC -Dmain=library_main -fvisibility=default -s -o $dir/libnamed.so
        echo 'int library_main(int, char **); int main(int c, char **v) {{ return library_main(c, v); }}' >$dir/main.c
        gcc -fno-omit-frame-pointer -o $dir/caller $dir/main.c $dir/libnamed.so -Wl,-rpath,$dir""",
                      "$dir/caller 10 5 cpp")
    rows = pick(result.rows, lambda row: has_frame(row, "ns::Napper::rest(int)", stack="ustack"), state="S")
    assert total(rows, "count") == NAPS, result
    for row in rows:
        assert row["ustack"][0].startswith("libnamed.so+0x"), row
        assert has_frame(row, "library_main", stack="ustack") and has_frame(row, "main", stack="ustack"), row


@pytest.mark.hostside
def test_programs_of_another_mount_namespace_are_read_there(lab):
    """As in a container: its path means nothing here, and both are gone when the report is made.

    They last for the moment that it takes us to open the file.
    """
    result = in_trace(lab, "mkdir $dir/in", """
        unshare -m sh -c 'mount -t tmpfs none $dir/in && cp $dir/named $dir/in/hidden && exec $dir/in/hidden 10 40'""")
    rows = all_named(result, "nap", "nap_middle", "nap_outer")
    assert {row["comm"] for row in rows} == {"hidden"}


@pytest.mark.hostside
def test_programs_of_an_overlay_are_named(lab):
    result = in_trace(lab, "mkdir $dir/low $dir/up $dir/work $dir/all; mv $dir/named $dir/low/layered", """
        unshare -m sh -c 'mount -t tmpfs none $dir/up && mkdir $dir/up/u $dir/up/w &&
            mount -t overlay none -o lowerdir=$dir/low,upperdir=$dir/up/u,workdir=$dir/up/w $dir/all &&
            exec $dir/all/layered 10 40'""")
    rows = all_named(result, "nap", "nap_middle", "nap_outer")
    assert {row["comm"] for row in rows} == {"layered"}


def test_a_program_that_execs_another_has_the_names_of_both(lab):
    """The same process, the same addresses, two programs one after the other."""
    result = lab.exact("""
        $KTRACE offcputime -j -- sh -c '$W/named 10 5 c --then $W/stacks 20 --us 1000'""")
    all_named(result, "nap", "nap_middle", "nap_outer")
    rows = pick(result.rows, lambda row: has_frame(row, "one", "zero", stack="ustack")
                and has_frame(row, *NANOSLEEP), state="S")
    assert total(rows, "count") >= 18, result
