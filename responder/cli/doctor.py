"""`responder doctor`: is everything there that a night needs?"""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import typer
from rich.text import Text

from responder.adapters.http_client import HttpClient
from responder.adapters.mail_servers import ImapAccount, SmtpServer
from responder.adapters.oidc_client import Client
from responder.cli.common import FAILED, JsonOption, awaited, out, print_json, red, table
from responder.cli.files import DEFAULT_CONFIG, ConfigOption, configuration
from responder.cli.hosts import try_all
from responder.cli.init import UNTOUCHED
from responder.clock import SystemClock
from responder.config.configuration import Configuration
from responder.config.settings import Settings, is_loopback
from responder.domain.acts import Fetch, Query
from responder.domain.rota import Override, Shift
from responder.errors import MailboxFailed, QueryFailed, ResponderError, SendFailed, SignInFailed
from responder.flows.watch_rotas import gaps_ahead, rotas_that_call
from responder.store import schema
from responder.store.database import Database

_PATIENCE = timedelta(seconds=10)
"""So long a mail server is waited for, however patient the service is."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing looked at: fine, or why not."""

    what: str
    problem: str = ""


def doctor(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Look at files, secrets, database, Prometheus, mailbox, sign-in, hosts and the server; say what is wrong."""
    loaded = configuration(config)
    findings = awaited(lambda: _all(loaded))
    if json:
        print_json([{"what": one.what, "ok": not one.problem, "problem": one.problem} for one in findings])
    else:
        shown = table("", "what", "")
        for one in findings:
            shown.add_row(red("no") if one.problem else Text("ok", style="green"), one.what, one.problem)
        out.print(shown)
    if any(one.problem for one in findings):
        raise typer.Exit(FAILED)


def add_to(root: typer.Typer) -> None:
    root.command()(doctor)


async def _all(loaded: Configuration) -> list[Finding]:
    return [finding async for finding in _findings(loaded)]


async def _findings(loaded: Configuration) -> AsyncIterator[Finding]:
    yield Finding(what=f"files ({loaded.path})")
    yield Finding(what="secrets", problem=_readable_by_others(loaded))
    for recipient, address in loaded.addresses.items():
        problem = "its address is still the one that init wrote" if UNTOUCHED in address.value else ""
        yield Finding(what=f"channel {recipient.channel} of {recipient.person}", problem=problem)
    yield Finding(what="database", problem=_database(loaded))
    for name, problem in (await _rotas(loaded)).items():
        yield Finding(what=f"rota {name}", problem=problem)
    if loaded.settings.prometheus:
        yield Finding(what="prometheus", problem=await _prometheus(loaded))
    if loaded.mail and loaded.mail.mailbox:
        account = loaded.mail.mailbox
        yield Finding(what=f"mailbox {account.user} at {account.host}", problem=await _mailbox(account))
    if loaded.mail and loaded.mail.server:
        yield Finding(what=f"mail server {loaded.mail.server.host}", problem=await _mail_server(loaded.mail.server))
    if _is_behind_a_proxy(loaded.settings):
        yield Finding(what="reverse proxy", problem=_proxy(loaded.settings))
    if loaded.oidc:
        yield Finding(what=f"sign-in at {loaded.oidc.client.issuer}", problem=await _provider(loaded.oidc.client))
    for name, why in (await try_all(loaded.targets)).items():
        yield Finding(what=f"host {name}", problem=why)
    yield Finding(what="server", problem=await _server(loaded))


def _readable_by_others(loaded: Configuration) -> str:
    folder = loaded.path.parent
    files = [loaded.settings.secret_file, *(source.bearer_file for source in loaded.settings.sources)]
    if loaded.settings.sign_in.oidc:
        files.append(loaded.settings.sign_in.oidc.client_secret_file)
    open_files = [str(path) for path in files if path and _is_open(folder / path)]
    return f"others can read {', '.join(open_files)}; chmod 600" if open_files else ""


def _is_behind_a_proxy(settings: Settings) -> bool:
    """People come by another name than that of this machine for itself: somebody must bring them here."""
    return settings.is_loopback and not is_loopback(urlsplit(settings.base_url).hostname or "")


def _proxy(settings: Settings) -> str:
    if settings.feedback.proxies or settings.sign_in.proxy:
        return ""
    return (
        f"base_url is {settings.base_url}, listen is {settings.listen}: a proxy of yours stands between, and none is "
        "named. Everybody has one address then, and wrong passwords of a stranger keep all people from signing in. "
        "Name it in the main file: feedback: {proxies: [127.0.0.1/32]}"
    )


def _is_open(path: Path) -> bool:
    return bool(path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))


def _database(loaded: Configuration) -> str:
    try:
        database = Database(loaded.database_url)
        current = schema.is_current(database)
        database.close()
    except ResponderError as error:
        return str(error)
    return "" if current else "its schema is not of this version: responder db upgrade"


async def _rotas(loaded: Configuration) -> dict[str, str]:
    """By rota, the next time without anybody on call; what people have changed by hand counts if it can be read."""
    now = SystemClock().now()
    overrides = await _overrides(loaded, now) if rotas_that_call(loaded) and not _database(loaded) else []
    found = gaps_ahead(loaded, overrides, now)
    return {name: _first_gap(loaded, name, gaps) for name, gaps in found.items()}


async def _overrides(loaded: Configuration, now: datetime) -> list[Override]:
    database = Database(loaded.database_url)
    try:
        return await database.read(lambda tx: tx.overrides.since(now))
    finally:
        database.close()


def _first_gap(loaded: Configuration, name: str, gaps: Sequence[Shift]) -> str:
    if not gaps:
        return ""
    zone = loaded.rotas[name].zone
    start, until = (at.astimezone(zone) for at in (gaps[0].start, gaps[0].until))
    return f"nobody is on call from {start:%a %Y-%m-%d %H:%M %Z} to {until:%a %Y-%m-%d %H:%M %Z}"


async def _prometheus(loaded: Configuration) -> str:
    client = HttpClient(loaded.settings.prometheus.url if loaded.settings.prometheus else "")
    try:
        await client.query(Query(promql="vector(1)"))
    except QueryFailed as error:
        return str(error)
    finally:
        await client.close()
    return ""


async def _mailbox(account: ImapAccount) -> str:
    # Here, because few have a mailbox and its library takes its time.
    from responder.adapters.mailbox import Mailbox

    mailbox = Mailbox(replace(account, timeout=min(account.timeout, _PATIENCE)))
    try:
        await mailbox.waiting()
    except MailboxFailed as error:
        return str(error)
    finally:
        await mailbox.close()
    return ""


async def _mail_server(server: SmtpServer) -> str:
    from responder.adapters.smtp import try_server

    try:
        await try_server(replace(server, timeout=min(server.timeout, _PATIENCE)))
    except SendFailed as error:
        return str(error)
    return ""


async def _provider(client: Client) -> str:
    # Here, because few sign in this way and its libraries take their time.
    from responder.adapters.oidc import OpenId

    provider = OpenId(client)
    try:
        await provider.look(SystemClock().now())
    except SignInFailed as error:
        return str(error)
    finally:
        await provider.close()
    return ""


async def _server(loaded: Configuration) -> str:
    client = HttpClient()
    host = f"[{loaded.settings.host}]" if ":" in loaded.settings.host else loaded.settings.host
    try:
        page = await client.fetch(Fetch(url=f"http://{host}:{loaded.settings.port}/-/ready"))
    except QueryFailed:
        return f"nothing answers on {loaded.settings.listen}: responder serve --config {loaded.path}"
    finally:
        await client.close()
    return "" if page.status == 200 else f"it is not ready: {page.text[:200]}"
