"""The demo's configuration: the same files that a real installation has, with short times."""

from __future__ import annotations

from pathlib import Path

from responder.cli.demo.nodes import Node

_MAIN = """
listen: 127.0.0.1:{port}
base_url: http://127.0.0.1:{port}
console: open
runbooks: [runbooks]
sources:
  - {{name: demo, open: true}}
feedback: {{open: true}}
mail:
  address: desk@demo.test
  name: Service desk
  smtp: {{host: 127.0.0.1, port: {smtp_port}, security: none}}
"""

_POLICY = """
extends: p1-p4
moves: []
heartbeats: []
first_aid:
  - name: restart the web service
    when: ['alertname="WebappDown"']
    runbook: restart-webapp
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

_PEOPLE = """
people:
  - name: mei
    full_name: Mei, on call
    channels: [{name: pager, url: "json://127.0.0.1:%d/pages"}]
teams:
  - name: ops
    tiers: {1: [mei]}
"""


def write(folder: Path, nodes: list[Node], key_file: Path, port: int, sink_port: int, smtp_port: int) -> Path:
    """Writes all files; gives the main one."""
    runbooks = folder / "runbooks"
    runbooks.mkdir()
    (runbooks / "restart-webapp.yml").write_text(_RUNBOOK.replace("FOLDER", str(folder)))
    (folder / "policy.yml").write_text(_POLICY)
    (folder / "people.yml").write_text(_PEOPLE % sink_port)
    (folder / "secret.key").write_text("a demo has no secrets, and this signs nothing that matters\n")
    targets = "".join(
        f"  - {{name: {node.name}, address: 127.0.0.1, port: {node.ssh_port}, user: {node.user}, "
        f"key_file: {key_file}, host_key: {node.host_key}}}\n"
        for node in nodes
    )
    (folder / "inventory.yml").write_text(f"targets:\n{targets}")
    main = folder / "responder.yml"
    main.write_text(_MAIN.format(port=port, smtp_port=smtp_port))
    return main
