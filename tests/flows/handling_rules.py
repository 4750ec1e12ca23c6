"""Random policies and random forms for the model of handling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import time, timedelta
from typing import Any

from hypothesis import strategies as st

from responder.domain.facts import Fact
from responder.domain.gates import GateRule, OnTimeout
from responder.domain.policy import DEFAULT_CLOCKS, GradePolicy, Policy
from responder.domain.requirements import Need
from responder.domain.sla import Alarm, ClockRule, Daily, Target
from responder.domain.ticket import MOVES, Action, Status
from responder.domain.workhours import Calendar, Span
from responder.flows.verbs import VERBS
from tests.flows.people import HOUR, KINDS, MINUTE

GATED = (Action.APPROVE, Action.RESOLVE, Action.CLOSE)
OFFICE = Calendar(name="office", week=((Span(start=480, end=1080),),) * 5 + ((), ()))


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """What a run plays by, beside the profile."""

    needs: tuple[Need, ...]
    gates: tuple[GateRule, ...]
    clocks: tuple[ClockRule, ...]
    grades: Mapping[str, Mapping[str, Target]]
    close_after: timedelta | None
    quiet: timedelta
    default_kind: str
    fields: tuple[str, ...]

    def applied_to(self, profile: Policy) -> Policy:
        return replace(
            profile,
            needs=self.needs,
            gates=self.gates,
            clocks=self.clocks,
            grades={name: self._grade(grade) for name, grade in profile.grades.items()},
            kinds=KINDS,
            default_kind=self.default_kind,
            report_fields=self.fields,
        )

    def _grade(self, grade: GradePolicy) -> GradePolicy:
        targets = {**grade.targets, **self.grades.get(grade.name, {})}
        return replace(grade, targets=targets, close_after=self.close_after, quiet=self.quiet)


# --- requirements and gates -----------------------------------------------------------------------------

_SOON = ("assignee", "kind", "assessment", "diagnosis", "cause_class")
_LATE = (
    *(
        "assignee",
        "kind",
        "assessment",
        "diagnosis",
        "cause_class",
        "cause",
        "solution",
        "field:model",
        "attachment:log",
        "review",
    ),
    *("assessment", "plan", "approved_plan", "plan_due", "plan_resources"),
    *("monitor", "test", "reporter_confirmation", "satisfaction", "follow_up"),
)
_CONSENTS = (
    (("manager",), False, 1),
    (("manager",), False, 2),
    (("engineer",), False, 1),
    (("manager", "director"), True, 1),
    (("manager", "director"), False, 2),
    (("engineer", "head", "director"), True, 1),
)


def _need(moves: tuple[Action, ...], names: tuple[str, ...]) -> st.SearchStrategy[Need]:
    return st.builds(
        Need,
        move=st.sampled_from(moves),
        needs=st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True).map(tuple),
        grades=st.sampled_from([(), (), ("P1",), ("P3", "P4")]),
        kinds=st.sampled_from([(), (), ("hardware",)]),
        restored_by=st.sampled_from([(), (), ("human",)]),
        if_there_is_a_reporter=st.sampled_from([False, False, False, True]),
    )


def _gate(number: int) -> st.SearchStrategy[GateRule]:
    return st.tuples(st.sampled_from(_CONSENTS), st.sampled_from(GATED)).flatmap(
        lambda drawn: st.builds(
            GateRule,
            name=st.just(f"gate {number}"),
            move=st.just(drawn[1]),
            roles=st.just(drawn[0][0]),
            each=st.just(drawn[0][1]),
            needed=st.just(drawn[0][2]),
            grades=st.sampled_from([(), (), ("P1",), ("P3",)]),
            kinds=st.sampled_from([(), (), ("hardware",)]),
            within=st.sampled_from([None, HOUR, 4 * HOUR]),
            on_timeout=st.sampled_from(OnTimeout),
            inform=st.sampled_from([(), ("head",)]),
        )
    )


# --- clocks ---------------------------------------------------------------------------------------------

_ALARMS = st.builds(
    Alarm,
    tell=st.sampled_from([(), ("assignee",), ("team",), ("next_tier",)]),
    roles=st.sampled_from([(), ("head",)]),
    escalate=st.booleans(),
)
_STARTS = (
    *(Fact.OPENED, Fact.REGISTERED, Fact.GRADED, Fact.HANDED_OVER, Fact.ACKNOWLEDGED, Fact.DIAGNOSED),
    *(Fact.PROPOSED, Fact.APPROVED, Fact.ESCALATED, Fact.RESTORED, Fact.RESOLVED),
)
_STOPS = (
    *(Fact.ACKNOWLEDGED, Fact.DIAGNOSED, Fact.APPROVED, Fact.RESTORED, Fact.VERIFIED, Fact.RESOLVED),
    *(Fact.REVIEWED, Fact.CLOSED),
)
_AGAIN = (Fact.DIAGNOSED, Fact.PROPOSED, Fact.REJECTED, Fact.WAITING, Fact.RESUMED, Fact.ESCALATED)
_VOID = (Fact.WAITING, Fact.RELAPSED, Fact.REJECTED, Fact.HANDED_OVER)
_PAUSES = (frozenset[str](), frozenset({"waiting"}), frozenset({"waiting", "proposed"}), frozenset({"restored"}))
_WAITS = (frozenset[str](), frozenset({"vendor"}), frozenset({"reporter", "part"}))
_TARGETS = (None, HOUR, 2 * HOUR, 5 * HOUR, 30 * HOUR, Daily(at=time(17)))
_CHANGES: dict[str, st.SearchStrategy[Any]] = {
    "pause": st.sampled_from(_PAUSES),
    "waits": st.sampled_from(_WAITS),
    "warn": st.sampled_from([(), (), (50,), (50, 80)]),
    "on_warn": _ALARMS,
    "on_breach": _ALARMS,
    "relapse_counts": st.booleans(),
    "calendar": st.sampled_from([Calendar(), Calendar(), OFFICE]),
}


def _facts(among: tuple[Fact, ...], least: int, most: int) -> st.SearchStrategy[frozenset[Fact]]:
    return st.frozensets(st.sampled_from(among), min_size=least, max_size=most)


def _usual(rule: ClockRule) -> st.SearchStrategy[ClockRule]:
    return st.fixed_dictionaries(_CHANGES).map(lambda changed: replace(rule, **changed))


def _own(name: str) -> st.SearchStrategy[ClockRule]:
    drawn = st.builds(
        ClockRule,
        name=st.just(name),
        start=_facts(_STARTS, 1, 2),
        stop=_facts(_STOPS, 0, 2),
        again=_facts(_AGAIN, 0, 2),
        void=_facts(_VOID, 0, 1),
        **_CHANGES,
    )
    # What starts a clock does nothing else to it.
    return drawn.map(
        lambda rule: replace(
            rule, stop=rule.stop - rule.start, again=rule.again - rule.start - rule.stop, void=rule.void - rule.start
        )
    )


def _targets() -> st.SearchStrategy[dict[str, Target]]:
    """Targets of a grade; a clock may have none. Rounds are not so short that a day has hundreds."""
    own = st.fixed_dictionaries({name: st.sampled_from(_TARGETS[2:]) for name in ("work", "news")})
    usual = st.fixed_dictionaries({name: st.sampled_from(_TARGETS) for name in ("respond", "restore", "resolve")})
    return st.tuples(own, usual).map(
        lambda drawn: {name: target for name, target in {**drawn[0], **drawn[1]}.items() if target is not None}
    )


def rules() -> st.SearchStrategy[Rules]:
    """A policy like those that people might write, and odder ones."""
    late = st.lists(_need((Action.RESOLVE, Action.CLOSE), _LATE), max_size=3)
    soon = st.lists(_need((Action.PROPOSE,), _SOON), max_size=1)
    return st.builds(
        Rules,
        needs=st.tuples(late, soon).map(lambda drawn: (*drawn[0], *drawn[1])),
        gates=st.integers(0, 3).flatmap(lambda many: st.tuples(*map(_gate, range(many)))),
        clocks=st.tuples(*map(_usual, DEFAULT_CLOCKS), _own("work"), _own("news")),
        grades=st.fixed_dictionaries({name: _targets() for name in ("P1", "P3")}),
        close_after=st.sampled_from([None, 2 * HOUR, 24 * HOUR]),
        quiet=st.sampled_from([timedelta(), 10 * MINUTE, HOUR]),
        default_kind=st.sampled_from(["", "software", "hardware"]),
        fields=st.sampled_from([(), ("model",)]),
    )


# --- what people fill in --------------------------------------------------------------------------------

PLAN: Mapping[str, Any] = {
    "kind": "patch",
    "steps": ["build it", "roll it out"],
    "owner": "mei",
    "due": "2099-01-01T00:00:00Z",
    "resources": {"disk": 1},
}
_WHY = {"reason": "because"}
_LOOKS: list[Mapping[str, Any]] = [
    {"by": by, "good": good, "text": "seen"} for by in ("monitor", "test", "reporter") for good in (True, False)
]
_ODD: list[Mapping[str, Any]] = [
    {**PLAN, "kind": "prayer"},
    {**PLAN, "steps": []},
    {**PLAN, "owner": "nobody"},
    {**PLAN, "due": "soon"},
    {**PLAN, "due": "2001-01-01T00:00:00Z"},
    {**PLAN, "resources": {"tape": 1}},
    {**PLAN, "resources": {"disk": 9999}},
]
_FALSE, _PSEUDO = {"as": "false_alarm", **_WHY}, {"as": "pseudo_fault", "guide": "how to read the lamp", **_WHY}
_Forms = list[Mapping[str, Any]]
_FORMS: Mapping[str, tuple[_Forms, _Forms]] = {
    "acknowledge": ([{}, _WHY], []),
    "assign": ([{"to": "mei"}, {"to": "lars"}, {"to": "otto"}], [{"to": "nobody"}, {}]),
    "give-back": ([_WHY], [{}]),
    "escalate": ([_WHY], [{}]),
    "note": ([{"text": "hm"}, {"text": "no full stop"}], [{}]),
    "attach": ([{"name": "log", "content": "x"}], [{"name": "log"}]),
    "wait": ([{"for": "vendor", **_WHY}, {"for": "part", **_WHY}], [{"for": "rain", **_WHY}, {"for": "vendor"}]),
    "resume": ([_WHY], [{}]),
    "register": ([{"fields": {"model": "X1"}}, {"fields": {"model": ""}}], [{}, {"fields": 7}]),
    "classify": ([{"kind": "hardware"}, {"kind": "software"}], [{"kind": "magic"}]),
    "regrade": ([{"grade": grade, **_WHY} for grade in ("P1", "P3", "P4")], [{"grade": "P9", **_WHY}, {"grade": "P1"}]),
    "diagnose": (
        [{"text": "the disk is full"}, {"text": "it", "cause_class": "environment", "cause": "logs"}],
        [{"text": "it", "cause_class": "ghosts"}, {}],
    ),
    "propose": ([PLAN, PLAN, {"kind": "workaround", "steps": ["restart it each night"]}], _ODD),
    "solve": ([{"text": "rotated the logs"}], [{}]),
    "restore": ([_WHY], [{}]),
    "verify": (_LOOKS, [{"by": "oracle"}]),
    "relapse": ([_WHY], [{}]),
    "resolve": ([_WHY], [{}]),
    "satisfaction": ([{"score": 5}], [{"score": 9}, {"score": "much"}, {}]),
    "follow-up": ([{"text": "all is well"}], [{}]),
    "dismiss": (
        [_FALSE, _PSEUDO],
        [{"as": "pseudo_fault", **_WHY}, {"as": "duplicate", **_WHY}, {"as": "maintenance"}],
    ),
    "merge": ([{"into": "1"}, {"into": "2", **_WHY}, {"into": "3"}], [{"into": "99"}]),
    "split": ([{"off": "1", **_WHY}, {"off": "2", **_WHY}, {"off": "3", **_WHY}], [{"off": "2"}]),
    "close": ([_WHY], [{}]),
    "reopen": ([_WHY], [{}]),
    "approve": ([{}, _WHY], []),
    "reject": ([_WHY], [{}]),
}
GOOD = {verb: good for verb, (good, _) in _FORMS.items()}
FORMS = tuple((verb, form) for verb, both in _FORMS.items() for forms in both for form in forms)
"""Good and bad ones."""
_MOVING = (
    "acknowledge",
    "propose",
    "wait",
    "resume",
    "relapse",
    "reopen",
    "restore",
    "resolve",
    "close",
    "merge",
    "dismiss",
    "give-back",
)
_BESIDES = ("assign", "escalate", "diagnose", "classify", "regrade", "verify", "solve", "attach", "register")


def possible(status: Status, *, is_asked: bool, has_members: bool) -> tuple[str, ...]:
    """Verbs that make sense where a ticket stands; the ends of tickets more rarely, since most things end with them."""
    moving = [verb for verb in _MOVING if (status, VERBS[verb].action) in MOVES]
    further = [verb for verb in moving if verb not in ("merge", "dismiss", "restore")]
    asked = ("approve", "reject", "approve", "approve") if is_asked else ()
    return (*moving, *further, *further, *_BESIDES, *asked, *(("split",) * 4 if has_members else ()))
