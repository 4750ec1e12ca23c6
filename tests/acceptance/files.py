"""The configuration files, as a user would write them: `responder init` first, then what is different here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.acceptance.node import SERVICE, Node
from tests.acceptance.webapp import TEXT

ROOT = Path(__file__).parents[2]
SHIPPED_RULES = ROOT / "rules" / "prometheus"
RUNBOOK = "restart-webapp"
_PATHS_TO_RECORDING_RULES = 40

_MAIN = """\
listen: 127.0.0.1:{port}
base_url: http://127.0.0.1:{port}
database: {database}
runbooks: [runbooks]
sources:
  - name: main
    bearer_file: tokens/alertmanager
prometheus:
  url: {prometheus}
monitoring: {{open_to: [127.0.0.0/8]}}
kill_switch_file: automation-off
"""

_POLICY = """\
extends: p1-p4
grades:
  P1: {{quiet: 2s, close_after: 2s}}
escalation:
  - name: one after the other
    grades: [P1]
    steps:
      - tell: tier 1
      - {{after: 3s, tell: tier 2}}
      - {{after: 5m, tell: [tier 1, tier 2]}}
first_aid:
  - name: restart the web service
    when: ['alertname="WebappDown"']
    runbook: {runbook}
    target: node
"""

_PEOPLE = """\
people:
  - {name: first, channels: [{name: pager, url_file: secrets/first-pager}]}
  - {name: second, channels: [{name: pager, url_file: secrets/second-pager}]}
teams:
  - {name: ops, tiers: {1: [first], 2: [second]}}
"""

# The proof is asked for even if the all-clear overtakes it, so that the run always has an outcome of its own.
_RUNBOOK = """\
runbook: {runbook}
summary: Restart the web service and prove that Prometheus and its users reach it
parameters:
  unit: {{type: unit, label: unit, allow: [{service}]}}
  config: {{type: path, label: supervisor_config}}
  log: {{type: path, label: log}}
  port: {{type: integer, label: port}}
cooldown: 10m
on_resolve: finish_all
steps:
  - name: collect diagnostics
    collect:
      commands:
        - ["tail", "-n", "5", "{{{{ log }}}}"]
  - name: restart the service
    service_restart:
      manager: supervisor
      config: "{{{{ config }}}}"
      unit: "{{{{ unit }}}}"
      grace: 5s
      stable_for: 1s
  - name: Prometheus reaches it
    promql:
      expr: 'up{{job="webapp",node="{{{{ target }}}}"}}'
      expect: "== 1"
      within: 15s
      every: 500ms
  - name: it answers
    http: {{url: "http://127.0.0.1:{{{{ port }}}}/", contains: {text}, within: 5s}}
"""

_TARGET = """\
  - name: {name}
    address: 127.0.0.1
    port: {port}
    user: {user}
    key_file: {key_file}
    host_key: {host_key}
    groups: [web]
"""

_PROMETHEUS = """\
global:
  scrape_interval: 1s
  evaluation_interval: 1s
rule_files:
{rule_files}
alerting:
  alertmanagers:
    - static_configs:
        - targets: ["127.0.0.1:{alertmanager_port}"]
scrape_configs:
  - job_name: responder
    static_configs:
      - targets: ["127.0.0.1:{responder_port}"]
  - job_name: webapp
    static_configs:
{webapps}
"""

_WEBAPP = """\
      - targets: ["127.0.0.1:{port}"]
        labels: {{node: {name}, port: "{port}", supervisor_config: {config}, log: {log}}}
"""

_RULE = """\
groups:
  - name: webapp
    rules:
      - alert: WebappDown
        expr: up{{job="webapp"}} == 0
        labels:
          severity: critical
          unit: {service}
        annotations:
          summary: The web service on {{{{ $labels.node }}}} does not answer
"""


def write_responder(folder: Path, nodes: Sequence[Node], *, port: int, database: str, prometheus: str) -> Path:
    """Replaces what `responder init` wrote, where it is different here; gives the main file."""
    main = folder / "responder.yml"
    main.write_text(_MAIN.format(port=port, database=database, prometheus=prometheus))
    (folder / "policy.yml").write_text(_POLICY.format(runbook=RUNBOOK))
    (folder / "people.yml").write_text(_PEOPLE)
    runbook = _RUNBOOK.format(runbook=RUNBOOK, service=SERVICE, text=TEXT)
    (folder / "runbooks" / f"{RUNBOOK}.yml").write_text(runbook)
    (folder / "inventory.yml").write_text("targets:\n" + "".join(_target(node) for node in nodes))
    return main


def _target(node: Node) -> str:
    target = node.sshd.target(node.name)
    return _TARGET.format(
        name=target.name, port=target.port, user=target.user, key_file=target.key_file, host_key=target.host_key
    )


def write_prometheus(folder: Path, nodes: Sequence[Node], *, responder_port: int, alertmanager_port: int) -> Path:
    """Writes Prometheus' files; gives the main one."""
    rule = folder / "webapp-rule.yml"
    rule.write_text(_RULE.format(service=SERVICE))
    patterns = [SHIPPED_RULES / "*.yml", rule, _more_paths(folder) / "*.yml"]
    webapps = "".join(
        _WEBAPP.format(name=node.name, port=node.port, config=node.supervisor.config, log=node.supervisor.log_file)
        for node in nodes
    )
    config = folder / "prometheus.yml"
    config.write_text(
        _PROMETHEUS.format(
            rule_files="\n".join(f"  - {pattern}" for pattern in patterns),
            alertmanager_port=alertmanager_port,
            responder_port=responder_port,
            webapps=webapps,
        )
    )
    return config


def _more_paths(folder: Path) -> Path:
    """The shipped recording rules, unchanged, under many more paths.

    Their groups run every 1 and 2 minutes, at an instant that Prometheus derives from path and group. Under
    many paths some of them runs every few seconds, so nobody has to wait for minutes.
    """
    parent = folder / "recording"
    parent.mkdir()
    for number in range(_PATHS_TO_RECORDING_RULES):
        (parent / f"{number:02d}.yml").symlink_to(SHIPPED_RULES / "responder-recording.yml")
    return parent


def write_alertmanager(folder: Path, *, webhook: str, token_file: Path) -> Path:
    """The project's sample with another address, another credentials file, and shorter waits."""
    text = (ROOT / "alertmanager" / "alertmanager.yml").read_text()
    for old, new in (
        ("url: http://127.0.0.1:9180/webhooks/alertmanager/main\n", f"url: {webhook}\n"),
        ("credentials_file: /etc/alertmanager/responder-token\n", f"credentials_file: {token_file}\n"),
        ("  group_wait: 5s\n", "  group_wait: 1s\n"),
        ("  group_interval: 1m\n", "  group_interval: 1s\n"),
    ):
        if text.count(old) != 1:
            raise ValueError(f"alertmanager.yml of the project has no longer one line {old!r}")
        text = text.replace(old, new)
    config = folder / "alertmanager.yml"
    config.write_text(text)
    return config
