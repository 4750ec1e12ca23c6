"""What a change means for people: the news are all that differs and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings

from responder.domain.duty_news import DutyChange, Notice, Views, changes_of, gaps_opened, news_in, still_so
from responder.domain.rota import people_on_call
from tests.domain.test_rota_brute_force import EXAMPLES, Case, cases

NOON = datetime(2026, 1, 6, 12, tzinfo=UTC)


def change(first: int, last: int, *, is_on: bool = True, rota: str = "ops") -> DutyChange:
    """From one hour of a day to another."""
    start, until = (NOON + timedelta(hours=hour) for hour in (first, last))
    return DutyChange(rota=rota, start=start, until=until, is_on=is_on)


@settings(max_examples=EXAMPLES, deadline=None)
@given(case=cases())
def test_the_changes_and_gaps_are_what_differs_at_each_instant(case: Case) -> None:
    before, after = case.overrides[:-1], case.overrides
    views = Views(before=before, after=after, start=case.start, until=case.end)
    changes, gaps = changes_of(case.rota, views), gaps_opened(case.rota, views)
    for number in range(0, 2880, 47):
        at = case.start + number * timedelta(minutes=1)
        were, are = (set(people_on_call(case.rota, known, at)) for known in (before, after))
        held = {(name, one.is_on) for name, found in changes.items() for one in found if one.start <= at < one.until}
        assert held == {*((name, True) for name in are - were), *((name, False) for name in were - are)}
        assert any(one.start <= at < one.until for one in gaps) is (bool(were) and not are)


def test_what_was_not_told_yet_need_not_be_taken_back() -> None:
    off = change(2, 6, is_on=False)
    assert news_in([off], [change(2, 6)]) == []
    assert news_in([off], [change(3, 4)]) == [change(2, 3, is_on=False), change(4, 6, is_on=False)]
    assert news_in([off], [change(0, 3), change(5, 9)]) == [change(3, 5, is_on=False)]
    assert news_in([off], [change(2, 6, rota="other")]) == [off]
    assert news_in([off], [change(2, 6, is_on=False)]) == [off]


@settings(max_examples=EXAMPLES, deadline=None)
@given(case=cases())
def test_what_is_still_so_is_what_is_told_and_true(case: Case) -> None:
    told = DutyChange(rota="ops", start=case.start, until=case.end, is_on=True)
    now = case.start + timedelta(hours=7)
    notice = Notice(
        person="ann", changes=(told,), actor="mei", reason="x", has_ended=False, override_ids=(1,), made_at=case.start
    )
    found = still_so(notice, {"ops": case.rota}, case.overrides, now)
    for number in range(420, 2880, 53):
        at = case.start + number * timedelta(minutes=1)
        is_there = "ann" in people_on_call(case.rota, case.overrides, at)
        assert any(one.start <= at < one.until for one in found) is is_there
    assert still_so(notice, {}, case.overrides, now) == []
