"""Many mails at once: a table of what each becomes, held against what an index expects, with totals."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import typer

from responder.cli.common import BAD_CONFIG, fail, out, table
from responder.cli.mail_shown import as_plain
from responder.domain.mail_loop import AnswersSent, Kind, may_answer
from responder.flows.mail_explain import Explained

_UNKNOWN = "unknown"
_LONGEST_SHOWN = 60
_CHARSET = re.compile(r"is no charset|says that it is in")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One mail of many: what it becomes, what of it was checked, and what differs from what was expected."""

    name: str
    found: Explained
    checked: int = 0
    differs: tuple[str, ...] = ()

    @property
    def signals(self) -> str:
        reports = self.found.claim.reports if self.found.claim else ()
        return ", ".join(sorted({report.signal.value for report in reports}))

    @property
    def charset_oddities(self) -> str:
        return " ".join(
            one for one in self.found.mail.oddities if "it was read as" in one or "the text was read" in one
        )


@dataclass(frozen=True, kw_only=True)
class Totals:
    """The sums over many mails. `missing` were expected and not there."""

    rows: Sequence[Row]
    missing: Sequence[str] = field(default=())
    left_out: int = 0

    @property
    def differing(self) -> int:
        return sum(bool(row.differs) for row in self.rows) + len(self.missing)

    def plain(self) -> dict[str, Any]:
        becomes = Counter(row.found.becomes.value for row in self.rows)
        natures = Counter(row.found.nature.kind.value for row in self.rows)
        return {
            "mails": len(self.rows),
            "becomes": dict(sorted(becomes.items())),
            "nature": dict(sorted(natures.items())),
            "odd": sum(bool(row.found.mail.oddities) for row in self.rows),
            "charset_odd": sum(bool(row.charset_oddities) for row in self.rows),
            "checked": sum(row.checked for row in self.rows),
            "differing": self.differing,
            "missing": list(self.missing),
            "left_out": self.left_out,
        }


# --- what an index expects ------------------------------------------------------------------------------------


def index_of(path: Path) -> Mapping[str, Mapping[str, Any]]:
    """What is expected of each mail, by its name below the folder."""
    try:
        files = orjson.loads(path.read_bytes())["files"]
    except OSError as error:
        fail(f"{path} cannot be read: {error.strerror}", BAD_CONFIG)
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        fail(f"{path} is no index of mails: it needs an object “files” ({error})", BAD_CONFIG)
    if not isinstance(files, dict) or not all(isinstance(one, dict) for one in files.values()):
        fail(f"{path} is no index of mails: “files” is no object of objects", BAD_CONFIG)
    return files


def compared(row: Row, entry: Mapping[str, Any] | None) -> Row:
    """The row with everything in which it differs from its entry in the index. What the index leaves open is not
    checked."""
    wanted = {**(entry or {}), **((entry or {}).get("expected") or {})}
    checks = [check for check in _CHECKS if wanted.get(check.name, _UNKNOWN) != _UNKNOWN]
    seen = [(check, wanted[check.name], check.found(row.found)) for check in checks]
    differs = tuple(
        f"{check.name}: expected {_short(want)}, found {_short(found)}"
        for check, want, found in seen
        if not check.is_same(want, found)
    )
    return Row(name=row.name, found=row.found, checked=len(seen), differs=differs)


def _same(want: Any, found: Any) -> bool:
    return bool(want == found)


def _same_words(want: Any, found: Any) -> bool:
    """Whether texts are the same but for white space, which HTML has in other places."""
    return str(want).split() == str(found).split()


def _same_or_unanswered(want: Any, found: Any) -> bool:
    """A bounce that declares itself an automatic answer is a bounce here; it must only never be answered."""
    return want in found


@dataclass(frozen=True, kw_only=True)
class _Check:
    name: str
    found: Callable[[Explained], Any]
    is_same: Callable[[Any, Any], bool] = _same


def _auto_reply(found: Explained) -> tuple[bool, ...]:
    is_one = found.nature.kind is Kind.AUTO_REPLY
    is_silent = bool(may_answer(found.mail, found.nature, AnswersSent()))
    return (is_one, True) if found.nature.kind is Kind.BOUNCE and is_silent else (is_one,)


_CHECKS = (
    _Check(name="becomes", found=lambda one: one.becomes.value),
    _Check(name="rule", found=lambda one: one.claim.rule if one.claim else ""),
    _Check(name="is_bounce", found=lambda one: one.nature.kind is Kind.BOUNCE),
    _Check(name="is_auto_reply", found=_auto_reply, is_same=_same_or_unanswered),
    _Check(name="has_quoted_text", found=lambda one: bool(one.reply.quoted)),
    _Check(name="signature", found=lambda one: bool(one.reply.signature)),
    _Check(name="dsn_action", found=lambda one: one.mail.bounces[0].action if one.mail.bounces else ""),
    _Check(name="dsn_status", found=lambda one: one.mail.bounces[0].status if one.mail.bounces else ""),
    _Check(name="expected_subject", found=lambda one: one.mail.subject),
    _Check(name="expected_text", found=lambda one: one.mail.text, is_same=_same_words),
    _Check(name="expected_reply_text", found=lambda one: one.mail.said, is_same=_same_words),
)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else str(value).lower()
    shown = " ".join(text.split())
    return f"“{shown[:_LONGEST_SHOWN]}{'…' * (len(shown) > _LONGEST_SHOWN)}”" if isinstance(value, str) else shown


# --- how it is shown ------------------------------------------------------------------------------------------


def print_lines(rows: Iterable[Row], *, with_text: bool) -> None:
    """One JSON object per line and mail."""
    for row in rows:
        plain = {"file": row.name, **as_plain(row.found, with_text=with_text), "differs": list(row.differs)}
        typer.echo(orjson.dumps(plain).decode())


def print_table(rows: Sequence[Row], *, is_compared: bool) -> None:
    expected = ("checked", "differs") if is_compared else ()
    shown = table("file", "becomes", "rule", "signal", "charset", "odd", *expected, "why")
    for row in rows:
        more = (str(row.checked), "; ".join(row.differs) or "–") if is_compared else ()
        found = row.found
        rule = found.claim.rule if found.claim else ""
        odd = str(len(found.mail.oddities) or "")
        shown.add_row(row.name, found.becomes.value, rule, row.signals, row.charset_oddities, odd, *more, found.why)
    out.print(shown, markup=False)


def print_totals(totals: Totals, *, is_compared: bool) -> None:
    for line in _sentences(totals.plain(), is_compared=is_compared):
        out.print(line, markup=False, soft_wrap=True)


def _sentences(found: Mapping[str, Any], *, is_compared: bool) -> Iterator[str]:
    yield f"\n{found['mails']} mails: {_counted(found['becomes'])}."
    yield f"Sent by: {_counted(found['nature'])}."
    yield f"Odd: {found['odd']}, of these {found['charset_odd']} by their charset."
    if found["left_out"]:
        yield f"Files that are no mails were left out: {found['left_out']}."
    if is_compared:
        yield f"Checked: {found['checked']} facts; mails that differ: {found['differing']}."
    if found["missing"]:
        yield f"Expected and not there: {', '.join(found['missing'])}."


def _counted(found: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in found.items()) or "none"
