"""What is other in one configuration than in another one, in words, and without anything secret."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

from responder.config.configuration import Configuration
from responder.domain.durations import spoken
from responder.domain.masking import MASK, masked
from responder.domain.matching import Matcher

_LONGEST = 300
_UNSAID = frozenset({"key_file", "secret"})
"""Where even the place of something is nobody's business."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Detail:
    """One thing that was so, and is otherwise."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """`what` is added, removed, changed, or moved: a rule at another place in its list, where the first one counts."""

    part: str
    name: str
    what: str
    details: tuple[Detail, ...] = ()


def differences(before: Configuration, after: Configuration) -> list[Difference]:
    """All that a reload from one to the other would change."""
    hidden = before.secrets | after.secrets
    found = [
        *_of_policy(before, after),
        *_of_named("runbooks", _runbooks(before), _runbooks(after)),
        *_of_named("targets", _by_name(before.targets), _by_name(after.targets)),
        *_of_named("people", before.people, after.people),
        *_of_named("teams", before.tiers, after.tiers),
        *_of_named("rotas", before.rotas, after.rotas),
        *_of_settings(before, after),
        *_of_secrets(before, after),
    ]
    return [_without_secrets(one, hidden) for one in found]


def _of_policy(before: Configuration, after: Configuration) -> Iterator[Difference]:
    for one in fields(before.policy):
        was, now = getattr(before.policy, one.name), getattr(after.policy, one.name)
        if was == now:
            continue
        if isinstance(was, Mapping) and isinstance(now, Mapping):
            yield from _of_named(one.name, was, now)
        elif _is_named(was) and _is_named(now):
            yield from _of_named(one.name, _by_name(was), _by_name(now))
            yield from _moved(one.name, [rule.name for rule in was], [rule.name for rule in now])
        else:
            yield Difference(part="policy", name=one.name, what="changed", details=_details(one.name, was, now))


def _of_named(part: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for name in [*before, *(name for name in after if name not in before)]:
        if name not in after:
            yield Difference(part=part, name=name, what="removed")
        elif name not in before:
            yield Difference(part=part, name=name, what="added", details=_told(after[name]))
        elif before[name] != after[name]:
            yield Difference(part=part, name=name, what="changed", details=_details("", before[name], after[name]))


def _moved(part: str, before: list[str], after: list[str]) -> Iterator[Difference]:
    """Of the rules that are in both, the first that stands at another place."""
    kept = [[name for name in names if name in other] for names, other in ((before, after), (after, before))]
    for was, now in zip(*kept, strict=False):
        if was != now:
            yield Difference(part=part, name=now, what="moved", details=(_order(kept[0], kept[1]),))
            return


def _order(before: Iterable[str], after: Iterable[str]) -> Detail:
    return Detail(field="order", before=_short(", ".join(before)), after=_short(", ".join(after)))


def _of_settings(before: Configuration, after: Configuration) -> Iterator[Difference]:
    """Names alone: what the main file holds may be meant for few eyes."""
    for name in type(before.settings).model_fields:
        if getattr(before.settings, name) != getattr(after.settings, name):
            yield Difference(part="settings", name=name, what="changed")


def _of_secrets(before: Configuration, after: Configuration) -> Iterator[Difference]:
    named = {"secret": (before.secret, after.secret), "credentials": (before.credentials, after.credentials)}
    named |= {"reporters": (before.reporter_url, after.reporter_url), "mail": (before.mail, after.mail)}
    named |= {"dead_man": (before.dead_man_url, after.dead_man_url), "oidc": (before.oidc, after.oidc)}
    for name, (was, now) in named.items():
        if was != now:
            yield Difference(part="secrets", name=name, what="changed")
    for recipient in before.addresses.keys() & after.addresses.keys():
        if before.addresses[recipient] != after.addresses[recipient]:
            yield Difference(part="addresses", name=f"{recipient.person} {recipient.channel}", what="changed")


# --- values in words -----------------------------------------------------------------------------------------


def _runbooks(configuration: Configuration) -> dict[str, dict[str, str]]:
    return {
        name: {"version": one.version, "summary": one.summary} for name, one in sorted(configuration.runbooks.items())
    }


def _by_name(some: Iterable[Any]) -> dict[str, Any]:
    return {one.name: one for one in some}


def _is_named(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(getattr(one, "name", None), str) for one in value)


def _details(name: str, before: Any, after: Any) -> tuple[Detail, ...]:
    """Field by field where both are of one kind that has fields, else the whole."""
    was, now = _parts(before), _parts(after)
    if was is None or now is None or type(before) is not type(after):
        return (Detail(field=name, before=_spoken(before), after=_spoken(after)),)
    keys = [*was, *(key for key in now if key not in was)]
    return tuple(
        Detail(field=key, before=_said(key, was.get(key)), after=_said(key, now.get(key)))
        for key in keys
        if was.get(key) != now.get(key)
    )


def _told(value: Any) -> tuple[Detail, ...]:
    """What is new, as far as it says anything."""
    parts = _parts(value) or {}
    shown = {key: _said(key, one) for key, one in parts.items() if key != "name" and one not in (None, "", (), {})}
    return tuple(Detail(field=key, before="", after=text) for key, text in shown.items() if text)


def _parts(value: Any) -> dict[str, Any] | None:
    if isinstance(value, Matcher):
        return None
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: getattr(value, one.name) for one in fields(value) if not one.name.startswith("_")}
    return {str(key): one for key, one in value.items()} if isinstance(value, Mapping) else None


def _said(name: str, value: Any) -> str:
    return MASK if name in _UNSAID and value is not None else _spoken(value)


def _spoken(value: Any) -> str:
    if value is None or value == ():
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, timedelta):
        return spoken(value)
    return _short(_structure(value))


def _structure(value: Any) -> str:
    if isinstance(value, Matcher | Enum | str | int | float | datetime | Path):
        return str(value)
    if isinstance(value, tuple | list | frozenset | set):
        words = [_spoken(one) for one in value]
        return ", ".join(sorted(words) if isinstance(value, frozenset | set) else words)
    if "__str__" in vars(type(value)):
        return str(value)
    parts = _parts(value)
    if parts is None:
        return str(value)
    return "; ".join(f"{key}={said}" for key, one in parts.items() if (said := _said(key, one)))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _without_secrets(one: Difference, hidden: frozenset[str]) -> Difference:
    def shown(field: str, text: str) -> str:
        return masked(f"{field}={text}", hidden)[len(field) + 1 :] if text else ""

    details = tuple(
        Detail(field=each.field, before=shown(each.field, each.before), after=shown(each.field, each.after))
        for each in one.details
    )
    return Difference(part=one.part, name=one.name, what=one.what, details=details)
