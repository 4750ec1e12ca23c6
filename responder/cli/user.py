"""`responder user`: accounts of people, straight in the database, also before the first start."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from responder.cli.common import BAD_CONFIG, JsonOption, fail, login, out, print_json, table, told_in_a_sentence
from responder.cli.files import DEFAULT_CONFIG, ConfigOption, configuration
from responder.clock import SystemClock
from responder.domain.access import Role, Via
from responder.domain.accounts import User
from responder.domain.audit import Entry
from responder.flows import accounts
from responder.flows.accounts import Wanted
from responder.flows.desk import Desk
from responder.store import schema
from responder.store.audit_log import Act
from responder.store.database import Database
from responder.store.with_first_write import with_first_write

T = TypeVar("T")
_ROLES = ", ".join(Role)
user = typer.Typer(help="Accounts of people who sign in to the console.", no_args_is_help=True)
NameArgument = Annotated[str, typer.Argument(help="The name; the same as in people.yml for somebody on call.")]
TeamsOption = Annotated[
    list[str] | None, typer.Option("--team", help="A team whose tickets they may touch; again for more. None: all.")
]
PasswordOption = Annotated[
    Path | None, typer.Option(help="A file that holds the password. Without it one is made up and shown, once.")
]
AskOption = Annotated[bool, typer.Option("--ask", help="Ask for the password here.")]


@user.command()
def add(
    name: NameArgument,
    role: Annotated[str, typer.Option(help=f"One of {_ROLES}.")] = Role.RESPONDER.value,
    team: TeamsOption = None,
    password_file: PasswordOption = None,
    ask: AskOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Make an account. Its password is shown once, unless you choose it."""
    wanted, (password, is_made_up) = _role(role), _password(password_file, ask=ask)

    def adding(desk: Desk) -> Awaitable[User]:
        return accounts.add_account(desk, name, wanted, tuple(team or ()), password)

    made = _done(config, "user add", name, adding)
    _tell(made, f"{made.name} is {made.role}", password if is_made_up else "", json=json)


@user.command("list")
def list_(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """List accounts."""
    with _desk(config) as desk:
        found = asyncio.run(desk.store.read(lambda tx: tx.accounts.all()))
    if json:
        print_json([_plain(one) for one in found])
        return
    shown = table("name", "role", "teams", "by", "last seen", "")
    for one in found:
        seen = f"{one.seen_at:%Y-%m-%d %H:%M}" if one.seen_at else "never"
        teams, state = one.acts_for.removesuffix(" teams"), "disabled" if one.disabled_at else ""
        shown.add_row(one.name, one.role, teams, one.source, seen, state)
    out.print(shown if found else "no account; make one: responder user add NAME --role admin")


@user.command()
def role(
    name: NameArgument,
    role: Annotated[str, typer.Argument(help=f"One of {_ROLES}.")],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Give somebody another role; it counts at once."""
    _change(config, name, Wanted(role=_role(role)), f"user role {role}", json=json)


@user.command()
def teams(
    name: NameArgument, team: TeamsOption = None, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False
) -> None:
    """Say whose tickets somebody may touch; without any --team those of all teams."""
    _change(config, name, Wanted(teams=tuple(team or ())), "user teams", json=json)


@user.command()
def disable(name: NameArgument, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Keep somebody out, and end their sessions at once."""
    _change(config, name, Wanted(is_disabled=True), "user disable", json=json)


@user.command()
def enable(name: NameArgument, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Let somebody in again."""
    _change(config, name, Wanted(is_disabled=False), "user enable", json=json)


@user.command()
def password(
    name: NameArgument,
    password_file: PasswordOption = None,
    ask: AskOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Give somebody another password, and end their sessions."""
    chosen, is_made_up = _password(password_file, ask=ask)
    _done(config, "user password", name, lambda desk: accounts.give_password(desk, name, chosen))
    if json:
        print_json({"name": name, **({"password": chosen} if is_made_up else {})})
    else:
        out.print(chosen if is_made_up else f"{name} has another password", markup=False, soft_wrap=True)


@user.command("sign-out")
def sign_out(name: NameArgument, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """End all sessions of somebody."""
    ended = _done(config, "user sign-out", name, lambda desk: accounts.end_sessions(desk, name))
    if json:
        print_json({"name": name, "ended": ended})
    else:
        out.print(f"{name}: {ended} sessions ended", markup=False)


def add_to(root: typer.Typer) -> None:
    root.add_typer(user, name="user")


def _change(config: Path, name: str, wanted: Wanted, action: str, *, json: bool) -> None:
    changed = _done(config, action, name, lambda desk: accounts.change_account(desk, name, wanted))
    state = "disabled" if changed.disabled_at else f"{changed.role}, for {changed.acts_for}"
    _tell(changed, f"{changed.name} is {state}", json=json)


def _tell(changed: User, text: str, secret: str = "", *, json: bool) -> None:
    if json:
        print_json({**_plain(changed), **({"password": secret} if secret else {})})
        return
    out.print(text, markup=False)
    if secret:
        out.print(f"password: {secret}", markup=False, soft_wrap=True)


def _done(config: Path, action: str, name: str, doing: Callable[[Desk], Awaitable[T]]) -> T:
    """Does something with an account, in the name of whoever is at the shell."""

    async def acted(desk: Desk) -> T:
        entry = Entry(at=desk.clock.now(), actor=login(), via=Via.SHELL, action=f"responder {action}", object=name)
        with with_first_write(Act(entry=entry)):
            return await doing(desk)

    with _desk(config) as desk:
        return asyncio.run(acted(desk))


@contextmanager
def _desk(config: Path) -> Iterator[Desk]:
    # Here, because the help needs no ways to hosts and people.
    from responder.app import make_desk

    with told_in_a_sentence():
        read = configuration(config)
        database = Database(read.database_url)
        try:
            schema.upgrade(database)
            yield make_desk(read, database, SystemClock())
        finally:
            database.close()


def _role(text: str) -> Role:
    if text not in set(Role):
        fail(f"{text!r} is no role; there are {_ROLES}.", BAD_CONFIG)
    return Role(text)


def _password(path: Path | None, *, ask: bool) -> tuple[str, bool]:
    """A password, and whether it was made up here."""
    if ask:
        return typer.prompt("Password", hide_input=True, confirmation_prompt=True), False
    if path is None:
        return secrets.token_urlsafe(15), True
    try:
        return path.read_text(encoding="utf-8").strip(), False
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is not text'}")


def _plain(one: User) -> dict[str, object]:
    return {
        "name": one.name,
        "role": one.role,
        "teams": list(one.teams),
        "teamless": one.teamless,
        "source": one.source,
        "created_at": one.created_at,
        "seen_at": one.seen_at,
        "disabled_at": one.disabled_at,
    }
