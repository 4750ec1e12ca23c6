"""Hostile text, through every kind of step that takes templates, to a real host: only the intended argv ever runs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from responder.adapters.http_client import HttpClient
from responder.domain.acts import Command, Request
from responder.domain.runbook import Parameter, ParameterType, RunOutcome, StepSpec
from responder.errors import QueryFailed
from responder.firstaid.plan import from_snapshot, snapshot
from responder.firstaid.steps.script import Script
from tests.fakes import a_runbook
from tests.firstaid.real_host import RealHost
from tests.firstaid.test_steps import a_moment, a_step, plan
from tests.servers.sshd import SSHD

CANARY = Path(f"/tmp/responder-canary-{os.getpid()}")
TOUCH = f"touch {CANARY}"
PIECES = (
    *(f"; {TOUCH}", f"$({TOUCH})", f"`{TOUCH}`", f"\n{TOUCH}\n", f"| {TOUCH}", f"&& {TOUCH} &", f"\r\n{TOUCH}"),
    *(f"' ; {TOUCH} ; '", f'" ; {TOUCH} ; "', f"\\'; {TOUCH} #", f"'\"'\"'; {TOUCH}", f"${{IFS}}$({TOUCH})"),
    *(f">{CANARY}", f"<({TOUCH})", f"%s\\n$({TOUCH})", f"{{{{ 7*7 }}}}$({TOUCH})", "{% raw %}", "{{ target }}"),
    *("-rf", "--", "-", "--help", "-o", "-delete", "-exec", "(", ")", "!", "=", "*", "?", "[a-z]*", "/", "..", "~"),
    *(
        "'",
        '"',
        "`",
        "$",
        "\\",
        "$HOME",
        "#",
        "&",
        "a b",
        " ",
        "\t",
        "\n",
        "é",
        "日本",
        "\u202e",
        "😀",
        "\x1b[31m",
        "\x7f",
    ),
)
PLAIN = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
HOSTILE = st.lists(st.sampled_from(PIECES) | PLAIN, min_size=1, max_size=4).map("".join)
ON_A_HOST = settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

_RECORDER = """\
#!/bin/sh
printf '%s\\0' "$#" "$@" >>"{folder}/argv.${{0##*/}}"
cat "{folder}/answer.${{0##*/}}" 2>/dev/null
exit 0
"""
_ANSWERS = {
    "systemctl": "LoadState=loaded\nActiveState=active\nSubState=running\nMainPID=1\nInvocationID=a\n",
    "supervisorctl": "app RUNNING pid 1, uptime 0:01:00\n",
    "docker": '{"Status":"running","Pid":1,"StartedAt":"x"}\n',
    "id": "65534\n",
}
_PROGRAMS = ("record", "status", "find", "podman", *_ANSWERS)


class Recorder:
    """Programs of many names that write down, byte for byte, what they were started with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        script = folder / "tools" / "record"
        script.write_text(_RECORDER.format(folder=folder))
        script.chmod(0o755)
        for name in _PROGRAMS[1:]:
            (folder / "tools" / name).symlink_to(script)
        for name, text in _ANSWERS.items():
            (folder / f"answer.{name}").write_text(text)

    def forget(self) -> None:
        for path in self.folder.glob("argv.*"):
            path.unlink()

    def calls(self) -> dict[str, list[list[bytes]]]:
        """What each program that ran was started with, call by call."""
        return {path.suffix[1:]: _calls(path.read_bytes()) for path in self.folder.glob("argv.*")}


def _calls(data: bytes) -> list[list[bytes]]:
    words, found = data.split(b"\0")[:-1], []
    while words:
        count = int(words[0])
        found.append(words[1 : count + 1])
        words = words[count + 1 :]
    return found


@pytest.fixture(scope="module")
def recorder(sshd: Any) -> Recorder:
    return Recorder(sshd.directory)


@pytest.fixture(autouse=True)
def canary() -> Iterator[None]:
    CANARY.unlink(missing_ok=True)
    yield
    assert not CANARY.exists(), "something of the text was run"


@dataclass(frozen=True)
class Case:
    """One kind of step: its settings around the text, and what may run for it."""

    kind: str
    settings: Callable[[Path], dict[str, Any]]
    calls: Callable[[str, Path], dict[str, list[list[str]]]]
    may_refuse: Callable[[str], bool] = lambda text: False
    outcome: RunOutcome = RunOutcome.HELPED


LOOKED = RunOutcome.DIAGNOSED


