"""Autonomy, approvals and roles in the files: every name is checked against the other files, at its place."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from responder.domain.autonomy import ApprovalRule, Autonomy, AutonomyRule, Promotion
from tests.config.test_configuration import Folder

RULE = "    runbook: restart-app\n"
PEOPLE = """\
people:
  - {name: ann, roles: [dba], channels: [{name: phone, url: "json://127.0.0.1:9/ann"}]}
  - {name: bob, roles: [dba, silent]}
  - {name: eve, roles: [silent]}
teams:
  - {name: ops, tiers: {1: [ann]}}
  - {name: db, tiers: {1: [ann]}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    made.write("people.yml", PEOPLE)
    made.change("inventory.yml", "    address: 192.0.2.1\n", "    address: 192.0.2.1\n    groups: [web]\n")
    return made


def with_rule(folder: Folder, text: str) -> Folder:
    lines = "".join(f"    {line}\n" for line in text.splitlines())
    folder.change("policy.yml", RULE, RULE + lines)
    return folder


def test_a_word_or_a_mapping_says_how_far_a_runbook_may_go(folder: Folder) -> None:
    first, second = folder.read().policy.first_aid
    assert (first.autonomy, first.approval) == (AutonomyRule(), ApprovalRule())
    with_rule(
        folder,
        "autonomy: {default: suggest, grades: {P1: approve}, groups: {web: approve}}\n"
        "approval: {roles: [dba], needed: 2, within: 10m, on_timeout: run}\n"
        "promote_after: {successes: 12, lower_bound: 0.75}",
    )
    second = folder.read().policy.first_aid[1]
    assert second.autonomy == AutonomyRule(
        default=Autonomy.SUGGEST,
        grades={"P1": Autonomy.APPROVE},
        groups={"web": Autonomy.APPROVE},
        promote_after=Promotion(successes=12, lower_bound=0.75),
    )
    assert second.approval == ApprovalRule(roles=("dba",), needed=2, within=timedelta(minutes=10), go_on_without=True)
    assert folder.read().people["bob"].roles == ("dba", "silent")


def test_one_word_holds_for_all(folder: Folder) -> None:
    with_rule(folder, "autonomy: approve")
    assert folder.read().policy.first_aid[1].autonomy == AutonomyRule(default=Autonomy.APPROVE)


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("autonomy: {grades: {P9: approve}}", "13:25: there is no grade P9; there are P1, P2, P3, P4"),
        ("autonomy: {groups: {mars: suggest}}", "no target of the inventory is in the group mars; there are web"),
        ("autonomy: often", "autonomy.default: "),
        ("autonomy: approve\napproval: {roles: [boss]}", "14:5: nobody in the people file has the role boss"),
        (
            "autonomy: approve\napproval: {roles: [dba], needed: 3}",
            "14:5: 3 must say yes, but only ann, bob could (role dba)",
        ),
        (
            "autonomy: approve\napproval: {roles: [silent]}",
            "nobody with the role silent has a channel, so nobody would learn of the question",
        ),
        ("promote_after: {successes: 5}", "13:5: its autonomy is auto already, so there is nothing to earn"),
        ("autonomy: suggest\npromote_after: {lower_bound: 1.5}", "promote_after.lower_bound"),
        ("approval: {on_timeout: panic}", "approval.on_timeout"),
    ],
)
def test_what_fits_no_other_file_is_a_mistake_at_its_place(folder: Folder, text: str, mistake: str) -> None:
    (found,) = with_rule(folder, text).mistakes()
    assert found.startswith("policy.yml:")
    assert mistake in found, found


@pytest.mark.parametrize(
    ("step", "mistake"),
    [
        ("approval: {question: ok?, roles: [boss], within: 5m}", "nobody in the people file has the role boss"),
        ("approval: {question: ok?, roles: [dba], needed: 3, within: 5m}", "3 must say yes, but only ann, bob"),
        (
            "approval: {question: ok?, roles: [dba]}",
            "it waits up to 15m for an answer, but the whole run has a timeout of 10m",
        ),
        ("notify: {text: hello, people: [nobody]}", "nobody is called nobody in the people file"),
        ("notify: {text: hello, roles: [silent]}", "nobody with a channel has the role silent"),
    ],
)
def test_a_step_that_asks_or_tells_nobody_is_a_mistake_where_the_rule_names_its_runbook(
    folder: Folder, step: str, mistake: str
) -> None:
    folder.change("runbooks/app.yml", "steps:\n", f"steps:\n  - {{name: first, {step}}}\n")
    (found,) = folder.mistakes()
    assert found.startswith("policy.yml:12:5: restart-app, step 'first': ")
    assert mistake in found, found


def test_a_question_in_a_precheck_is_a_mistake(folder: Folder) -> None:
    step = "precheck:\n  - approval: {question: ok?, roles: [dba], within: 5m}\nsteps:\n"
    folder.change("runbooks/app.yml", "steps:\n", step)
    (found,) = folder.mistakes()
    assert "a precheck only looks, so approval has no place there" in found


@pytest.mark.parametrize("step", ["approval: {}", "approval: {question: x, needed: 0}", "notify: {text: ''}"])
def test_a_step_without_its_words_is_a_mistake_in_the_runbook(folder: Folder, step: str) -> None:
    folder.change("runbooks/app.yml", "steps:\n", f"steps:\n  - {step}\n")
    assert all(found.startswith("runbooks/app.yml:4:") for found in folder.mistakes())
