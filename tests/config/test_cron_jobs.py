"""Cron jobs and the dead man's switch in the files: what they become, and every mistake at its place."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from responder.config.configuration import read
from responder.errors import ConfigError
from tests.config.written import mistakes, policy_of
from tests.world import MAIN, POLICY, write_files

BARE = "extends: p1-p4\n"


def test_a_job_has_the_zone_of_the_policy_unless_it_says_its_own() -> None:
    jobs = policy_of(
        BARE + "zone: Asia/Shanghai\ncron_jobs:\n  a: {cron: '@daily', grace: 1h}\n"
        "  b: {cron: '0 2 * * *', zone: Europe/Berlin}\n  c: {every: 15m, longest: 2h, key: 3}\n  d: null\n"
    ).cron_jobs
    assert list(jobs) == ["a", "b", "c"]
    assert (jobs["a"].zone, jobs["b"].zone) == (ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin"))
    assert (jobs["c"].every, jobs["c"].longest, jobs["c"].key) == (timedelta(minutes=15), timedelta(hours=2), 3)


@pytest.mark.parametrize(
    ("job", "what"),
    [
        ("{}", "give one of every: and cron:"),
        ("{every: 1h, cron: '@daily'}", "give one of every: and cron:"),
        ("{every: 1s}", "every: is at least 10s"),
        ("{every: 1h, zone: UTC}", "zone: is for cron: only"),
        ("{cron: '* * *'}", "five fields"),
        ("{cron: '0 0 31 2 *'}", "would never come"),
        ("{cron: '@daily', zone: Mars/Olympus}", "is no time zone"),
        ("{every: 1h, labels: {alertname: x}}", "the label alertname is given by responder"),
        ("{every: soon}", "not a duration"),
    ],
)
def test_a_mistake_in_a_job_is_said_at_its_place(job: str, what: str) -> None:
    (found,) = mistakes(BARE + f"cron_jobs:\n  backup: {job}\n")
    assert (what in found, found.startswith("3:")) == (True, True)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("dead_man: {url_file: none}", "none"),
        ("dead_man: {url_file: bad}", "bad holds no address that begins with http:// or https://"),
        ("dead_man: {url_file: good, every: 1s}", "dead_man.every"),
        ("dead_man: {url_file: good, method: PUT}", "dead_man.method"),
    ],
)
def test_a_mistake_about_the_dead_man_is_said_at_its_place(tmp_path: Path, written: str, said: str) -> None:
    (tmp_path / "bad").write_text("ftp://dead.man.test/\n")
    (tmp_path / "good").write_text("https://dead.man.test/4711\n")
    path = write_files(tmp_path, main=f"{MAIN}{written}\n")
    with pytest.raises(ConfigError) as refused:
        read(path)
    (problem,) = refused.value.problems
    assert said in problem.text
    assert problem.line == MAIN.count("\n") + 1


def test_the_address_of_the_dead_man_is_a_secret(tmp_path: Path) -> None:
    (tmp_path / "good").write_text("https://dead.man.test/4711\n")
    configuration = read(write_files(tmp_path, main=f"{MAIN}dead_man: {{url_file: good}}\n"))
    assert "https://dead.man.test/4711" in configuration.secrets
    assert "4711" not in repr(configuration.dead_man_url)


def test_a_heartbeat_of_a_source_that_is_not_there_is_said_at_its_place(tmp_path: Path) -> None:
    beats = "heartbeats:\n  - {name: watchdog, when: [a=b], within: 10m, sources: [main, mian]}\n"
    with pytest.raises(ConfigError) as refused:
        read(write_files(tmp_path, policy=POLICY + beats))
    (problem,) = refused.value.problems
    assert problem.text == "there is no source mian; there are main"
    assert problem.line == POLICY.count("\n") + 2
