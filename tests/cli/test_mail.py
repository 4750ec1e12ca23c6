"""`responder mail explain` and `responder mail rules`."""

from __future__ import annotations

import json
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from responder.cli import application
from tests.fakes import material_folder
from tests.intake.mail.test_bounds import data_of_python
from tests.intake.monitoring_mails import PAIRS, Pair
from tests.world import MAIN, PEOPLE, write_files


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
    assert (found["becomes"], found["rule"]) == ("alert", pair.rule)
    assert found["alerts"][0]["labels"] == {**pair.labels, "severity": pair.severity}


def test_the_answer_for_people_names_the_rule_and_the_labels(tmp_path: Path) -> None:
    done = ran("explain", eml(tmp_path / "a.eml", *PAIRS[0].problem))
    assert done.exit_code == 0
    assert done.stdout.startswith("alert by the rule nagios: Alerts by rule “nagios”: 1.\n")
    assert "\nfiring\n" in done.stdout
    assert "  label  host = db-3\n" in done.stdout


@pytest.mark.parametrize(
    ("headers", "becomes"),
    [
        ({}, "report"),
        ({"Auto_Submitted": "auto-replied"}, "left"),
        ({"Auto_Submitted": "auto-generated"}, "report"),
        ({"Auto_Submitted": "no"}, "report"),
        ({"X_Failed_Recipients": "a@b.c"}, "report"),
        ({"X_Failed_Recipients": "a@b.c", "Return_Path": "<>"}, "bounce"),
    ],
)
def test_other_mails_are_told_apart(headers: dict[str, str], becomes: str, tmp_path: Path) -> None:
    done = ran("explain", eml(tmp_path / "a.eml", "the printer", "It does not print.", **headers), "--json")
    assert json.loads(done.stdout)["becomes"] == becomes


def test_of_a_mail_it_is_said_who_sends_it_what_is_new_and_what_was_left_out(tmp_path: Path) -> None:
    text = "ack\n\nOn 2026-11-20 10:00, Help wrote:\n> Who has it?\n"
    path = eml(tmp_path / "a.eml", "Re: disk", text, "Mei <mei@example.org>")
    found = ran("explain", path, "--text").stdout
    assert "from     mei@example.org: No mail server of ours says where it came from.\n" in found
    assert "command  ack, if a colleague says so\n" in found
    assert "--- said\nack\n" in found
    assert "--- quoted\nOn 2026-11-20 10:00, Help wrote:\n> Who has it?\n" in found
    assert "--- said" not in ran("explain", path).stdout


# --- with the configuration -----------------------------------------------------------------------------------

DESK = (
    "mail: {address: help@desk.test, trusted_authserv_ids: [mx.desk.test], rules: [own], limits: {file_size: 1024}}\n"
)
OWN_RULE = """title: Watchdog
applies: [{subject: '^WATCHDOG '}]
subject: ['^WATCHDOG (?P<kind>\\w+) (?P<host>\\S+)$']
signal: {of: [kind], firing: [BARKS], cleared: [SLEEPS]}
severity: {of: [], words: {}, default: warning}
alertname: [Watchdog]
labels: [host]
summary: ['{host}']
"""


@pytest.fixture
def config(tmp_path: Path) -> str:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "watchdog.yml").write_text(OWN_RULE)
    people = PEOPLE.replace("{name: mei,", "{name: mei, mails: [mei@example.org],")
    return str(write_files(tmp_path, main=MAIN + DESK, people=people))


def test_with_the_configuration_our_address_people_servers_rules_and_limits_count(config: str, tmp_path: Path) -> None:
    passed = {"Authentication_Results": "mx.desk.test; dmarc=pass header.from=example.org"}
    ours = eml(tmp_path / "a.eml", "x", "y", "help@desk.test")
    assert json.loads(ran("explain", ours, "-c", config, "--json").stdout)["becomes"] == "left"
    mei = json.loads(
        ran("explain", eml(tmp_path / "b.eml", "x", "y", "mei@example.org", **passed), "-c", config, "--json").stdout
    )
    assert (mei["proven"]["person"], mei["proven"]["is_authentic"]) == ("mei", True)
    barks = json.loads(
        ran("explain", eml(tmp_path / "c.eml", "WATCHDOG BARKS db-1", "x"), "-c", config, "--json").stdout
    )
    assert (barks["becomes"], barks["rule"]) == ("alert", "watchdog")
    large = tmp_path / "d.eml"
    large.write_bytes(b"From: a@b.c\r\nContent-Disposition: attachment; filename=a.bin\r\n\r\n" + b"x" * 2000)
    assert "larger" in json.loads(ran("explain", str(large), "-c", config, "--json").stdout)["files"][0]["left_out"]


