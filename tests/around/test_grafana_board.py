"""The Grafana board: built by its script, and asking only for what is exported or recorded."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
from ruamel.yaml import YAML

from responder.domain.measures import COUNTERS, HISTOGRAMS
from responder.metrics import REGISTRY

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "grafana" / "build_board.py"
BOARD = ROOT / "grafana" / "dashboards" / "responder.json"
RULES = ROOT / "rules" / "prometheus"
WINDOWS = ("1d", "7d", "30d")

# Read from the database when Prometheus asks; the collector has no list of their names.
GAUGES = {
    "responder_heartbeat_age_seconds",
    "responder_heartbeat_silent",
    "responder_drill_confirmed",
    "responder_heartbeat_up",
    "responder_page_audit_age_seconds",
    "responder_page_audit_differences",
    "responder_dead_man_age_seconds",
    "responder_jobs_waiting",
    "responder_automation_off",
    "responder_budget_remaining",
    "responder_kill_switch",
    "responder_message_oldest_waiting_seconds",
    "responder_messages_waiting",
    "responder_rota_gap_seconds",
    "responder_sla_clock_remaining_seconds",
    "responder_tickets_open",
    "responder_tickets_unacknowledged",
}


def exported() -> set[str]:
    """The names of all series that /metrics shows, and `up`, which Prometheus adds."""
    own = {f"responder_{name}" for name in COUNTERS}
    histograms = {f"responder_{name}_{part}" for name in HISTOGRAMS for part in ("bucket", "sum", "count")}
    process = {name for metric in REGISTRY.collect() for name in series(metric.name, metric.type)}
    return GAUGES | own | histograms | process | {"up"}


def series(name: str, kind: str) -> set[str]:
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(kind, ("",))
    return {name + suffix for suffix in suffixes}


def rules() -> list[dict[str, Any]]:
    files = [YAML(typ="safe").load(path) for path in sorted(RULES.glob("*.yml"))]
    return [rule for file in files for group in file["groups"] for rule in group["rules"]]


def recorded() -> set[str]:
    return {rule["record"] for rule in rules() if "record" in rule}


def board() -> dict[str, Any]:
    loaded = json.loads(BOARD.read_text())
    assert isinstance(loaded, dict)
    return loaded


def pictures() -> list[dict[str, Any]]:
    return [panel for panel in board()["panels"] if panel["type"] != "row"]


def expressions() -> Iterator[str]:
    """What the board asks, with its variables replaced as Grafana does it."""
    for panel, window in itertools.product(pictures(), WINDOWS):
        for target in panel["targets"]:
            yield target["expr"].replace("$__rate_interval", "1m").replace("$window", window).replace("$job", ".*")


def names_in(expression: str) -> set[str]:
    """The series that an expression reads. Raises ValueError if it is wrong or of wrong types."""
    found: set[str] = set()

    def visit(node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.VectorSelector) and node.name:
            found.add(node.name)

    promql_parser.walk(promql_parser.parse(expression), visit)
    return found


def test_the_committed_board_is_what_its_script_builds(tmp_path: Path) -> None:
    built = tmp_path / "board.json"
    subprocess.run([sys.executable, str(SCRIPT), str(built)], check=True, timeout=60)
    assert built.read_bytes() == BOARD.read_bytes(), "run: python grafana/build_board.py"


def test_the_board_asks_only_for_what_is_exported_or_recorded() -> None:
    known = exported() | recorded()
    unknown = {name: text for text in expressions() for name in names_in(text) - known}
    assert unknown == {}


def test_the_rules_read_only_what_is_exported_or_recorded() -> None:
    known = exported() | recorded()
    unknown = {name: rule["expr"] for rule in rules() for name in names_in(rule["expr"]) - known}
    assert unknown == {}


def test_everything_exported_is_on_the_board_or_in_a_rule() -> None:
    asked = {name for text in expressions() for name in names_in(text)}
    read = {name for rule in rules() for name in names_in(rule["expr"])}
    sums = {name for name in exported() if name.endswith(("_sum", "_count"))}
    assert exported() - sums - asked - read == set()


@pytest.mark.parametrize("wrong", ["rate(responder_intake_seconds_count)", "sum by (", "histogram_quantile(up)"])
def test_a_wrong_expression_would_be_noticed(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        names_in(wrong)


def test_the_rows_are_in_the_order_in_which_one_asks() -> None:
    rows = [panel["title"] for panel in board()["panels"] if panel["type"] == "row"]
    assert rows == ["Now", "SLA", "Machine work", "Delivery", "Health of responder"]


def test_every_picture_asks_the_chosen_data_source() -> None:
    sources = [part["datasource"] for panel in pictures() for part in (panel, *panel["targets"])]
    assert {source["uid"] for source in sources} == {"${datasource}"}
    assert board()["schemaVersion"] >= 39


def test_no_picture_covers_another_one() -> None:
    cells = [cell for panel in board()["panels"] for cell in cells_of(panel["gridPos"])]
    assert len(cells) == len(set(cells))
    assert {x for x, _ in cells} == set(range(24))
    assert len({panel["id"] for panel in board()["panels"]}) == len(board()["panels"])


def cells_of(place: dict[str, int]) -> Iterator[tuple[int, int]]:
    columns = range(place["x"], place["x"] + place["w"])
    return itertools.product(columns, range(place["y"], place["y"] + place["h"]))
