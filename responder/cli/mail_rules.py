"""`responder mail rules`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from responder.cli.common import out, print_json, table, told_in_a_sentence
from responder.config.mail_rules import read_mail_rules
from responder.domain.mail_rule import Condition, MailRule


def print_rules(folders: Sequence[Path], *, as_json: bool) -> None:
    """What each rule takes, in the order in which they are asked."""
    with told_in_a_sentence():
        known = read_mail_rules(folders)
    rows = [_row(rule) for rule in known]
    if as_json:
        print_json(rows)
        return
    shown = table("rule", "of", "labels", "firing", "cleared", "neither", "takes")
    for row in rows:
        shown.add_row(*(value if isinstance(value, str) else ", ".join(value) for value in row.values()))
    out.print(shown, markup=False)


def _row(rule: MailRule) -> dict[str, str | Sequence[str]]:
    words = rule.signal
    return {
        "rule": rule.name,
        "of": rule.title,
        "labels": list(dict.fromkeys(["alertname", *rule.labels, *rule.constant])),
        "firing": sorted(words.firing),
        "cleared": sorted(words.cleared),
        "neither": sorted(words.neither),
        "takes": " or ".join(map(_condition, rule.applies)),
    }


def _condition(condition: Condition) -> str:
    asked = {"subject": condition.subject, "sender": condition.sender, **condition.headers, "line": condition.line}
    return " and ".join(f"{name} {pattern.pattern}" for name, pattern in asked.items() if pattern)
