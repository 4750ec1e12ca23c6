"""Rules for mails of monitoring systems: shipped ones and the user's own, one file each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema, model_validator
from pydantic.json_schema import GenerateJsonSchema

from responder.adapters.yaml_file import Place, load
from responder.config.model import Model
from responder.domain.line_patterns import line_pattern
from responder.domain.mail_rule import ALL, Blocks, Condition, MailRule, Reading, SeverityWords, SignalWords
from responder.errors import ConfigError, Problem
from responder.intake.mail.reading import KEPT_HEADERS

_HOLE = re.compile(r"\{(\w+)\}")


def _pattern(value: object) -> re.Pattern[str]:
    if isinstance(value, re.Pattern):
        return value
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a regular expression; write it in quotes")
    return line_pattern(value)


Pattern = Annotated[
    re.Pattern[str], BeforeValidator(_pattern), WithJsonSchema({"type": "string", "format": "regex"})
]  # fmt: skip
Label = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Words = tuple[Text, ...]


class ConditionFile(Model):
    """All that is given must hold; each pattern matches from the begin of the line."""

    subject: Pattern | None = None
    sender: Pattern | None = None
    line: Pattern | None = None
    headers: dict[Text, Pattern] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _asks_for_something(self) -> ConditionFile:
        if not (self.subject or self.sender or self.line or self.headers):
            raise ValueError("give at least one of subject:, sender:, line: and headers:, or it would take every mail")
        return self

    def as_condition(self) -> Condition:
        headers = {name.lower(): pattern for name, pattern in self.headers.items()}
        return Condition(subject=self.subject, sender=self.sender, line=self.line, headers=headers)


class ReadingFile(Model):
    """A pattern with named groups; `says:` adds values that do not stand in the line."""

    matches: Pattern
    says: dict[Label, Text] = Field(default_factory=dict)


def _reading(value: object) -> object:
    return {"matches": value} if isinstance(value, str) else value


Readings = tuple[Annotated[ReadingFile, BeforeValidator(_reading)], ...]


class BlocksFile(Model):
    """How a mail with several alerts is parted."""

    begins: Pattern
    heading: Pattern | None = None
    notes: Pattern | None = None
    pair: Pattern | None = None


class SignalFile(Model):
    of: Annotated[tuple[Label, ...], Field(min_length=1)]
    firing: Annotated[Words, Field(min_length=1)]
    cleared: Words
    neither: Words = ()


class SeverityFile(Model):
    of: tuple[Label, ...] = ()
    words: dict[Text, Text] = Field(default_factory=dict)
    default: str = ""


class MailRuleFile(Model):
    """One file of rules/mail."""

    title: Text
    applies: Annotated[tuple[ConditionFile, ...], Field(min_length=1)]
    subject: Readings = ()
    fields: dict[Text, Label] = Field(default_factory=dict)
    lines: Readings = ()
    blocks: BlocksFile | None = None
    signal: SignalFile
    severity: SeverityFile = SeverityFile()
    alertname: Words = ()
    labels: Annotated[tuple[Label | Annotated[str, Field(pattern=r"^\*$")], ...], Field(min_length=1)]
    needs: tuple[Label, ...] = ()
    constant: dict[Label, Text] = Field(default_factory=dict)
    summary: Words = ()
    authentic: bool = False
    """Whether only mails count whose sender the own mail server has proven."""

    def as_rule(self, name: str) -> MailRule:
        return MailRule(
            name=name,
            title=self.title,
            applies=tuple(one.as_condition() for one in self.applies),
            subject=_readings(self.subject),
            fields={key.casefold(): label for key, label in self.fields.items()},
            lines=_readings(self.lines),
            blocks=Blocks(**{key: getattr(self.blocks, key) for key in BlocksFile.model_fields})
            if self.blocks
            else None,
            signal=SignalWords(
                of=self.signal.of,
                firing=_folded(self.signal.firing),
                cleared=_folded(self.signal.cleared),
                neither=_folded(self.signal.neither),
            ),
            severity=SeverityWords(
                of=self.severity.of,
                words={word.casefold(): severity for word, severity in self.severity.words.items()},
                default=self.severity.default,
            ),
            alertname=self.alertname,
            labels=self.labels,
            needs=self.needs,
            constant=self.constant,
            summary=self.summary,
            authentic=self.authentic,
        )


def _readings(written: Readings) -> tuple[Reading, ...]:
    return tuple(Reading(pattern=one.matches, says=one.says) for one in written)


def _folded(words: Words) -> frozenset[str]:
    return frozenset(word.casefold() for word in words)


def read_mail_rules(folders: Sequence[Path]) -> tuple[MailRule, ...]:
    """The rules of these folders, a later folder's first, then the shipped ones; of one name only the first.

    Raises ConfigError with every mistake of every file at its place.
    """
    found: dict[str, MailRule] = {}
    problems: list[Problem] = []
    for folder in reversed(folders):
        problems += [] if folder.is_dir() else [Problem(path=folder, line=1, column=1, text="is no folder")]
        for path in sorted(folder.glob("*.yml")):
            try:
                found.setdefault(path.stem, _rule(path))
            except ConfigError as error:
                problems += error.problems
    if problems:
        raise ConfigError(problems)
    return (*found.values(), *(rule for rule in shipped_mail_rules() if rule.name not in found))


@cache
def shipped_mail_rules() -> tuple[MailRule, ...]:
    """Read once: they change with the package only."""
    package = Path(__file__).parent.parent
    folders = (package.parent / "rules" / "mail", package / "shipped" / "mail")
    folder = next(one for one in folders if one.is_dir())
    return tuple(_rule(path) for path in sorted(folder.glob("*.yml")))


def _rule(path: Path) -> MailRule:
    """Raises ConfigError."""
    document = load(path)
    written = document.parsed(MailRuleFile)
    problems = [document.problem(place, text) for place, text in _complaints(written)]
    if problems:
        raise ConfigError(problems)
    return written.as_rule(path.stem)


def _complaints(rule: MailRuleFile) -> Iterator[tuple[Place, str]]:
    yield from _unread_names(rule)
    yield from _unread_headers(rule)
    is_open = ALL in rule.labels
    if not rule.alertname and not is_open and "alertname" not in {*rule.labels, *rule.constant}:
        yield ("labels",), "nothing gives the alert a name; write alertname:"
    if rule.blocks is None and is_open and not any("pairs" in one.matches.groupindex for one in rule.lines):
        yield ("labels",), "“*” needs blocks: with a pair:, or a group named pairs"
    words = [*_folded(rule.signal.firing), *_folded(rule.signal.cleared), *_folded(rule.signal.neither)]
    for word in sorted({one for one in words if words.count(one) > 1}):
        yield ("signal",), f"the word {word} means two things"


def _unread_names(rule: MailRuleFile) -> Iterator[tuple[Place, str]]:
    """Names that nothing in the rule reads; with “*” the mail itself may name them."""
    known, is_open = set(_names(rule)), ALL in rule.labels
    asked: list[tuple[Place, Iterable[str]]] = [
        (("signal", "of"), rule.signal.of),
        (("severity", "of"), rule.severity.of),
        (("alertname",), _HOLE.findall(" ".join(rule.alertname))),
    ]
    if not is_open:
        asked += [
            (("labels",), rule.labels),
            (("needs",), rule.needs),
            (("summary",), _HOLE.findall(" ".join(rule.summary))),
        ]
    unread = ((place, name) for place, names in asked for name in names if name not in known)
    return ((place, f"nothing in this rule reads {name}") for place, name in unread)


def _unread_headers(rule: MailRuleFile) -> Iterator[tuple[Place, str]]:
    known = ", ".join(sorted(KEPT_HEADERS))
    for place, condition in enumerate(rule.applies):
        for header in condition.headers:
            if header.lower() not in KEPT_HEADERS:
                yield ("applies", place, "headers", header), f"the header {header} is not kept; there are {known}"


def _names(rule: MailRuleFile) -> Iterator[str]:
    for reading in (*rule.subject, *rule.lines):
        yield from reading.matches.groupindex
        yield from reading.says
    if rule.blocks and rule.blocks.heading:
        yield from rule.blocks.heading.groupindex
    yield from rule.fields.values()


def mail_rule_schema() -> dict[str, Any]:
    """The JSON Schema of a rule's file, for editors."""
    made = MailRuleFile.model_json_schema()
    for name in ("subject", "lines"):
        written = made["properties"][name]
        written["items"] = {"anyOf": [{"type": "string", "format": "regex"}, written["items"]]}
    return {"$schema": GenerateJsonSchema.schema_dialect, **made}
