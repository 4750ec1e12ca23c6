"""`responder mail explain` and `responder mail rules`."""

from __future__ import annotations

import json
from email.message import EmailMessage
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from responder.cli import application
from tests.intake.monitoring_mails import PAIRS, Pair


def ran(*words: str) -> Result:
    return CliRunner().invoke(application(["mail"]), ["mail", *words])


def eml(path: Path, subject: str, text: str, sender: str = "monitor@example.org", **headers: str) -> str:
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = sender, "desk@example.org", subject
    letter["Message-ID"], letter["Date"] = "<1@example.org>", "Tue, 07 May 2024 08:00:00 +0000"
    for name, value in headers.items():
        letter[name.replace("_", "-")] = value
    letter.set_content(text)
    path.write_bytes(letter.as_bytes())
    return str(path)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.rule)
def test_a_monitoring_mail_is_explained_with_its_alerts(pair: Pair, tmp_path: Path) -> None:
    done = ran("explain", eml(tmp_path / "a.eml", *pair.problem, pair.sender), "--json")
    found = json.loads(done.stdout)
    assert (found["becomes"], found["rule"]) == ("alerts", pair.rule)
    assert found["alerts"][0]["labels"] == {**pair.labels, "severity": pair.severity}


def test_the_answer_for_people_names_the_rule_and_the_labels(tmp_path: Path) -> None:
    done = ran("explain", eml(tmp_path / "a.eml", *PAIRS[0].problem))
    assert done.exit_code == 0
    assert done.stdout.startswith("alerts by the rule nagios\n\nfiring\n")
    assert "  label  host = db-3\n" in done.stdout


@pytest.mark.parametrize(
    ("headers", "becomes"),
    [
        ({}, "report"),
        ({"In_Reply_To": "<2@example.org>"}, "answer"),
        ({"Auto_Submitted": "auto-replied"}, "machine"),
        ({"Auto_Submitted": "no"}, "report"),
    ],
)
def test_other_mails_are_told_apart(headers: dict[str, str], becomes: str, tmp_path: Path) -> None:
    done = ran("explain", eml(tmp_path / "a.eml", "the printer", "It does not print.", **headers), "--json")
    assert json.loads(done.stdout)["becomes"] == becomes


def test_every_rule_is_listed_with_what_it_takes() -> None:
    rows = json.loads(ran("rules", "--json").stdout)
    assert {row["rule"] for row in rows} == {pair.rule for pair in PAIRS} | {"grafana"}
    assert all(row["takes"] and row["firing"] for row in rows)
    assert "nagios" in ran("rules").stdout


def test_a_bad_rule_ends_with_two_and_its_place(tmp_path: Path) -> None:
    (tmp_path / "own.yml").write_text("title: x\n")
    done = ran("rules", "--rules", str(tmp_path))
    assert done.exit_code == 2
    assert ran("explain", str(tmp_path / "none.eml")).exit_code == 2
