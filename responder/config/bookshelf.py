"""Runbooks as their files: the text as people read it, and what the linter finds in each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from responder.config.configuration import SHIPPED_RUNBOOKS, Configuration, shipped_runbooks
from responder.config.lint import findings
from responder.errors import ConfigError, Problem
from responder.firstaid.lint.finding import Finding
from responder.firstaid.lint.sheet import read_sheet
from responder.firstaid.loader import runbook_files


@dataclass(frozen=True, kw_only=True, slots=True)
class Book:
    """One runbook's file. `version` is that of the file as it was read, which may be newer than the loaded one."""

    name: str
    path: Path
    is_shipped: bool
    text: str
    version: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Bookshelf:
    """The books by name, and what the linter finds elsewhere. `problems`: files that are wrong by now."""

    books: Mapping[str, Book]
    others: tuple[Finding, ...] = ()
    problems: tuple[Problem, ...] = ()


def read_bookshelf(configuration: Configuration) -> Bookshelf:
    """Every loaded runbook with its file, read and linted now. It takes its time: not for the event loop.

    Shipped runbooks that no rule uses are only read: they were linted before they were shipped.
    """
    problems: list[Problem] = []
    found = _findings(configuration, problems)
    books = {**_shipped(configuration), **_own(configuration, problems)}
    books = {name: replace(book, findings=found.pop(book.path, ())) for name, book in books.items()}
    others = tuple(one for some in found.values() for one in some)
    return Bookshelf(books=books, others=others, problems=tuple(problems))


def _shipped(configuration: Configuration) -> dict[str, Book]:
    """A shipped runbook's file has its name."""
    paths = {name: SHIPPED_RUNBOOKS / f"{name}.yml" for name in shipped_runbooks()}
    return {
        name: Book(
            name=name,
            path=path,
            is_shipped=True,
            text=path.read_text(encoding="utf-8"),
            version=shipped_runbooks()[name].version,
        )
        for name, path in paths.items()
        if name in configuration.runbooks
    }


def _own(configuration: Configuration, problems: list[Problem]) -> dict[str, Book]:
    """Of the loaded ones; a later folder's wins over an earlier one's."""
    folders = [configuration.path.parent / folder for folder in configuration.settings.runbooks]
    books: dict[str, Book] = {}
    for path in (path for folder in folders for path in runbook_files(folder)):
        try:
            sheet = read_sheet(path)
        except ConfigError as error:
            problems += [one for one in error.problems if one not in problems]
            continue
        name, runbook = sheet.runbook.name, sheet.runbook
        if name in configuration.runbooks:
            books[name] = Book(
                name=name, path=path, is_shipped=False, text=sheet.document.text, version=runbook.version
            )
    return books


def _findings(configuration: Configuration, problems: list[Problem]) -> dict[Path, tuple[Finding, ...]]:
    """By file."""
    try:
        found = findings(configuration)
    except ConfigError as error:
        problems += error.problems
        return {}
    by_file: dict[Path, tuple[Finding, ...]] = {}
    for one in found:
        by_file[one.problem.path] = (*by_file.get(one.problem.path, ()), one)
    return by_file
