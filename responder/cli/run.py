"""`responder run`: rehearse a runbook, or order it for a ticket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

import typer

from responder.adapters.http_client import HttpClient
from responder.adapters.ssh import SshHosts
from responder.cli.client import DEFAULT_SERVER, ServerOption, ask
from responder.cli.common import BAD_CONFIG, JsonOption, awaited, fail, login, out, pairs, print_json
from responder.cli.files import DEFAULT_CONFIG, ConfigOption, configuration
from responder.clock import SystemClock
from responder.config.configuration import Configuration
from responder.domain.acts import Act, Command, Fail, Suspend
from responder.domain.counting import counted
from responder.domain.masking import masked, masked_words
from responder.domain.target import Target, find
from responder.firstaid.act_words import argv_of, said_act
from responder.firstaid.plan import Plan, from_snapshot, snapshot
from responder.firstaid.rehearsal import Rehearsed, rehearse
from responder.flows.hands import TargetHands


def run(
    runbook: Annotated[str, typer.Argument(help="The runbook's name.")],
    target: Annotated[str, typer.Option("--target", "-t", help="The target in the inventory.")] = "",
    label: Annotated[
        list[str], typer.Option("--label", "-l", help="What its parameters take, as name=value, before the alert's.")
    ] = [],  # noqa: B006
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look and plan on the host, act never.")] = False,
    ticket: Annotated[str, typer.Option("--ticket", help="Run it for this ticket, on a running server.")] = "",
    who: Annotated[str, typer.Option("--as", envvar="RESPONDER_AS", help="Who you are, for the history.")] = login(),
    server: ServerOption = DEFAULT_SERVER,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Rehearse a runbook on a host: every look is made for real, every act is only shown.

    With --ticket instead of --dry-run it runs for that ticket, under the same guards as the machine's own first aid.
    A dry run ends with 1 if a step could not be looked at, such as on a host that cannot be reached.
    """
    if not dry_run:
        _order(server, ticket, {"runbook": runbook, "target": target, "labels": pairs(label), "actor": who}, json)
        return
    if not target:
        fail("Say on which host: --target.", BAD_CONFIG)
    loaded = configuration(config)
    plan, host = _prepared(loaded, runbook, target, pairs(label))
    rehearsed = awaited(lambda: _rehearse(loaded, plan, host))
    if json:
        print_json([_plain(loaded, step) for step in rehearsed])
    else:
        for step in rehearsed:
            _show(loaded, step)
    if unseen := sum(bool(step.unseen) for step in rehearsed):
        fail(f"{unseen} of {counted(len(rehearsed), 'step')} could not be looked at; what they would do is not known.")


def _order(server: str, ticket: str, wish: dict[str, Any], json: bool) -> None:
    if not ticket:
        fail(
            "A run acts for a ticket, under its guards and in its history: say --ticket, send an alert, or --dry-run.",
            BAD_CONFIG,
        )
    found = ask("POST", server, f"/api/v1/tickets/{quote(ticket, safe='')}/runs", wish)
    if json:
        print_json(found)
    else:
        out.print(f"{found['runbook']} on {found['target']} has started (run {found['id']})", markup=False)


def add_to(root: typer.Typer) -> None:
    root.command()(run)


def _prepared(loaded: Configuration, name: str, wanted: str, labels: dict[str, str]) -> tuple[Plan, Target]:
    if name not in loaded.runbooks:
        fail(f"There is no runbook {name}; there are {', '.join(sorted(loaded.runbooks))}.")
    host = find(loaded.targets, wanted)
    if host is None:
        fail(f"{wanted!r} is no target in the inventory.")
    try:
        return from_snapshot(snapshot(loaded.runbooks[name], labels, host, inventory=loaded.targets)), host
    except ValueError as error:
        fail(f"{name} cannot run: {error}.")


async def _rehearse(loaded: Configuration, plan: Plan, host: Target) -> list[Rehearsed]:
    hosts = SshHosts(connect_timeout=loaded.settings.ssh.connect_timeout)
    web = HttpClient(loaded.settings.prometheus.url if loaded.settings.prometheus else "")
    try:
        hands = TargetHands(hosts=hosts, web=web, target=host, targets=loaded.targets)
        return await rehearse(plan, hands, SystemClock().now())
    finally:
        await web.close()
        await hosts.close()


def _show(loaded: Configuration, step: Rehearsed) -> None:
    phase = "" if step.phase == "steps" else f", {step.phase.replace('_', ' ')}"
    out.print(f"{step.index + 1}. {step.name} ({step.kind} on {step.host}{phase})", markup=False)
    seen = masked(", ".join(f"{name}={value}" for name, value in step.seen.items()), loaded.secrets)
    unseen = masked(step.unseen, loaded.secrets)
    out.print(f"   sees   {unseen or seen or 'nothing: this kind of step does not look'}", markup=False)
    for act in step.acts:
        out.print(f"   would  {masked(said_act(loaded.targets, step.host, act), loaded.secrets)}", markup=False)
    if not step.acts and not step.unseen:
        out.print("   would  do nothing: it is as wanted", markup=False)


def _plain(loaded: Configuration, step: Rehearsed) -> dict[str, object]:
    return {
        "name": step.name,
        "kind": step.kind,
        "host": step.host,
        "phase": step.phase,
        "seen": {name: _fact(loaded, name, value) for name, value in step.seen.items()},
        "unseen": masked(step.unseen, loaded.secrets),
        "acts": [_act(loaded, step.host, act) for act in step.acts],
    }


def _act(loaded: Configuration, host: str, act: Act) -> dict[str, object]:
    if isinstance(act, Command):
        command = masked_words(argv_of(loaded.targets, host, act), loaded.secrets)
        return {"host": act.on or host, "command": command, "stdin": masked(act.stdin, loaded.secrets)}
    if isinstance(act, Fail):
        return {"fail": act.why}
    if isinstance(act, Suspend):
        return {"wait": act.why}
    return {type(act).__name__.lower(): masked(said_act(loaded.targets, host, act), loaded.secrets)}


def _fact(loaded: Configuration, name: str, value: object) -> object:
    """A fact without secrets."""
    if isinstance(value, Mapping):
        return {key: _fact(loaded, str(key), one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_fact(loaded, name, one) for one in value]
    return masked(f"{name}={value}", loaded.secrets)[len(name) + 1 :] if isinstance(value, str) else value
