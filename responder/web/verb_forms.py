"""What people may do to a ticket as forms of a page: the fields of each verb, and what was typed as its content."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp.web import FileField

from responder.config.configuration import Configuration
from responder.domain.dossier import Dossier, Verifier
from responder.domain.handling import WAIT_REASONS, missing_fields
from responder.domain.policy import Policy
from responder.domain.ticket import Action, Disposition, Status, Ticket, refusal
from responder.flows.moves import Foreseen, Verb, sentence
from responder.flows.verbs import VERBS


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One field of a form. `kind`: text, words (several lines), lines (a list), choice, instant or file.

    `groups` are the choices under headings, where there are many; `value` is what stands in it at first. Choices that
    are names are shown as they are, others as words of the reader's language. Where there are values of a runbook, the
    cursor is in the first of them.
    """

    name: str
    label: str
    kind: str = "text"
    is_needed: bool = True
    choices: tuple[str, ...] = ()
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()
    value: str = ""
    is_name: bool = False
    is_value: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class VerbForm:
    """A verb that the ticket's status lets people try. `bar`: why it would be refused all the same, so that there is
    no form; `hint`: what stands before it; `lacks`: what the policy wants first, by name."""

    name: str
    label: str
    key: str = ""
    fields: tuple[Field, ...] = ()
    is_main: bool = False
    bar: str = ""
    hint: str = ""
    lacks: tuple[str, ...] = ()

    @property
    def wants_review(self) -> bool:
        return "review" in self.lacks or "review_meeting" in self.lacks


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What decides which verbs there are: the ticket, who looks at it, and the rules."""

    ticket: Ticket
    dossier: Dossier
    actor: str
    configuration: Configuration
    foreseen: Callable[[Verb], Foreseen]
    has_members: bool = False

    @property
    def policy(self) -> Policy:
        return self.configuration.policy


_REASON = Field(name="reason", label="Why")
LABELS: Mapping[str, str] = {
    "acknowledge": "Acknowledge",
    "take-over": "Take over",
    "still-on-it": "Still on it",
    "escalate": "Escalate",
    "restore": "Restored",
    "resolve": "Resolve",
    "close": "Close",
    "reopen": "Reopen",
    "relapse": "It is back",
    "resume": "Go on",
    "wait": "Wait",
    "note": "Note",
    "assign": "Assign",
    "give-back": "Give back",
    "pull-in": "Call for help",
    "attach": "Attach a file",
    "register": "Fill in the report",
    "classify": "Classify",
    "regrade": "Grade",
    "diagnose": "Diagnose",
    "propose": "Propose a plan",
    "solve": "Solution",
    "verify": "Verify",
    "satisfaction": "Satisfaction",
    "follow-up": "Follow up",
    "dismiss": "Dismiss",
    "merge": "Merge",
    "split": "Split off",
}
"""The verbs in the order in which a page offers them, with what stands on their buttons."""
_KEYS = {"acknowledge": "a", "escalate": "e", "restore": "r", "resolve": "r", "note": "c"}
_MAIN = {"acknowledge", "restore", "resolve", "close", "resume", "reopen", "escalate", "note", "still-on-it"}


def possible(scene: Scene) -> list[VerbForm]:
    """The verbs that the ticket's status lets people try, those that come first in the walk of a ticket first."""
    return [_form(scene, name) for name in LABELS if _is_possible(scene, name)]


def silent_keys(scene: Scene, forms: Iterable[VerbForm]) -> dict[str, str]:
    """For each key whose verb is not on the page, why it does nothing now."""
    offered = {form.key for form in forms}
    said = {key: _refusal(scene.ticket, action) for key, action in _WISHES.items() if key not in offered}
    return {key: sentence(why) for key, why in said.items() if why}


def _refusal(ticket: Ticket, action: Action) -> str | None:
    if action is Action.ACKNOWLEDGE and ticket.acknowledged_by:
        return f"{ticket.number} is already acknowledged by {ticket.acknowledged_by}"
    return refusal(ticket, action)


_WISHES = {"a": Action.ACKNOWLEDGE, "e": Action.HAND_OVER, "r": Action.RESTORE}


def _form(scene: Scene, name: str) -> VerbForm:
    before = scene.foreseen(VERBS[name])
    return VerbForm(
        name=name,
        label=LABELS[name],
        key=_KEYS.get(name, ""),
        fields=_fields(scene, name),
        is_main=name in _MAIN,
        bar=before.bar,
        hint=before.hint,
        lacks=before.lacks,
    )


def _is_possible(scene: Scene, name: str) -> bool:
    ticket, action = scene.ticket, VERBS[name].action
    special = _SPECIAL.get(name)
    if special is not None and not special(scene):
        return False
    if action is Action.PROPOSE and ticket.status in (Status.RESTORED, Status.RESOLVED):
        return True
    return action is None or refusal(ticket, action) is None


def _is_open(scene: Scene) -> bool:
    return scene.ticket.status is not Status.CLOSED


_SPECIAL: Mapping[str, Callable[[Scene], bool]] = {
    "acknowledge": lambda scene: not scene.ticket.acknowledged_by,
    "take-over": lambda scene: _is_open(scene) and scene.ticket.acknowledged_by not in ("", scene.actor),
    "still-on-it": lambda scene: _is_open(scene) and scene.ticket.acknowledged_by == scene.actor != "",
    "escalate": lambda scene: (
        scene.ticket.status is Status.HANDED_OVER or refusal(scene.ticket, Action.HAND_OVER) is None
    ),
    "give-back": lambda scene: bool(scene.ticket.acknowledged_by),
    "assign": _is_open,
    "pull-in": _is_open,
    "regrade": _is_open,
    "classify": lambda scene: _is_open(scene) and bool(scene.policy.kinds),
    "register": lambda scene: _is_open(scene) and bool(missing_fields(scene.policy, scene.dossier)),
    "split": lambda scene: scene.has_members,
    "verify": lambda scene: scene.ticket.status in (Status.RESTORED, Status.RESOLVED),
    "satisfaction": lambda scene: scene.ticket.status in (Status.RESOLVED, Status.CLOSED),
    "follow-up": lambda scene: scene.ticket.status in (Status.RESOLVED, Status.CLOSED),
}


