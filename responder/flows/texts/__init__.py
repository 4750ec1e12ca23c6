"""Texts for people, from sandboxed templates, in the reader's language where a translation is there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from responder.domain.approval import Approval
from responder.domain.durations import spoken
from responder.domain.letter import OwnWords
from responder.domain.local_time import UTC, local_moment
from responder.domain.runbook import Attempt, Run
from responder.domain.sla import Clock
from responder.domain.ticket import Ticket
from responder.flows.texts.languages import Translations, said
from responder.flows.texts.own_words import in_own_words

_SHOWN_LABELS = 12
_TAIL = 6
_LONGEST = 300
_OURS = "responder"


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A run with its acts, as the message tells it."""

    run: Run
    attempts: Sequence[Attempt]


@dataclass(frozen=True, kw_only=True)
class HandOverText:
    """What the hand-over message is made of; `zone` is its reader's."""

    ticket: Ticket
    clocks: Mapping[str, Clock]
    tried: Sequence[Tried]
    why: str
    ack_link: str
    ticket_link: str
    suggestion: QuestionText | None = None
    seen: str = ""
    zone: ZoneInfo = UTC


@dataclass(frozen=True, kw_only=True)
class QuestionText:
    """What a question to people is made of: a line about whose yes is needed, the steps, and the link to answer."""

    ticket: Ticket
    approval: Approval
    wanted: str
    steps: Sequence[str]
    link: str
    ticket_link: str


@dataclass(frozen=True, kw_only=True)
class LetterText:
    """What a letter to a reporter is made of: nothing but fixed sentences, times, and words meant for the reporter."""

    number: str
    language: str
    link: str
    grade: str
    state: str
    next_news: str = ""
    said: Sequence[str] = ()
    words: str = ""
    until: str = ""
    best_score: int | None = None
    merged_into: str = ""
    guide: str = ""
    asks: Sequence[str] = ()
    answers_by_mail: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Headline:
    """One line above a message: grade, number, and what it is about, which is the ticket's title if nothing is said."""

    ticket: Ticket
    text: str = ""

    def in_language(self, language: str) -> str:
        """The line for a reader. Line breaks in a title cannot make it into a header."""
        about = said(self.text, language) if self.text else titled(self.ticket, language)
        return " ".join(f"[{self.ticket.grade}] {self.ticket.number} {about}".split())[:160]


def titled(ticket: Ticket, language: str) -> str:
    """A ticket's title: what an alert says stays as it is, what responder reports of itself is a generated sentence."""
    return said(ticket.title, language) if ticket.source == _OURS else ticket.title


def hand_over_subject(ticket: Ticket) -> Headline:
    """What stands above a ticket that is handed over."""
    return Headline(ticket=ticket)


def hand_over_body(parts: HandOverText, language: str) -> str:
    """What is wrong, the grade and why, what was tried, what remains, and the links."""
    labels = [(name, _inside(value[:_LONGEST])) for name, value in sorted(parts.ticket.labels.items())][:_SHOWN_LABELS]
    description = parts.ticket.annotations.get("description", "")
    return (
        _environment(language)
        .get_template("hand_over.txt.j2")
        .render(
            ticket=parts.ticket,
            facts=[*([(said("description", language), _inside(description[:600]))] if description else []), *labels],
            clocks=_due(parts),
            runs=[_told(tried) for tried in parts.tried],
            why=parts.why,
            ack_link=parts.ack_link,
            ticket_link=parts.ticket_link,
            suggestion=parts.suggestion,
            seen=parts.seen,
            links=sorted(parts.ticket.links.items()),
        )
    )


def _due(parts: HandOverText) -> list[tuple[str, str]]:
    """The clocks that run, the one that is due first in front, with the time on the reader's wall."""
    due = sorted((clock.due_at, clock.name) for clock in parts.clocks.values() if clock.is_running and clock.due_at)
    return [(name, local_moment(at, parts.zone)) for at, name in due]


def _inside(text: str) -> str:
    """A text of the alert within the page: none of its lines can look like one of ours."""
    return "\n    ".join(line.strip() for line in text.splitlines() if line.strip())


def subject(ticket: Ticket, text: str) -> Headline:
    """What stands above a message about a ticket."""
    return Headline(ticket=ticket, text=text)


def question_body(parts: QuestionText, language: str) -> str:
    """What is asked, for which ticket, what exactly would run, and the link to answer."""
    return _environment(language).get_template("question.txt.j2").render(parts=parts)


def notice_body(ticket: Ticket, text: str, ticket_link: str, language: str) -> str:
    """What a run, or its outcome, has to tell."""
    template = _environment(language).get_template("notice.txt.j2")
    return template.render(ticket=ticket, text=text, ticket_link=ticket_link)


def still_on_it_body(ticket: Ticket, silent: timedelta, until: str, link: str, language: str) -> str:
    """The question to whoever has the ticket and was not heard of for so long; `until` as its reader says it."""
    template = _environment(language).get_template("still_on_it.txt.j2")
    return template.render(ticket=ticket, silent=said(spoken(silent), language, "time"), until=until, link=link)


