"""The form for people who report: what it asks by the policy, and what is wrong with what somebody wrote, by field."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from responder.domain.grading import AFFECTED_USERS, IMPACT, PREDICTED_DURATION, GradeRule, predicted_duration
from responder.domain.policy import Policy
from responder.domain.report_form import OCCURRED_AT, Form, occurred_at
from responder.domain.reporter import ReporterKind, contact_of

LONGEST_LINE, LONGEST_TEXT = 200, 4000
_LONGEST_NAME = 100
_EARLY = timedelta(hours=1)


class Shape(StrEnum):
    """How a field is filled in."""

    LINE = "line"
    LINES = "lines"
    NUMBER = "number"
    MOMENT = "moment"
    CHOICE = "choice"


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """One field of the form. A choice offers `choices`, each with what stands behind it in words; `understood` are all
    the words that mean something where somebody writes them."""

    name: str
    label: str
    shape: Shape = Shape.LINE
    is_required: bool = False
    choices: tuple[str, ...] = ()
    understood: tuple[str, ...] = ()
    words: Mapping[str, str] | None = None
    example: str = ""
    complete: str = "off"

    @property
    def longest(self) -> int:
        if self.name == "name":
            return _LONGEST_NAME
        return LONGEST_TEXT if self.shape is Shape.LINES else LONGEST_LINE


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """The whole form: who reports, what the policy wants to know, and what may be said besides."""

    reporter: tuple[Question, ...]
    wanted: tuple[Question, ...]
    besides: tuple[Question, ...]

    @property
    def all(self) -> tuple[Question, ...]:
        return (*self.wanted, *self.reporter, *self.besides)


LABELS = {
    "product": "Product",
    "model": "Model",
    "serial": "Serial or batch number",
    "version": "Version of hardware and software",
    "environment": "Environment (system, network, temperature)",
    "place": "Place",
    OCCURRED_AT: "When did it happen",
    "trigger": "What was done just before",
    "steps": "Steps that show it again",
    "symptom": "What happens",
    "error_code": "Error code",
    "frequency": "How often",
    AFFECTED_USERS: "How many users are affected",
    IMPACT: "What it keeps you from",
    "tried": "What you have tried already",
    "wish": "What you wish for",
    "scope": "Who is affected",
    "revenue": "Is revenue affected",
    PREDICTED_DURATION: "How long it will last",
}
"""What the fields are called. Another field of a policy is called by its name."""
ASKED = (
    "product", "model", "serial", "version", "environment", "place", OCCURRED_AT, "trigger", "steps", "symptom",
    "error_code", "frequency", AFFECTED_USERS, IMPACT, "tried", "wish",
)  # fmt: skip
"""What is asked besides, unless the policy says otherwise."""
_LINES = frozenset({"steps", "symptom", "tried", "wish", "trigger", "environment", "description"})
_EXAMPLES = {PREDICTED_DURATION: "4h, 90m, 1d 12h"}
_FREQUENCIES = ("once", "often", "always")
_KINDS_OF_REPORTERS = {
    ReporterKind.USER.value: "I use it",
    ReporterKind.SERVICE.value: "I am of the service staff",
    ReporterKind.ENGINEER.value: "I am an engineer on site",
    ReporterKind.OTHER.value: "Somebody else",
}


def sheet_by(policy: Policy) -> Sheet:
    """The form of a policy: required fields first, then what its grade rules read, then what may be said besides."""
    required, read = policy.report_fields, _read_by_rules(policy)
    besides = ASKED if policy.asked_fields is None else policy.asked_fields
    asked = dict.fromkeys([*required, *read])
    # Urgency and kind are not of the fields: they have places of their own in a report.
    own = {"urgency", "kind"}
    return Sheet(
        reporter=_about_the_reporter(),
        wanted=(
            Question(name="title", label="What is wrong, in one line", is_required=True),
            *_kind(policy),
            *(_question(name, policy, name in required) for name in asked if name not in own),
        ),
        besides=(
            *(_question(name, policy, False) for name in besides if name not in asked and name not in own),
            Question(name="urgency", label="How urgent it is to you", is_required="urgency" in required),
        ),
    )


def _about_the_reporter() -> tuple[Question, ...]:
    kinds = tuple(_KINDS_OF_REPORTERS)
    return (
        Question(name="name", label="Your name", is_required=True, complete="name"),
        Question(
            name="contact", label="Your mail address or phone number", is_required=True, complete="email",
        ),
        Question(
            name="reporter_kind", label="Who you are", shape=Shape.CHOICE, choices=kinds, words=_KINDS_OF_REPORTERS
        ),
    )  # fmt: skip


def _kind(policy: Policy) -> tuple[Question, ...]:
    if not policy.kinds:
        return ()
    words = {name: one.text or name.replace("-", " ").replace("_", " ") for name, one in policy.kinds.items()}
    choices = _offered(policy, "kind", tuple(policy.kinds)) or tuple(policy.kinds)
    return (Question(name="kind", label="What it is about", shape=Shape.CHOICE, choices=choices, words=words),)


def _offered(policy: Policy, name: str, known: Collection[str]) -> tuple[str, ...]:
    """What the policy lets reporters choose of what it knows; a profile may offer what the policy has replaced."""
    return tuple(word for word in policy.offered.get(name, ()) if word in known)


def _read_by_rules(policy: Policy) -> list[str]:
    found: dict[str, None] = {}
    for rule in policy.grade_rules:
        names = [*rule.facts, *[IMPACT] * bool(rule.impact)]
        names += [AFFECTED_USERS] * bool(rule.affected_users) + [PREDICTED_DURATION] * bool(rule.predicted_duration)
        found |= dict.fromkeys(names)
    return list(found)


def _question(name: str, policy: Policy, is_required: bool) -> Question:
    words = _FREQUENCIES if name == "frequency" else _said_once(policy, name)
    return Question(
        name=name,
        label=LABELS.get(name) or name.replace("_", " ").capitalize(),
        shape=Shape.CHOICE if words else _shape(name),
        is_required=is_required,
        choices=_offered(policy, name, words_of_rules(policy.grade_rules, name)) or words,
        understood=words,
        example=_EXAMPLES.get(name, ""),
    )


def _shape(name: str) -> Shape:
    if name in _LINES:
        return Shape.LINES
    return {AFFECTED_USERS: Shape.NUMBER, OCCURRED_AT: Shape.MOMENT}.get(name, Shape.LINE)


def words_of_rules(rules: Iterable[GradeRule], name: str) -> tuple[str, ...]:
    """The words that grade rules know for a field."""
    return tuple(dict.fromkeys(word for rule in rules for word in _words(rule, name)))


def _said_once(policy: Policy, name: str) -> tuple[str, ...]:
    """The words of the rules; of two for the same, the one that says more."""
    found: dict[str, None] = {}
    for rule in policy.grade_rules:
        words = _words(rule, name)
        found |= dict.fromkeys(word for word in words if not _is_said_by_another(word, words))
    return tuple(found)


def _words(rule: GradeRule, name: str) -> tuple[str, ...]:
    return (*rule.facts.get(name, ()), *(rule.impact if name == IMPACT else ()))


def _is_said_by_another(word: str, words: Iterable[str]) -> bool:
    return any(word != other and word.casefold() in other.casefold() for other in words)


# --- what somebody wrote ----------------------------------------------------------------------------------------


def form_by(sheet: Sheet, said: Mapping[str, str], language: str) -> Form:
    """The report that the fields make."""
    own = {"title", "name", "contact", "reporter_kind", "kind", "urgency"}
    return Form(
        title=" ".join(said.get("title", "").split()),
        channel="website",
        name=said.get("name", ""),
        contact=said.get("contact", ""),
        reporter_kind=said.get("reporter_kind") or ReporterKind.USER.value,
        language=language,
        kind=said.get("kind", ""),
        urgency=said.get("urgency", ""),
        fields={one.name: said.get(one.name, "") for one in sheet.all if one.name not in own},
    )


def faults(sheet: Sheet, said: Mapping[str, str], policy: Policy, now: datetime) -> dict[str, str]:
    """What is wrong, one sentence for each field that is; empty if nothing is."""
    found = {one.name: _fault(one, said.get(one.name, ""), policy, now) for one in sheet.all}
    return {name: sentence for name, sentence in found.items() if sentence}


def _fault(question: Question, text: str, policy: Policy, now: datetime) -> str:
    if not text:
        return "Please fill this in." if question.is_required else ""
    if len(text) > question.longest:
        return f"Please shorten this to {question.longest} characters."
    if question.choices:
        return "" if text in question.choices else "Please choose one of the list."
    return _fault_of_time(text, policy, now) if question.shape is Shape.MOMENT else _fault_of_words(question, text)


def _fault_of_words(question: Question, text: str) -> str:
    if question.name == "contact" and not contact_of(text):
        return "Please give one mail address or one phone number."
    if question.name == PREDICTED_DURATION and predicted_duration({}, {PREDICTED_DURATION: text}) is None:
        return "Please write a time like 4h, 90m or 1d 12h."
    if question.shape is Shape.NUMBER and not (text.isascii() and text.isdigit() and len(text) < 16):
        return "Please give a whole number."
    return ""


def _fault_of_time(text: str, policy: Policy, now: datetime) -> str:
    at = occurred_at(text, policy.zone)
    if at is None:
        return "Please write date and time like 2026-11-20 14:05."
    return "This lies in the future." if at > now + _EARLY else ""
