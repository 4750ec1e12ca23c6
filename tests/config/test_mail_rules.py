"""Rules for mails are checked whole, and an own rule wins over the shipped one of its name."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from responder.config.mail_rules import mail_rule_schema, read_mail_rules, shipped_mail_rules
from responder.errors import ConfigError

OWN = """\
title: Our watchdog
applies:
  - {subject: '^WATCHDOG '}
subject:
  - '^WATCHDOG (?P<kind>\\w+) (?P<host>\\S+)$'
signal: {of: [kind], firing: [BARKS], cleared: [SLEEPS]}
alertname: [Watchdog]
labels: [host]
"""


def written(folder: Path, text: str, name: str = "watchdog") -> Path:
    (folder / f"{name}.yml").write_text(text, encoding="utf-8")
    return folder


def mistakes(folder: Path) -> list[str]:
    with pytest.raises(ConfigError) as error:
        read_mail_rules([folder])
    return [f"{one.line}:{one.column}: {one.text}" for one in error.value.problems]


def test_the_shipped_rules_are_right_and_cover_what_the_documentation_says() -> None:
    names = {rule.name for rule in shipped_mail_rules()}
    assert names == {
        "aliyun", "checkmk", "cloudwatch", "grafana", "icinga2", "monit", "nagios", "tencent", "zabbix",
    }  # fmt: skip


def test_own_rules_come_first_and_replace_the_shipped_one_of_their_name(tmp_path: Path) -> None:
    written(tmp_path, OWN)
    written(tmp_path, OWN, "nagios")
    rules = read_mail_rules([tmp_path])
    assert [rule.name for rule in rules[:2]] == ["nagios", "watchdog"]
    assert [rule.title for rule in rules if rule.name == "nagios"] == ["Our watchdog"]


def test_a_pattern_that_can_hang_is_refused_at_its_place(tmp_path: Path) -> None:
    found = mistakes(written(tmp_path, OWN.replace("(?P<host>\\S+)$", "(?P<host>(a+)+)$")))
    (mistake,) = found
    assert mistake.startswith("5:5: ")
    assert "for ever on some lines" in mistake


def test_every_mistake_of_every_file_is_found_at_once(tmp_path: Path) -> None:
    written(tmp_path, OWN.replace("of: [kind]", "of: [state]").replace("labels: [host]", "labels: [node]"))
    written(tmp_path, OWN.replace("[SLEEPS]", "[Barks]"), "other")
    assert mistakes(tmp_path) == [
        "6:1: the word barks means two things",
        "6:10: nothing in this rule reads state",
        "8:1: nothing in this rule reads node",
    ]


def test_a_rule_that_would_take_every_mail_is_refused(tmp_path: Path) -> None:
    mistake, *_ = mistakes(written(tmp_path, OWN.replace("{subject: '^WATCHDOG '}", "{}")))
    assert "or it would take every mail" in mistake


def test_a_header_that_nobody_keeps_is_refused(tmp_path: Path) -> None:
    (mistake,) = mistakes(written(tmp_path, OWN.replace("{subject: '^W", "{headers: {x-odd: a}, subject: '^W")))
    assert mistake.startswith("3:16: the header x-odd is not kept; there are ")


def test_an_alert_needs_a_name(tmp_path: Path) -> None:
    (mistake,) = mistakes(written(tmp_path, OWN.replace("alertname: [Watchdog]\n", "")))
    assert mistake == "7:1: nothing gives the alert a name; write alertname:"


def test_the_schema_takes_the_shipped_rules_and_refuses_unknown_keys() -> None:
    schema = mail_rule_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    for path in (Path(__file__).parents[2] / "rules" / "mail").glob("*.yml"):
        jsonschema.validate(YAML(typ="safe").load(path), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**YAML(typ="safe").load(OWN), "colour": "red"}, schema)
