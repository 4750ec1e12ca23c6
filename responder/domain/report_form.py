"""The form of a report by a person: what it says, what is wrong with it, and the ticket that it opens."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from responder.domain.dossier import Dossier
from responder.domain.facts import Fact
from responder.domain.grading import AFFECTED_USERS, Grading
from responder.domain.handling import missing_fields
from responder.domain.policy import Policy
from responder.domain.report import Report, Signal
from responder.domain.report_fields import reading_in_words
from responder.domain.reporter import LANGUAGES, REPORTER, ReporterKind, contact_of
from responder.domain.said import told_by
from responder.domain.ticket import Change, EventKind, Ticket
from responder.domain.ticking import opened

CHANNELS = (
    "hotline", "desk", "online-service", "ticket-system", "dealer", "website", "app", "mini-program", "mail", "survey",
    "social-media", "remote-support", "offline", "other",
)  # fmt: skip
"""How a report may come in. A closed list, since it becomes a label of metrics."""
_FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,62}")
_LONGEST = {"title": 200, "name": 100, "urgency": 100, "taken_by": 80}
_LONGEST_FIELD, _MOST_FIELDS = 4000, 60
_LONGEST_LABEL, _MOST_LABELS = 500, 40
_LONGEST_SHOWN = 40
_EARLY = timedelta(hours=1)
OCCURRED_AT = "occurred_at"


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """What somebody reports. `grade` is given only by people who may grade; `urgency` is how the reporter sees it.

    `complaints` says what of the form could not even be read.
    """

    title: str
    channel: str
    name: str
    contact: str
    reporter_kind: str = ReporterKind.USER
    language: str = "en"
    kind: str = ""
    grade: str = ""
    urgency: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    taken_by: str = ""
    complaints: tuple[str, ...] = ()

    @property
    def all_fields(self) -> dict[str, str]:
        """What the dossier keeps: the fields that say something, and the urgency among them."""
        urgency = {"urgency": self.urgency} if self.urgency else {}
        return {name: text for name, text in {**self.fields, **urgency}.items() if text}


_TEXTS = ("title", "channel", "kind", "grade", "urgency", "taken_by")
_OF_REPORTER = {"name": "name", "contact": "contact", "kind": "reporter_kind", "language": "language"}
_KNOWN = (*_TEXTS, "reporter", "fields", "labels")


def form_of(content: Mapping[str, object]) -> Form:
    """The form in a JSON object; what of it cannot be read stands in its complaints."""
    odd = _unknown(content, _KNOWN, "")
    about = _part(content, "reporter", odd)
    odd += _unknown(about, _OF_REPORTER, "reporter.")
    texts = {name: _text(content.get(name), name, odd) for name in _TEXTS}
    texts |= {own: _text(about.get(name), f"reporter.{name}", odd) for name, own in _OF_REPORTER.items()}
    return Form(
        **{**texts, "reporter_kind": texts["reporter_kind"] or "user", "language": texts["language"] or "en"},
        fields=_texts(_part(content, "fields", odd), "fields", odd),
        labels=_texts(_part(content, "labels", odd), "labels", odd),
        complaints=tuple(odd),
    )


def complaints(form: Form, policy: Policy, now: datetime, *, wants_contact: bool = True) -> list[str]:
    """Everything that is missing, too long or odd in a form, one sentence each."""
    missing = {"title": "what is wrong, in one line", "channel": "how it came in", "name": "who reports it"}
    found = list(form.complaints)
    found += [f"“{_place(name)}” is missing: {what}." for name, what in missing.items() if not getattr(form, name)]
    found += _too_long(form)
    found += _not_known("channel", form.channel, CHANNELS)
    found += _not_known("reporter.kind", form.reporter_kind, tuple(ReporterKind))
    found += _not_known("reporter.language", form.language, LANGUAGES)
    found += _not_known("kind", form.kind, tuple(policy.kinds))
    found += _not_known("grade", form.grade, tuple(policy.grades))
    if wants_contact and not contact_of(form.contact):
        wrong = "is missing" if not form.contact else "is neither"
        found.append(f"“reporter.contact” {wrong}: a mail address or a phone number.")
    found += _odd_names("fields", form.fields, _FIELD_NAME, _MOST_FIELDS)
    found += _odd_names("labels", form.labels, _LABEL_NAME, _MOST_LABELS)
    return found + odd_values(form.fields, policy.zone, now)


def occurred_at(text: str, zone: ZoneInfo) -> datetime | None:
    """The instant that a report names, in the policy's zone if it names no other; None if it is none."""
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=zone) if at.tzinfo is None else at
    except ValueError:
        return None


