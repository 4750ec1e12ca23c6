"""The recording and alert rules, by Prometheus' own tool."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
RULES = ROOT / "rules" / "prometheus"
RULE_FILES = sorted(RULES.glob("*.yml"))
TEST_FILES = sorted((RULES / "tests").glob("*.yml"))
ALWAYS_FIRES = "Watchdog"


def rules(name: str) -> list[dict[str, Any]]:
    groups = YAML(typ="safe").load(RULES / name)["groups"]
    return [rule for group in groups for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    return [rule for rule in rules("responder-alerts.yml") if "alert" in rule]


def promtool(*arguments: str | Path) -> None:
    result = subprocess.run(
        ["promtool", *map(str, arguments)], capture_output=True, text=True, check=False, timeout=110
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.needs("promtool")
@pytest.mark.parametrize("path", RULE_FILES, ids=lambda path: path.name)
def test_prometheus_accepts_the_rules(path: Path) -> None:
    promtool("check", "rules", path)


@pytest.mark.needs("promtool")
@pytest.mark.parametrize("path", TEST_FILES, ids=lambda path: path.name)
def test_the_rules_say_what_their_tables_expect(path: Path) -> None:
    promtool("test", "rules", path)


@pytest.mark.needs("promtool")
def test_a_rule_that_counts_every_replica_is_noticed(tmp_path: Path) -> None:
    text = (RULES / "responder-recording.yml").read_text()
    broken = text.replace(
        "max by (job, runbook, outcome) (responder_runs_total)", "sum by (job, runbook, outcome) (responder_runs_total)"
    )
    assert broken != text
    (tmp_path / "responder-recording.yml").write_text(broken)
    (tmp_path / "tests").mkdir()
    table = tmp_path / "tests" / "recording_test.yml"
    table.write_text((RULES / "tests" / "recording_test.yml").read_text())
    with pytest.raises(AssertionError, match="job_runbook_outcome:responder_runs"):
        promtool("test", "rules", table)


def test_every_recorded_series_has_an_expectation() -> None:
    table = (RULES / "tests" / "recording_test.yml").read_text()
    expected = set(re.findall(r"- expr: (?:round\()?([\w:]+)", table))
    assert {rule["record"] for rule in rules("responder-recording.yml")} <= expected


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    cases = YAML(typ="safe").load(RULES / "tests" / "alerts_test.yml")["tests"]
    checks = [check for case in cases for check in case.get("alert_rule_test", [])]
    firing = {check["alertname"] for check in checks if check["exp_alerts"]}
    quiet = {check["alertname"] for check in checks if not check["exp_alerts"]}
    names = {rule["alert"] for rule in alerts()}
    assert names == firing
    assert names == quiet | {ALWAYS_FIRES}


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_what_is_wrong_and_where_to_read_on(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("critical", "warning", "none")
    assert rule["labels"]["service"] == "responder"
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["description"]
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    headings = re.findall(r"^## (\w+)$", (ROOT / page).read_text(), re.MULTILINE)
    assert anchor in [heading.lower() for heading in headings]


def test_the_page_of_alerts_has_no_section_without_an_alert() -> None:
    headings = re.findall(r"^## (\w+)$", (ROOT / "docs" / "alerts.md").read_text(), re.MULTILINE)
    assert headings == [rule["alert"] for rule in alerts()]


def test_the_three_windows_differ_only_in_their_length() -> None:
    groups = {
        group["name"]: group["rules"] for group in YAML(typ="safe").load(RULES / "responder-recording.yml")["groups"]
    }
    day = str(groups["responder-1d"])
    for window in ("7d", "30d"):
        # "[1d]" as a range would be taken for the window as well; there is none, and there should be none.
        assert re.sub(r"(?<![\[\d])1d", window, day) == str(groups[f"responder-{window}"])