def _script(folder: Path) -> dict[str, Any]:
    (folder / "fix.sh").write_text(_RECORDER.format(folder=folder).replace("${0##*/}", "script"))
    return dict(Script.prepared({"file": "fix.sh", "arguments": ["-x", X, f"a{X}"], "once": "because"}, folder))


def _is_no_service(text: str) -> bool:
    return text.startswith("-") or any(sign in text for sign in "*?[") or text == "all"


def _is_no_line(text: str) -> bool:
    return not text.isprintable() or text.startswith("-") or not text.strip()


def _is_no_name(text: str) -> bool:
    return not text.isprintable() or "/" in text


def _restarts(program: str, look: list[str], act: list[str]) -> Callable[[str, Path], dict[str, list[list[str]]]]:
    return lambda text, _: {program: [[*look, text], [*act, text], [*look, text]]}


def _found(text: str, folder: Path) -> dict[str, list[list[str]]]:
    words = ["-maxdepth", "8", "-xdev", "-type", "f", "(", "-name", text, "-o", "-name", f"x{text}", ")"]
    rest = ["-mmin", "+60", "!", "-path", "*[[:cntrl:]]*", "-exec", "stat", "-c", "C %Y %b %B %d %i %n", "{}", "+"]
    return {"find": [[str(folder / "logs"), *words, *rest]]}


X = "{{ vars.x }}"
SHOW = ["show", "--property=LoadState,ActiveState,SubState,MainPID,InvocationID", "--"]
INSPECT = ["inspect", "--type", "container", "--format", "{{json .State}}", "--"]
CASES = {
    "ssh once": Case(
        "ssh",
        lambda _: {"run": ["record", X, "--", f"a{X}b"], "once": "because"},
        lambda text, _: {"record": [[text, "--", f"a{text}b"]]},
    ),
    "ssh with a check": Case(
        "ssh",
        lambda _: {"run": ["record", X], "check": ["status", X]},
        lambda text, _: {"status": [[text]]},
    ),
    "check": Case(
        "check", lambda _: {"command": ["record", X, X]}, lambda text, _: {"record": [[text, text]]}, outcome=LOOKED
    ),
    "collect": Case(
        "collect", lambda _: {"commands": [["record", X]]}, lambda text, _: {"record": [[text]]}, outcome=LOOKED
    ),
    "script": Case("script", _script, lambda text, _: {"script": [["-x", text, f"a{text}"]]}),
    "own commands": Case(
        "service_restart",
        lambda _: {"manager": "commands", "status": ["status", X], "restart": ["record", X], "stable_for": "0s"},
        lambda text, _: {"status": [[text], [text]], "record": [[text]]},
    ),
    "systemd": Case(
        "service_restart",
        lambda _: {"unit": X, "stable_for": "0s"},
        _restarts("systemctl", SHOW, ["restart", "--"]),
        _is_no_service,
    ),
    "supervisor": Case(
        "service_restart",
        lambda _: {"manager": "supervisor", "unit": X, "stable_for": "0s"},
        _restarts("supervisorctl", ["status"], ["restart"]),
        _is_no_service,
    ),
    "docker": Case(
        "service_restart",
        lambda _: {"manager": "docker", "unit": X, "stable_for": "0s"},
        _restarts("docker", INSPECT, ["restart", "-t", "10", "--"]),
        _is_no_service,
    ),
    "process": Case(
        "process",
        lambda _: {"name": "no-such-process", "args_contain": X, "user": X},
        lambda text, _: {"id": [["-u", "--", text]]},
        _is_no_line,
    ),
    "disk_cleanup": Case(
        "disk_cleanup",
        lambda folder: {
            "paths": [str(folder / "logs")],
            "allow_root": str(folder),
            "patterns": [X, f"x{X}"],
            "older_than": "1h",
            "skip_open": False,
        },
        _found,
        _is_no_name,
    ),
}


async def ran_only_what_was_meant(case: Case, text: str, real: RealHost, recorder: Recorder) -> None:
    folder = recorder.folder
    (folder / "logs").mkdir(exist_ok=True)
    recorder.forget()
    host = replace(real, target=replace(real.target, variables={"x": text}))
    try:
        ended = await host.run(case.kind, **case.settings(folder))
    except ValueError:
        assert not text or case.may_refuse(text)
        assert recorder.calls() == {}
        return
    wanted = {
        name: [[word.encode() for word in call] for call in calls] for name, calls in case.calls(text, folder).items()
    }
    assert recorder.calls() == wanted
    assert ended.outcome is case.outcome
    assert not CANARY.exists()


