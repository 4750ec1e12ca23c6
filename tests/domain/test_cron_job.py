"""The states of a cron job, at their borders."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from responder.domain.cron import parse_cron
from responder.domain.cron_job import MOST_RUNS, CronJob, CronJobRule, JobState, Ping, Word, heard, sentence, state_of
from tests.fakes import HOUR, MINUTE, NOW, SECOND

RULE = CronJobRule(name="backup", every=HOUR, grace=10 * MINUTE, longest=30 * MINUTE)
NEW = CronJob(name="backup", since=NOW)


def said(word: Word, after: timedelta = timedelta(), run: str = "", code: int | None = None) -> Ping:
    return Ping(name="backup", at=NOW + after, word=word, run=run, exit_code=code)


def at(job: CronJob, after: timedelta, rule: CronJobRule = RULE) -> JobState:
    return state_of(job, rule, NOW + after)


def test_it_is_late_after_its_period_and_its_grace_and_not_before() -> None:
    up = heard(NEW, said(Word.SUCCESS))
    assert at(up, HOUR + 10 * MINUTE) is JobState.UP
    assert at(up, HOUR + 10 * MINUTE + SECOND) is JobState.LATE


def test_one_that_was_never_heard_of_is_new_and_then_late() -> None:
    assert at(NEW, HOUR) is JobState.NEW
    assert at(NEW, 2 * HOUR) is JobState.LATE
    assert "never been heard of in the 2h" in sentence(NEW, RULE, NOW + 2 * HOUR)


def test_a_failure_is_down_until_it_ends_well() -> None:
    down = heard(NEW, said(Word.FAIL, code=3))
    assert at(down, SECOND) is JobState.DOWN
    assert sentence(down, RULE, NOW) == "backup said that it failed with exit code 3."
    again = heard(down, said(Word.START, MINUTE))
    assert at(again, MINUTE) is JobState.DOWN
    assert at(heard(again, said(Word.SUCCESS, 2 * MINUTE)), 2 * MINUTE) is JobState.UP


def test_a_run_that_does_not_end_has_started_too_long_ago() -> None:
    running = heard(heard(NEW, said(Word.SUCCESS)), said(Word.START, HOUR))
    assert at(running, HOUR + 30 * MINUTE) is JobState.RUNNING
    assert at(running, HOUR + 30 * MINUTE + SECOND) is JobState.TOO_LONG
    # Without an own limit the grace is the limit.
    assert at(running, HOUR + 11 * MINUTE, replace(RULE, longest=None)) is JobState.TOO_LONG
    ended = heard(running, said(Word.SUCCESS, 2 * HOUR))
    assert (at(ended, 2 * HOUR), ended.took) == (JobState.UP, HOUR)


def test_runs_are_told_apart_and_one_that_was_cut_off_does_not_stay_for_ever() -> None:
    both = heard(heard(NEW, said(Word.START, run="a")), said(Word.START, MINUTE, run="b"))
    first_ended = heard(both, said(Word.SUCCESS, 2 * MINUTE, run="a"))
    assert list(first_ended.started) == ["b"]
    second_ended = heard(both, said(Word.SUCCESS, 2 * MINUTE, run="b"))
    assert (dict(second_ended.started), second_ended.took) == ({}, MINUTE)
    assert heard(both, said(Word.SUCCESS, 2 * MINUTE, run="unknown")).started == {}


def test_so_many_runs_are_followed_and_no_more() -> None:
    job = NEW
    for number in range(MOST_RUNS + 5):
        job = heard(job, said(Word.START, number * SECOND, run=str(number)))
    assert (len(job.started), "4" in job.started) == (MOST_RUNS, False)


def test_a_cron_expression_is_due_at_its_next_time_in_its_zone() -> None:
    rule = CronJobRule(name="backup", cron=parse_cron("0 2 * * *"), grace=HOUR)
    up = heard(NEW, said(Word.SUCCESS))
    assert at(up, 17 * HOUR, rule) is JobState.UP
    assert at(up, 17 * HOUR + SECOND, rule) is JobState.LATE
    assert str(rule) == "0 2 * * * (UTC)"


def test_a_job_whose_clock_is_a_little_ahead_has_run_at_its_time() -> None:
    rule = CronJobRule(name="backup", cron=parse_cron("0 10 * * *"), grace=HOUR)
    early = heard(NEW, said(Word.SUCCESS, -5 * SECOND))
    assert at(early, 23 * HOUR, rule) is JobState.UP
    too_early = heard(NEW, said(Word.SUCCESS, -MINUTE))
    assert at(too_early, 2 * HOUR, rule) is JobState.LATE
