"""The policy language: what each key becomes in the domain, and that editors' schema takes what the parser takes."""

from __future__ import annotations

import json
import re
from datetime import time, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from typer.testing import CliRunner

from responder.adapters.yaml_file import load, parse
from responder.cli import application
from responder.config.policy import read_policy, shipped_profile
from responder.config.policy_checks import Others
from responder.config.policy_schema import json_schema
from responder.domain.facts import Fact
from responder.domain.gates import GateRule, OnTimeout
from responder.domain.grading import Bound, DurationBound
from responder.domain.health_check import HealthCheckRule
from responder.domain.kinds import Kind
from responder.domain.policy import CAUSE_CLASSES, DEFAULT_CLOCKS, SOLUTION_KINDS, Policy, ReporterRule
from responder.domain.requirements import THINGS, Need
from responder.domain.sla import Alarm, ClockRule, Daily
from responder.domain.ticket import Action
from responder.domain.workhours import Span
from tests.config.written import TODAY, mistakes, policy_of, read
from tests.fakes import HOUR, MINUTE, NOW, REPOSITORY

BARE = "name: own\ngrades: {P1: {targets: {respond: 5m}}}\ndefault_grade: P1\n"
UPDATE = """\
name: own
default_grade: P0
calendars:
  office: {zone: Europe/Berlin, hours: {mon-fri: ["09:00-17:00"]}}
grades:
  P0: {targets: {respond: 5m, register: 30m, update: 2h}}
  P2: {targets: {update: "daily at 17:00", resolve: null}}
clocks:
  register: {start: opened, stop: registered, text: until the report is complete}
  update:
    start: opened
    again: updated
    stop: [resolved]
    void: [rejected, relapsed]
    calendar: office
    pause: [waiting]
    waits: [reporter]
    relapse: does_not_count
    warn: [50, 80]
    on_warn: {tell: [assignee], roles: [head]}
    on_breach: {tell: [next_tier], escalate: true}
"""


def only(*facts: str) -> frozenset[str]:
    return frozenset(facts)


def clock(policy: Policy, name: str) -> ClockRule:
    found = policy.clock(name)
    assert found is not None
    return found


# --- targets and clocks ----------------------------------------------------------------------------


def test_a_policy_that_says_nothing_of_handling_has_the_defaults() -> None:
    policy = policy_of(BARE)
    assert policy.clocks == DEFAULT_CLOCKS
    assert (policy.kinds, policy.kind_rules, policy.default_kind) == ({}, (), "")
    assert (policy.needs, policy.gates, policy.report_fields, policy.health_checks) == ((), (), (), ())
    assert (policy.cause_classes, policy.solution_kinds) == (CAUSE_CLASSES, SOLUTION_KINDS)
    assert policy.reporter == ReporterRule()
    assert policy.on_overdue_action == Alarm(tell=("team",))
    assert policy.similar_from == 0.5


def test_a_target_is_a_duration_or_a_time_of_day_and_null_is_none() -> None:
    policy = policy_of(UPDATE)
    assert policy.grades["P0"].targets == {"respond": 5 * MINUTE, "register": 30 * MINUTE, "update": 2 * HOUR}
    assert policy.grades["P2"].targets == {"update": Daily(at=time(17, 0))}


def test_a_clock_says_what_starts_stops_repeats_and_pauses_it() -> None:
    update = clock(policy_of(UPDATE), "update")
    assert (update.start, update.again) == (only(Fact.OPENED), only(Fact.UPDATED))
    assert (update.stop, update.void) == (only(Fact.RESOLVED), only(Fact.REJECTED, Fact.RELAPSED))
    assert (update.pause, update.waits, update.relapse_counts) == (only("waiting"), only("reporter"), False)
    assert update.warn == (50, 80)
    assert update.on_warn == Alarm(tell=("assignee",), roles=("head",))
    assert update.on_breach == Alarm(tell=("next_tier",), escalate=True)
    assert update.calendar.name == "office"
    assert update.calendar.spans(NOW.date()) == (Span(start=9 * 60, end=17 * 60),)


