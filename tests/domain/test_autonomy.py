"""How far a runbook may go by itself, and what earns it more."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.domain.autonomy import (
    Autonomy,
    AutonomyRule,
    Judged,
    Promotion,
    has_earned,
    level,
    record_of,
    turns,
    wilson_lower_bound,
)
from tests.fakes import NOW

AUTO, APPROVE, SUGGEST = Autonomy.AUTO, Autonomy.APPROVE, Autonomy.SUGGEST


def a_history(outcomes: str) -> list[Judged]:
    """`+` for a run that was proved, `-` for one that was not, oldest first."""
    return [
        Judged(run_id=number, at=NOW + timedelta(hours=number), is_good=sign == "+")
        for number, sign in enumerate(outcomes, start=1)
    ]


@pytest.mark.parametrize(
    ("grade", "groups", "expected"),
    [
        ("P1", (), APPROVE),
        ("P2", (), AUTO),
        ("P3", (), SUGGEST),
        ("P2", ("web", "db"), APPROVE),
        ("P1", ("cash",), SUGGEST),
        ("P3", ("db",), APPROVE),
    ],
)
def test_grade_and_group_name_the_level_and_the_most_careful_holds(
    grade: str, groups: tuple[str, ...], expected: Autonomy
) -> None:
    rule = AutonomyRule(default=SUGGEST, grades={"P1": APPROVE, "P2": AUTO}, groups={"db": APPROVE, "cash": SUGGEST})
    found, why = level(rule, grade, groups, ())
    assert found is expected
    assert why.startswith(f"{expected}: the policy says so")


def test_without_a_word_about_it_first_aid_is_automatic() -> None:
    assert level(AutonomyRule(), "P1", ("db",), ())[0] is AUTO
    assert AutonomyRule().is_always_auto


@pytest.mark.parametrize(
    ("outcomes", "expected", "why"),
    [
        ("", SUGGEST, "not earned yet (0 verified successes in a row, lower bound 0.00)"),
        ("++", SUGGEST, "not earned yet (2 verified successes in a row, lower bound 0.34)"),
        ("+++", AUTO, "auto: earned, 3 verified successes in a row, lower bound 0.44"),
        ("+++-", SUGGEST, "not earned yet (0 verified successes in a row, lower bound 0.30)"),
        ("---+++", SUGGEST, "not earned yet (3 verified successes in a row, lower bound 0.19)"),
    ],
)
def test_so_many_verified_successes_and_a_sure_enough_next_one_earn_it(
    outcomes: str, expected: Autonomy, why: str
) -> None:
    rule = AutonomyRule(default=SUGGEST, promote_after=Promotion(successes=3, lower_bound=0.4))
    found, said = level(rule, "P1", (), a_history(outcomes))
    assert (found, why in said) == (expected, True), said


def test_the_history_shows_every_promotion_and_demotion() -> None:
    found = turns(a_history("+++-++++++"), Promotion(successes=3, lower_bound=0.4))
    assert [(turn.run_id, turn.is_promoted) for turn in found] == [(3, True), (4, False), (7, True)]
    assert [turn.sentence for turn in found] == [
        "3 verified successes in a row, lower bound 0.44",
        "run 4 was not proved",
        "3 verified successes in a row, lower bound 0.49",
    ]


@pytest.mark.parametrize(
    ("successes", "total", "bound"),
    # Known values of the 95 % score interval.
    [(0, 0, 0.0), (0, 10, 0.0), (3, 3, 0.4385), (10, 10, 0.7225), (81, 263, 0.2553), (95, 100, 0.8882)],
)
def test_the_bound_is_wilsons(successes: int, total: int, bound: float) -> None:
    assert wilson_lower_bound(successes, total) == pytest.approx(bound, abs=5e-5)


@given(total=st.integers(1, 500), data=st.data())
def test_the_bound_is_below_the_share_and_grows_with_every_success(total: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, total))
    bound = wilson_lower_bound(successes, total)
    assert 0 <= bound <= successes / total
    assert wilson_lower_bound(successes + 1, total + 1) > bound or successes == 0
    assert wilson_lower_bound(successes, total + 1) <= bound


@given(st.lists(st.booleans(), max_size=130), st.integers(1, 12), st.floats(0, 0.95))
def test_it_is_earned_by_successes_alone_and_every_failure_takes_it_back(
    outcomes: list[bool], successes: int, lower_bound: float
) -> None:
    promotion = Promotion(successes=successes, lower_bound=lower_bound)
    history = a_history("".join("+" if one else "-" for one in outcomes))
    for number, one in enumerate(history, start=1):
        was, now = (has_earned(record_of(history[:count]), promotion) for count in (number - 1, number))
        assert not (now and not one.is_good), "a failure never leaves it earned"
        assert not (was and not now and one.is_good), "a success never takes it back"
    found = turns(history, promotion)
    assert [turn.is_promoted for turn in found] == [number % 2 == 0 for number in range(len(found))]
    assert (bool(found) and found[-1].is_promoted) == has_earned(record_of(history), promotion)
