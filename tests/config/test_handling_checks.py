"""Clocks, gates, requirements, kinds and numbers that cannot be meant: each is named at its line and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from responder.config.policy_checks import Others
from tests.config.test_configuration import Folder
from tests.config.written import PEOPLE, TEAMS, mistakes

GOOD = """\
name: own
default_grade: P1
default_team: ops
calendars:
  office: {zone: Europe/Berlin, hours: {mon-fri: ["09:00-17:00"]}}
grades:
  P1:
    targets: {respond: 5m, update: 2h}
  P2:
    targets: {resolve: 1d, update: "daily at 17:00"}
grade_rules:
  - {name: page, grade: P1, when: ['severity=~"(?i)page|critical"'], affected_users: ">= 100"}
  - {name: low, grade: P2, facts: {scope: [one user]}, predicted_duration: "< 4h"}
clocks:
  update: {start: opened, again: updated, stop: [resolved], calendar: office, warn: [50, 80]}
kinds:
  hardware: {code: 1, team: support-1}
  software: {code: 2}
kind_rules:
  - {kind: hardware, when: ['component=~"disk|fan"']}
default_kind: software
moves:
  - {move: close, grades: [P1], kinds: [hardware], needs: [cause_class, review]}
gates:
  - {name: plan, move: approve, grades: P1, all_of: [support-manager, rd-director], within: 4h, on_timeout: escalate}
  - {name: plan-2, move: approve, grades: P2, any_of: support-manager, inform: [head]}
