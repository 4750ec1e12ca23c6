"""`responder demo`: the main job in a minute, without Docker and without a server."""

from __future__ import annotations

import asyncio
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Annotated

import structlog
import typer

from responder.cli.common import out, told_in_a_sentence
from responder.cli.demo.scenario import play


def demo(
    port: Annotated[int, typer.Option(help="Where the page is; 0 for any free port.")] = 9180,
    leave: Annotated[bool, typer.Option("--exit", help="End after the scenario instead of serving the page.")] = False,
    builtin_ssh: Annotated[bool, typer.Option("--builtin-ssh", help="Do without the sshd of this machine.")] = False,
) -> None:
    """Play a scenario on two nodes with a real service: self-healed, handed over, flapping, a burst of 200 alerts."""
    folder = Path(tempfile.mkdtemp(prefix="responder-demo-"))
    # The demo tells its own story; the service's log would only be in the way.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    # Whatever ends the demo ends the nodes' servers too.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        with told_in_a_sentence():
            asyncio.run(play(folder, port, stays=not leave, builtin_ssh=builtin_ssh))
    except KeyboardInterrupt:
        out.print("\nthe demo is over, its files are gone", markup=False)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def add_to(root: typer.Typer) -> None:
    root.command()(demo)
