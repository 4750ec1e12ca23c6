"""`responder mail explain`: one mail in full, or many as a table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import orjson
import typer

from responder.cli.common import FAILED, fail, print_json, told_in_a_sentence
from responder.cli.files import DEFAULT_CONFIG, configuration
from responder.cli.mail_corpus import Row, Totals, compared, index_of, print_lines, print_table, print_totals
from responder.cli.mail_shown import as_plain, show
from responder.cli.mail_sources import MailSource, mails_in
from responder.config.mail_rules import read_mail_rules
from responder.flows.mail_explain import Reader, explain_mail, reader


def explain_mails(files: Sequence[Path], by: Reader, *, expect: Path | None, with_text: bool, as_json: bool) -> None:
    """Prints what mails would become. Ends with 1 if an index was given and anything differs from it."""
    left_out: list[Path] = []
    sources = list(mails_in(files, left_out))
    if expect is None and len(sources) == 1 and not files[0].is_dir():
        _one(sources[0], by, with_text=with_text, as_json=as_json)
        return
    totals = _totals(sources, by, expect, len(left_out))
    if as_json:
        print_lines(totals.rows, with_text=with_text)
        typer.echo(orjson.dumps({"totals": totals.plain()}).decode())
    else:
        print_table(totals.rows, is_compared=expect is not None)
        print_totals(totals, is_compared=expect is not None)
    if totals.differing:
        raise typer.Exit(FAILED)


def reader_of(config: Path | None, rules: Sequence[Path]) -> Reader:
    """The configuration that is named, or that lies here, with own rules before its rules. Without one, defaults."""
    path = config or (DEFAULT_CONFIG if DEFAULT_CONFIG.is_file() else None)
    with told_in_a_sentence():
        known = configuration(path) if path else None
        given = known.mail.settings.rules if known and known.mail else ()
        folder = path.parent if path else Path()
        return reader(known, read_mail_rules([*(folder / one for one in given), *rules]))


def _one(source: MailSource, by: Reader, *, with_text: bool, as_json: bool) -> None:
    found = explain_mail(source.content, by, datetime.now(UTC))
    plain = as_plain(found, with_text=with_text)
    if as_json:
        print_json(plain)
    else:
        show(found, plain, with_text=with_text)


def _totals(sources: Sequence[MailSource], by: Reader, expect: Path | None, left_out: int) -> Totals:
    if not sources:
        fail("There is no mail.")
    now = datetime.now(UTC)
    rows = [Row(name=one.name, found=explain_mail(one.content, by, now)) for one in sources]
    if expect is None:
        return Totals(rows=rows, left_out=left_out)
    index = index_of(expect)
    # An index names what is in its folder; a mail that it does not name is shown and not checked.
    missing = sorted(set(index) - {row.name for row in rows})
    return Totals(rows=[compared(row, index.get(row.name)) for row in rows], missing=missing, left_out=left_out)
