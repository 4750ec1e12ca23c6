"""`responder backtest`."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from responder.cli.common import (
    BAD_CONFIG,
    FAILED,
    UNREACHABLE,
    JsonOption,
    awaited,
    fail,
    out,
    print_json,
    told_in_a_sentence,
)
from responder.cli.files import DEFAULT_CONFIG, ConfigOption, configuration
from responder.clock import SystemClock
from responder.config.configuration import Configuration, read
from responder.domain.durations import parse_duration
from responder.domain.replay import Aid, Tally
from responder.errors import Refused, StoreUnavailable
from responder.flows.backtest import FIELDS, Backtest, Difference
from responder.flows.backtest import backtest as replayed
from responder.store import schema
from responder.store.database import Database

_WORDS = {
    "tickets": "tickets",
    "grades": "grade",
    "rules": "rule",
    "teams": "team",
    "held": "held",
    "runbooks": "runbook",
    "targets": "target",
    "refused": "refused",
    "pages": "pages",
    "commands": "commands",
}


def backtest(
    since: Annotated[str, typer.Option(help="How far back: 30d, 12h.")] = "30d",
    policy: Annotated[Path | None, typer.Option(help="The policy to try, in place of the present one.")] = None,
    config_new: Annotated[Path | None, typer.Option(help="A whole configuration to try: its main file.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="How many troubles to show.")] = 50,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Replay the stored reports against changed rules and runbooks; say what would differ. It acts never."""
    now = SystemClock().now()
    present = configuration(config)
    changed = _changed(config, policy, config_new)
    try:
        period = now - parse_duration(since), now
    except (ValueError, OverflowError) as error:
        fail(f"--since: {error}", BAD_CONFIG)
    found = awaited(lambda: _replayed(present, changed, period))
    if json:
        print_json(_plain(found, limit))
    else:
        _show(found, limit)
    if found.differences:
        raise typer.Exit(FAILED)


def add_to(root: typer.Typer) -> None:
    root.command()(backtest)


def _changed(config: Path, policy: Path | None, config_new: Path | None) -> Configuration:
    if policy is not None and config_new is not None:
        fail("give --policy or --config-new, not both", BAD_CONFIG)
    with told_in_a_sentence():
        return read(config_new or config, policy=policy)


async def _replayed(present: Configuration, changed: Configuration, period: tuple[datetime, datetime]) -> Backtest:
    database = _opened(present)
    try:
        if not schema.is_current(database):
            fail("The database has the schema of another version; see `responder db upgrade`.", UNREACHABLE)
        return await replayed(database, present, changed, period)
    except StoreUnavailable as error:
        fail(str(error), UNREACHABLE)
    finally:
        database.close()


def _opened(present: Configuration) -> Database:
    """Opening a SQLite database would make one; here only one that is there is of use."""
    name = present.database_url.removeprefix("sqlite:///")
    if name != present.database_url and not Path(name).is_file():
        fail(f"There is no database {name}.", UNREACHABLE)
    try:
        return Database(present.database_url)
    except Refused as error:
        fail(str(error), BAD_CONFIG)


# --- showing ---------------------------------------------------------------------------------------


def _show(found: Backtest, limit: int) -> None:
    for body in found.quarantined:
        _say(f"quarantined {body.id} from {body.source} at {_at(body.received_at)}: {body.quarantined_because}")
    if (more := found.quarantined_count - len(found.quarantined)) > 0:
        _say(f"… and {more} more in quarantine")
    for difference in found.differences[:limit]:
        _show_difference(difference)
    if (more := len(found.differences) - limit) > 0:
        _say(f"… and {more} more troubles that differ; --limit shows them")
    for line in _sums(found):
        _say(line)


def _say(text: str) -> None:
    out.print(text, markup=False, soft_wrap=True)


def _at(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")


def _show_difference(one: Difference) -> None:
    _say(f"{one.title} (since {_at(one.since)})")
    for name in one.fields:
        if name == "commands":
            _show_commands(one.before.commands, one.after.commands)
        else:
            _say(f"  {_WORDS[name]:<9} {_value(one.before, name)} → {_value(one.after, name)}")


def _value(tally: Tally, name: str) -> str:
    counted = getattr(tally, name)
    if isinstance(counted, int):
        return str(counted)
    return ", ".join(f"{word} ×{times}" if times > 1 else word for word, times in sorted(counted.items())) or "none"


def _show_commands(before: Counter[Aid], after: Counter[Aid]) -> None:
    _say(f"  {'commands':<9} (settings of the steps; what they find on the host decides what runs)")
    for sign, some in (("-", before - after), ("+", after - before)):
        for aid, times in _ordered(some):
            level = "" if aid.level == "auto" else f" ({aid.level})"
            _say(f"    {sign} {aid.runbook} on {aid.target}{level}" + (f" ×{times}" if times > 1 else ""))
            for line in _steps(aid):
                _say(f"    {sign}   {line}")


def _ordered(some: Counter[Aid]) -> list[tuple[Aid, int]]:
    return sorted(some.items(), key=lambda entry: (entry[0].runbook, entry[0].target, entry[0].level, entry[0].steps))


def _steps(aid: Aid) -> list[str]:
    phases = orjson.loads(aid.steps)
    return [
        f"{'' if phase == 'steps' else phase + ': '}{orjson.dumps(step, option=orjson.OPT_SORT_KEYS).decode()}"
        for phase in ("precheck", "steps", "on_failure", "always")
        for step in phases.get(phase, ())
    ]


def _sums(found: Backtest) -> list[str]:
    differ = ", ".join(f"{_WORDS[name]} {count}" for name, count in found.by_field.items())
    return [
        f"{found.reports} reports in {found.bodies} bodies, {found.quarantined_count} of them in quarantine",
        f"troubles {_pair(found.troubles)}; tickets {_pair(found.tickets)}; pages {_pair(found.pages)}",
        f"{len(found.differences)} troubles differ: {differ}" if differ else "no difference",
    ]


def _pair(pair: tuple[int, int]) -> str:
    return f"{pair[0]} → {pair[1]}"


def _plain(found: Backtest, limit: int) -> dict[str, Any]:
    return {
        "bodies": found.bodies,
        "reports": found.reports,
        "quarantined": {
            "count": found.quarantined_count,
            "first": [
                {
                    "receipt": one.id,
                    "source": one.source,
                    "received_at": one.received_at,
                    "reason": one.quarantined_because,
                }
                for one in found.quarantined
            ],
        },
        **{
            name: dict(zip(("before", "after"), getattr(found, name), strict=True))
            for name in ("troubles", "tickets", "pages")
        },
        "differ": {"troubles": len(found.differences), **found.by_field},
        "differences": [_plain_difference(one) for one in found.differences[:limit]],
    }


def _plain_difference(one: Difference) -> dict[str, Any]:
    return {
        "title": one.title,
        "since": one.since,
        "fields": list(one.fields),
        "before": _plain_tally(one.before),
        "after": _plain_tally(one.after),
    }


def _plain_tally(tally: Tally) -> dict[str, Any]:
    plain: dict[str, Any] = {name: getattr(tally, name) for name in FIELDS if name != "commands"}
    plain = {name: value if isinstance(value, int) else dict(sorted(value.items())) for name, value in plain.items()}
    plain["commands"] = [
        {"runbook": aid.runbook, "target": aid.target, "autonomy": aid.level, "times": times, **orjson.loads(aid.steps)}
        for aid, times in _ordered(tally.commands)
    ]
    return plain