def test_the_clocks_of_a_file_come_after_the_three_that_every_policy_has() -> None:
    assert [one.name for one in policy_of(UPDATE).clocks] == ["respond", "restore", "resolve", "register", "update"]
    assert clock(policy_of(UPDATE), "register").text == "until the report is complete"


def test_of_a_clock_that_every_policy_has_only_what_is_written_differs() -> None:
    respond = clock(policy_of(BARE + "clocks: {respond: {stop: acknowledged, warn: 50}}\n"), "respond")
    default = clock(policy_of(BARE), "respond")
    assert (respond.start, respond.text) == (default.start, default.text)
    assert (respond.stop, respond.warn) == (only(Fact.ACKNOWLEDGED), (50,))
    assert respond.relapse_counts


def test_a_clock_of_null_is_taken_away() -> None:
    policy = policy_of(BARE + "clocks: {restore: null, resolve: null}\n")
    assert [one.name for one in policy.clocks] == ["respond"]


def test_a_time_of_day_without_a_calendar_is_one_in_the_zone_of_the_policy() -> None:
    policy = policy_of(BARE + "zone: Asia/Shanghai\n")
    calendar = clock(policy, "respond").calendar
    assert calendar.is_always
    assert calendar.zone == ZoneInfo("Asia/Shanghai")
    assert calendar.next_at(NOW, time(19, 0)) == NOW + HOUR


# --- kinds, requirements, gates --------------------------------------------------------------------


def test_kinds_have_a_code_and_a_team_and_rules_find_them() -> None:
    policy = policy_of(
        BARE
        + "kinds:\n  hardware: {code: 1, team: support-1}\n  software: {text: all else}\n"
        + "kind_rules: [{kind: hardware, when: ['component=~\"disk|fan\"']}]\ndefault_kind: software\n"
    )
    assert policy.kinds["hardware"] == Kind(name="hardware", code=1, team="support-1")
    assert policy.kinds["software"] == Kind(name="software", text="all else")
    assert (policy.kind({"component": "disk"}), policy.kind({})) == ("hardware", "software")
    assert policy.team({}, policy.kind({"component": "fan"})) == "support-1"


def test_requirements_say_before_which_move_what_must_be_there() -> None:
    policy = policy_of(
        BARE
        + "kinds: {hardware: {}}\nmoves:\n"
        + "  - {move: close, grades: [P1], kinds: hardware, needs: [cause_class, review]}\n"
        + "  - {move: resolve, restored_by: machine, if_there_is_a_reporter: true, needs: reporter_confirmation}\n"
    )
    assert policy.needs == (
        Need(move=Action.CLOSE, grades=("P1",), kinds=("hardware",), needs=("cause_class", "review")),
        Need(
            move=Action.RESOLVE,
            restored_by=("machine",),
            if_there_is_a_reporter=True,
            needs=("reporter_confirmation",),
        ),
    )


def test_gates_ask_all_of_some_roles_or_some_people_with_any_of_them() -> None:
    policy = policy_of(
        BARE
        + "gates:\n"
        + "  - {name: plan, move: approve, grades: [P1], all_of: [support-manager, rd-director], within: 4h,\n"
        + "     on_timeout: escalate, inform: [head]}\n"
        + "  - {name: end, move: close, any_of: [head, rd-director], needed: 2}\n"
    )
    assert policy.gates == (
        GateRule(
            name="plan",
            move=Action.APPROVE,
            grades=("P1",),
            roles=("support-manager", "rd-director"),
            each=True,
            within=4 * HOUR,
            on_timeout=OnTimeout.ESCALATE,
            inform=("head",),
        ),
        GateRule(name="end", move=Action.CLOSE, roles=("head", "rd-director"), needed=2),
    )


# --- the rest --------------------------------------------------------------------------------------


