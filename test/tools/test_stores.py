# SPDX-License-Identifier: GPL-2.0-or-later
"""What does not fit is counted, exactly: seen = kept + lost."""

import pytest

from lab import has_frame, pick, total
from probes import NANOSLEEP

pytestmark = [pytest.mark.hostside, pytest.mark.slow]


def is_lost(stack):
    return stack == ["[lost]"]


def stacks_held(lab, options, count):
    """Traces a workload of that many user stacks, which lives until they are named."""
    return lab.run(f"""
        $W/onready --do 'until grep -q ready err; do sleep 0.1; done' --signal TERM -- \\
            $KTRACE offcputime -j --ready-fd 9 {options} -- $W/stacks {count} --hold 2>err
        rc=$?; cat err >&2
        kill $(number err tgid) 2>/dev/null
        exit $rc""", 300)


def lost_walks(rows):
    """Stacks that the rows miss, user and kernel ones."""
    return sum(row["count"] * (is_lost(row.get("kstack")) + is_lost(row["ustack"])) for row in rows)


@pytest.mark.parametrize("count", [500, 20000])
def test_nothing_is_lost_at_the_default_size(lab, count):
    result = stacks_held(lab, "--state S", count)
    rows = pick(result.rows, lambda row: has_frame(row, *NANOSLEEP), comm="stacks")
    loss = result.report["loss"]
    assert loss["rows"] == loss["stacks"] == loss["missed"] == 0, loss
    # what the kernel did not deliver is admitted (see Lab.exact), and is no matter of room
    assert total(rows, "count") + loss["events"] >= result.fact("stacks")["voluntary"], loss
    assert loss["events"] <= count // 100, loss
    assert count - loss["events"] <= len({tuple(row["ustack"]) for row in rows}) <= count


@pytest.mark.parametrize("room", [pytest.param(1, marks=pytest.mark.slow), 100,
                                  pytest.param(1000, marks=pytest.mark.slow)])
def test_seen_is_kept_plus_lost_when_stacks_do_not_fit(lab, room):
    result = stacks_held(lab, f"--state S --stack-storage-size {room}", 3000)
    rows = pick(result.rows, comm="stacks")
    seen = result.fact("stacks")["voluntary"]
    loss = result.report["loss"]
    # all blocks are counted, those without a stack too; the command's start and end add a few
    assert seen <= total(rows, "count") + loss["events"] <= seen + 20, loss
    assert loss["rows"] == loss["missed"] == 0, loss
    # exactly, but for walks of intervals whose end the kernel did not deliver
    assert 0 < lost_walks(result.rows) <= loss["stacks"] <= lost_walks(result.rows) + 2 * loss["events"], loss
    kept = {tuple(row[column]) for row in result.rows for column in ("kstack", "ustack")
            if row[column] and not is_lost(row[column])}
    # frames of the tracer are trimmed, which may make two kept stacks one
    assert len(kept) <= room, "more stacks than there is room for"
    assert len(kept) >= room * 0.95 - 2, "room was left"


def spelled(stack):
    """The calls of a stack of `stacks`, the outermost first: its number in binary, the lowest digit first."""
    return "".join({"zero": "0", "one": "1"}[frame] for frame in reversed(stack) if frame in ("zero", "one"))


@pytest.mark.parametrize("depths", [range(20, 32), (50, 56, 60), (80, 90, 100, 115)])
def test_stacks_of_any_depth_are_kept_whole(lab, depths):
    """Around the sizes of the pieces that they are kept in."""
    works = "; ".join(f"$W/stacks 3 --depth {depth}" for depth in depths)
    result = lab.ktrace(f"offcputime -j -U --state S -- sh -c '{works}'", 300)
    loss = result.report["loss"]
    assert loss["rows"] == loss["stacks"] == loss["missed"] == 0, loss
    seen = {spelled(row["ustack"]) for row in pick(result.rows, comm="stacks")} - {""}
    wanted = {f"{number:03b}"[::-1] + "0" * (depth - 3) for depth in depths for number in range(3)}
    assert seen <= wanted, seen - wanted
    assert len(wanted) <= len(seen) + loss["events"], wanted - seen


def test_a_deep_stack_that_does_not_fit_is_lost_as_a_whole(lab):
    result = lab.ktrace("offcputime -j -U --state S --stack-storage-size 30 -- $W/stacks 40 --depth 100", 300)
    rows = pick(result.rows, comm="stacks")
    loss = result.report["loss"]
    kept = {spelled(row["ustack"]) for row in rows} - {""}
    assert all(len(stack) == 100 for stack in kept), kept
    assert 0 < len(kept) <= 30 / 4, "each takes four of the 30 pieces"
    assert 40 - len(kept) - loss["events"] <= lost_walks(rows) <= loss["stacks"], loss


def test_loss_of_stacks_is_said_in_text(lab):
    result = lab.ktrace("offcputime --stack-storage-size 10 -- $W/stacks 500")
    assert result.rc == 0 and "lost" in (result.out.splitlines()[-1] + result.err), result


@pytest.mark.parametrize("room", [pytest.param(1, marks=pytest.mark.slow), 100,
                                  pytest.param(1000, marks=pytest.mark.slow)])
def test_seen_is_kept_plus_lost_when_rows_do_not_fit(lab, room):
    result = lab.ktrace(f"offcputime -j --state S -s 0 --row-storage-size {room} -- $W/renames 3000", 300)
    loss = result.report["loss"]
    seen = result.fact("renames")["voluntary"]
    assert loss["rows"] > 0 and loss["missed"] == 0, loss
    counted = total(result.rows, "count") + loss["rows"] + loss["events"]
    # the command's own start and end add a few
    assert seen <= counted <= seen + 20, (seen, counted, loss)
    assert len(result.rows) <= room + 1, "more rows than there is room for"


def test_rows_fit_at_the_default_size(lab):
    result = lab.trace("offcputime", "--state S -s 0", workload="renames 5000", timeout=300)
    loss = result.report["loss"]
    named = pick(result.rows, lambda row: row["comm"][0] == "r" and row["comm"][1:].isdigit())
    assert loss["rows"] == 0 and loss["events"] <= 50, loss
    assert 5000 - loss["events"] <= len(named) <= 5000
