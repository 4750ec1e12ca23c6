"""`responder hosts`: keys to pin, and whether hosts can be reached."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from responder.adapters.ssh import SshHosts, scan
from responder.cli.common import FAILED, JsonOption, awaited, fail, out, print_json, table
from responder.cli.files import DEFAULT_CONFIG, ConfigOption, configuration
from responder.domain.target import Target, find
from responder.errors import HostError

hosts = typer.Typer(help="Inventory hosts: keys to pin, and a try.", no_args_is_help=True)


@hosts.command("scan")
def scan_(
    name: Annotated[str, typer.Argument(help="A target's name, or an address with perhaps :port.")],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Show a host's keys with their fingerprints. Compare them on the host before you pin one."""
    address, port = _where(name, config)
    keys = awaited(lambda: scan(address, port))
    if not keys:
        fail(f"{address}:{port} offers no key of a kind that can be pinned.")
    if json:
        print_json([{"key": str(key), "fingerprint": key.fingerprint} for key in keys])
        return
    for key in keys:
        out.print(f"host_key: {key}", markup=False, soft_wrap=True)
        out.print(f"  fingerprint {key.fingerprint}", markup=False, style="dim")
    out.print(
        "\nOn the host, ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub must show the same; then put one line "
        "under the target in the inventory.",
        markup=False,
    )


@hosts.command("try")
def try_(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Log in to every target and run `true`."""
    targets = configuration(config).targets
    results = awaited(lambda: try_all(targets))
    if json:
        print_json([{"target": name, "ok": not why, "why": why} for name, why in results.items()])
    else:
        shown = table("target", "result")
        for name, why in results.items():
            shown.add_row(name, why or "reached")
        out.print(shown if results else "the inventory is empty")
    if any(results.values()):
        raise typer.Exit(FAILED)


def add_to(root: typer.Typer) -> None:
    root.add_typer(hosts, name="hosts")


async def try_all(targets: tuple[Target, ...]) -> dict[str, str]:
    """For each target why it cannot be used; an empty text if it can."""
    ways, results = SshHosts(), {}
    try:
        for target in targets:
            try:
                await ways.run(target, ["true"], timeout=timedelta(seconds=10))
                results[target.name] = ""
            except HostError as error:
                results[target.name] = str(error)
    finally:
        await ways.close()
    return results


def _where(name: str, config: Path) -> tuple[str, int]:
    if config.exists() and (target := find(configuration(config).targets, name)):
        return target.address, target.port
    host, separator, port = name.rpartition(":")
    return (host.strip("[]"), int(port)) if separator and port.isdigit() else (name, 22)
