"""`responder run`: rehearse a runbook."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from responder.adapters.http_client import HttpClient
from responder.adapters.ssh import SshHosts
from responder.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    awaited,
    configuration,
    fail,
    out,
    pairs,
    print_json,
)
from responder.clock import SystemClock
from responder.config.configuration import Configuration
from responder.domain.runbook import Act, Command, Fail, Suspend
from responder.domain.target import Target, find
from responder.firstaid.engine import Rehearsed, rehearse
from responder.firstaid.plan import Plan, from_snapshot, snapshot
from responder.flows.hands import TargetHands


def run(
    runbook: Annotated[str, typer.Argument(help="The runbook's name.")],
    target: Annotated[str, typer.Option("--target", "-t", help="The target in the inventory.")],
    label: Annotated[list[str], typer.Option("--label", "-l", help="The alert's labels, as name=value.")] = [],  # noqa: B006
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look and plan on the host, act never.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Rehearse a runbook on a host: every look is made for real, every act is only shown."""
    if not dry_run:
        fail("A run acts for a ticket, under its guards and in its history: send an alert. Here there is --dry-run.")
    loaded = configuration(config)
    plan, host = _prepared(loaded, runbook, target, pairs(label))
    rehearsed = awaited(lambda: _rehearse(loaded, plan, host))
    if json:
        print_json([_plain(host, step) for step in rehearsed])
    else:
        for number, step in enumerate(rehearsed, start=1):
            _show(number, host, step)


def add_to(root: typer.Typer) -> None:
    root.command()(run)


def _prepared(loaded: Configuration, name: str, wanted: str, labels: dict[str, str]) -> tuple[Plan, Target]:
    if name not in loaded.runbooks:
        fail(f"There is no runbook {name}; there are {', '.join(sorted(loaded.runbooks))}.")
    host = find(loaded.targets, wanted)
    if host is None:
        fail(f"{wanted!r} is no target in the inventory.")
    try:
        return from_snapshot(snapshot(loaded.runbooks[name], labels, host)), host
    except ValueError as error:
        fail(f"{name} cannot run: {error}.")


async def _rehearse(loaded: Configuration, plan: Plan, host: Target) -> list[Rehearsed]:
    hosts = SshHosts(connect_timeout=loaded.settings.ssh.connect_timeout)
    web = HttpClient(loaded.settings.prometheus.url if loaded.settings.prometheus else "")
    try:
        hands = TargetHands(hosts=hosts, web=web, target=host)
        return await rehearse(plan, hands, SystemClock().now())
    finally:
        await web.close()
        await hosts.close()


def _show(number: int, host: Target, step: Rehearsed) -> None:
    out.print(f"{number}. {step.name} ({step.kind})", markup=False)
    seen = ", ".join(f"{name}={value}" for name, value in step.seen.items())
    out.print(f"   sees   {seen or 'nothing: this kind of step does not look'}", markup=False, soft_wrap=True)
    for act in step.acts:
        out.print(f"   would  {_said(host, act)}", markup=False, soft_wrap=True)
    if not step.acts:
        out.print("   would  do nothing: it is as wanted", markup=False)


def _said(host: Target, act: Act) -> str:
    if isinstance(act, Command):
        return shlex.join((*host.become, *act.argv) if act.become else act.argv)
    return f"wait: {act.why}" if isinstance(act, Suspend) else f"fail: {act.why}"


def _plain(host: Target, step: Rehearsed) -> dict[str, object]:
    return {
        "name": step.name,
        "kind": step.kind,
        "seen": dict(step.seen),
        "acts": [_act(host, act) for act in step.acts],
    }


def _act(host: Target, act: Act) -> dict[str, object]:
    if isinstance(act, Command):
        return {"command": [*host.become, *act.argv] if act.become else list(act.argv)}
    return {"fail": act.why} if isinstance(act, Fail) else {"wait": act.why}
