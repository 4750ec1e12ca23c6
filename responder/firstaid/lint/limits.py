"""Rules about time: waits, timeouts, cooldowns, hours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time, timedelta

from responder.domain.durations import spoken
from responder.firstaid.lint.fields import durations, written_as
from responder.firstaid.lint.finding import Found
from responder.firstaid.lint.sheet import MAIN, Placed, Sheet

_SHORTEST_HOURS = timedelta(minutes=15)
_WHOLE_DAY = 24 * 60
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_NO_WAITS = ("every", "older_than", "timeout")


def unbounded_wait(sheet: Sheet) -> Found:
    """A wait of more than an hour is none of first aid."""
    for step in sheet.steps:
        for name, length in _waits(step):
            if length > _HOUR:
                text = (
                    f"the step {step.name!r} may wait {spoken(length)}; first aid that takes longer than 1h is no bound"
                )
                yield (*step.at, name), text


def waits_exceed_timeout(sheet: Sheet) -> Found:
    """What only waits must fit into the run's time, or the run can never come to its end."""
    waits = [step for step in sheet.of(MAIN) if step.step.look() is None and not step.asks]
    total = sum((length for step in waits for _, length in _waits(step)), timedelta())
    limit = sheet.runbook.timeout
    if total >= limit:
        text = f"the steps wait {spoken(total)} in any case, but the timeout of the run is {spoken(limit)}"
        yield ("timeout",) if "timeout" in sheet.document.data else waits[-1].at, text


def timeout_too_short(sheet: Sheet) -> Found:
    """A run whose every step uses its patience should still be within its timeout."""
    limit = sheet.runbook.timeout
    for step in sheet.of(MAIN):
        for name, length in _waits(step):
            if length >= limit and (step.step.look() is not None or step.asks):
                text = (
                    f"the step {step.name!r} has {spoken(length)} for {name}:, but the whole run ends after "
                    f"{spoken(limit)}; give the runbook a longer timeout:"
                )
                yield (*step.at, name) if name in step.settings else step.at, text


def step_timeout(sheet: Sheet) -> Found:
    """A command's timeout that the run's never lets come."""
    limit = sheet.runbook.timeout
    for step in sheet.of(MAIN):
        length = getattr(step.step, "timeout", None)
        if isinstance(length, timedelta) and length >= limit:
            text = f"the step {step.name!r} may take {spoken(length)}, but the whole run ends after {spoken(limit)}"
            yield (*step.at, "timeout") if "timeout" in step.settings else step.at, text


def long_timeout(sheet: Sheet) -> Found:
    """For so long nobody is told that first aid does not help."""
    if sheet.runbook.timeout > _HOUR and not any(step.asks for step in sheet.steps):
        yield (
            ("timeout",),
            f"the run may take {spoken(sheet.runbook.timeout)}; for so long the ticket is handed over to nobody",
        )


def no_timeout(sheet: Sheet) -> Found:
    """The default is somebody else's guess."""
    if "timeout" not in sheet.document.data:
        yield ("runbook",), f"timeout: is not written; the default is {spoken(sheet.runbook.timeout)} for the whole run"


def long_cooldown(sheet: Sheet) -> Found:
    """A cooldown of more than a day lets it run once, and then never when it is needed."""
    if sheet.runbook.cooldown > _DAY:
        yield ("cooldown",), f"after one run it may not help the same host for {spoken(sheet.runbook.cooldown)}"


def no_cooldown(sheet: Sheet) -> Found:
    """Without a pause the same cure is tried again and again."""
    if not sheet.runbook.cooldown and any(step.acts for step in sheet.steps):
        yield ("cooldown",), "without a cooldown the same cure follows itself again and again"


def odd_hours(sheet: Sheet) -> Found:
    """Hours that say something else than they seem to."""
    for index, window in enumerate(sheet.document.data.get("hours") or []):
        if window.get("from") == window.get("to") is not None:
            yield (
                ("hours", index),
                f"from {window['from']} to {window['to']} is the whole day from then on, not no time",
            )
    for index, hours in enumerate(sheet.runbook.hours):
        length = (_minutes(hours.end) - _minutes(hours.start)) % _WHOLE_DAY or _WHOLE_DAY
        if timedelta(minutes=length) < _SHORTEST_HOURS:
            yield ("hours", index), f"only in {length} minutes of a day may it begin"


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute


def _waits(step: Placed) -> Iterator[tuple[str, timedelta]]:
    """How long it may wait, by the words of the file; the longest that is written or by default."""
    for name in durations(step):
        value = getattr(step.step, name)
        if name not in _NO_WAITS and isinstance(value, timedelta):
            yield written_as(step, name), value
