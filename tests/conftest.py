"""What all tests share: real servers where they are installed, and a database of either kind."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

from responder.store import schema
from responder.store.database import Database
from tests.databases import opened
from tests.runbooks.stage import may_be_set
from tests.servers.namespaces import may_be_made, users_may_be_mapped
from tests.servers.postgres import Postgres, initdb

# How long an example takes says more of the machine than of the code.
settings.register_profile("ours", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("ours")
# As the service logs: a traceback with the values of all variables takes seconds.
structlog.configure(processors=[structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)])
IN_CI = os.environ.get("CI") == "true"


def _is_installed(program: str) -> bool:
    if program == "postgresql":
        return initdb() is not None
    if program == "network namespaces":
        return may_be_made()
    if program == "user namespaces":
        return users_may_be_mapped()
    if program == "mount namespaces":
        return may_be_set()
    return shutil.which(program) is not None or Path(program).exists()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("dist", "no") != "no" or hasattr(config, "workerinput"):
        items[:] = _long_ones_early(items)
    for item in items:
        programs = [program for marker in item.iter_markers("needs") for program in marker.args]
        missing = [program for program in programs if not _is_installed(program)]
        if missing and not IN_CI:
            item.add_marker(pytest.mark.skip(reason=f"not installed: {', '.join(missing)}"))


def pytest_collection_finish() -> None:
    """What is collected stays to the end: the collector would look at millions of things over and over for nothing."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


def _long_ones_early(items: list[pytest.Item]) -> list[pytest.Item]:
    """The long ones evenly over the first half, the rest as it was.

    Processes take tests in this order. A long one that is begun last is waited for by all that have nothing left to
    do; long ones begun at once take the machine from each other.
    """
    long, rest = [one for one in items if _is_long(one)], [one for one in items if not _is_long(one)]
    every = max(1, len(rest) // (2 * len(long) + 1))
    places = {id(one): (every * number, 0) for number, one in enumerate(long)}
    places |= {id(one): (number, 1) for number, one in enumerate(rest)}
    return sorted(items, key=lambda one: places[id(one)])


def _is_long(item: pytest.Item) -> bool:
    """True for what asks for more time than all tests have, or for any (0)."""
    marker = item.get_closest_marker("timeout")
    usual = float(item.config.getini("timeout"))
    return marker is not None and (marker.args[0] == 0 or marker.args[0] > usual)


def pytest_runtest_setup(item: pytest.Item) -> None:
    programs = [program for marker in item.iter_markers("needs") for program in marker.args]
    missing = [program for program in programs if not _is_installed(program)]
    if missing and IN_CI:
        pytest.fail(f"with CI=true nothing may be skipped, but these are not installed: {', '.join(missing)}")


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = sorted({str(report.longrepr[2]) for report in skipped if isinstance(report.longrepr, tuple)})
    if reasons:
        terminalreporter.write_line(f"{len(skipped)} tests did not run here: {'; '.join(reasons)}")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL server for all tests of this process, with a migrated template."""
    with Postgres() as server:
        template = Database(server.url(server.create("template_of_ours")))
        schema.upgrade(template)
        template.close()
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of either kind: every test that takes it runs on both."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'responder.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create(template="template_of_ours")
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    is_file = database_url.startswith("sqlite:///")
    made = opened(Path(database_url.removeprefix("sqlite:///"))) if is_file else Database(database_url)
    yield made
    made.close()