# --- fields --------------------------------------------------------------------------------------------------


def _fields(scene: Scene, name: str) -> tuple[Field, ...]:
    made = _FIELDS.get(name)
    if made is not None:
        return made(scene)
    return (_REASON,) if "reason" in VERBS[name].fields else ()


def _assign(scene: Scene) -> tuple[Field, ...]:
    return (Field(name="to", label="To whom", kind="choice", choices=tuple(scene.configuration.people), is_name=True),)


def _wait(scene: Scene) -> tuple[Field, ...]:  # noqa: ARG001 as the others are called
    return (Field(name="for", label="For whom or what", kind="choice", choices=WAIT_REASONS), _REASON)


def _register(scene: Scene) -> tuple[Field, ...]:
    lacking = missing_fields(scene.policy, scene.dossier)
    return tuple(Field(name=f"fields.{name}", label=name, is_needed=False) for name in lacking)


def _classify(scene: Scene) -> tuple[Field, ...]:
    return (Field(name="kind", label="Kind", kind="choice", choices=tuple(scene.policy.kinds)),)


def _regrade(scene: Scene) -> tuple[Field, ...]:
    return (Field(name="grade", label="Grade", kind="choice", choices=tuple(scene.policy.grades)), _REASON)


def _diagnose(scene: Scene) -> tuple[Field, ...]:
    classes = tuple(scene.policy.cause_classes)
    return (
        Field(name="text", label="What is wrong", kind="words"),
        Field(name="cause_class", label="Class of the cause", kind="choice", choices=classes, is_needed=False),
        Field(name="cause", label="Cause", is_needed=False),
    )


def _propose(scene: Scene) -> tuple[Field, ...]:
    people = tuple(scene.configuration.people)
    return (
        Field(name="kind", label="Kind", kind="choice", choices=tuple(scene.policy.solution_kinds)),
        Field(name="steps", label="Steps, one on a line", kind="lines"),
        Field(name="owner", label="Whose", kind="choice", choices=people, is_needed=False, is_name=True),
        Field(name="due", label="Until", kind="instant", is_needed=False),
    )


def _dismiss(scene: Scene) -> tuple[Field, ...]:  # noqa: ARG001 as the others are called
    kinds = tuple(one.value for one in Disposition if one is not Disposition.DUPLICATE)
    return (
        Field(name="as", label="As", kind="choice", choices=kinds),
        _REASON,
        Field(name="guide", label="What to do if it shows again", kind="words", is_needed=False),
    )


def _verify(scene: Scene) -> tuple[Field, ...]:  # noqa: ARG001 as the others are called
    return (
        Field(name="by", label="Who or what has looked", kind="choice", choices=tuple(one.value for one in Verifier)),
        Field(name="good", label="Is it gone?", kind="choice", choices=("yes", "no")),
        Field(name="text", label="What was seen", is_needed=False),
    )


_FIELDS: Mapping[str, Callable[[Scene], tuple[Field, ...]]] = {
    "assign": _assign,
    "wait": _wait,
    "register": _register,
    "classify": _classify,
    "regrade": _regrade,
    "diagnose": _diagnose,
    "propose": _propose,
    "dismiss": _dismiss,
    "verify": _verify,
    "note": lambda _: (Field(name="text", label="Note", kind="words"),),
    "solve": lambda _: (Field(name="text", label="What solved it", kind="words"),),
    "follow-up": lambda _: (Field(name="text", label="What was said", kind="words"),),
    "attach": lambda _: (Field(name="content", label="File", kind="file"),),
    "pull-in": lambda _: (
        Field(name="whom", label="A person, “tier 2” or “role manager”"),
        Field(name="text", label="Why"),
    ),
    "satisfaction": lambda _: (
        Field(name="score", label="Score", kind="choice", choices=("5", "4", "3", "2", "1")),
        Field(name="text", label="In their words", is_needed=False),
    ),
    "merge": lambda _: (
        Field(name="into", label="Into which ticket"),
        Field(name="reason", label="Why", is_needed=False),
    ),
    "split": lambda _: (Field(name="off", label="Which ticket"), _REASON),
}


# --- what was typed ------------------------------------------------------------------------------------------


def content_of_form(verb: str, form: Mapping[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    """The content that a verb is given: lists, names with texts, instants of the reader's zone and files as it wants
    them."""
    content: dict[str, Any] = {name: value for name, value in form.items() if isinstance(value, str) and value.strip()}
    if verb == "propose":
        content["steps"] = [line for line in str(form.get("steps", "")).splitlines() if line.strip()]
        content["due"] = with_offset(str(form.get("due", "")), zone)
    if verb == "register":
        named = {name.removeprefix("fields."): text for name, text in content.items() if name.startswith("fields.")}
        content["fields"] = named
    if verb == "attach":
        content |= _file(form.get("content"))
    return content


def with_offset(text: str, zone: ZoneInfo) -> str:
    """With the offset of the zone, where a browser writes none. What is no instant stays, for a sentence about it."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return at.replace(tzinfo=zone).isoformat() if at.tzinfo is None else text


def _file(given: object) -> dict[str, str]:
    if not isinstance(given, FileField) or not given.filename:
        return {}
    return {"name": given.filename, "content_base64": b64encode(given.file.read()).decode()}
