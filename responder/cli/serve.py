"""`responder serve` and `responder worker`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import typer

from responder.app import Service
from responder.cli.common import fail, told_in_a_sentence
from responder.cli.files import DEFAULT_CONFIG, ConfigOption, configuration
from responder.errors import ResponderError
from responder.log_lines import set_up_logging


def serve(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Serve: take reports, give first aid, hand over. Stops on SIGTERM, reloads on SIGHUP."""
    _run(lambda: Service(config).serve_until_told_to_stop())


def worker(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Only do jobs, beside a `serve` elsewhere, for example inside another network. Needs PostgreSQL."""
    if not configuration(config).settings.database.startswith("postgres"):
        fail("A worker beside the server needs PostgreSQL; with SQLite `responder serve` does all the work.")
    _run(lambda: Service(config, with_web=False).serve_until_told_to_stop())


def add_to(root: typer.Typer) -> None:
    root.command()(serve)
    root.command()(worker)


def _run(make: Callable[[], Coroutine[Any, Any, None]]) -> None:
    set_up_logging()
    with told_in_a_sentence(), asyncio.Runner(loop_factory=_loop_factory()) as runner:
        try:
            runner.run(make())
        except OSError as error:
            raise ResponderError(f"Cannot start: {error}") from error


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