def _too_long(form: Form) -> list[str]:
    found = [(_place(name), getattr(form, name), most) for name, most in _LONGEST.items()]
    found += [(f"fields.{name[:_LONGEST_SHOWN]}", text, _LONGEST_FIELD) for name, text in form.fields.items()]
    found += [(f"labels.{name[:_LONGEST_SHOWN]}", text, _LONGEST_LABEL) for name, text in form.labels.items()]
    return [f"“{place}” is longer than {most} characters." for place, text, most in found if len(text) > most]


def _odd_names(place: str, given: Iterable[str], form: re.Pattern[str], most: int) -> list[str]:
    names = list(given)
    found = [f"“{place}” holds more than {most} entries."] if len(names) > most else []
    odd = [name for name in names if not form.fullmatch(name)][:5]
    return found + [f"“{place}.{name[:_LONGEST_SHOWN]}” is no name; write it like error_code." for name in odd]


def odd_values(fields: Mapping[str, str], zone: ZoneInfo, now: datetime) -> list[str]:
    """What is wrong with the fields that are a number or a time, one sentence each."""
    found = []
    users, at = fields.get(AFFECTED_USERS, ""), fields.get(OCCURRED_AT, "")
    if users and not (users.isascii() and users.isdigit() and len(users) < 16):
        found.append(f"“fields.{AFFECTED_USERS}” is no whole number.")
    if at:
        instant = occurred_at(at, zone)
        if instant is None:
            found.append(f"“fields.{OCCURRED_AT}” is no time; write it like 2026-11-20 14:05.")
        elif instant > now + _EARLY:
            found.append(f"“fields.{OCCURRED_AT}” lies in the future.")
    return found


def _not_known(place: str, given: str, known: tuple[str, ...]) -> list[str]:
    if not given or given in known:
        return []
    return [f"“{place}” is none of {', '.join(known)}." if known else f"“{place}”: this policy has none."]


def _place(name: str) -> str:
    return "reporter.name" if name == "name" else name


def _unknown(content: Mapping[str, object], known: Iterable[str], prefix: str) -> list[str]:
    names = ", ".join(known)
    odd = [name for name in content if name not in known][:5]
    return [f"“{prefix}{name[:_LONGEST_SHOWN]}” is not known here; there are {names}." for name in odd]


def _part(content: Mapping[str, object], name: str, odd: list[str]) -> Mapping[str, object]:
    part = content.get(name)
    if part is None or isinstance(part, dict):
        return part or {}
    odd.append(f"“{name}” is no object.")
    return {}


def _texts(part: Mapping[str, object], place: str, odd: list[str]) -> dict[str, str]:
    shown = {name: f"{place}.{name[:_LONGEST_SHOWN]}" for name in part}
    return {name: _text(value, shown[name], odd, lines=place == "fields") for name, value in part.items()}


def _text(value: object, place: str, odd: list[str], *, lines: bool = False) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if value is None or isinstance(value, str):
        return cleaned(value or "") if lines else " ".join(cleaned(value or "").split())
    odd.append(f"“{place}” is no text.")
    return ""


def cleaned(text: str) -> str:
    """A text that every database keeps, without what only moves a cursor."""
    stored = text.encode("utf-8", "replace").decode().replace("\r\n", "\n")
    return "".join(map(_kept, stored)).strip()


def _kept(letter: str) -> str:
    category = unicodedata.category(letter)
    if category == "Cc" and letter not in "\n\t":
        return " "
    # Format characters can turn the direction of a line around.
    return "" if category == "Cf" else letter


