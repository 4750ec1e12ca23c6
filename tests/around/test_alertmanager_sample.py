"""The sample configuration for Alertmanager, by Alertmanager's own tool."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from responder.domain.durations import parse_duration

ROOT = Path(__file__).parents[2]
SAMPLES = (ROOT / "alertmanager" / "alertmanager.yml", ROOT / "docker" / "alertmanager.yml")


@pytest.fixture(params=SAMPLES, ids=lambda path: str(path.relative_to(ROOT)))
def sample(request: pytest.FixtureRequest) -> Path:
    assert isinstance(request.param, Path)
    return request.param


def receivers(path: Path) -> list[dict[str, Any]]:
    return [webhook for one in YAML(typ="safe").load(path)["receivers"] for webhook in one["webhook_configs"]]


@pytest.mark.needs("amtool")
def test_alertmanager_accepts_the_sample(sample: Path) -> None:
    result = subprocess.run(
        ["amtool", "check-config", str(sample)], capture_output=True, text=True, check=False, timeout=30
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.needs("amtool")
@pytest.mark.parametrize("labels", ["alertname=Watchdog", "alertname=DiskFull severity=warning"])
def test_every_alert_goes_to_responder(sample: Path, labels: str) -> None:
    result = subprocess.run(
        ["amtool", "config", "routes", "test", f"--config.file={sample}", *labels.split()],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert result.stdout.split() == ["responder"]


def test_the_all_clear_is_sent_too_and_the_token_comes_from_a_file(sample: Path) -> None:
    for webhook in receivers(sample):
        assert webhook["send_resolved"] is True
        assert set(webhook["http_config"]["authorization"]) == {"type", "credentials_file"}


def test_the_dead_mans_switch_is_heard_twice_before_anybody_misses_it(sample: Path) -> None:
    (watchdog,) = YAML(typ="safe").load(sample)["route"]["routes"]
    tick, repeat = parse_duration(watchdog["group_interval"]), parse_duration(watchdog["repeat_interval"])
    profile = YAML(typ="safe").load(ROOT / "rules" / "policy" / "p1-p4.yml")
    (heartbeat,) = profile["heartbeats"]
    assert watchdog["matchers"] == ['alertname = "Watchdog"']
    # A repeat leaves with the first tick after the interval.
    assert 2 * (repeat + tick) < parse_duration(heartbeat["within"])
