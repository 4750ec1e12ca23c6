"""The demo's configuration: the same files that a real installation has, with short times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from responder.cli.demo.nodes import Node

_MAIN = """
listen: 127.0.0.1:{port}
base_url: http://127.0.0.1:{port}
console: open
runbooks: [runbooks]
sources:
  - {{name: demo, open: true}}
  - {{name: made-up, open: true}}
feedback: {{open: true}}
mail:
  address: desk@demo.test
  name: Service desk
  smtp: {{host: 127.0.0.1, port: {smtp_port}, security: none}}
"""

_POLICY = """
name: demo
extends: p1-p4
moves: []
heartbeats: []
first_aid:
  - name: restart the web service
    when: ['alertname="WebappDown"']
    runbook: restart-webapp
  - name: look at a slow web service
    when: ['alertname="WebappSlow"']
    runbook: diagnose-webapp
kinds:
  web: {text: what customers open}
  storage: {text: "disks, databases and their replicas"}
  network: {}
  office: {text: what stands on the desks}
kind_rules:
  - {kind: web, when: ['alertname=~"Webapp.*|Certificate.*"']}
  - {kind: storage, when: ['alertname=~"Disk.*|Replica.*"']}
  - {kind: network, when: ['alertname=~"Link.*"']}
default_kind: office
grades:
  P1: {quiet: 2s, close_after: 2s}
  P2: {quiet: 2s, close_after: 2s}
  P3: {quiet: 2s, close_after: 2s}
flapping: {changes: 3, within: 10m, quiet: 1m}
report: {required: [product, serial, affected_users]}
"""

_RUNBOOK = """
runbook: restart-webapp
summary: Restart the demo's web service and prove that it answers
parameters:
  node: {type: name, label: node}
  port: {type: integer, label: port}
cooldown: 10m
steps:
  - name: collect diagnostics
    collect:
      commands:
        - ["tail", "-n", "3", "FOLDER/{{ node }}/log"]
        - ["uptime"]
  - name: restart the service
    service_restart:
      manager: commands
      status: ["FOLDER/{{ node }}/webapp", "status"]
      restart: ["FOLDER/{{ node }}/webapp", "restart"]
      grace: 5s
      stable_for: 1s
  - name: it answers
    http: {url: "http://127.0.0.1:{{ port }}/", contains: webapp answers, within: 10s, every: 500ms}
"""

_DIAGNOSIS = """
runbook: diagnose-webapp
summary: See what a slow web service of the demo is busy with
parameters:
  node: {type: name, label: node}
cooldown: 10m
steps:
  - name: what it wrote last, and how busy the host is
    collect:
      commands:
        - ["tail", "-n", "20", "FOLDER/{{ node }}/log"]
        - ["uptime"]
"""

# Mei is on call since two days ago, whenever the demo is started.
_PEOPLE = """
people:
  - {{name: mei, full_name: Mei Lin, channels: [{{name: pager, url: "json://127.0.0.1:{sink_port}/pages/mei"}}]}}
  - {{name: tom, full_name: Tom Adler, channels: [{{name: pager, url: "json://127.0.0.1:{sink_port}/pages/tom"}}]}}
  - {{name: ana, full_name: Ana Costa, channels: [{{name: pager, url: "json://127.0.0.1:{sink_port}/pages/ana"}}]}}
  - {{name: lars, full_name: Lars Holm, channels: [{{name: phone, url: "json://127.0.0.1:{sink_port}/pages/lars"}}]}}
  - {{name: wei, full_name: 王伟, channels: [{{name: phone, url: "json://127.0.0.1:{sink_port}/pages/wei"}}]}}
teams:
  - name: ops
    tiers: {{1: {{rota: ops-first}}, 2: {{rota: ops-second}}}}
rotas:
  - name: ops-first
    layers:
      - {{name: always, people: [mei, tom, ana], rotation: weekly, start: {start} 09:00}}
  - name: ops-second
    layers:
      - {{name: always, people: [lars, wei], rotation: weekly, length: 2, start: {start} 09:00}}
"""
# Some rounds of both rotas, so that the first of each has the present turn, and the past had somebody, too.
_ROUNDS = timedelta(weeks=3 * 4 * 2)


def write(folder: Path, nodes: list[Node], key_file: Path, port: int, sink_port: int, smtp_port: int) -> Path:
    """Writes all files; gives the main one."""
    runbooks = folder / "runbooks"
    runbooks.mkdir()
    for name, text in (("restart-webapp", _RUNBOOK), ("diagnose-webapp", _DIAGNOSIS)):
        (runbooks / f"{name}.yml").write_text(text.replace("FOLDER", str(folder)))
    (folder / "policy.yml").write_text(_POLICY)
    start = datetime.now(UTC).date() - timedelta(days=2) - _ROUNDS
    (folder / "people.yml").write_text(_PEOPLE.format(sink_port=sink_port, start=start))
    (folder / "secret.key").write_text("a demo has no secrets, and this signs nothing that matters\n")
    targets = "".join(
        f"  - {{name: {node.name}, groups: [web], address: 127.0.0.1, port: {node.ssh_port}, user: {node.user}, "
        f"key_file: {key_file}, host_key: {node.host_key}}}\n"
        for node in nodes
    )
    (folder / "inventory.yml").write_text(f"targets:\n{targets}")
    main = folder / "responder.yml"
    main.write_text(_MAIN.format(port=port, smtp_port=smtp_port))
    return main