actions: {on_overdue: {tell: [team], roles: [head]}}
number: "{date:%Y%m%d}{kind:02d}{seq:03d}"
"""


def test_a_good_policy_has_no_mistakes() -> None:
    assert mistakes(GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        # clocks
        ("update: {start: opened, ", "§update: {", "clock update has no start:, so it would never run"),
        (
            "update: {start: opened, again: updated, stop: [resolved], ",
            "§update: {start: opened, again: updated, ",
            "clock update repeats and has no stop:, so only the end of the ticket would stop it",
        ),
        (
            "update: {start: opened, again: updated, stop: [resolved], ",
            "§update: {start: opened, ",
            "clock update has no stop:, so only the end of the ticket would stop it",
        ),
        (
            "start: opened, again: updated, stop: [resolved]",
            "start: resolved, §stop: [acknowledged, restored]",
            "clock update could never stop: once a ticket is resolved, acknowledged or restored does not come any more",
        ),
        (
            "start: opened, again: updated, stop",
            "start: [opened, resolved], again: updated, §stop",
            "clock update could never stop: once a ticket is resolved, resolved does not come any more; what may come",
        ),
        (
            "start: opened, again: updated, stop: [resolved]",
            "start: restored, §stop: reopened",
            "clock update could never stop: once a ticket is restored, reopened does not come any more",
        ),
        (
            "start: opened, again: updated",
            "start: acknowledged, §again: first_aid",
            "clock update could never repeat: once a ticket is acknowledged, first_aid does not come any more",
        ),
        (
            "again: updated",
            "§again: [updated, resolved]",
            "resolved would stop clock update, so again: never comes to it",
        ),
        (
            "again: updated",
            "§void: [resolved, dismissed, rejected], again: updated",
            "dismissed and resolved would stop clock update, so void: never comes to it",
        ),
        ("warn: [50, 80]", "warn: [§0, 80]", "a warning comes at 1 to 99 percent of the target, not at 0"),
        ("warn: [50, 80]", "warn: [50, §100]", "a warning comes at 1 to 99 percent of the target, not at 100"),
        ("warn: [50, 80]", "§warn: 100", "a warning comes at 1 to 99 percent of the target, not at 100"),
        ("warn: [50, 80]", "warn: [80, §50]", "warnings rise, and 50 comes after 80"),
        ("warn: [50, 80]", "warn: [50, §50]", "warnings rise, and 50 comes after 50"),
        ("warn: [50, 80]", "§on_warn: {tell: team}", "clock update warns of nothing: write warn: with the percentages"),
        ("warn: [50, 80]", "§waits: reporter", "waits: says for what a ticket waits while the clock is paused, so it"),
        ("warn: [50, 80]", "on_breach: {roles: [§boss]}", "nobody in the people file has the role boss; there are bo"),
        ("warn: [50, 80]", "warn: 50, on_warn: {§roles: boss}", "nobody in the people file has the role boss"),
        ("warn: [50, 80]", "on_breach: {tell: [§boss]}", "clocks.update.on_breach.tell.0: expected 'assignee'"),
        ("warn: [50, 80]", "§pause: sleeping", "clocks.update.pause.0: expected 'new', 'first_aid'"),
        ("warn: [50, 80]", "pause: waiting, waits: [§nobody]", "clocks.update.waits.0: expected 'reporter', 'vendor'"),
        ("start: opened", "§start: begun", "clocks.update.start.0: expected 'opened', 'reported'"),
        ("calendar: office", "§calendar: night", "there is no calendar night; there are always, office"),
        (
            'hours: {mon-fri: ["09:00-17:00"]}',
            "§hours: {sun: []}",
            "calendars.office.hours: no day has hours, so no clock",
        ),
        (
            "respond: 5m, update: 2h",
            "respond: 5m, §udpate: 2h",
            "grades.P1.targets.udpate: there is no clock udpate; there are respond, restore, resolve, update",
        ),
        (
            "  update: {",
            "  §answer: {start: opened, stop: answered}\n  update: {",
            "no grade has a target for clock answer, so it would never run",
        ),
        (
            'update: "daily at 17:00"',
            '§update: "daily at 25:00"',
            "grades.P2.targets.update: 'daily at 25:00' is no time of day; write it like 'daily at 17:00'",
        ),
        (
            "respond: 5m",
            "§respond: 5",
            "grades.P1.targets.respond: 5 is not a duration; write it like 30s, 5m or 1h30m",
        ),
        # grades
        ("name: low, grade: P2", "name: low, §grade: P9", "there is no grade P9; there are P1, P2"),
        (
            'predicted_duration: "< 4h"',
            '§predicted_duration: "4h"',
            "grade_rules.1.predicted_duration: '4h' is no bound; write it like '> 4h'",
        ),
        (
            'predicted_duration: "< 4h"',
            '§predicted_duration: "< 4"',
            "grade_rules.1.predicted_duration: '4' is not a duration",
        ),
        ("scope: [one user]", "§scope: []", "grade_rules.1.facts.scope: "),
        (
            '{name: low, grade: P2, facts: {scope: [one user]}, predicted_duration: "< 4h"}',
            '§{name: low, grade: P2, predicted_duration: "< 0s"}',
            "rule 'low' can never hold: predicted_duration is never < 0s",
        ),
        (
            "{name: page, grade: P1, when: ['severity=~\"(?i)page|critical\"']",
            "§{name: page, grade: P1, when: [severity=a, severity=b]",
            'rule \'page\' can never hold: severity="a" and severity="b" exclude each other',
        ),
        (
            "- {name: low",
            "- §{name: late, grade: P2, when: [severity=PAGE, x=y], affected_users: '> 99'}\n  - {name: low",
            "rule 'late' can never win: 'page' before it takes all that it would take",
        ),
        # kinds and numbers
        ("team: support-1", "§team: nobody", "there is no team nobody in the people file, so nobody would be told"),
        ("software: {code: 2}", "software: {§code: 1}", "1 is already the code of hardware, and the number names the"),
        ("software: {code: 2}", "§software: {}", "kind software has no code, and the number names the kind"),
        ("software: {code: 2}", "software: {§code: 100}", "the number has room for codes up to 99, and 100 is larger"),
        ("software: {code: 2}", "software: {§code: 0}", "kinds.software.code: expected greater than or equal to 1"),
        ("kind: hardware, when", "§kind: hardwear, when", "there is no kind hardwear; there are hardware, software"),
        ("default_kind: software", "§default_kind: none", "there is no kind none; there are hardware, software"),
        (
            "default_kind",
            "  - §{kind: software, when: [component=fan, x=y]}\ndefault_kind",
            "this rule can never win: rule 1 before it takes all that it would take",
        ),
        ("{kind:02d}{seq:03d}", "{kind}{seq}", "number: two tickets could get the same number: beside a kind or grade"),
        ("{kind:02d}{seq:03d}", "{grade}{seq}", "number: two tickets could get the same number"),
        # requirements
        ("[cause_class, review]", "[cause_class, §reviwe]", "nothing is called 'reviwe'; there are assignee, kind, "),
        ("needs: [cause_class, review]", "§needs: reviwe", "nothing is called 'reviwe'; there are assignee, kind, "),
        ("needs: [cause_class, review]", "§needs: 'field:'", "nothing is called 'field:'; there are assignee, kind, "),
        ("needs: [cause_class, review]", "§needs: []", "moves.0.needs: "),
        ("move: close", "§move: finish", "moves.0.move: expected 'start_first_aid'"),
        ("grades: [P1], kinds", "grades: [P1, §P7], kinds", "there is no grade P7; there are P1, P2"),
        ("kinds: [hardware]", "kinds: [§wood]", "there is no kind wood; there are hardware, software"),
        (
            "move: close",
            "§move: start_first_aid",
            "nothing can be required before start_first_aid: first aid starts without it; say in first_aid: whose",
        ),
        ("move: close", "§move: reject", "nothing can be required before reject: a plan is rejected by those who are"),
        (
            "move: close, grades: [P1]",
            "move: restore, §restored_by: human",
            "nobody can have restored it before restore, so this would never be asked for",
        ),
        (
            "move: close, grades: [P1], kinds: [hardware], needs: [cause_class, review]",
            "move: propose, §needs: approved_plan",
            "propose would wait for ever: an approved plan comes only with it or after it (verb: propose)",
        ),
        (
            "move: close, grades: [P1], kinds: [hardware], needs: [cause_class, review]",
            "move: approve, needs: [plan_due, §approved_plan]",
            "approve would wait for ever: an approved plan comes only with it or after it (verb: propose)",
        ),
        # gates
        ("name: plan-2", "§name: plan", "there is another gate called plan"),
        (
            "grades: P1, all_of: [support-manager, rd-director], within: 4h, on_timeout: escalate}\n  - {name",
            "all_of: [support-manager, rd-director]}\n  - §{name",
            "nobody would come to gate plan-2: plan stands before the same tickets",
        ),
        ("rd-director]", "§rd-chief]", "nobody in the people file has the role rd-chief"),
        ("any_of: support-manager", "any_of: [head, §boss]", "nobody in the people file has the role boss"),
        (
            "all_of: [support-manager, rd-director]",
            "§all_of: [both-a, both-b]",
            "there is no person of its own for each of the roles both-a and both-b (both-a only cyd; both-b only cyd)",
        ),
        (
            "any_of: support-manager",
            "§any_of: [head, rd-director], needed: 3",
            "3 must say yes, but only ann, bob could (roles head, rd-director)",
        ),
        (
            "any_of: support-manager",
            "§any_of: silent",
            "nobody with the role silent has a channel, so nobody would learn of the question",
        ),
        (
            "rd-director]",
            "§silent]",
            "nobody with the role silent has a channel, so nobody would learn of the question",
        ),
        ("within: 4h, on_timeout", "§on_timeout", "gate plan has no within:, so its time never runs out"),
        ("within: 4h", "§within: 0s", "gates.0.within: a time within which nothing can happen counts nothing"),
        ("within: 4h", "§needed: 2, within: 4h", "with all_of: one person of every role is needed; needed: goes with"),
        (
            "{name: plan-2, move: approve, grades: P2, any_of: support-manager, ",
            "§{name: plan-2, move: approve, ",
            "gates.1: give one of any_of: and all_of:, with the roles that must agree",
        ),
        (
            "{name: plan-2, move: approve, grades: P2, any_of: support-manager, ",
            "§{name: plan-2, move: approve, any_of: head, all_of: head, ",
            "gates.1: give one of any_of: and all_of:, with the roles that must agree",
        ),
        ("inform: [head]", "inform: [§boss]", "nobody in the people file has the role boss; there are both-a, both-b"),
        ("move: approve, grades: P2", "§move: aprove, grades: P2", "gates.1.move: expected 'start_first_aid'"),
        ("move: approve, grades: P2", "§move: reject", "no gate can stand before reject: a plan is rejected by those"),
        ("grades: P2", "§grades: P7", "there is no grade P7; there are P1, P2"),
        ("grades: P2", "kinds: [§wood]", "there is no kind wood; there are hardware, software"),
        # the rest
        (
            "roles: [head]}}",
            "roles: [§boss]}}",
            "nobody in the people file has the role boss; there are both-a, both-b",
        ),
        ("actions:", "report: {required: [symptom, §'two words']}\nactions:", "report.required.1: expected"),
        (
            "actions:",
            "report: {offered: {kind: [software, §wood]}}\nactions:",
            "no kind knows 'wood'; there are hardware, software",
        ),
        (
            "actions:",
            "report: {offered: {impact: [§awful]}}\nactions:",
            "no grade rule knows 'awful'; there are none",
        ),
        (
            "actions:",
            "reporter: {§best_score: 1}\nactions:",
            "reporter.best_score: expected greater than or equal to 2",
        ),
        ("actions:", "knowledge: {§similar_from: 2}\nactions:", "knowledge.similar_from: expected less than or equal"),
        ("actions:", "§cause_classes: []\nactions:", "cause_classes: "),
    ],
)
def test_a_mistake_is_shown_with_its_line_and_column(old: str, new: str, said: str) -> None:
    assert old in GOOD
    # The sign § stands where the mistake must be shown; the number is the last line.
    spoilt = GOOD.replace(old, new, 1)
    before = spoilt.partition("§")[0] if "§" in spoilt else spoilt[: spoilt.index("number:")]
    place = f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"
    found = mistakes(spoilt.replace("§", ""))
    assert any(one.startswith(f"{place}: {said}") for one in found), (place, found)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("again: updated", "again: first_aid"),
        ("start: opened, again: updated, stop: [resolved]", "start: [opened, resolved], stop: reviewed"),
        ("  update: {", "  restore: null\n  update: {"),
        ("warn: [50, 80]", "pause: waiting, waits: reporter, warn: 99"),
        ("warn: [50, 80]", "calendar: always"),
        ("needs: [cause_class, review]", "needs: ['field:symptom', 'attachment:log', monitor, satisfaction]"),
        ("needs: [cause_class, review]", "restored_by: [human, itself], needs: review"),
        ("[support-manager, rd-director]", "[support-manager, both-a]"),
        ("software: {code: 2}", "software: {code: 99}"),
        ("actions:", "report: {required: symptom}\nactions:"),
        ("actions:", "report: {offered: {kind: [software]}}\nactions:"),
    ],
)
def test_what_can_be_meant_is_no_mistake(old: str, new: str) -> None:
    text = GOOD.replace(", calendar: office", "") if "calendar" in new else GOOD
    assert old in text
    assert mistakes(text.replace(old, new, 1)) == []


def test_a_kind_without_any_team_is_shown() -> None:
    assert mistakes(GOOD.replace("default_team: ops", "default_team: none")) == [
        "3:1: there is no team none in the people file, so nobody would be told",
        "18:3: kind software has no team of its own, and no rule gives it one of the people file",
    ]


def test_one_mistake_is_one_complaint() -> None:
    assert len(mistakes(GOOD.replace("rd-director]", "rd-chief]"))) == 1
    assert len(mistakes(GOOD.replace("stop: [resolved], ", ""))) == 1
    assert len(mistakes(GOOD.replace("[cause_class, ", "[cause_clas, "))) == 1


def test_a_kind_that_is_required_must_exist_in_the_policy() -> None:
    bare = "name: own\ngrades: {P1: {targets: {respond: 5m}}}\ndefault_grade: P1\nmoves: [{move: close, needs: kind}]\n"
    assert mistakes(bare) == ["4:23: there are no kinds in this policy, so no ticket could have one"]


def test_a_number_that_names_the_kind_needs_kinds() -> None:
    bare = "name: own\ngrades: {P1: {targets: {respond: 5m}}}\ndefault_grade: P1\nnumber: '{kind:02d}-{seq}'\n"
    assert mistakes(bare) == ["4:1: the number names the kind, but there are no kinds"]


def test_people_who_could_not_be_read_are_not_held_against_the_policy() -> None:
    nobody = Others(runbooks={}, targets=(), people=None, teams=None)
    spoilt = GOOD.replace("rd-director", "rd-chief").replace("[head]", "[boss]").replace("support-1", "nobody")
    assert mistakes(spoilt, others=nobody) == []


# --- what comes from a profile -----------------------------------------------------------------------

SHIPPED = "default_team: ops\nextends: p1-p4\n"


def test_what_the_profile_says_is_shown_where_the_file_names_the_profile() -> None:
    lonely = Others(runbooks={}, targets=(), people=PEOPLE, teams={"support-1": TEAMS["support-1"]})
    assert mistakes("zone: UTC\nextends: p1-p4\n", others=lonely) == [
        "2:1: there is no team ops in the people file, so nobody would be told (from p1-p4: default_team)"
    ]


def test_what_the_file_says_about_a_part_of_the_profile_is_shown_at_that_part() -> None:
    text = SHIPPED + "clocks:\n  respond:\n    warn: [50]\n    stop: [opened]\n"
    (found,) = mistakes(text)
    assert found.startswith("6:5: clock respond could never stop: once a ticket is opened, opened does not come any")
    elsewhere = SHIPPED + "clocks:\n  respond:\n    start: resolved\n"
    (found,) = mistakes(elsewhere)
    assert found.startswith(
        "4:3: clock respond could never stop: once a ticket is resolved, acknowledged or resolved or"
    )


def test_a_clock_that_is_taken_away_takes_the_targets_of_the_profile_with_it() -> None:
    assert mistakes(SHIPPED + "clocks: {restore: null}\n") == []
    (found,) = mistakes(SHIPPED + "clocks: {restore: null}\ngrades: {P1: {targets: {restore: 1h}}}\n")
    assert found == "4:25: grades.P1.targets.restore: there is no clock restore; there are respond, resolve, escalation"


def test_a_list_of_the_profile_is_replaced_so_its_places_are_those_of_the_file() -> None:
    text = SHIPPED + "grade_rules:\n  - {name: a, grade: P1, when: [x=y]}\n  - {name: b, grade: P2, when: [x=y]}\n"
    assert mistakes(text) == ["5:5: rule 'b' can never win: 'a' before it takes all that it would take"]


def test_a_mistake_of_the_policy_refuses_the_whole_configuration(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.change("policy.yml", "zone:", "gates: [{name: g, move: close, any_of: boss}]\nzone:")
    assert folder.mistakes() == ["policy.yml:18:32: nobody in the people file has the role boss"]
