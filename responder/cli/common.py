"""What the commands share: how results are shown, and how a command ends. What reads files has more in `files`."""

from __future__ import annotations

import asyncio
import getpass
import os
import re
import sys
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, NoReturn, TypeVar

import orjson
import typer
from rich.console import Console, ConsoleOptions, JustifyMethod, OverflowMethod, RenderableType, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.style import Style
from rich.table import Table
from rich.text import Text

from responder.errors import ConfigError, ResponderError

T = TypeVar("T")

# Exit codes that scripts may rely on; docs/cli.md lists them.
FAILED, BAD_CONFIG, UNREACHABLE = 1, 2, 3

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]

# All but breaks of lines and tabs: what moves the cursor, colours, names the window, or turns the direction of a line.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class Plain(Console):
    """A console that shows a text letter by letter: nothing in it is markup, an emoji or a command to the terminal.

    Titles, names and reasons come from outside, and whoever writes a command must not have to think of that. What is to
    be coloured is a rich Text.
    """

    def __init__(self, *, stderr: bool = False, width: int | None = None, soft_wrap: bool = False) -> None:
        super().__init__(stderr=stderr, width=width, soft_wrap=soft_wrap, markup=False, emoji=False, highlight=False)

    def render_str(
        self,
        text: str,
        *,
        style: str | Style = "",
        justify: JustifyMethod | None = None,
        overflow: OverflowMethod | None = None,
        **_: Any,
    ) -> Text:
        """The text itself, whatever the caller wishes to have read out of it, such as markup."""
        return Text(printable(text), style=style, justify=justify, overflow=overflow)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """What is no plain string, such as a Text, has nothing unprintable either."""
        for one in super().render(renderable, options):
            yield one if one.control else Segment(printable(one.text), one.style)


def printable(text: str) -> str:
    """The text with a sign instead of each character that would do something to a terminal."""
    return _UNPRINTABLE.sub("\ufffd", text)


# Into a pipe nothing is broken to the width of a terminal that is not there.
out = Plain(soft_wrap=True, width=None if sys.stdout.isatty() else 500)
err = Plain(stderr=True)


def show_problems(error: ConfigError) -> None:
    for problem in error.problems:
        err.print(f"{problem.path}:{problem.line}:{problem.column}: {problem.text}", markup=False, soft_wrap=True)


def fail(text: str, code: int = FAILED) -> NoReturn:
    err.print(text, markup=False, soft_wrap=True)
    raise typer.Exit(code)


@contextmanager
def told_in_a_sentence() -> Iterator[None]:
    """An error that is ours ends the command with its sentence, not with a stack trace."""
    try:
        yield
    except ConfigError as error:
        show_problems(error)
        raise typer.Exit(BAD_CONFIG) from error
    except ResponderError as error:
        fail(str(error))


def awaited(make: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Runs a coroutine to its end; errors of ours become sentences."""
    with told_in_a_sentence():
        return asyncio.run(make())


def print_json(content: object) -> None:
    typer.echo(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z).decode())


def me() -> str:
    """In whose name a command acts that has no `--as`."""
    return os.environ.get("RESPONDER_AS") or login()


def login() -> str:
    """Who is at the shell; a user that the machine has no name for, as in a container, by number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return f"uid-{os.getuid()}"


def moment(at: str | None) -> str:
    """An instant of an answer, for people: to the minute, and in UTC unless it says its offset itself."""
    return f"{datetime.fromisoformat(at).astimezone(UTC):%Y-%m-%d %H:%M UTC}" if at else ""


class _Folding(Table):
    """A table that breaks cells where the terminal is too narrow for it, and never cuts them off."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        wide = options.update(width=_VERY_WIDE)
        *first, last = self.columns
        widths = [max(_widths(console, wide, (one.header, *one.cells))) + 2 for one in first]
        least = min(_LEAST_LAST, max(_widths(console, wide, (last.header, *last.cells))))
        if sum(widths) + least > options.max_width:
            for column in first[1:]:
                column.no_wrap = False
        yield from super().__rich_console__(console, options)


def _widths(console: Console, options: ConsoleOptions, cells: Iterable[RenderableType]) -> list[int]:
    return [Measurement.get(console, options, cell).maximum for cell in cells]


_VERY_WIDE, _LEAST_LAST = 1000, 20


def table(*columns: str) -> Table:
    """A plain table without lines, as wide as what is in it."""
    made = _Folding(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        # As long as there is room only the last column breaks: what stands before it is there to be copied.
        made.add_column(column, overflow="fold", no_wrap=column != columns[-1])
    return made


def red(text: str) -> Text:
    """What somebody should see at once."""
    return Text(text, style="red")


def pairs(words: list[str]) -> dict[str, str]:
    """`name=value` words as a mapping."""
    found = {}
    for word in words:
        name, separator, value = word.partition("=")
        if not separator or not name:
            fail(f"{word!r} is not of the form name=value", BAD_CONFIG)
        found[name] = value
    return found
