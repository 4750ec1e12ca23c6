"""Prometheus rule files: the alerting rules in them, with the place of each. Pure parsing.

Understood are rule files as Prometheus reads them, PrometheusRule manifests of the Prometheus operator (also in a
List), and a single group as rulers take it over their API. Keys that are not needed are not looked at: whether a
file is right in every detail is for `promtool check rules`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

Place = tuple[str | int, ...]
_LISTS = ("List", "PrometheusRuleList")
_MOST = 100_000


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertRule:
    """One alerting rule. Values may hold templates, as they stand in the file."""

    place: Place
    name: str
    group: str
    expression: str
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Mistake:
    """What cannot be understood, and where it is."""

    place: Place
    text: str


def is_template(text: str) -> bool:
    """True for a value that is only known when the alert fires."""
    return "{{" in text


def rules_in(document: Any) -> list[AlertRule | Mistake] | None:
    """The alerting rules of one document, its values all read as texts; None if it is no document with rules."""
    groups = list(islice(_manifests(document), _MOST))
    if not groups:
        return None
    found = list(islice(chain.from_iterable(_entries(one) for one in groups), _MOST + 1))
    if len(found) <= _MOST:
        return found
    # By aliases a small file can say this very often.
    return [*found[:_MOST], Mistake(place=(), text=f"there are more than {_MOST} rules; the rest was not read")]


def _entries(group: tuple[Place, Any] | Mistake) -> Iterable[AlertRule | Mistake]:
    return [group] if isinstance(group, Mistake) else _rules(*group)


def _manifests(document: Any) -> Iterator[tuple[Place, Any] | Mistake]:
    if not isinstance(document, dict):
        return
    if document.get("kind") in _LISTS and isinstance(document.get("items"), list):
        for index, item in enumerate(document["items"]):
            yield from _groups(item, ("items", index))
    else:
        yield from _groups(document, ())


def _groups(document: Any, at: Place) -> Iterator[tuple[Place, Any] | Mistake]:
    if not isinstance(document, dict):
        return
    if document.get("kind") == "PrometheusRule":
        spec = document.get("spec")
        at, document = (*at, "spec"), spec if isinstance(spec, dict) else {}
    if "groups" in document:
        yield from _listed(document["groups"], (*at, "groups"))
    elif isinstance(document.get("rules"), list):
        yield at, document


def _listed(groups: Any, at: Place) -> Iterator[tuple[Place, Any] | Mistake]:
    if groups in ("", []):
        yield at, {}
    elif not isinstance(groups, list):
        yield Mistake(place=at, text="groups is no list")
    else:
        yield from (((*at, index), group) for index, group in enumerate(groups))


def _rules(at: Place, group: Any) -> Iterator[AlertRule | Mistake]:
    if not isinstance(group, dict):
        yield Mistake(place=at, text="this group is no mapping")
        return
    rules = group.get("rules", "")
    if rules == "":
        return
    if not isinstance(rules, list):
        yield Mistake(place=(*at, "rules"), text="rules is no list")
        return
    name = group.get("name")
    for index, rule in enumerate(rules):
        found = _rule((*at, "rules", index), rule, name if isinstance(name, str) else "")
        if found is not None:
            yield found


def _rule(at: Place, rule: Any, group: str) -> AlertRule | Mistake | None:
    """None for a recording rule."""
    if not isinstance(rule, dict):
        return Mistake(place=at, text="this rule is no mapping")
    name, expression = rule.get("alert"), rule.get("expr")
    if name is None:
        return None if "record" in rule else Mistake(place=at, text="this rule has neither alert nor record")
    if not isinstance(name, str) or not name:
        return Mistake(place=(*at, "alert"), text="the alert's name is no text")
    if not isinstance(expression, str) or not expression.strip():
        return Mistake(place=(*at, "expr"), text=f"{name} has no expr")
    texts = {key: _texts(rule.get(key, "")) for key in ("labels", "annotations")}
    for key, value in texts.items():
        if value is None:
            return Mistake(place=(*at, key), text=f"the {key} of {name} are no mapping of texts")
    labels, annotations = texts["labels"] or {}, texts["annotations"] or {}
    return AlertRule(
        place=(*at, "alert"),
        name=name,
        # A flattened list may say it of each rule.
        group=group or (rule["group"] if isinstance(rule.get("group"), str) else ""),
        expression=expression,
        labels=labels,
        annotations=annotations,
    )


def _texts(value: Any) -> dict[str, str] | None:
    if value == "":
        return {}
    if not isinstance(value, dict):
        return None
    return value if all(isinstance(entry, str) for entry in value.values()) else None