@pytest.mark.needs(SSHD)
@pytest.mark.parametrize("name", CASES)
async def test_each_piece_of_hostile_text_arrives_as_it_is_or_not_at_all(
    name: str, real: RealHost, recorder: Recorder
) -> None:
    for piece in PIECES:
        await ran_only_what_was_meant(CASES[name], piece, real, recorder)


@pytest.mark.needs(SSHD)
@pytest.mark.parametrize("name", CASES)
@ON_A_HOST
@given(text=HOSTILE)
async def test_any_text_arrives_as_it_is_or_not_at_all(
    name: str, text: str, real: RealHost, recorder: Recorder
) -> None:
    await ran_only_what_was_meant(CASES[name], text, real, recorder)


@pytest.mark.needs(SSHD)
async def test_text_that_no_argument_can_hold_is_refused_with_a_sentence(real: RealHost, recorder: Recorder) -> None:
    recorder.forget()
    host = replace(real, target=replace(real.target, variables={"x": "a\0b"}))
    ended = await host.run("ssh", run=["record", X], once="because")
    assert ended.outcome is RunOutcome.FAILED
    assert "NUL byte" in ended.sentence
    host = replace(real, target=replace(real.target, variables={"x": "\ud800"}))
    with pytest.raises(ValueError, match="expected a text"):
        await host.run("ssh", run=["record", X], once="because")
    assert recorder.calls() == {}


@pytest.mark.needs(SSHD)
@ON_A_HOST
@given(text=HOSTILE, type_=st.sampled_from(ParameterType))
@example(text="-rf", type_=ParameterType.NAME)
@example(text="/var/../etc", type_=ParameterType.PATH)
@example(text="web-1\n", type_=ParameterType.HOST)
@example(text="nginx@1.service", type_=ParameterType.UNIT)
async def test_a_label_arrives_as_it_is_or_its_type_refuses_it(
    text: str, type_: ParameterType, real: RealHost, recorder: Recorder
) -> None:
    recorder.forget()
    step = StepSpec(name="x", kind="check", settings={"command": ["record", "{{ p }}"]})
    runbook = a_runbook([step], parameters=(Parameter(name="p", type=type_, label="l"),))
    sentence = ""
    try:
        made = from_snapshot(snapshot(runbook, {"l": text}, real.target))
    except ValueError as error:
        sentence = str(error)
    if sentence:
        assert sentence.startswith("parameter p:")
        return
    question = made.steps[0].step.look()
    assert isinstance(question, Command)
    await real.send(question)
    assert recorder.calls() == {"record": [[text.encode()]]}
    assert not text.startswith("-")


class RawServer:
    """Answers every request with 204, and keeps the bytes of all of them."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.url = ""

    async def start(self) -> asyncio.Server:
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        return server

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next((int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:")), 0)
        body = await reader.readexactly(length)
        self.heard.append(head + body)
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()


@pytest.fixture
async def server() -> AsyncIterator[RawServer]:
    made = RawServer()
    async with await made.start():
        yield made


@ON_A_HOST
@given(text=HOSTILE)
@example(text="a\r\nX-Injected: yes")
@example(text="a\n\nGET /admin HTTP/1.1")
async def test_a_call_holds_the_text_in_its_place_and_nowhere_else(text: str, server: RawServer) -> None:
    server.heard.clear()
    given_ = {"url": server.url, "method": "POST", "body": text, "headers": {"X-Text": f"a{text}a"}, "once": "because"}
    try:
        (act,) = plan(a_step("http", **given_), {}, a_moment())
    except ValueError:
        assert any(sign < " " or sign == "\x7f" for sign in text)
        del given_["headers"]
        (act,) = plan(a_step("http", **given_), {}, a_moment())
    assert isinstance(act, Request)
    client = HttpClient()
    try:
        await client.send(act)
    except QueryFailed:
        assert server.heard == []
        return
    finally:
        await client.close()
    (heard,) = server.heard
    head, _, body = heard.partition(b"\r\n\r\n")
    assert body == text.encode()
    own = [line for line in head.split(b"\r\n") if line.startswith(b"X-Text:")]
    assert own in ([], [f"X-Text: a{text}a".encode()])
    assert {line.split(b":")[0] for line in head.split(b"\r\n")[1:]} <= {
        b"Host",
        b"X-Text",
        b"Accept",
        b"Accept-Encoding",
        b"User-Agent",
        b"Content-Length",
        b"Content-Type",
    }
