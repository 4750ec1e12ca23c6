"""Everything that takes part, started in order and stopped in the opposite order."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from tests.acceptance import files
from tests.acceptance.node import Node
from tests.acceptance.progress import say, until
from tests.acceptance.sink import Sink
from tests.servers.alertmanager import Alertmanager
from tests.servers.ports import free_port
from tests.servers.program import Program
from tests.servers.prometheus import Prometheus
from tests.servers.responder import Responder

SOURCE = "main"
_HEARTBEAT = f'responder_heartbeat_silent{{source="{SOURCE}"}} == 0'


class Stage:
    """Two hosts with a service each, their monitoring, the service under test, and somebody's pager."""

    def __init__(self, folder: Path, initial: Path, database: str) -> None:
        """`initial` holds what `responder init` wrote; everything of this stage goes into `folder`."""
        self.nodes = [Node(name, folder) for name in ("node1", "node2")]
        self.sink = Sink()
        port, prometheus_port = free_port(), free_port()
        shutil.copytree(initial, folder / "responder")
        for name in ("first", "second"):
            (folder / "responder" / "secrets" / f"{name}-pager").write_text(f"{self.sink.address}/{name}")
        config = files.write_responder(
            folder / "responder",
            self.nodes,
            port=port,
            database=database,
            prometheus=f"http://127.0.0.1:{prometheus_port}",
        )
        self.responder = Responder(config, port)
        self.alertmanager = Alertmanager(
            folder,
            files.write_alertmanager(
                folder,
                webhook=f"{self.responder.url}/webhooks/alertmanager/{SOURCE}",
                token_file=config.parent / "tokens" / "alertmanager",
            ),
        )
        rules = files.write_prometheus(
            folder, self.nodes, responder_port=port, alertmanager_port=self.alertmanager.port
        )
        self.prometheus = Prometheus(folder, rules, port=prometheus_port)

    def start(self, running: ExitStack) -> None:
        """Returns once Prometheus sees everything up."""
        self.alertmanager.check()
        say("amtool accepts alertmanager.yml of the project")
        self.prometheus.check()
        say("promtool accepts the rules of the project")
        running.enter_context(self.sink)
        self._start_nodes(running)
        say("two nodes are up, each with sshd, supervisord and a web service")
        running.enter_context(self.alertmanager)
        running.enter_context(self.prometheus)
        running.enter_context(self.responder)
        until("Prometheus has found its Alertmanager", self.prometheus.alertmanagers)
        until("everything is up, says Prometheus", self._is_all_up)
        say("responder, Alertmanager and Prometheus are up")

    def wait_for_heartbeat(self) -> None:
        """The alert that always fires goes all the way, and the source counts as alive."""
        until("the watchdog's heartbeat", lambda: self.prometheus.query(_HEARTBEAT), within=20.0)
        say("the watchdog's heartbeat has arrived")

    def tails(self) -> str:
        """What the servers wrote last, for whoever has to find out."""
        servers: list[Program] = [self.responder, self.alertmanager, self.prometheus]
        return "\n".join(f"--- {type(server).__name__}\n{server.tail()}" for server in servers)

    def _start_nodes(self, running: ExitStack) -> None:
        """Both at once; a supervisor takes its time, and meanwhile there is a token to make."""
        with ThreadPoolExecutor() as pool:
            starting = []
            for node in self.nodes:
                running.callback(node.stop)
                starting.append(pool.submit(node.start))
            self.responder.log_in("act")
            for start in starting:
                start.result()

    def _is_all_up(self) -> bool:
        found = self.prometheus.query("up")
        return len(found) == 1 + len(self.nodes) and all(value == 1 for _, value in found)
