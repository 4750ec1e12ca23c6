"""A rule for the mails of one kind of monitoring: which they are, what is read from them, and what it means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

ALL = "*"
"""Instead of names of labels: everything that stands in the mail's own list of labels."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """What a mail must have, all of it. `line` asks for one line of what is said; alone, for the first one."""

    subject: re.Pattern[str] | None = None
    sender: re.Pattern[str] | None = None
    line: re.Pattern[str] | None = None
    headers: Mapping[str, re.Pattern[str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """A pattern whose named groups are taken, with what a match says besides."""

    pattern: re.Pattern[str]
    says: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Blocks:
    """How a mail with several alerts is parted: `begins` an alert, `heading` says something of all that follow.

    After a line of `notes` the pairs are annotations, before it they are labels.
    """

    begins: re.Pattern[str]
    heading: re.Pattern[str] | None = None
    notes: re.Pattern[str] | None = None
    pair: re.Pattern[str] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SignalWords:
    """Where the word stands (the first of `of` that is known decides), and what it means; in lower case."""

    of: tuple[str, ...]
    firing: frozenset[str]
    cleared: frozenset[str]
    neither: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class SeverityWords:
    """Where the word stands, and the severity that each means; words in lower case."""

    of: tuple[str, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)
    default: str = ""

    @property
    def all(self) -> tuple[str, ...]:
        """Every severity that an alert of this rule can have."""
        return tuple(dict.fromkeys([*self.words.values(), *([self.default] if self.default else [])]))


@dataclass(frozen=True, kw_only=True, slots=True)
class MailRule:
    """How the mails of one monitoring become alerts.

    `labels` name what makes an alert the same one when it comes again or clears; whatever else is read becomes
    annotations, so that no measured value and no time of day can keep a recovery from its alert.
    """

    name: str
    title: str
    applies: tuple[Condition, ...]
    subject: tuple[Reading, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    """What stands before a colon, in lower case → the name it is taken by."""
    lines: tuple[Reading, ...] = ()
    blocks: Blocks | None = None
    signal: SignalWords
    severity: SeverityWords = SeverityWords()
    alertname: tuple[str, ...] = ()
    """Templates such as `{service}`; the first whose names are all there is used."""
    labels: tuple[str, ...]
    needs: tuple[str, ...] = ()
    constant: Mapping[str, str] = field(default_factory=dict)
    summary: tuple[str, ...] = ()
    authentic: bool = False
    """Whether only mails with a proven sender count."""
