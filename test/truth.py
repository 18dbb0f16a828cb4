# SPDX-License-Identifier: GPL-2.0-or-later
"""Tools against ktrace_truth (test/kmod), a module that says what it did in the kernel.

It is told a line in /proc/ktrace_truth, does that in the writer's task, and
answers with a fact by the kernel's own clock. The writer is a shell by the name
of COMM, or of NAME after the line "as NAME".
"""

import shlex

import pytest

COMM = "kt-truth"
LOAD = """
[ -e /proc/ktrace_truth ] || {
	[ -e /lib/ktrace_truth.ko ] || exit 77
	insmod /lib/ktrace_truth.ko || exit 99
}
cat >tell <<'END'
printf kt-truth >/proc/self/comm
for line; do
	case $line in
	as\\ *) printf "${line#as }" >/proc/self/comm ;;
	*) echo "$line" >/proc/ktrace_truth && cat /proc/ktrace_truth >&2 || exit 98 ;;
	esac
done
END
"""


def run(lab, script):
    result = lab.run(LOAD + script)
    if result.rc == 77:
        pytest.skip("no /lib/ktrace_truth.ko: test/kmod/build.sh has none for this kernel")
    return result


def tell(*lines):
    return "sh tell " + " ".join(shlex.quote(line) for line in lines)


def truth(lab, tool, args, *lines):
    """A tool while the module is told these lines, following who tells it."""
    result = run(lab, f"$KTRACE {tool} -j {args} -- {tell(*lines)}")
    assert result.rc == 0, result
    return result


def around(lab, tool, args, *lines):
    """A tool over the whole system while the module is told these lines, once the tool has nothing else to do."""
    script = f"sleep 0.5; {tell(*lines)}; sleep 0.3"
    result = run(lab, f"$W/onready --do {shlex.quote(script)} --signal TERM -- "
                      f"$KTRACE {tool} -j --ready-fd 9 {args}")
    assert result.rc == 0, result
    return result


def fact_of(result, line):
    return result.fact("ktrace_truth", command=line.split()[0])


def facts(result):
    """What the module says of each line, in order."""
    return [fact for fact in result.facts if fact["workload"] == "ktrace_truth"]


def named(lines):
    """{NAME: line}: lines to tell, each by a writer of its own name, so that one run of a tool shows all."""
    return [word for name, line in lines.items() for word in (f"as {name}", line)]


def by_name(result, lines):
    """The fact of each name in named(lines)."""
    found = facts(result)
    assert len(found) == len(lines), result
    return dict(zip(lines, found))


def near(value, true, each_ns, count, what):
    """Within 3 %, and so long for each of count times between the two clocks' readings."""
    assert abs(value - true) <= true * 0.03 + each_ns * count, \
        f"{what} {value}, expected {true} within 3 % and {each_ns} ns each of {count}"


def assert_waited(total_ns, fact, least_ns):
    """Waits are as long as the module says who waited, and no shorter than the lock was held meanwhile.

    Its clock runs from before the call. In between an emulated machine, which runs one CPU at a
    time, may give another its turn of some milliseconds.
    """
    assert least_ns <= total_ns <= fact["waited_ns"] * 1.01, (total_ns, fact)
