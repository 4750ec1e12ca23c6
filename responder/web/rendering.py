"""Templates become pages here: the filters they use, and a page that needs nothing of the console."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context, select_autoescape
from jinja2.runtime import Context
from markupsafe import Markup, escape

from responder.domain.durations import coarse, spoken
from responder.flows.texts.languages import Translations, meaning_of_grade, offered, said, said_of_file

TEMPLATES = Path(__file__).parent / "templates"
_MARKS = re.compile(r"([\\`*_\[\]<>#|])")
_UNITS = ("d", "h", "m", "s")


def page(template: str, *, status: int = 200, language: str = "en", **content: Any) -> web.Response:
    """A page in one of the languages that people may have. A title is one text, or a text and what stands behind it."""
    return web.Response(text=rendered(template, language, content), status=status, content_type="text/html")


def rendered(template: str, language: str, content: Mapping[str, Any]) -> str:
    return environment(language).get_template(template).render(content)


@cache
def environment(language: str) -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.install_gettext_translations(Translations(language), newstyle=True)  # type: ignore[attr-defined]
    # As Jinja's own, at a fifth of the time: a list asks for thousands of words.
    made.globals["gettext"] = made.globals["_"] = partial(_in_words_of, Translations(language))
    made.globals["language"] = language
    made.globals["units"] = _units(language)
    made.globals["is_by_people"] = _is_by_people
    made.filters["at"] = _at
    made.filters["exact"] = _exact
    made.filters["made"] = _made
    made.filters["moment"] = _moment
    made.filters["when"] = _when
    made.filters["ago"] = lambda value, now: said(spoken(now - _instant(value)), language, "time")
    made.filters["lasting"] = lambda value: said(coarse(value), language, "time")
    made.filters["span"] = lambda value: said(value if isinstance(value, str) else spoken(value), language, "time")
    made.filters["said_of_file"] = lambda text: said_of_file(str(text), language)
    made.filters["meaning"] = lambda text: meaning_of_grade(text, language)
    made.filters["said"] = lambda text, kind="text": said(str(text), language, kind)
    made.filters["offered"] = lambda text: offered(str(text), language)
    made.filters["whole"] = lambda title: [title] if isinstance(title, str) else title
    made.filters["in_markdown"] = lambda text: _MARKS.sub(r"\\\1", " ".join(str(text).split()))
    made.filters["ahead"] = _ahead
    made.filters["words"] = lambda value: str(value).replace("_", " ")
    return made


def _in_words_of(words: Translations, text: str, /, **given: object) -> Markup:
    """A text of a template in a language, with what is given in its places. A name that is no word of ours is text."""
    # Of nothing gettext gives its header.
    found = escape(words.gettext(text) if text else "")
    return found % given if given else found.replace("%%", "%")


def _is_by_people(event: Mapping[str, Any]) -> bool:
    """True for what people wrote themselves: nobody puts other words into their mouths."""
    return event["kind"] == "note" and event["actor"] not in ("", "responder", "machine")


def _units(language: str) -> str:
    """How the language says days, hours, minutes and seconds, for the script that keeps them fresh."""
    return "|".join(said(f"1{unit}", language, "time").replace("1", "{}") for unit in _UNITS)


def _instant(value: datetime | str) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


# --- instants ------------------------------------------------------------------------------------------------


def _at(value: datetime | str | None) -> Markup:
    """An instant to the second, in UTC. A narrow screen breaks it behind the date."""
    if value is None:
        return Markup()
    at = _instant(value)
    return Markup('<span class="date">{}</span> {}').format(f"{at:%Y-%m-%d}", f"{at:%H:%M:%S}")


def _ahead(value: datetime | str, now: datetime) -> str:
    """How long it is until then; nothing if that is over."""
    at = _instant(value)
    return spoken(at - now) if at > now else ""


@pass_context
def _exact(context: Context, value: datetime | str | None) -> str:
    """An instant to the second in the reader's zone, with the zone's name."""
    return f"{_there(context, value):%Y-%m-%d %H:%M:%S %Z}" if value is not None else ""


@pass_context
def _made(context: Context, value: datetime) -> Markup:
    """As `exact`, marked for the script that has to know what the server's clock said."""
    at = _there(context, value)
    return Markup('<time datetime="{}" data-made>{}</time>').format(_rfc3339(at), f"{at:%Y-%m-%d %H:%M:%S %Z}")


@pass_context
def _moment(context: Context, value: datetime | str | None) -> Markup:
    """An instant in the reader's zone: the time of today, or the date, too. The exact one stands behind it."""
    if value is None:
        return Markup()
    at, now = _there(context, value), _there(context, context["now"])
    if at.date() == now.date():
        shown = f"{at:%H:%M:%S}"
    else:
        shown = f"{at:%m-%d %H:%M}" if at.year == now.year else f"{at:%Y-%m-%d}"
    return _time(at, shown, "")


@pass_context
def _when(context: Context, value: datetime | str | None, kind: str = "ago") -> Markup:
    """How long ago an instant was or how far ahead it is, with the exact one behind it; a script keeps it fresh.

    `kind`: `ago` and `ahead` say so in words, `bare` is the duration alone.
    """
    if value is None:
        return Markup()
    at, now = _there(context, value), context["now"]
    lasts = said(coarse(abs(now - at)), context["language"], "time")
    if kind == "bare":
        return _time(at, lasts, "bare")
    way, frame = ("ahead", "in %(time)s") if at > now else ("ago", "%(time)s ago")
    return _time(at, context["gettext"](frame, time=lasts), way)


def _time(at: datetime, shown: str, way: str) -> Markup:
    fresh = f' data-time="{way}"' if way else ""
    # The zone's name is ours, the rest are numbers.
    return Markup(f'<time datetime="{_rfc3339(at)}" title="{at:%Y-%m-%d %H:%M:%S %Z}"{fresh}>{escape(shown)}</time>')  # noqa: S704


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _there(context: Context, value: datetime | str | None) -> datetime:
    zone = context.get("zone") or "UTC"
    return _instant(value or context["now"]).astimezone(UTC if zone == "UTC" else ZoneInfo(zone))
