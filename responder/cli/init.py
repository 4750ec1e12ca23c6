"""`responder init`: a commented configuration to begin with."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from responder.adapters.notifier import objection_to
from responder.adapters.passwords import hashed
from responder.adapters.yaml_file import load
from responder.cli.common import JsonOption, fail, login, out, print_json
from responder.clock import SystemClock
from responder.config.policy import PolicyFile, read_policy, shipped_profile
from responder.domain.access import Role, Via
from responder.domain.accounts import User, objection_to_name
from responder.domain.audit import Entry
from responder.store import schema
from responder.store.database import Database
from responder.store.transaction import Transaction

_FILES = Path(__file__).parent / "init_files"
UNTOUCHED = "replace-this-address"
_NOWHERE = f"json://127.0.0.1:9181/{UNTOUCHED}"
_DEFAULT = "p1-p4"
_OF_THE_DEFAULT = ("zone:", "default_team:")
"""Settings of the starting policy that other profiles make themselves."""


def _profiles() -> list[str]:
    """The names of the shipped profiles, the default first."""
    default = shipped_profile(_DEFAULT)
    names = sorted(path.stem for path in default.parent.glob("*.yml")) if default else []
    return sorted(names, key=lambda name: name != _DEFAULT)


def init(
    folder: Annotated[Path, typer.Argument(help="Where to write the files.")] = Path(),
    notify: Annotated[str, typer.Option(help="The apprise URL of the first person on call.")] = _NOWHERE,
    profile: Annotated[str, typer.Option(help=f"The rules to begin with: {', '.join(_profiles())}.")] = _DEFAULT,
    admin: Annotated[str, typer.Option(help="The name of the first account, which may do everything.")] = "admin",
    json: JsonOption = False,
) -> None:
    """Write a commented configuration, policy, inventory and people file, secrets, and the Alertmanager snippet."""
    if objection := objection_to(notify):
        fail(f"--notify: {objection}")
    if objection := objection_to_name(admin):
        fail(f"--admin: {objection}")
    if profile not in _profiles():
        fail(f"--profile: there is no shipped profile {profile}; there are {', '.join(_profiles())}")
    made = {path.name: path.read_text(encoding="utf-8") for path in sorted(_FILES.glob("*.yml"))}
    made |= _fitting(profile, made["policy.yml"])
    made |= {
        "secret.key": secrets.token_urlsafe(48) + "\n",
        "tokens/alertmanager": secrets.token_urlsafe(32) + "\n",
        "secrets/first-pager": notify + "\n",
    }
    if there := [name for name in (*made, "responder.db") if (folder / name).exists()]:
        fail(f"nothing was written: {folder / there[0]} is there already")
    for name, text in made.items():
        _write(folder / name, text, is_secret=not name.endswith(".yml"))
    (folder / "runbooks").mkdir(exist_ok=True)
    main_file = folder / "responder.yml"
    password = _first_admin(folder / "responder.db", admin)
    if json:
        print_json({"config": str(main_file), "files": sorted(made), "admin": admin, "password": password})
        return
    out.print(
        f"wrote {len(made)} files. Next:\n"
        f"  responder check --config {main_file}\n"
        f"  responder serve --config {main_file}\n"
        f"Then sign in at http://127.0.0.1:9180/ as {admin} with the password {password} (shown only here).\n"
        f"Others: responder user add NAME --config {main_file}",
        markup=False,
        soft_wrap=True,
    )
    if notify == _NOWHERE:
        out.print(f"Put a real address into {folder / 'secrets/first-pager'}: so far nobody is told.", markup=False)


def _first_admin(path: Path, name: str) -> str:
    """Makes the first account, in the database that the files name. Its password is kept nowhere."""
    password, now = secrets.token_urlsafe(15), SystemClock().now()
    made = User(name=name, role=Role.ADMIN, password_hash=hashed(password), created_at=now)
    entry = Entry(at=now, actor=login(), via=Via.SHELL, action="responder init", object=name)

    def adding(tx: Transaction) -> None:
        tx.accounts.add(made)
        tx.audit_log.add(entry)

    database = Database(f"sqlite:///{path.absolute()}")
    try:
        schema.upgrade(database)
        database.write_now(adding)
    finally:
        database.close()
    return password


# --- what another profile needs ------------------------------------------------------------------------------


def _fitting(profile: str, policy: str) -> dict[str, str]:
    """The files that differ for another profile than the default: its policy, and people with its teams and roles."""
    path = shipped_profile(profile)
    if profile == _DEFAULT or path is None:
        return {}
    _, rules = read_policy(load(path))
    paragraphs = policy.replace(_DEFAULT, profile).replace("P1", next(iter(rules.grades))).split("\n\n")
    kept = [one for one in paragraphs if not any(f"\n{key}" in f"\n{one}" for key in _OF_THE_DEFAULT)]
    return {"policy.yml": "\n\n".join(kept).rstrip() + "\n", "people.yml": _people(profile, rules)}


def _people(profile: str, rules: PolicyFile) -> str:
    """A person for each tier and each role, all with the first address, until real ones take their places."""
    lines = [
        f"# The teams and roles that {profile} needs. Put real people in their places: docs/profiles/{profile}.md",
        "# Channels are apprise URLs (https://github.com/caronc/apprise/wiki); keep those with a secret in a file of",
        "# their own, that only the service can read. Two roles that must agree need two people.",
        "people:",
    ]
    channel = "channels: [{name: pager, url_file: secrets/first-pager}]"
    lines += [f"  - {{name: {name}, {channel}}}" for name in _TIERS]
    lines += [f"  - {{name: the-{role}, roles: [{role}], {channel}}}" for role in _roles(rules)]
    tiers = ", ".join(f"{number}: [{name}]" for number, name in enumerate(_TIERS, 1))
    lines += ["", "teams:", *(f"  - {{name: {team}, tiers: {{{tiers}}}}}" for team in _teams(rules))]
    return "\n".join(lines) + "\n"


_TIERS = ("first", "second", "third")


def _roles(rules: PolicyFile) -> list[str]:
    """Every role that the rules name, once."""
    clocks = [clock for clock in rules.clocks.values() if clock is not None]
    alarms = [rules.actions.on_overdue, *(alarm for clock in clocks for alarm in (clock.on_warn, clock.on_breach))]
    named: list[Iterable[str]] = [grade.roles for grade in rules.grades.values()]
    named += [role for gate in rules.gates for role in (gate.all_of, gate.any_of, gate.inform)]
    named += [alarm.roles for alarm in alarms]
    return list(dict.fromkeys(role for roles in named for role in roles))


def _teams(rules: PolicyFile) -> list[str]:
    kinds = [kind.team for kind in rules.kinds.values() if kind is not None and kind.team]
    return list(dict.fromkeys([rules.default_team, *kinds, *(rule.team for rule in rules.teams)]))


def add_to(root: typer.Typer) -> None:
    root.command()(init)


def _write(path: Path, text: str, *, is_secret: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = 0o600 if is_secret else 0o644
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        file.write(text)