def drill_text(link: str, until: str, language: str) -> tuple[str, str]:
    """Subject and body of a message that only asks whether it has arrived."""
    subject = "演练：请确认您收到了此消息" if language == "zh" else "A drill: please confirm that this reaches you"
    return subject, _environment(language).get_template("drill.txt.j2").render(link=link, until=until)


SHORT = 160
"""Characters of one text message."""


def short_text(subject: str, link: str, ticket_link: str, language: str, *, acknowledges: bool = False) -> str:
    """All that a short channel takes: what it is about, as far as that fits, and the link; never more than `SHORT`
    characters. A link that leaves no room for the ticket's number makes way for the plain link to the ticket."""
    template = _environment(language).get_template("short.txt.j2")
    for url, may_acknowledge in ((link, acknowledges), (ticket_link, False)):
        room = SHORT - len(template.render(head="", link=url, acknowledges=may_acknowledge))
        if room >= _LEAST_HEAD:
            return template.render(head=_cut(subject, room), link=url, acknowledges=may_acknowledge)
    return _cut(subject, SHORT)


_LEAST_HEAD = 30


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 1].rstrip()}…"


_LISTED = 20


def bundle_subject(tickets: Sequence[Ticket], language: str) -> str:
    """One line: how many, and the highest grade."""
    count, grade = len(tickets), tickets[0].grade
    return f"[{grade}] {count} 个工单等待处理" if language == "zh" else f"[{grade}] {count} tickets wait for somebody"


def bundle_body(lines: Sequence[tuple[Ticket, str]], console: str, language: str) -> str:
    """The tickets with their links, the first ones if there are many, and the link to all."""
    template = _environment(language).get_template("bundle.txt.j2")
    more = max(0, len(lines) - _LISTED)
    return template.render(count=len(lines), shown=lines[:_LISTED], more=more, console=console)


_BELOW_THE_LETTER = "\n-- \n"
_LETTER_SUBJECTS = {
    "received": ("we have received it", "已收到"),
    "progress": ("how it stands", "处理进展"),
    "question": ("a question", "需要您补充信息"),
    "restored": ("please check it", "请您确认"),
    "resolved": ("solved", "已解决"),
    "closed": ("closed", "已关闭"),
    "again": ("taken up again", "已重新处理"),
    "reminder": ("please answer", "请您答复"),
}


def letter_subject(letter: str, parts: LetterText, own: OwnWords | None = None) -> str:
    """One line that holds nothing but the number and a fixed phrase, or the house's own words."""
    english, chinese = _LETTER_SUBJECTS[letter]
    shipped = f"报告 {parts.number}：{chinese}" if parts.language == "zh" else f"Your report {parts.number}: {english}"
    # Whoever answers leaves the number in it: it is the last trace that leads to the ticket.
    line = " ".join(in_own_words(own.subject, parts, shipped).split())[:160] if own else shipped
    return line if parts.number in line else f"{line} ({parts.number})"


def letter_body(letter: str, parts: LetterText, own: OwnWords | None = None) -> str:
    """The letter, and below a line the link to the reporter's own page."""
    environment = _environment(parts.language)
    shipped = environment.get_template(f"reporter_{letter}.txt.j2").render(t=parts, zh=parts.language == "zh")
    written = in_own_words(own.text, parts, _tidy(shipped)) if own else shipped
    below = environment.get_template("reporter_below.txt.j2").render(t=parts, zh=parts.language == "zh")
    return _tidy(written) + f"\n{_BELOW_THE_LETTER}{below.strip()}\n"


def _tidy(text: str) -> str:
    """What a template leaves out leaves its empty lines behind."""
    return re.sub(r"\n{3,}", "\n\n", text.strip())


def letter_itself(body: str) -> str:
    """A letter without what stands below it: the link answers in the reporter's name."""
    return body.rpartition(_BELOW_THE_LETTER)[0].strip()


def _told(tried: Tried) -> dict[str, object]:
    return {
        "sentence": tried.run.sentence,
        "runbook": tried.run.runbook,
        "target": tried.run.target,
        "attempts": [_attempt(attempt) for attempt in tried.attempts],
    }


def _attempt(attempt: Attempt) -> dict[str, object]:
    result = "no end is known" if attempt.exit_code is None else f"exit code {attempt.exit_code}"
    tail = [line[:_LONGEST] for line in attempt.output.splitlines()[-_TAIL:]]
    return {"command": " ".join(attempt.command)[:_LONGEST], "result": result, "tail": tail}


@cache
def _environment(language: str) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        autoescape=False,
    )
    environment.install_gettext_translations(Translations(language), newstyle=True)  # type: ignore[attr-defined]
    environment.filters["said"] = partial(said, language=language)
    environment.filters["titled"] = partial(titled, language=language)
    return environment