def test_lists_of_words_reporters_actions_and_knowledge_are_taken_as_written() -> None:
    policy = policy_of(
        BARE
        + "cause_classes: [wear, abuse]\nsolution_kinds: [repair, refund]\n"
        + "report: {required: [product, symptom]}\n"
        + "reporter: {remind_after: 2d, close_after: null, reopen_within: 14d, erase_after: 90d, best_score: 10,\n"
        + "           ask_satisfaction: false, automatic_progress: true}\n"
        + "actions: {on_overdue: {tell: [team, assignee], roles: [head]}}\nknowledge: {similar_from: 0.25}\n"
    )
    assert (policy.cause_classes, policy.solution_kinds) == (("wear", "abuse"), ("repair", "refund"))
    assert policy.report_fields == ("product", "symptom")
    day = timedelta(days=1)
    assert policy.reporter == ReporterRule(
        remind_after=2 * day,
        close_after=None,
        reopen_within=14 * day,
        erase_after=90 * day,
        best_score=10,
        ask_satisfaction=False,
        automatic_progress=True,
    )
    assert policy.on_overdue_action == Alarm(tell=("team", "assignee"), roles=("head",))
    assert policy.similar_from == 0.25


def test_a_grade_rule_may_ask_for_facts_and_for_how_long_it_is_thought_to_last() -> None:
    (rule,) = policy_of(
        BARE
        + "grade_rules:\n  - {name: all, grade: P1, facts: {revenue: [yes], scope: whole system},\n"
        + "     predicted_duration: '> 4h', affected_users: '>= 100', impact: safety}\n"
    ).grade_rules
    assert rule.facts == {"revenue": ("yes",), "scope": ("whole system",)}
    assert rule.predicted_duration == DurationBound(operator=">", duration=4 * HOUR)
    assert (rule.affected_users, rule.impact) == (Bound(operator=">=", number=100), ("safety",))


def test_a_rule_of_facts_grades_what_the_report_says_in_labels_or_annotations() -> None:
    policy = policy_of(BARE + "grade_rules: [{name: all, grade: P1, facts: {revenue: [yes]}}]\n")
    (rule,) = policy.grade_rules
    assert rule.holds({"revenue": "Yes"}, {})
    assert rule.holds({}, {"revenue": "YES"})
    assert not rule.holds({"revenue": "no"}, {"revenue": "yes"})


def test_health_checks_are_a_part_of_the_policy() -> None:
    written = read(BARE + "health_checks: [{name: daily, runbook: look, targets: [web-1], every: daily at 07:00}]\n")
    (check,) = written.as_policy(TODAY).health_checks
    assert isinstance(check, HealthCheckRule)
    assert (check.name, check.targets) == ("daily", ("web-1",))


# --- profiles --------------------------------------------------------------------------------------


def test_what_a_file_says_of_clocks_and_kinds_is_merged_into_its_profile() -> None:
    text = "extends: p1-p4\nclocks: {respond: {warn: [50]}}\ngrades: {P4: {targets: {respond: null}}}\n"
    policy = read(text).as_policy(TODAY)
    assert clock(policy, "respond").warn == (50,)
    assert "respond" not in policy.grades["P4"].targets
    assert policy.grades["P4"].targets["resolve"] == 72 * HOUR


def test_lists_of_a_profile_are_replaced() -> None:
    policy = read("extends: p1-p4\ngrade_rules: [{name: only, grade: P1, when: [x=y]}]\n").as_policy(TODAY)
    assert [rule.name for rule in policy.grade_rules] == ["only"]


def test_the_shipped_profile_is_right() -> None:
    assert mistakes("extends: p1-p4\n") == []


# --- any of it together ----------------------------------------------------------------------------

