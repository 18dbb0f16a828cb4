# SPDX-License-Identifier: GPL-2.0-or-later
"""ktrace beside bpftrace: both watch the same work in the same guest at the same time.

programs.bt asks what the originals of the book ask. Counts agree to 1 %, times to 3 %:
the clocks are read some microseconds apart, so what is timed takes milliseconds. Where
an original answers another question than its name says, the truth module decides: the
test shows what the peer says, and that ktrace says what was done.
test/vm/run.sh 6.1 peers, with KTRACE_VM_PROGRAMS=bpftrace
"""

import json
import pathlib
import re
import shlex

import pytest

from lab import Result, pick, total, within

PROGRAMS = pathlib.Path(__file__).with_name("programs.bt")
SECONDS = 300  # LLVM on an emulated machine that is busy


def tell(name, *lines):
    """The truth module is told these lines by a task of this name (15 characters)."""
    return shlex.join(["sh", "tell", name, *lines])


# Each has a task name of its own, for the peer's maps are by name.
PARTS = {
    "offcputime": "$KTRACE offcputime -j -K --state '!R' -- $W/sleeper 50 20",
    "pingpong": "$KTRACE wakeuptime -j -K -- $W/pingpong 500 --names kt-ping kt-pong",
    "wakeuptime": f"$KTRACE wakeuptime -j -K -- {tell('kt-woken', 'block mode=thread n=100 us=20000')}",
    "workq": f"$KTRACE workq -j -- {tell('kt-works', 'work n=100 us=2000')}",
    "kmem": "$KTRACE kmem -j -g comm -- $W/kmallocs 500 2000",
    "kpages": f"$KTRACE kpages -j -g comm,order -- {tell('kt-pages', 'pages order=3 n=200')}",
    "slabratetop": "$KTRACE slabratetop -j -i 100 -- "
                   + tell("kt-slabs", "cache n=500", "kmalloc n=3000 size=1000"),
    "loads": "$KTRACE loads -j 1 6",
}
# Ways to lock the module's mutex; under ktrace where it has mheld.
LOCKS = ("lock", "interruptible", "killable", "io", "trylock", "tryfail")

SCRIPT = """
mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
[ -e /proc/ktrace_truth ] || insmod /lib/ktrace_truth.ko || exit 97
cat >tell <<'EOF'
printf %%s "$1" >/proc/self/comm
shift
for line; do
	echo "$line" >/proc/ktrace_truth && cat /proc/ktrace_truth >&2 || exit 98
done
EOF
cat >programs.bt <<'EOF'
%(programs)s
EOF
cat >parts <<'EOF'
%(parts)s
EOF
# -c: the command starts when all is attached, and ends it
bpftrace -f json -o peer.json -c '/bin/sh parts' programs.bt >&2 || exit 96
echo "== peer 0"
cat peer.json
echo "== mutex 0"
grep -w truth_mutex /proc/kallsyms
for part in %(names)s; do
	line="== $part $(cat $part.rc)"
	echo "$line"
	cat $part.out
	echo "$line" >&2
	cat $part.err >&2
done
"""


def sections(text):
    """What stands below each line "== NAME NUMBER": {name: (number, text)}."""
    parts = re.split(r"^== (\w+) (\d+)\n", text, flags=re.M)[1:]
    return {name: (int(number), body) for name, number, body in zip(parts[::3], parts[1::3], parts[2::3])}


class Both:
    """One run of all parts; mheld: ktrace has the tool."""

    def __init__(self, result, mheld):
        assert result.rc == 0, result
        self.mheld = mheld
        out, err = sections(result.out), sections(result.err)
        self.loads, self.maps = [], {}
        for line in out["peer"][1].splitlines():
            message = json.loads(line)
            if message["type"] == "map":
                self.maps.update(message["data"])
            elif message["type"] == "printf":
                self.loads.append([int(word) for word in message["data"].split()])
        # a signed number in the peer's keys
        self.mutex = int(out["mutex"][1].split()[0], 16) - (1 << 64)
        self.results = {name: Result(name, out[name][0], out[name][1].encode(), err[name][1])
                        for name in [*PARTS, *LOCKS]}

    def peer(self, name, *key):
        """What the peer has in @name[key]; 0 when it saw nothing."""
        return self.maps.get(f"@{name}", {}).get(",".join(str(part) for part in key), 0)

    def rows(self, name, *predicate, **match):
        return pick(self.results[name].rows, *predicate, **match)


@pytest.fixture(scope="module")
def both(lab):
    commands = dict(PARTS)
    mheld = "mheld" in lab.tools()
    for way in LOCKS:
        commands[way] = ("$KTRACE mheld -j -- " if mheld else "") + tell(f"m-{way}", f"mutex mode={way} n=50 us=1000")
    parts = "\n".join(f"{command} >{name}.out 2>{name}.err; echo $? >{name}.rc"
                      for name, command in commands.items())
    return Both(lab.run(SCRIPT % {"programs": PROGRAMS.read_text(), "parts": parts,
                                  "names": " ".join(commands)}, SECONDS), mheld)


def test_blocked_time_agrees(both):
    rows = both.rows("offcputime", comm="sleeper")
    assert total(rows, "count") >= 50, both.results["offcputime"]
    within(total(rows, "count"), both.peer("offcpu_count", "sleeper"), 1, "count")
    within(total(rows, "total_ns"), both.peer("offcpu_ns", "sleeper"), 3, "total_ns")


