"""The parts of policy.yml that say what people must do with a ticket: clocks, requirements, gates, reporters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from responder.config.budgets import Within
from responder.config.grades import OneOrMore, Word
from responder.config.letters import LettersFile, as_letters
from responder.config.model import Model, Name
from responder.domain.facts import Fact
from responder.domain.gates import GateRule, OnTimeout
from responder.domain.policy import DEFAULT_CLOCKS, ReporterRule
from responder.domain.requirements import Need
from responder.domain.sla import Alarm, ClockRule, Notify
from responder.domain.ticket import Action, Status
from responder.domain.workhours import ALWAYS, Calendar

Clocks = Mapping[str, "ClockFile | None"]
FieldName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
"""A field of the report's form."""


class AlarmFile(Model):
    """Whom a warning or a breach tells, and whether the ticket goes to the next tier."""

    tell: OneOrMore[Notify] = ()
    roles: OneOrMore[Name] = ()
    escalate: bool = False

    def as_alarm(self) -> Alarm:
        """The alarm as the domain knows it."""
        return Alarm(tell=tuple(one.value for one in self.tell), roles=self.roles, escalate=self.escalate)


class ClockFile(Model):
    """A clock; of respond, restore and resolve it says only what is different."""

    start: OneOrMore[Fact] = ()
    stop: OneOrMore[Fact] = ()
    again: OneOrMore[Fact] = ()
    void: OneOrMore[Fact] = ()
    pause: OneOrMore[Status] = ()
    waits: OneOrMore[Literal["reporter", "vendor", "part"]] = ()
    calendar: Name = ALWAYS.name
    relapse: Literal["counts", "does_not_count"] = "counts"
    warn: OneOrMore[int] = ()
    on_warn: AlarmFile = AlarmFile()
    on_breach: AlarmFile = AlarmFile()
    text: str = ""

    def as_rule(self, base: ClockRule, calendars: Mapping[str, Calendar]) -> ClockRule:
        """The clock as the domain knows it: `base` with what is written here."""
        said: dict[str, Any] = {name: self._said(name) for name in self.model_fields_set - {"calendar", "relapse"}}
        if "relapse" in self.model_fields_set:
            said["relapse_counts"] = self.relapse == "counts"
        # One that is not there is complained about elsewhere.
        return replace(base, **said, calendar=calendars.get(self.calendar, ALWAYS))

    def _said(self, name: str) -> object:
        value = getattr(self, name)
        if isinstance(value, AlarmFile):
            return value.as_alarm()
        return value if name in ("warn", "text") else frozenset(value)


def clock_rules(written: Clocks, calendars: Mapping[str, Calendar]) -> tuple[ClockRule, ...]:
    """All clocks: the three that every policy has, with what the file says of them, then those of the file."""
    always = calendars.get(ALWAYS.name, ALWAYS)
    rules = {str(rule.name): replace(rule, calendar=always) for rule in DEFAULT_CLOCKS}
    for name, clock in written.items():
        if clock is None:
            rules.pop(name, None)
        else:
            base = rules.get(name) or ClockRule(name=name, start=frozenset(), stop=frozenset())
            rules[name] = clock.as_rule(base, calendars)
    return tuple(rules.values())


class NeedFile(Model):
    """What must be there before a move."""

    move: Action
    needs: Annotated[OneOrMore[str], Field(min_length=1)]
    grades: OneOrMore[str] = ()
    kinds: OneOrMore[str] = ()
    restored_by: OneOrMore[Literal["machine", "human", "itself"]] = ()
    if_there_is_a_reporter: bool = False

    def as_need(self) -> Need:
        """The requirement as the domain knows it."""
        return Need(**dict(self))


class GateFile(Model):
    """Whose consent a move needs: that of all these roles, or of some people with any of them."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    move: Action
    any_of: OneOrMore[Name] = ()
    all_of: OneOrMore[Name] = ()
    needed: Annotated[int, Field(ge=1, le=9)] = 1
    grades: OneOrMore[str] = ()
    kinds: OneOrMore[str] = ()
    within: Within | None = None
    on_timeout: OnTimeout | None = None
    inform: OneOrMore[Name] = ()

    @model_validator(mode="after")
    def _asks_some_roles(self) -> GateFile:
        if bool(self.any_of) == bool(self.all_of):
            raise ValueError("give one of any_of: and all_of:, with the roles that must agree")
        return self

    def as_gate(self) -> GateRule:
        """The gate as the domain knows it."""
        return GateRule(
            name=self.name,
            move=self.move,
            roles=self.all_of or self.any_of,
            each=bool(self.all_of),
            needed=self.needed,
            grades=self.grades,
            kinds=self.kinds,
            within=self.within,
            on_timeout=self.on_timeout or OnTimeout.REMIND,
            inform=self.inform,
        )


class ReportFile(Model):
    """What a report by a person must say before it is complete, what the feedback form asks besides, and which words of
    a field it offers. With `grade_again` what a reporter answers may raise the grade without a person."""

    required: OneOrMore[FieldName] = ()
    asked: OneOrMore[FieldName] | None = None
    offered: dict[FieldName, Annotated[tuple[Word, ...], Field(min_length=1)]] = Field(default_factory=dict)
    grade_again: bool = False


class ReporterFile(Model):
    """How people who report are treated. `close_after: null` waits for their answer for ever."""

    remind_after: Within = timedelta(days=1)
    close_after: Within | None = timedelta(days=3)
    reopen_within: Within = timedelta(days=7)
    erase_after: Within = timedelta(days=180)
    best_score: Annotated[int, Field(ge=2, le=100)] = 5
    ask_satisfaction: bool = True
    automatic_progress: bool = False
    letters: LettersFile = Field(default_factory=dict)

    def as_rule(self) -> ReporterRule:
        """The rule as the domain knows it."""
        return ReporterRule(**{**dict(self), "letters": as_letters(self.letters)})


class ActionsFile(Model):
    """What an improvement does that is not done in time."""

    on_overdue: AlarmFile = AlarmFile(tell=(Notify.TEAM,))


class KnowledgeFile(Model):
    """From which likeness on an article or an old ticket is shown, from 0 to 1."""

    similar_from: Annotated[float, Field(gt=0, le=1)] = 0.5
