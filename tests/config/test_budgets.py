"""Budgets and storm in policy.yml: what they become, and the place of every mistake."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from responder.domain.budgets import Budget
from responder.domain.storm import StormRule
from tests.config.test_configuration import Folder

INVENTORY = """\
defaults: {key_file: id_ed25519}
targets:
  - {name: web-1, groups: [web], failure_domain: r1}
  - {name: db-1, groups: [db], variables: {row: a}}
"""
GOOD = """\
extends: p1-p4
default_team: ops
budgets:
  - {name: one per rack, max: 1, per: failure_domain, within: 30m}
  - {name: a fifth, max: "20%", of: db, within: 1h}
  - {name: rows, max: 2, per: variables.row, within: 30m, runbooks: [restart-app]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    made.write("inventory.yml", INVENTORY)
    made.write("policy.yml", GOOD)
    return made


def test_budgets_are_taken_as_written(folder: Folder) -> None:
    half_an_hour = timedelta(minutes=30)
    assert folder.read().policy.budgets == (
        Budget(name="one per rack", most=1, per="failure_domain", within=half_an_hour),
        Budget(name="a fifth", percent=20, of="db", within=timedelta(hours=1)),
        Budget(name="rows", most=2, per="variables.row", within=half_an_hour, runbooks=("restart-app",)),
    )


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("", StormRule(tickets=50, within=timedelta(minutes=5))),
        ("storm: {tickets: 25}\n", StormRule(tickets=25, within=timedelta(minutes=5))),
        ("storm: {tickets: 25, within: 10m}\n", StormRule(tickets=25, within=timedelta(minutes=10))),
        (
            "storm: {tickets: 25, within: 20m}\n",
            StormRule(tickets=25, within=timedelta(minutes=20), over=timedelta(minutes=20)),
        ),
        (
            "storm: {over: 30m, lane: [P1, P2]}\n",
            StormRule(tickets=50, over=timedelta(minutes=30), lane=("P1", "P2")),
        ),
        ("storm: {lane: []}\n", StormRule(lane=())),
        ("storm: null\n", None),
    ],
)
def test_a_storm_is_fifty_tickets_in_five_minutes_unless_it_is_written_otherwise(
    folder: Folder, written: str, rule: StormRule | None
) -> None:
    folder.write("policy.yml", GOOD + written)
    assert folder.read().policy.storm == rule


def test_a_policy_of_its_own_has_the_same_storm_with_its_own_most_urgent_grade(folder: Folder) -> None:
    folder.write("policy.yml", "name: own\ngrades: {G: {targets: {respond: 1h}}}\ndefault_grade: G\n")
    assert folder.read().policy.storm == StormRule(lane=("G",))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("max: 1,", "max: 0,", "policy.yml:4:26: budgets.0.max: 0 is no limit; write a number from 1 on, or a share"),
        ("max: 1,", "max: -1,", "policy.yml:4:26: budgets.0.max: -1 is no limit"),
        ("max: 1,", "max: true,", "policy.yml:4:26: budgets.0.max: True is no limit"),
        ("max: 1,", "max: 1.5,", "policy.yml:4:26: budgets.0.max: 1.5 is no limit"),
        ('"20%"', '"0%"', "policy.yml:5:21: budgets.1.max: '0%' is no limit"),
        ('"20%"', '"101%"', "policy.yml:5:21: budgets.1.max: '101%' is no limit"),
        ('"20%"', '"a fifth"', "policy.yml:5:21: budgets.1.max: 'a fifth' is no limit"),
        ("of: db", "of: dbs", "policy.yml:5:33: no target of the inventory is in the group dbs; there are db, web"),
        ("[restart-app]", "[restart-ap]", "policy.yml:6:70: there is no runbook restart-ap"),
        ("variables.row", "variables.rack", "policy.yml:6:26: none of its targets has variables.rack in the inventory"),
        ("per: failure_domain", "per: rack", "policy.yml:4:34: budgets.0.per: 'rack' parts no inventory; write"),
        ("within: 1h", "within: 0s", "policy.yml:5:41: budgets.1.within: a time within which nothing can happen"),
        ("within: 1h", "whitin: 1h", "policy.yml:5:5: budgets.1.within is missing"),
        ("name: rows", "name: a fifth", "policy.yml:6:6: there is another budget called a fifth"),
        ("name: rows", "name: runs per hour", "policy.yml:6:6: there is another budget called runs per hour"),
        ("default_team: ops", "storm: {tickets: 1}", "policy.yml:2:9: storm.tickets: expected greater than or equal"),
        ("default_team: ops", "storm: {within: 0s}", "policy.yml:2:9: storm.within: a time within which nothing"),
    ],
)
def test_a_mistake_is_shown_at_its_place(folder: Folder, old: str, new: str, expected: str) -> None:
    folder.change("policy.yml", old, new)
    assert any(mistake.startswith(expected) for mistake in folder.mistakes()), folder.mistakes()


def test_an_inventory_that_cannot_be_read_is_not_held_against_the_budgets(folder: Folder) -> None:
    folder.write("inventory.yml", "targets: [{nmae: web-1}]\n")
    assert not any("policy.yml" in mistake for mistake in folder.mistakes())


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("storm: {within: 10m, over: 5m}\n", "policy.yml:7:22: it is shorter than within"),
        ("storm: {lane: [P1, P9]}\n", "policy.yml:7:20: there is no grade P9; there are P1"),
    ],
)
def test_a_storm_that_cannot_be_meant_is_named_at_its_place(folder: Folder, written: str, said: str) -> None:
    folder.write("policy.yml", GOOD + written)
    (found,) = folder.mistakes()
    assert said in found