def test_time_until_woken_agrees(both):
    rows = both.rows("wakeuptime", target="kt-woken", waker="truth_waker")
    true = both.results["wakeuptime"].fact("ktrace_truth")["to_wake_count"]
    # once more when the waker ends
    assert true == 100 and total(rows, "count") in (true, true + 1), both.results["wakeuptime"]
    within(total(rows, "count"), both.peer("wakeup_count", "kt-woken", "truth_waker"), 1, "count")
    within(total(rows, "total_ns"), both.peer("wakeup_ns", "kt-woken", "truth_waker"), 3, "total_ns")


def test_wakeups_agree_where_the_peer_sees_them(both):
    """A thread about to sleep may be woken from another CPU before it has left its own:
    then the wakeup is recorded before the switch, and who pairs the two the other way
    round misses it, some percent of a ping-pong's. ktrace names that waker too: the
    workload knows how often it blocked. No times: a round trip takes less than the two
    clocks are apart."""
    true = both.results["pingpong"].fact("pingpong")
    for target, blocked in zip(true["names"], true["blocked"]):
        rows = both.rows("pingpong", target=target)
        named = total(pick(rows, lambda row: row["waker"] != "[unknown]"), "count")
        peer = sum(both.maps["@wakeup_count"][key] for key in both.maps["@wakeup_count"]
                   if key.startswith(target + ","))
        within(named, blocked, 1, target)
        assert named * 0.9 <= peer <= named * 1.01, (target, blocked, peer, rows)


def test_works_agree(both):
    row, = both.rows("workq", func="truth_work_fn [ktrace_truth]")
    assert row["count"] == both.peer("work_count", "truth_work_fn") == 100
    within(row["total_ns"], both.peer("work_ns", "truth_work_fn"), 3, "total_ns")


def test_kernel_allocations_agree(both):
    rows = both.rows("kmem", comm="kmallocs")
    assert total(rows, "count") >= 500, both.results["kmem"]
    within(total(rows, "count"), both.peer("kmem_count", "kmallocs"), 1, "count")
    within(total(rows, "bytes"), both.peer("kmem_bytes", "kmallocs"), 1, "bytes")


def test_pages_agree_where_the_original_counts_events(both):
    """An allocation of 8 pages is one event, and the original says 1. Here are 1600 pages."""
    rows = both.rows("kpages", comm="kt-pages", order=3)
    true = both.results["kpages"].fact("ktrace_truth")
    assert (true["count"], true["pages"]) == (200, 1600)
    within(total(rows, "pages"), true["pages"], 1, "pages")
    within(total(rows, "pages"), both.peer("page_sum", "kt-pages", 3), 1, "pages, by order")
    within(total(rows, "count"), both.peer("page_count", "kt-pages", 3), 1, "events")
    assert both.peer("page_count", "kt-pages", 3) < true["pages"] / 7, "the original's answer"


def test_slab_objects_agree_where_the_original_sees_them(both):
    """It hooks one function, kmem_cache_alloc(), which no kmalloc() calls."""
    row, = both.rows("slabratetop", cache="ktrace_truth")
    true = both.results["slabratetop"].fact("ktrace_truth", command="cache")
    assert row["allocs"] == both.peer("cache_count", "ktrace_truth") == true["count"] == 500
    row, = both.rows("slabratetop", cache="kmalloc-1k")
    true = both.results["slabratetop"].fact("ktrace_truth", command="kmalloc")
    within(row["allocs"], true["count"], 1, "kmallocs")
    assert both.peer("cache_count", "kmalloc-1k") == 0, "the original's answer"


def test_load_averages_agree(both):
    """Each of ktrace's answers is one that the kernel's own variable had, to the last bit."""
    reports = both.results["loads"].reports
    assert len(reports) == 6, both.results["loads"]
    for report in reports:
        row = report["rows"][0]
        seen = [round(row[name] * 2048) for name in ("load1", "load5", "load15")]
        assert seen in both.loads, (seen, both.loads)


def held(both, way):
    """How often the module held its mutex: so it says, and so does ktrace where it has mheld."""
    true = both.results[way].fact("ktrace_truth", mode=way)["held_count"]
    if both.mheld:
        rows = both.rows(way, lambda row: "truth_mutex" in row["lock"])
        assert total(rows, "count") == true, both.results[way]
    return true


def begun(both, name, comm):
    """Holds of the module's mutex that the peer saw begin."""
    return both.peer(name, comm, both.mutex)


def test_holds_agree_where_the_original_sees_them_begin(both):
    """It hooks mutex_lock() and its interruptible kind, and no other."""
    for way in ("lock", "interruptible"):
        assert begun(both, "lock_count", f"m-{way}") == held(both, way) == 50
    for way in ("killable", "io"):
        assert begun(both, "lock_count", f"m-{way}") == 0 and held(both, way) == 50


def test_the_original_takes_a_failed_trylock_for_a_hold(both):
    """And a successful one for none: mutex_trylock() returns 1 when it has the lock."""
    assert begun(both, "trylock_count", "m-trylock") == 0 and held(both, "trylock") == 50
    failed = both.results["tryfail"].fact("ktrace_truth")["failed_count"]
    assert begun(both, "trylock_count", "truth_failer") == failed == 50 and held(both, "tryfail") == 1
