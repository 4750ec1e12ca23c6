"""What a host depends on, ways that lead back, and which ticket may stand for another."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.domain.dependencies import RECOVERY, cycle, explains, recovered_at, upstream
from responder.domain.report import Signal
from responder.domain.target import Target
from responder.domain.ticket import Status, Ticket
from tests.fakes import NOW, SECOND, a_ticket

GRADES = ("P1", "P2", "P3")
NAMES = st.sampled_from("abcdef")
Graph = dict[str, list[str]]


def targets(**depends_on: str) -> list[Target]:
    return [Target(name=name, address=name, depends_on=tuple(on.split())) for name, on in depends_on.items()]


def test_what_is_upstream_is_found_through_others_the_nearest_first() -> None:
    known = targets(web="rack", db="rack san", rack="core", san="core", core="")
    assert upstream(known, "web") == ("rack", "core")
    assert upstream(known, "db") == ("rack", "san", "core")
    assert upstream(known, "core") == upstream(known, "nobody") == ()


def test_a_cycle_is_named_with_its_way() -> None:
    assert cycle({"a": ["b"], "b": ["c"], "c": ["a"]}, "b") == ("b", "c", "a", "b")
    assert cycle({"a": ["a"]}, "a") == ("a", "a")
    assert cycle({"a": ["b"], "b": ["c"], "c": ["b"]}, "a") == ()


@given(st.dictionaries(NAMES, st.lists(NAMES, max_size=3)), NAMES)
def test_a_target_is_in_a_cycle_exactly_when_it_is_upstream_of_what_it_depends_on(graph: Graph, name: str) -> None:
    known = [Target(name=one, address=one, depends_on=tuple(on)) for one, on in graph.items()]
    leads_back = any(name == other or name in upstream(known, other) for other in graph.get(name, []))
    way = cycle(graph, name)
    assert bool(way) is leads_back
    assert all(after in graph[before] for before, after in pairwise(way))
    assert name not in upstream(known, name)


PARENT = replace(a_ticket(), id=1, grade="P2", signal=Signal.FIRING)
MEMBER = replace(a_ticket(), id=2, grade="P2", signal=Signal.FIRING)


@pytest.mark.parametrize(("grade", "stands"), [("P1", True), ("P2", True), ("P3", False), ("gone", False)])
def test_a_ticket_stands_only_for_those_that_are_not_more_urgent(grade: str, stands: bool) -> None:
    assert explains(replace(PARENT, grade=grade), MEMBER, GRADES, NOW) is stands


def test_a_ticket_does_not_stand_for_itself() -> None:
    assert not explains(PARENT, PARENT, GRADES, NOW)


@pytest.mark.parametrize(
    ("parent", "stands"),
    [
        (PARENT, True),
        (replace(PARENT, status=Status.IN_PROGRESS), True),
        (replace(PARENT, status=Status.RESTORED), False),
        (replace(PARENT, status=Status.CLOSED), False),
        (replace(PARENT, status=Status.IN_PROGRESS, signal=Signal.CLEARED), False),
        (replace(PARENT, status=Status.RESTORED, signal=Signal.CLEARED, cleared_at=NOW), True),
        (replace(PARENT, status=Status.RESTORED, signal=Signal.CLEARED, cleared_at=NOW - RECOVERY + SECOND), True),
        (replace(PARENT, status=Status.RESTORED, signal=Signal.CLEARED, cleared_at=NOW - RECOVERY), False),
        (replace(PARENT, status=Status.RESOLVED, signal=Signal.CLEARED, cleared_at=NOW), False),
    ],
)
def test_a_ticket_stands_for_others_while_it_shows_and_for_a_moment_after(parent: Ticket, stands: bool) -> None:
    assert explains(parent, MEMBER, GRADES, NOW) is stands


def test_those_behind_it_have_a_moment_to_clear_too() -> None:
    assert recovered_at(PARENT) is None
    assert recovered_at(replace(PARENT, status=Status.RESTORED, cleared_at=NOW)) == NOW + RECOVERY