PARTS: dict[str, list[Any]] = {
    "calendars": [{"office": {"zone": "UTC", "hours": {"mon-fri": ["09:00-12:00", "13:00-24:00"], "sat": "closed"}}}],
    "clocks": [
        {"respond": {"calendar": "always", "pause": "waiting", "waits": ["vendor", "part"]}},
        {"restore": None, "respond": {"warn": 75, "on_warn": {"tell": "assignee", "roles": ["head"]}}},
        {"respond": {"stop": ["acknowledged", "dismissed"], "relapse": "does_not_count", "void": "rejected"}},
    ],
    "kinds": [{"hardware": {"code": 1, "team": "support-1"}, "software": None}, {"hardware": {}}],
    "kind_rules": [[{"kind": "hardware", "when": ["a=b"]}]],
    "default_kind": ["hardware"],
    "moves": [[{"move": "close", "needs": "review"}, {"move": "resolve", "grades": ["P1"], "needs": ["monitor"]}]],
    "gates": [[{"name": "plan", "move": "approve", "any_of": "head", "within": "1h", "on_timeout": "pass"}]],
    "cause_classes": [["wear"]],
    "solution_kinds": [["repair"]],
    "report": [{"required": ["symptom"]}, {"required": "symptom"}],
    "reporter": [{"close_after": None}, {"remind_after": "1d12h", "best_score": 10}],
    "actions": [{"on_overdue": {"roles": "head", "escalate": True}}],
    "knowledge": [{"similar_from": 1}, {"similar_from": 0.3}],
    "grade_rules": [
        [
            {"name": "a", "grade": "P1", "when": ["a=b"], "impact": "x"},
            {"name": "b", "grade": "P1", "facts": {"c": "d"}},
        ],
        [{"name": "a", "grade": "P1", "affected_users": "> 1", "predicted_duration": ">= 1h30m"}],
    ],
    "correlation": [[{"name": "c", "when": ["a=b"], "by": ["c"]}]],
    "teams": [[{"when": ["a=b"], "team": "ops"}]],
    "budgets": [[{"name": "b", "max": "20%", "within": "1h"}, {"name": "c", "max": 2, "within": "1h"}]],
    "storm": [None, {"tickets": 9}, {"over": "1h", "lane": ["P1"]}],
    "hold_off": [
        [{"name": "w", "when": ["a=b"], "for": "2m", "grades": ["P1"]}, {"name": "x", "when": ["a=b"], "for": "1h"}]
    ],
    "maintenance": [
        [{"name": "w", "when": ["a=b"], "weekly": {"days": "sun", "from": "02:00", "to": "24:00"}}],
        [{"name": "m", "when": ["a=b"], "monthly": {"on": "last fri", "from": "22:00", "to": "02:00", "zone": "UTC"}}],
        [{"name": "o", "everything": True, "from": "2026-12-01 22:00", "until": "2026-12-02T04:00:00+01:00"}],
    ],
    "heartbeats": [[{"name": "w", "when": ["a=b"], "within": "10m"}]],
    "cron_jobs": [
        {"backup": {"cron": "0 2 * * mon-fri", "zone": "Europe/Berlin", "labels": {"team": "db"}}},
        {"backup": {"every": "1d", "grace": "1h", "longest": "2h", "key": 2}},
    ],
    "flapping": [{"changes": 4}],
    "refire_window": ["2h"],
    "number": ["{date:%Y%m%d}-{seq:03d}", "FB-{date}{seq:03d}"],
    "zone": ["Europe/Berlin"],
}
NEEDED = {"name": "own", "grades": {"P1": {"targets": {"respond": "5m"}, "close_after": None}}, "default_grade": "P1"}
SCHEMA = json_schema()
VALID = jsonschema.validators.validator_for(SCHEMA)(SCHEMA)


def written(content: object) -> str:
    stream = StringIO()
    YAML(typ="safe", pure=True).dump(content, stream)
    return stream.getvalue()


def parts() -> st.SearchStrategy[dict[str, Any]]:
    """Any keys with any of their good values; what names a kind comes with kinds."""
    some = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in PARTS.items()})
    return some.map(lambda chosen: {"kinds": {"hardware": {}}, **chosen})


