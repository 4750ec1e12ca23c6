"""`responder token`: API tokens."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from responder.cli.common import BAD_CONFIG, JsonOption, fail, login, out, print_json, table, told_in_a_sentence
from responder.cli.files import DEFAULT_CONFIG, ConfigOption, configuration
from responder.clock import SystemClock
from responder.config.settings import digest
from responder.domain.access import MEANING_OF_TOKEN, Via
from responder.domain.audit import Entry
from responder.domain.durations import parse_duration
from responder.errors import Conflict
from responder.store import schema
from responder.store.database import Database
from responder.store.switchboard import SCOPES, Token
from responder.store.transaction import Transaction

_SCOPES = " ".join(f"{scope}: {text}" for scope, text in MEANING_OF_TOKEN.items())
token = typer.Typer(help="API tokens; only their digests are stored.", no_args_is_help=True)


@token.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    scope: Annotated[str, typer.Option(help=_SCOPES)] = "read",
    expires: Annotated[str, typer.Option(help="After so long, such as 90d; empty for never.")] = "90d",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Make a token and show it, once."""
    if scope not in SCOPES:
        fail(f"{scope!r} is no scope; there are {', '.join(SCOPES)}.", BAD_CONFIG)
    now = SystemClock().now()
    secret = f"rsp_{secrets.token_urlsafe(32)}"
    ends = now + _duration(expires) if expires else None
    made = Token(name=name, digest=digest(secret), scope=scope, created_at=now, expires_at=ends)
    with _store(config) as database:
        try:
            database.write_now(lambda tx: _add(tx, made))
        except Conflict:
            fail(f"There is a token called {name} already.")
    if json:
        print_json({"name": name, "scope": scope, "expires_at": ends, "token": secret})
    else:
        out.print(secret, markup=False, soft_wrap=True)


@token.command("list")
def list_(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """List tokens, without their secrets."""
    with _store(config) as database:
        found = database.write_now(lambda tx: tx.switchboard.tokens())
    if json:
        print_json([{"name": one.name, "scope": one.scope, "expires_at": one.expires_at} for one in found])
        return
    shown = table("name", "scope", "expires")
    for one in found:
        shown.add_row(one.name, one.scope, f"{one.expires_at:%Y-%m-%d}" if one.expires_at else "never")
    out.print(shown if found else "no token")


@token.command()
def remove(name: str, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Remove a token; it stops working at once."""
    with _store(config) as database:
        if not database.write_now(lambda tx: _remove(tx, name)):
            fail(f"There is no token called {name}.")
    if json:
        print_json({"removed": name})
    else:
        out.print(f"{name} is gone", markup=False)


def _add(tx: Transaction, made: Token) -> None:
    tx.switchboard.add_token(made)
    tx.audit_log.add(_entry(f"responder token create --scope {made.scope}", made.name))


def _remove(tx: Transaction, name: str) -> bool:
    is_gone = tx.switchboard.remove_token(name)
    if is_gone:
        tx.audit_log.add(_entry("responder token remove", name))
    return is_gone


def _entry(action: str, name: str) -> Entry:
    return Entry(at=SystemClock().now(), actor=login(), via=Via.SHELL, action=action, object=name)


def add_to(root: typer.Typer) -> None:
    root.add_typer(token, name="token")


@contextmanager
def _store(config: Path) -> Iterator[Database]:
    with told_in_a_sentence():
        database = Database(configuration(config).database_url)
        try:
            schema.upgrade(database)
            yield database
        finally:
            database.close()


def _duration(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        fail(str(error), BAD_CONFIG)
