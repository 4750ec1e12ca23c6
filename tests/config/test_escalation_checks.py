"""Plans of escalation that reach nobody, or that no ticket comes to: each is named at its line and column."""

from __future__ import annotations

from datetime import timedelta

import pytest

from responder.domain.escalation import Callees, Step
from tests.config.written import mistakes, policy_of

GOOD = """\
name: own
default_grade: P1
grades:
  P1: {targets: {respond: 5m}}
  P2: {targets: {respond: 1h}}
escalation:
  - name: by day
    grades: [P1]
    hours: [{days: [mon, tue], from: "08:00", to: "18:00", zone: Europe/Berlin}]
    steps:
      - tell: tier 1
      - {after: 5m, tell: [tier 1, role head]}
  - name: else
    steps:
      - tell: [person bob]
      - {after: 10m, tell: tier 1}
    repeat: 2
    every: 30m
    still_on_it: 1h
"""

DAY = """\
    grades: [P1]
    hours: [{days: [mon, tue], from: "08:00", to: "18:00", zone: Europe/Berlin}]
"""


def test_a_plan_is_read_as_it_is_written() -> None:
    day, other = policy_of(GOOD).escalation
    assert [str(window) for window in day.hours] == ["mon,tue 08:00-18:00 Europe/Berlin"]
    assert day.steps == (
        Step(callees=Callees(tiers=(1,))),
        Step(callees=Callees(tiers=(1,), roles=("head",)), after=timedelta(minutes=5)),
    )
    assert other.steps[0].callees == Callees(people=("bob",))
    assert (other.repeat, other.every, other.still_on_it) == (2, timedelta(minutes=30), timedelta(hours=1))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("grades: [P1]", "grades: [§P9]", "there is no grade P9; there are P1, P2"),
        ("name: else", "§name: by day", "there is another plan called by day"),
        (DAY + "    steps:", "    steps:", "no ticket comes to plan else: by day takes the same ones before it"),
        ("tell: [person bob]", "§tell: [person zoe]", "nobody is called zoe"),
        ("tell: [tier 1, role head]", "§tell: [role king]", "nobody with the role king has a channel"),
        ("tell: [tier 1, role head]", "§tell: [role silent]", "nobody with the role silent has a channel"),
        (DAY, "    §teams: nowhere\n", "there is no team nowhere in the people file"),
        ("tell: tier 1\n", "§tell: tier 2\n", "this step reaches nobody of team ops: no channel in tier 2 or above"),
        (
            "{after: 5m, tell: [tier 1, role head]}\n  - name: else\n    steps:\n      - tell: [person bob]\n",
            "{after: 5m, tell: tier 1}\n  - name: else\n    steps:\n      - {§after: 5m, tell: tier 1}\n",
            "the first step comes at once; hold_off: lets a ticket wait before it",
        ),
        ("repeat: 2", "§repeat: 100", "that makes more than 200 calls; repeat it less often"),
        ("tell: tier 1\n", "§tell: the boss\n", "'the boss' is nobody; write 'tier 1', 'role manager' or 'person mei'"),
    ],
)  # fmt: skip
def test_a_plan_that_cannot_be_meant_is_named_at_its_place(old: str, new: str, said: str) -> None:
    assert old in GOOD
    marked = GOOD.replace(old, new, 1)
    found = mistakes(marked.replace("§", ""))
    before = marked[: marked.index("§")] if "§" in marked else marked[: marked.index("name: else")]
    place = f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}: "
    assert any(one.startswith(place) and one.endswith(said) for one in found), found