@settings(max_examples=60, deadline=None)
@given(parts(), st.booleans())
def test_any_good_keys_make_a_policy_which_the_schema_takes_too(chosen: dict[str, Any], extends: bool) -> None:
    base = {"extends": "p1-p4", "default_team": "ops"} if extends else NEEDED
    text = written({**base, **chosen})
    assert mistakes(text) == []
    policy = read(text).as_policy(TODAY)
    assert ("hardware" in policy.kinds, policy.default_kind) == (True, chosen.get("default_kind", ""))
    VALID.validate(parse(text, Path("policy.yml")).data)


@pytest.mark.parametrize(
    "text",
    [
        UPDATE,
        BARE,
        "extends: p1-p4\ngrades: {P1: {tiers: [1, 2, 3]}}\nfirst_aid:\n"
        "  - {name: a, when: [a=b], runbook: r, autonomy: suggest}\n"
        "  - {name: b, when: [a=b], runbook: r, autonomy: {default: auto, grades: {P1: approve}}}\n"
        "health_checks: [{name: d, runbook: r, groups: [g], every: daily at 07:00, zone: Europe/Berlin}]\n",
        "extends: p1-p4\ncalendars:\n  office:\n    zone: UTC\n    hours: {mon-fri: ['09:00-17:00'], sat: closed}\n"
        "    make_up_hours: ['10:00-12:00']\n    overrides: {'2026-12-24': closed, '2026-12-31': {closed: party},\n"
        "      '2027-01-02': ['10:00-12:00']}\n",
    ],
)
def test_the_schema_takes_what_the_parser_takes(text: str) -> None:
    read(text)
    VALID.validate(parse(text, Path("policy.yml")).data)


@pytest.mark.parametrize(
    "text",
    [
        "default_grade: P1\n",
        BARE + "clocks: {respond: {begin: opened}}\n",
        BARE + "clocks: {respond: {start: begun}}\n",
        BARE + "moves: [{move: finish, needs: review}]\n",
        BARE + "gates: [{name: x, move: close, any_of: head, within: soon}]\n",
        BARE + "unknown: 1\n",
    ],
)
def test_the_schema_refuses_what_the_parser_refuses(text: str) -> None:
    assert mistakes(text) != []
    with pytest.raises(jsonschema.ValidationError):
        VALID.validate(parse(text, Path("policy.yml")).data)


def test_the_schema_is_one_and_takes_the_shipped_profiles() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for path in (REPOSITORY / "rules" / "policy").glob("*.yml"):
        assert shipped_profile(path.stem) == path
        read_policy(load(path))
        VALID.validate(load(path).data)


def test_the_command_prints_the_schema() -> None:
    printed = CliRunner().invoke(application(["schema"]), ["schema", "policy"])
    assert printed.exit_code == 0
    assert json.loads(printed.stdout) == SCHEMA


def test_the_examples_of_the_reference_are_taken_by_the_parser_and_by_the_schema() -> None:
    page = (REPOSITORY / "docs" / "policy.md").read_text(encoding="utf-8")
    examples = [part.partition("```")[0] for part in page.split("```yaml\n")[1:]]
    assert len(examples) > 10
    for example in examples:
        text = "extends: p1-p4\n" + example
        assert mistakes(text, others=Others(runbooks=None, targets=None, people=None, teams=None)) == []
        VALID.validate(parse(text, Path("policy.yml")).data)


def test_the_reference_names_every_key_of_the_language() -> None:
    docs = REPOSITORY / "docs"
    page = "".join((docs / name).read_text(encoding="utf-8") for name in ("policy.md", "escalation.md"))
    for name, part in (("", SCHEMA), *SCHEMA["$defs"].items()):
        if name == "CalendarFile":
            continue  # has a page of its own
        for key in part.get("properties", {}):
            assert f"`{key}`" in page or f"{key}:" in page, (name, key)


def test_the_reference_names_every_fact_and_everything_that_can_be_required() -> None:
    words = set(re.findall(r"[a-z_]+", (REPOSITORY / "docs" / "policy.md").read_text(encoding="utf-8")))
    assert {*Fact, *THINGS} <= words
