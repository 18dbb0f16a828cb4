# SPDX-License-Identifier: GPL-2.0-or-later
"""The bench itself: what it reads of tracers, and what it says of its goals. It measures nothing here."""

import pytest

import bench
from questions import BOTH, QUESTIONS, Peer, Question
from tracer import Failed, Tracer, in_turns, lost_by

ENDS_WELL = "trap 'echo bye; exit 0' INT; echo ready; while :; do sleep 0.05; done"
SAMPLE = bench.Sample(startup_s=0.1, runs=10, ns=1000, slowdown=1.5, cpu_s=0.02, rss_bytes=1 << 20, map_bytes=1 << 21,
                      lost=0)


@pytest.mark.hostside
def test_each_tool_has_a_question(lab):
    asked = {question.ask.split()[0] for question in QUESTIONS}
    assert asked == set(lab.tools())


def test_a_tracer_is_waited_for_and_ended():
    tracer = Tracer(["sh", "-c", ENDS_WELL], b"ready")
    assert tracer.wait_ready() > 0
    ended = tracer.end()
    assert b"bye" in ended.said and ended.rss_bytes > 0 and ended.cpu_s >= 0 and ended.took_s > 0


def test_a_tracer_that_ends_early_is_told_by_its_last_words():
    for ready in (b"ready", "links"):
        with pytest.raises(Failed, match="no such hook"):
            Tracer(["sh", "-c", "echo no such hook >&2; exit 1"], ready).wait_ready()


def test_who_fails_is_left_out_and_the_others_take_turns():
    order = []

    def measure(side, begun):
        order.append(side)
        if side == "c":
            raise Failed("not here")
        return begun

    samples, trouble = in_turns(3, {"a": "a", "b": "b", "c": "c"}, measure, lambda: len(order))
    assert samples == {"a": [0, 3, 5], "b": [0, 3, 5]} and trouble == {"c": "not here"}
    assert order == ["a", "b", "c", "b", "a", "a", "b"]


@pytest.mark.parametrize("said,lost", [
    (b"WARNING: 12 stack traces could not be displayed. Consider increasing", 12),
    (b"Lost 7 events\nLost 3 events", 10),
    (b"    [Missed Kernel Stack]\n    [Missed User Stack]\n", 2),
    (b"4 events, 1 stack traces", 0),
])
def test_what_peers_say_they_lost(said, lost):
    assert lost_by(said) == lost


@pytest.mark.parametrize("timed", [False, True])
def test_a_goal_that_is_missed_is_marked(timed):
    """Of what the same work took in all or, where the work is not the same, of a run."""
    question = Question("kmem", "kmallocs 1 1", [Peer("bpftrace", "bpftrace", ["bpftrace"], b"ready")], BOTH, timed=timed)
    for ns, startup, marks in ((1500, 2.0, (False, False)), (1400, 0.9, (True, True))):
        theirs = SAMPLE._replace(ns=ns, startup_s=startup)
        line, = bench.lines_of(question, {"ktrace": [SAMPLE], "bpftrace": [theirs] * 2}, False)
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        assert len(cells) == len(bench.TITLES)
        assert (cells[3 if timed else 4].endswith("!"), cells[6].endswith("!")) == marks, cells
        assert not cells[4 if timed else 3].endswith("!"), cells


def test_reasons_are_said_once():
    said = list(bench.missing_in([("kmem", {"perf": "gone"}), ("kpages", {"perf": "gone", "bcc": "no headers"})]))
    assert said == ["- perf (kmem; kpages): gone", "- bcc (kpages): no headers"]


def test_notes_are_told_with_how_many_rounds_had_them():
    samples = [SAMPLE, SAMPLE._replace(notes=("walked", "cut")), SAMPLE._replace(notes=("walked",))]
    assert list(bench.notes_in(samples)) == ["  2 of 3: walked", "  1 of 3: cut"] and not list(bench.notes_in([SAMPLE]))
