"""The linter's rules about rotas: what may be meant, but leaves somebody at night without an answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from responder.adapters.yaml_file import load
from responder.clock import SystemClock
from responder.config.configuration import Configuration
from responder.domain.rota import Rota, gaps
from responder.domain.rota_checks import covered_by, odd_hours
from responder.firstaid.lint.finding import Finding, Found, Rule, Severity

LOOKED_AHEAD = timedelta(days=56)
_A_YEAR = timedelta(days=366)


@dataclass(frozen=True, kw_only=True)
class Rotas:
    """The rotas in the order of the file, as they are from an instant on."""

    rotas: tuple[Rota, ...]
    now: datetime


def about_rotas(configuration: Configuration, now: datetime | None = None) -> Iterator[Finding]:
    """All that is doubtful about the rotas of these files."""
    if not configuration.rotas:
        return
    document = load(configuration.path.parent / configuration.settings.people)
    subject = Rotas(rotas=tuple(configuration.rotas.values()), now=now or SystemClock().now())
    for rule in ROTA_RULES:
        yield from rule.findings(subject, document)


def rota_with_a_hole(subject: Rotas) -> Found:
    """Time in which nobody is on call."""
    for index, rota in enumerate(subject.rotas):
        found = [] if rota.may_be_empty else gaps(rota, (), subject.now, subject.now + LOOKED_AHEAD)
        if found:
            first = found[0]
            span = f"from {_local(rota, first.start)} to {_local(rota, first.until)}"
            more = f", and {len(found) - 1} more times in the next {LOOKED_AHEAD.days} days" if len(found) > 1 else ""
            text = f"nobody is on call in rota {rota.name} {span}{more}; a call then goes to the next tier"
            yield ("rotas", index), f"{text} (may_be_empty: true, if that is meant)"


def odd_hand_over(subject: Rotas) -> Found:
    """A hand-over at a time that the clocks leave out or show twice."""
    for index, rota in enumerate(subject.rotas):
        seen = set()
        for odd in odd_hours(rota, subject.now, subject.now + _A_YEAR):
            layer = rota.layers[odd.layer]
            if (odd.layer, odd.is_skipped) not in seen:
                seen.add((odd.layer, odd.is_skipped))
                yield ("rotas", index, "layers", odd.layer), f"rota {rota.name}, layer {layer.name}: {odd}"


def covered_layer(subject: Rotas) -> Found:
    """A layer that a later one always covers."""
    for index, rota in enumerate(subject.rotas):
        for number, layer in enumerate(rota.layers):
            if later := covered_by(rota, number):
                text = f"layer {later.name} always wins over it, so its people are called only while others are away"
                yield ("rotas", index, "layers", number), f"rota {rota.name}, layer {layer.name}: {text}"


def _local(rota: Rota, at: datetime) -> str:
    return f"{at.astimezone(rota.zone):%a %Y-%m-%d %H:%M %Z}"


ROTA_RULES: tuple[Rule[Rotas], ...] = (
    Rule("rota-with-a-hole", Severity.WARNING, rota_with_a_hole),
    Rule("odd-hand-over", Severity.WARNING, odd_hand_over),
    Rule("covered-layer", Severity.WARNING, covered_layer),
)
