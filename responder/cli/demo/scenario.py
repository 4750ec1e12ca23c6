"""The story that the demo tells, on the real service."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import Counter
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from responder.adapters.ssh_server import write_key
from responder.app import Service
from responder.cli.common import fail, out
from responder.cli.demo import files, letters
from responder.cli.demo.nodes import Node, free_port, has_timeout_command
from responder.cli.demo.past import play_past
from responder.cli.demo.post_office import PostOffice

_PATIENCE = 40.0
_BURST = 200


async def play(folder: Path, port: int, *, stays: bool, builtin_ssh: bool = False) -> None:
    """Starts two nodes and the service, plays the scenario, and serves the page until it is interrupted."""
    if not has_timeout_command():
        fail("the demo needs the command `timeout` (coreutils)")
    client_key = write_key(folder / "key")
    nodes = [Node(name, folder, client_key) for name in ("node1", "node2")]
    sink, post_office = Sink(), PostOffice()
    stage: Stage | None = None
    try:
        for node in nodes:
            node.start(builtin_ssh=builtin_ssh)
        await sink.start()
        await post_office.start()
        chosen = _free_or_other(port)
        main_file = files.write(folder, nodes, folder / "key", chosen, sink.port, post_office.port)
        out.print(
            f"made up: {await play_past(main_file)} tickets of the last four weeks, with their runs, calls and clocks; "
            "none of it happened, and each says so"
        )
        service = Service(main_file)
        stage = Stage(service, nodes, sink, post_office)
        await stage.begin()
        await stage.tell()
        if stays:
            out.print(f"\nThe tickets and their histories: {stage.url}/   (Ctrl-C ends the demo)", style="bold")
            await asyncio.Event().wait()
    finally:
        if stage is not None:
            await stage.end()
        await sink.stop()
        await post_office.stop()
        for node in nodes:
            node.stop()


class Sink:
    """Where the pages to people arrive: the newest one of each."""

    def __init__(self) -> None:
        self.newest: dict[str, dict[str, Any]] = {}
        self.port = free_port()
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        application = web.Application()
        application.add_routes([web.post("/pages/{person}", self._take)])
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        self.newest[request.match_info["person"]] = await request.json()
        return web.Response()


class Stage:
    """The scenes, one after the other."""

    def __init__(self, service: Service, nodes: list[Node], sink: Sink, post_office: PostOffice) -> None:
        self._service = service
        self._nodes = nodes
        self._sink = sink
        self._post_office = post_office
        self._open: aiohttp.ClientSession | None = None
        self._began = time.monotonic()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._service.port}"

    @property
    def _session(self) -> aiohttp.ClientSession:
        if self._open is None:
            fail("the stage has not begun")
        return self._open

    async def begin(self) -> None:
        await self._service.start()
        self._open = aiohttp.ClientSession()
        kind = "a real sshd" if all(node.is_real for node in self._nodes) else "an SSH server in this process"
        out.print(f"responder serves {self.url}/ with SQLite; two nodes behind {kind}, each with a web service")

    async def end(self) -> None:
        if self._open is not None:
            await self._open.close()
        await self._service.stop()

    async def tell(self) -> None:
        await self._self_healed(self._nodes[0])
        await self._handed_over(self._nodes[1])
        await self._flapping()
        await self._mail()
        await self._people_at_work(self._nodes[1])
        await self._burst()
        await self._measures()

    # --- the scenes ----------------------------------------------------------------------------------

    async def _self_healed(self, node: Node) -> None:
        self._scene("1. A service dies, and first aid cures it")
        node.kill_service()
        alert = _webapp_down(node)
        await self._post([alert])
        number = await self._number_of(alert)
        await self._until(number, lambda ticket: ticket["status"] == "restored")
        self._says("the monitoring sees it answer again and sends the all-clear")
        await self._post([alert | {"status": "resolved"}])
        await self._show(await self._until(number, lambda ticket: ticket["status"] == "closed"))

    async def _handed_over(self, node: Node) -> None:
        self._scene("2. A service dies of a broken config, which no restart cures: a person gets it")
        node.break_config()
        alert = _webapp_down(node)
        await self._post([alert])
        number = await self._number_of(alert)
        await self._until(number, lambda ticket: {"Told mei by pager."} <= {one["text"] for one in ticket["events"]})
        page = self._sink.newest["mei"]
        self._says("the page that reached mei:")
        self._quote([page["title"], "", *page["message"].splitlines()])
        link = next(line.split(" ", 1)[1] for line in page["message"].splitlines() if line.startswith("Acknowledge"))
        await self._press(link)
        await self._show(await self._until(number, lambda ticket: ticket["acknowledged_by"] == "mei"))

    async def _flapping(self) -> None:
        self._scene("3. An alert that comes and goes: after the third start automation keeps its hands off")
        alert = _alert("LinkUnstable", severity="warning", instance="switch-7", summary="Link unstable on switch-7")
        for _ in range(3):
            await self._post([alert])
            await self._post([alert | {"status": "resolved"}])
        number = await self._number_of(alert)
        await self._show(await self._until(number, lambda ticket: ticket["flapping"]))

    async def _mail(self) -> None:
        self._scene("4. Somebody writes a mail, and is asked for what it does not say")
        await self._send(letters.report())
        first = await self._post_office.next_letter(_PATIENCE)
        self._says("the answer that reached Li Wei:")
        self._quote([str(first["Subject"]), "", *letters.text_of(first).splitlines()])
        self._says("Li Wei answers this mail; the signed address in Reply-To leads to the ticket")
        await self._send(letters.answer_to(first))
        found = (await self._get("/api/v1/tickets?limit=500"))["tickets"]
        number = next(str(ticket["number"]) for ticket in found if ticket["source"] == "mail")
        await self._show(await self._until(number, _says_all))

    async def _people_at_work(self, node: Node) -> None:
        self._scene("5. People do the rest, and the audit log keeps who did what, also what was refused")
        number = await self._number_of(_webapp_down(node))
        wish = {"target": node.name, "for": "45m", "reason": "its config is put right", "actor": "mei"}
        await self._does("PUT", "/api/v1/maintenance", wish)
        words = {"text": "Line 7 of the config is misspelt; a corrected one is on its way.", "actor": "mei"}
        await self._does("POST", f"/api/v1/tickets/{number}/note", words)
        await self._does("POST", "/api/v1/knowledge/5/publish", {"actor": "tom"})

    async def _burst(self) -> None:
        self._scene(f"6. A burst of {_BURST} alerts, sent twice over at the same time by two Alertmanagers")
        alerts = [
            _alert("DiskFilling", severity="info", instance=f"host-{n:03d}", summary=f"Disk filling on host-{n:03d}")
            for n in range(_BURST)
        ]
        began = time.perf_counter()
        posts = [self._post(alerts[start : start + 10]) for start in range(0, _BURST, 10) for _ in range(2)]
        await asyncio.gather(*posts)
        took = (time.perf_counter() - began) * 1000
        found = (await self._get("/api/v1/tickets?limit=500"))["tickets"]
        tickets = Counter(ticket["labels"].get("alertname") for ticket in found)["DiskFilling"]
        self._says(f"{2 * _BURST} reports in {took:.0f} ms, all durable: {tickets} tickets, none twice")

    async def _measures(self) -> None:
        self._scene("7. What Prometheus scrapes (the made-up past is in it, too)")
        wanted = ("runs_total", "tickets_resolved_total", "sla_clocks_met_total", "messages_total", "reports_total")
        async with self._session.get(f"{self.url}/metrics") as answer:
            text = await answer.text()
        for line in text.splitlines():
            if line.startswith(tuple(f"responder_{name}" for name in wanted)):
                out.print(f"    {line}", markup=False)

    # --- telling -------------------------------------------------------------------------------------

    def _scene(self, text: str) -> None:
        out.print(f"\n{text}", style="bold", markup=False)

    def _quote(self, lines: list[str]) -> None:
        for line in lines:
            out.print(f"      │ {line}", markup=False, style="dim", soft_wrap=True)

    def _says(self, text: str) -> None:
        out.print(f"    {text}", markup=False)

    async def _show(self, ticket: dict[str, Any]) -> None:
        out.print(f"    {ticket['grade']} {ticket['number']} {ticket['title']}", markup=False, style="cyan")
        for event in ticket["events"]:
            said = event["text"].replace("\n", f"\n{' ' * 20}")
            out.print(f"      {event['at'][11:23]}  {said}", markup=False, soft_wrap=True)
        clocks = {
            clock["name"]: "late" if clock["breached_at"] else "in time"
            for clock in ticket["clocks"]
            if clock["stopped_at"]
        }
        if clocks:
            out.print(f"      clocks: {', '.join(f'{name} {state}' for name, state in clocks.items())}", markup=False)

    # --- doing ---------------------------------------------------------------------------------------

    async def _post(self, alerts: list[dict[str, Any]]) -> None:
        body = {"version": "4", "status": alerts[0]["status"], "receiver": "demo", "alerts": alerts}
        async with self._session.post(f"{self.url}/webhooks/alertmanager/demo", json=body) as answer:
            if answer.status != 200:
                fail(f"the webhook answered {answer.status}: {await answer.text()}")

    async def _send(self, letter: EmailMessage) -> None:
        """As the pipe of a mail server would."""
        async with self._session.post(f"{self.url}/api/v1/mail", data=letter.as_bytes()) as answer:
            if answer.status not in (200, 201):
                fail(f"the mail was answered with {answer.status}: {await answer.text()}")

    async def _does(self, method: str, path: str, body: dict[str, str]) -> None:
        """Somebody asks for something by the API; a refusal is an answer, too."""
        async with self._session.request(method, f"{self.url}{path}", json=body) as answer:
            told = await answer.json()
        said = f": {told['detail']}" if answer.status >= 400 else ""
        self._says(f"{body['actor']}: {method} {path} → {answer.status}{said}")

    async def _press(self, link: str) -> None:
        self._says("mei opens the link and confirms")
        async with self._session.post(link) as answer:
            if answer.status != 200:
                fail(f"the link answered {answer.status}")

    async def _get(self, path: str) -> Any:
        async with self._session.get(f"{self.url}{path}") as answer:
            return await answer.json()

    async def _number_of(self, alert: dict[str, Any]) -> str:
        found = (await self._get("/api/v1/tickets?limit=500"))["tickets"]
        return next(str(ticket["number"]) for ticket in found if ticket["labels"] == alert["labels"])

    async def _until(self, number: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        deadline = time.monotonic() + _PATIENCE
        while True:
            ticket: dict[str, Any] = await self._get(f"/api/v1/tickets/{number}")
            if holds(ticket):
                return ticket
            if time.monotonic() > deadline:
                await self._show(ticket)
                fail(f"{number} did not get there within {_PATIENCE:.0f} s")
            await asyncio.sleep(0.05)


def _says_all(ticket: dict[str, Any]) -> bool:
    return not ticket["report_fields"]["missing"]


def _webapp_down(node: Node) -> dict[str, Any]:
    summary = f"The web service on {node.name} does not answer"
    return _alert(
        "WebappDown",
        severity="critical",
        instance=f"{node.name}:9100",
        node=node.name,
        port=str(node.service_port),
        summary=summary,
    )


def _alert(name: str, *, summary: str, **labels: str) -> dict[str, Any]:
    return {"status": "firing", "labels": {"alertname": name, **labels}, "annotations": {"summary": summary}}


def _free_or_other(port: int) -> int:
    """The port that was asked for, if nothing is there; else any free one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            out.print(f"port {port} is taken, so another one is used")
            return free_port()
        return int(probe.getsockname()[1])
