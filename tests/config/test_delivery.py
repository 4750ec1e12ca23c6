"""Contact orders, quiet hours and the delivery rules of a policy: what cannot be meant is named at its place."""

from __future__ import annotations

from datetime import time, timedelta
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from responder.config.configuration import read
from responder.config.policy_schema import json_schema
from responder.domain.delivery import BundleRule, ContactStep
from responder.errors import ConfigError
from tests.config.written import mistakes, policy_of
from tests.world import write_files

PEOPLE = """\
people:
  - name: mei
    zone: Asia/Shanghai
    channels:
      - {name: pager, url: "json://h/p"}
      - {name: mail, url: "json://h/m", length: short}
      - {name: text, url: "bulksms://user:password@+4915112345678/+4915112345678"}
    contact: [{channels: [pager]}, {after: 5m, channels: [mail, text]}]
    quiet_hours: {from: 22:00, to: "07:00", days: [fri, sat]}
teams: [{name: ops, tiers: {1: [mei]}}]
"""
POLICY = """\
name: own
default_grade: P2
grades: {P1: {targets: {}}, P2: {targets: {}}}
delivery: {through_quiet_hours: [P1], lane: [P1], bundle: {messages: 3, within: 2m}}
"""


def test_people_say_in_which_order_and_when_they_are_reached(tmp_path: Path) -> None:
    mei = read(write_files(tmp_path, people=PEOPLE)).people["mei"]
    assert mei.contact == (
        ContactStep(channels=("pager",)),
        ContactStep(channels=("mail", "text"), after=timedelta(minutes=5)),
    )
    assert [channel.is_short for channel in mei.channels] == [False, True, True]
    (quiet,) = mei.quiet_hours
    assert (quiet.start, quiet.end, quiet.days) == (time(22), time(7), frozenset({4, 5}))
    assert quiet.zone.key == "Asia/Shanghai"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[mail, text]", "[mail, txt]", "people.yml:8:65: mei has no channel txt; there are pager, mail, text"),
        ("[mail, text]", "[mail]", "people.yml:8:5: channel text of mei is in no step of contact:, so it would never"),
        ("[mail, text]", "[mail, text, pager]", "people.yml:8:27: channel pager of mei is in contact: twice"),
        ("{after: 5m, ", "{", "people.yml:8:36: each step of contact: has to come after the one before it"),
        ("[{channels: [pager]}", "[{after: 1m, channels: [pager]}", "people.yml:8:16: the first step is tried at once"),
        ('to: "07:00"', "to: 22:00", "people.yml:9:5: people.0.quiet_hours.0: from: and to: are the same"),
        ("from: 22:00", "from: late", "people.yml:9:19: people.0.quiet_hours.0.from: 'late' is no time of day"),
        ("[fri, sat]", "[]", "people.yml:9:5: people.0.quiet_hours.0: days: names none"),
        ("[fri, sat]", "[friday]", "people.yml:9:52: people.0.quiet_hours.0.days.0: expected"),
        ("days: [fri, sat]", "zone: Mars", "people.yml:9:45: people.0.quiet_hours.0.zone: 'Mars' is no time zone"),
    ],
)
def test_what_cannot_be_meant_of_a_person_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert PEOPLE.count(old) == 1
    path = write_files(tmp_path, people=PEOPLE.replace(old, new))
    with pytest.raises(ConfigError) as raised:
        read(path)
    assert said in str(raised.value)


def test_a_policy_says_how_pages_leave() -> None:
    rule = policy_of(POLICY).delivery
    assert (rule.through_quiet_hours, rule.lane) == (("P1",), ("P1",))
    assert rule.bundle == BundleRule(messages=3, within=timedelta(minutes=2))


def test_a_policy_that_says_nothing_lets_its_first_grade_through_and_bundles_the_others() -> None:
    rule = policy_of(POLICY.replace("delivery: {", "# ")).delivery
    assert (rule.through_quiet_hours, rule.lane, rule.bundle) == (("P1",), ("P1",), BundleRule())
    assert policy_of(POLICY.replace("{messages: 3, within: 2m}", "null")).delivery.bundle is None


def test_a_grade_that_the_policy_has_not_is_named() -> None:
    assert mistakes(POLICY.replace("lane: [P1]", "lane: [P9]")) == ["4:46: there is no grade P9; there are P1, P2"]


@pytest.mark.parametrize(("at", "is_good"), [("14:00", True), ("14:00:30", True), ("2 pm", False), (840, False)])
def test_the_schema_for_editors_takes_a_drill_as_people_write_it(at: object, *, is_good: bool) -> None:
    validator = Draft202012Validator(json_schema(), format_checker=Draft202012Validator.FORMAT_CHECKER)
    policy = {"extends": "p1-p4", "drill": {"at": at, "days": ["mon"]}, "delivery": {"bundle": None, "lane": ["P1"]}}
    assert validator.is_valid(policy) is is_good