# --- the ticket -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Opening:
    """What a new ticket of a reporter begins with."""

    trouble: str
    form: Form
    grading: Grading
    kind: str
    team: str
    runbook: str = ""
    previous: Ticket | None = None
    how: Mapping[str, str] = field(default_factory=dict)
    """How the fields that nobody typed into the form were recognised."""


def opening_of(
    form: Form, policy: Policy, trouble: str, now: datetime, *, how: Mapping[str, str] = MappingProxyType({})
) -> Opening:
    """How the policy sees a report: graded by its rules unless a person has graded it. `how` says which of its fields
    were recognised in the text."""
    facts = form.all_fields
    said = told_by((form.title, *facts.values()), form.contact)
    given = {**facts, **said}
    report = Report(source=form.channel, signal=Signal.FIRING, labels=form.labels, annotations=given, started_at=now)
    grading = _graded_by_a_person(form) if form.grade else policy.grade(report)
    kind = form.kind or policy.kind(form.labels)
    # Without labels a rule that only says what must not be there would hold.
    rule = policy.first_aid_for(form.labels, grading.grade) if form.labels else None
    return Opening(
        trouble=trouble,
        form=form,
        grading=grading,
        kind=kind,
        team=policy.team(form.labels, kind),
        runbook=rule.runbook if rule else "",
        how=how,
    )


def _graded_by_a_person(form: Form) -> Grading:
    who = form.taken_by or "a person"
    return Grading(grade=form.grade, rule="by hand", reason=f"{who} graded it when the report came in")


def open_ticket(opening: Opening, policy: Policy, now: datetime) -> Change:
    """The new ticket. It fires without an alert: nothing watches it, so nobody sends an all-clear."""
    form, grading, previous = opening.form, opening.grading, opening.previous
    fields = form.all_fields
    ticket = Ticket(
        trouble=opening.trouble,
        source=form.channel,
        title=form.title,
        grade=grading.grade,
        grade_rule=grading.rule,
        grade_reason=grading.reason,
        team=opening.team,
        runbook=opening.runbook,
        labels=form.labels,
        annotations={**fields, "description": _description(fields)},
        opened_at=now,
        episode_at=now,
        previous_id=previous.id if previous else None,
        kind=opening.kind,
    )
    facts = _facts(opening, policy)
    change = Change(before=None, after=ticket, clocks=opened(policy.clocks, policy.scene(ticket, now), facts))
    change.note(now, EventKind.OPENED, _opening_text(opening), form.taken_by or REPORTER, grade=grading.grade,
                rule=grading.rule, facts=facts)  # fmt: skip
    lacking = missing_fields(policy, Dossier(fields=fields))
    if opening.how or lacking:
        change.note(now, EventKind.NOTE, reading_in_words(opening.how, fields, lacking), read=dict(opening.how))
    change.count("tickets_created_total", priority=grading.grade, team=opening.team, source=form.channel)
    change.count("reports_total", source=form.channel, outcome="opened")
    return change


def _facts(opening: Opening, policy: Policy) -> list[Fact]:
    is_complete = not missing_fields(policy, Dossier(fields=opening.form.all_fields))
    is_graded = opening.grading.rule != "default"
    is_assessed = bool(opening.form.grade)
    return [
        Fact.REPORTED,
        *[Fact.REGISTERED] * is_complete,
        *[Fact.GRADED] * is_graded,
        *[Fact.ASSESSED] * is_assessed,
    ]


def _opening_text(opening: Opening) -> str:
    grading, previous = opening.grading, opening.previous
    text = (
        f"Reported by a person by {opening.form.channel}. {grading.grade} by rule “{grading.rule}”: {grading.reason}."
    )
    return text + (f" The same trouble was {previous.number}." if previous else "")


def as_reported(ticket: Ticket) -> dict[str, str]:
    """The fields of a ticket that a report by a person has opened, as they were then."""
    text = ticket.annotations.get("description", "")
    fields = {name: said for name, said in ticket.annotations.items() if name != "description"}
    return fields if text == _description(fields) else {"description": text, **fields}


def _description(fields: Mapping[str, str]) -> str:
    if "description" in fields:
        return fields["description"]
    return "; ".join(f"{name.replace('_', ' ')}: {' '.join(text.split())}" for name, text in fields.items())
