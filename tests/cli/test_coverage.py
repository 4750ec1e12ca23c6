"""`responder coverage`: which alerts no rule of the policy takes, said honestly where nobody can know."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from responder.config.configuration import read
from responder.domain.coverage import Answer
from responder.domain.report import Report, Signal
from responder.flows.coverage import Coverage, Verdict, coverage
from tests.cli.calling import run
from tests.fakes import NOW, REPOSITORY, material_folder
from tests.world import PEOPLE, write_files

POLICY = """
extends: p1-p4
first_aid:
  - {name: restart it, when: ['alertname="ServiceDown"'], runbook: restart-app}
  - {name: only grave ones, when: ['alertname="Grave"'], runbook: restart-app, grades: [P1]}
  - {name: by the node's name, when: ['alertname="Named"'], runbook: restart-app, target: node}
teams:
  - {when: ['job=~"postgres|redis"'], team: databases}
heartbeats:
  - {name: watchdog, when: ['alertname="Watchdog"'], within: 10m}
"""
TWO_TEAMS = PEOPLE + "  - {name: databases, tiers: {1: [lars]}}\n"
CRITICAL = "labels: {severity: critical}"


def rule(name: str, expr: str = "up == 0", more: str = CRITICAL) -> str:
    return f"  - alert: {name}\n    expr: {expr}\n    {more}\n"


def group(*rules: str) -> str:
    return "groups:\n- name: g\n  rules:\n" + "".join(rules)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_files(tmp_path, policy=POLICY, people=TWO_TEAMS)


def judged(config: Path, text: str, name: str = "rules.yml", **extra: str) -> Coverage:
    path = config.parent / name
    path.write_text(text)
    return coverage(read(config), [path], extra)


def verdict(config: Path, *rules: str, **extra: str) -> Verdict:
    found = judged(config, group(*rules), **extra)
    assert found.problems == ()
    return found.verdicts[0]


def answers(one: Verdict) -> str:
    return " ".join(one.answers[aspect].value for aspect in ("grade", "runbook", "owner"))


def asked(config: Path, *words: str) -> Result:
    return run("coverage", *words, "--config", str(config))


def test_static_labels_are_judged_as_the_policy_judges_an_alert(config: Path) -> None:
    labels = "labels: {severity: critical, job: redis, instance: web-1}"
    one = verdict(config, rule("ServiceDown", more=labels))
    assert answers(one) == "yes yes yes"
    assert [choice.gives for choice in (*one.grade, *one.runbook, *one.owner)] == ["P1", "restart-app", "databases"]


def test_an_alert_that_no_rule_takes_gets_the_defaults_and_is_a_gap(config: Path) -> None:
    one = verdict(config, rule("Odd", "sum(x) > 1", "labels: {severity: whatever}"))
    assert answers(one) == "no no no"
    assert (one.grade[0].gives, one.owner[0].gives, one.runbook) == ("P3", "ops", ())


def test_a_label_that_only_the_firing_alert_has_is_answered_with_perhaps(config: Path) -> None:
    one = verdict(config, rule("ServiceDown", more='labels: {severity: "{{ $labels.level }}"}'))
    assert answers(one) == "maybe yes maybe"
    assert [(choice.gives, choice.depends_on) for choice in one.grade] == [
        ("P1", ("severity",)),
        ("P2", ("severity",)),
        ("P3", ("severity",)),
        ("P4", ("severity",)),
        ("P3", ()),
    ]
    assert [(choice.gives, choice.depends_on) for choice in one.owner] == [("databases", ("job",)), ("ops", ())]


def test_what_the_expression_says_of_labels_counts(config: Path) -> None:
    by_selector = verdict(config, rule("ServiceDown", 'up{job="postgres"} == 0'))
    assert by_selector.answers["owner"] is Answer.YES
    by_grouping = verdict(config, rule("ServiceDown", "sum by (instance) (up) == 0"))
    assert by_grouping.answers["owner"] is Answer.NO
    assert by_grouping.runbook[0].needs == {"instance": Answer.MAYBE}


def test_a_runbook_whose_target_the_expression_drops_is_none(config: Path) -> None:
    one = verdict(config, rule("ServiceDown", "sum by (job) (up) == 0"))
    assert one.answers["runbook"] is Answer.NO
    assert one.runbook[0].objection == "the alert cannot have the label instance"


def test_a_runbook_that_would_be_refused_says_why(config: Path) -> None:
    labels = "labels: {severity: critical, instance: nowhere, app: 'a b'}"
    one = verdict(config, rule("ServiceDown", more=labels))
    assert one.answers["runbook"] is Answer.NO
    assert "'a b' is not a name" in one.runbook[0].objection
    assert "'nowhere' (label instance) is no target in the inventory" in one.runbook[0].objection


def test_first_aid_for_some_grades_depends_on_what_the_grade_depends_on(config: Path) -> None:
    assert verdict(config, rule("Grave")).answers["runbook"] is Answer.YES
    assert verdict(config, rule("Grave", more="labels: {severity: info}")).answers["runbook"] is Answer.NO
    by_default = verdict(config, rule("Grave", "sum by (instance) (x)", "labels: {severity: odd}"))
    assert by_default.answers["runbook"] is Answer.NO
    open_ = verdict(config, rule("Grave", more='labels: {severity: "{{ $value }}"}'))
    assert (open_.answers["runbook"], open_.runbook[0].depends_on) == (Answer.MAYBE, ("severity",))


def test_an_annotation_can_give_the_grade(config: Path) -> None:
    many = "annotations: {affected_users: '5000'}"
    assert verdict(config, rule("X", "sum(x) > 1", many)).grade[0].gives == "P1"
    open_ = verdict(config, rule("X", "sum(x) > 1", "annotations: {affected_users: '{{ $value }}'}"))
    assert (open_.answers["grade"], open_.grade[0].depends_on) == (Answer.MAYBE, ("affected_users",))


def test_a_label_from_outside_gives_way_to_the_rules_own(config: Path) -> None:
    bare = rule("X", "sum(x) > 1", "labels: {}")
    assert verdict(config, bare).answers["grade"] is Answer.NO
    assert verdict(config, bare, severity="critical").grade[0].gives == "P1"
    assert (
        verdict(config, rule("X", "sum(x) > 1", "labels: {severity: info}"), severity="critical").grade[0].gives == "P4"
    )


def test_a_heartbeat_is_no_gap(config: Path) -> None:
    one = verdict(config, rule("Watchdog", "vector(1)", "labels: {}"))
    assert (one.is_heartbeat, answers(one)) == (True, "yes yes yes")


def test_the_worst_come_first_each_with_its_place(config: Path) -> None:
    good = "labels: {severity: critical, job: redis, instance: web-1}"
    text = group(
        rule("ServiceDown", more=good),
        rule("Slight", "sum(x) > 1", "labels: {severity: info}"),
        rule("Grievous", "sum(x) > 1"),
        rule("Odd", "sum(x) > 1", "labels: {severity: odd}"),
    )
    found = [(one.alert, one.line) for one in judged(config, text).verdicts]
    assert found == [("Odd", 13), ("Grievous", 10), ("Slight", 7), ("ServiceDown", 4)]


def test_a_broken_file_is_said_with_its_place_and_stops_no_other(config: Path) -> None:
    folder = config.parent / "rules"
    (folder / "deep").mkdir(parents=True)
    (folder / "chart.yaml").write_text("groups:\n{{- if .Values.on }}\n- name: a\n{{- end }}\n")
    (folder / "binary.yml").write_bytes(b"\xff\xfe\x00")
    (folder / "values.yaml").write_text("replicas: 3\n")
    (folder / "odd.yml").write_text(group(rule("Good"), "  - alert: Bad\n", "  - record: x\n    expr: up\n"))
    (folder / "deep" / "ok.rules").write_text(group(rule("Deep")))
    (folder / "notes.txt").write_text("no rule file by its name")
    result = asked(config, str(folder))
    assert result.exit_code == 1
    assert f"{folder}/chart.yaml:3:1: could not find expected ':'" in result.stderr
    assert f"{folder}/binary.yml:1:1: cannot be read" in result.stderr
    assert f"{folder}/values.yaml:1:1: holds no alerting rules of Prometheus" in result.stderr
    assert f"{folder}/odd.yml:7:5: Bad has no expr" in result.stderr
    assert {"Good", "Deep"} == {line.split()[1] for line in result.stdout.splitlines() if line.startswith(str(folder))}
    assert "2 files read, 3 mistakes, 1 files without rules" in result.stdout


def test_exit_codes_count_the_gaps_that_were_asked_for(config: Path) -> None:
    path = config.parent / "rules.yml"
    path.write_text(group(rule("ServiceDown"), rule("Other", "sum(x) > 1")))
    assert asked(config, str(path)).exit_code == 0
    assert asked(config, str(path), "--fail-on", "grade,owner").exit_code == 1
    assert asked(config, str(path), "--fail-on", "").exit_code == 0
    path.write_text(group(rule("ServiceDown", more="labels: {}")))
    assert asked(config, str(path)).exit_code == 0
    assert asked(config, str(path), "--strict").exit_code == 1
    assert asked(config, str(path), "--fail-on", "colour").exit_code == 2
    assert asked(config, str(config.parent / "nothing")).exit_code == 2
    assert asked(config, str(path), "--label", "no-equals-sign").exit_code == 2
    (config.parent / "policy.yml").write_text("extends: nowhere")
    assert asked(config, str(path)).exit_code == 2


def test_the_table_says_perhaps_and_the_totals_add_up(config: Path) -> None:
    path = config.parent / "rules.yml"
    path.write_text(group(rule("ServiceDown"), rule("Other", "sum(x) > 1")))
    said = asked(config, str(path)).stdout
    assert "restart-app (needs instance)" in said
    assert "databases by job, else ops" in said
    assert "1 of 2 alerts have no runbook" in said
    assert "1 of 2 alerts have no owner; 1 depend on labels that only the firing alert has" in said


def test_json_holds_everything(config: Path) -> None:
    path = config.parent / "rules.yml"
    path.write_text(group(rule("ServiceDown")))
    found = json.loads(asked(config, str(path), "--json").stdout)
    assert found["totals"]["owner"] == {"yes": 0, "maybe": 1, "no": 0}
    (one,) = found["alerts"]
    assert (one["line"], one["labels"]) == (4, {"severity": "critical", "alertname": "ServiceDown"})
    assert one["runbook"][0]["needs"] == {"instance": "maybe"}


def test_our_own_rules_are_all_graded(config: Path) -> None:
    result = asked(config, str(REPOSITORY / "rules" / "prometheus" / "responder-alerts.yml"))
    assert (result.exit_code, "0 of 21 alerts have no grade rule" in result.stdout) == (0, True), result.output


# --- over many real rules --------------------------------------------------------------------------


def real_rules() -> list[dict[str, Any]]:
    path = material_folder() / "alert_rules" / "rules.json"
    if not path.is_file():
        pytest.skip("the collected rules are not here")
    rules: list[dict[str, Any]] = json.loads(path.read_text())["rules"]
    return rules


def test_every_rule_of_a_large_collection_is_judged_at_its_place(config: Path) -> None:
    written = real_rules()
    found = coverage(read(config), [material_folder() / "alert_rules"], {})
    assert (len(found.verdicts), found.problems, found.files) == (len(written), (), 1)
    lines = (material_folder() / "alert_rules" / "rules.json").read_text().splitlines()
    assert all(f'"alert": "{one.alert}"' in lines[one.line - 1] for one in found.verdicts)
    assert {one.grade[0].gives for one in found.verdicts} == {"P1", "P3", "P4"}
    result = asked(config, str(material_folder() / "alert_rules"), "--fail-on", "grade,runbook")
    assert (result.exit_code, f"0 of {len(written)} alerts have no grade rule" in result.stdout) == (1, True)


@pytest.mark.parametrize("extra", [{}, {"job": "redis", "instance": "web-1"}, {"job": "x"}])
def test_what_really_fires_gets_nothing_that_coverage_had_ruled_out(config: Path, extra: dict[str, str]) -> None:
    real_rules()
    loaded = read(config)
    for one in coverage(loaded, [material_folder() / "alert_rules"], {}).verdicts:
        labels = {**extra, **one.labels}
        alert = Report(source="t", signal=Signal.FIRING, labels=labels, started_at=NOW)
        grading, team = loaded.policy.grade(alert), loaded.policy.team(labels)
        aid = loaded.policy.first_aid_for(labels, grading.grade)
        assert grading.rule in [choice.rule for choice in one.grade]
        if one.answers["owner"] is not Answer.NO:
            assert team in [choice.gives for choice in one.owner]
        assert aid is None or aid.name in [choice.rule for choice in one.runbook]