def test_the_configuration_that_lies_here_counts_and_a_bad_one_ends_with_two(
    config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = eml(tmp_path / "a.eml", "x", "y", "help@desk.test")
    monkeypatch.chdir(tmp_path)
    assert json.loads(ran("explain", ours, "--json").stdout)["becomes"] == "left"
    Path(config).write_text("nonsense: 1\n")
    assert ran("explain", ours).exit_code == 2
    assert ran("explain", ours, "-c", str(tmp_path / "none.yml")).exit_code == 2


# --- many at once ---------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "mails"
    (found / "cur").mkdir(parents=True)
    eml(found / "nagios.eml", *PAIRS[0].problem)
    eml(found / "cur" / "1234.host:2,S", "the printer", "It does not print.")
    (found / "reply.html").write_text("<p>It works.</p><blockquote>Does it?</blockquote>")
    (found / "notes.md").write_text("# What lies here\n")
    (found / "mbox").write_bytes(MBOX)
    return found


MBOX = (
    b"From a@b.c Sat Nov 21 10:00:00 2026\nFrom: a@b.example\nSubject: one\n\nFirst\n>From here on\n\n"
    b"From d@e.f Sat Nov 21 10:01:00 2026\nFrom: d@e.f\nSubject: two\nAuto-Submitted: auto-replied\n\nSecond\n"
)


def lines(done: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_of_a_folder_there_is_a_line_for_each_mail_and_the_totals_at_the_end(folder: Path) -> None:
    done = ran("explain", str(folder), "--json", "--text")
    *found, last = lines(done)
    assert done.exit_code == 0
    assert [(one["file"], one["becomes"]) for one in found] == [
        ("cur/1234.host:2,S", "report"), ("mbox#1", "report"), ("mbox#2", "left"), ("nagios.eml", "alert"),
        ("reply.html", "report"),
    ]  # fmt: skip
    assert found[1]["said"] == "First\nFrom here on"
    assert found[4]["said"] == "It works."
    assert last["totals"]["becomes"] == {"alert": 1, "left": 1, "report": 3}
    assert (last["totals"]["mails"], last["totals"]["left_out"]) == (5, 1)


def test_the_table_has_the_same_with_the_signal_and_sentences_of_the_sums(folder: Path) -> None:
    done = ran("explain", str(folder))
    row = next(line for line in done.stdout.splitlines() if line.startswith("nagios.eml")).split()
    assert row[:4] == ["nagios.eml", "alert", "nagios", "firing"]
    assert "5 mails: 1 alert, 1 left, 3 report.\n" in done.stdout
    assert "left out: 1." in done.stdout


def test_what_differs_from_the_index_is_shown_and_ends_with_one(folder: Path, tmp_path: Path) -> None:
    entries: dict[str, dict[str, Any]] = {
        "nagios.eml": {"expected": {"becomes": "alert", "rule": "nagios", "is_bounce": False}},
        "reply.html": {
            "expected": {"has_quoted_text": True, "is_auto_reply": "unknown"},
            "expected_reply_text": "It works.",
        },
        "mbox#2": {"expected": {"is_auto_reply": True}},
    }
    index = tmp_path / "index.json"
    index.write_text(json.dumps({"files": entries}))
    fine = ran("explain", str(folder), "--expect", str(index))
    assert (fine.exit_code, "Checked: 6 facts; mails that differ: 0." in fine.stdout) == (0, True)
    entries["nagios.eml"]["expected"]["rule"] = "zabbix"
    entries["gone.eml"] = {}
    index.write_text(json.dumps({"files": entries}))
    done = ran("explain", str(folder), "--expect", str(index))
    assert done.exit_code == 1
    assert "rule: expected “zabbix”, found “nagios”" in done.stdout
    assert "mails that differ: 2." in done.stdout
    assert "Expected and not there: gone.eml." in done.stdout


@pytest.mark.parametrize("content", ["[", "[]", '{"files": []}', '{"files": {"a": 1}}'])
def test_what_is_no_index_is_refused(content: str, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text(content)
    done = ran("explain", str(folder), "--expect", str(tmp_path / "index.json"))
    assert (done.exit_code, "is no index of mails" in done.stderr) == (2, True)


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    assert ran("explain", str(tmp_path)).exit_code == 1


@pytest.mark.skipif(not (material_folder() / "mail").is_dir(), reason="the material folder is absent")
def test_the_mails_of_other_projects_are_decided_as_their_index_says() -> None:
    material = material_folder() / "mail"
    done = ran("explain", str(material), "--expect", str(material / "index.json"), "--json")
    *found, last = lines(done)
    assert [(one["file"], one["differs"]) for one in found if one["differs"]] == []
    assert (done.exit_code, last["totals"]["missing"]) == (0, [])
    assert last["totals"]["checked"] > 100
    posts = ("flanker/from-encoding.eml", "flanker/message-external-body.eml", "flanker/complaints/aol.eml")
    assert {one["file"] for one in found if one["becomes"] == "left"} == set(posts)


@pytest.mark.skipif(not data_of_python(), reason="the test data of Python is absent")
def test_the_mails_that_python_is_tested_with_are_decided() -> None:
    *found, _ = lines(ran("explain", *map(str, data_of_python()), "--json"))
    becomes = {Path(one["file"]).name: one["becomes"] for one in found}
    assert {name for name, kind in becomes.items() if kind == "bounce"} == {
        "msg_05.txt", "msg_16.txt", "msg_25.txt", "msg_43.txt",
    }  # fmt: skip
    assert {name for name, kind in becomes.items() if kind == "left"} == {"msg_02.txt", "msg_32.txt", "msg_33.txt"}
    assert "alert" not in becomes.values()


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
