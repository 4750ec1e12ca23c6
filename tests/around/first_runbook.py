"""Does what docs/first-runbook.md says, in a fresh folder, against a real sshd with a service of its own.

`<!-- run -->` stands before commands with what they print, `<!-- file: NAME -->` before a file. In what is printed, `…`
is any text, and a line of it any lines.
"""

from __future__ import annotations

import getpass
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from tests.fakes import REPOSITORY
from tests.servers.ports import free_port, wait_for_port
from tests.servers.sshd import Sshd

PAGE = REPOSITORY / "docs" / "first-runbook.md"
PATIENCE = 20.0
_BLOCK = re.compile(r"<!-- (?P<what>run|file: (?P<name>\S+)) -->\n```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)

# What a host with systemd and sudo would have: a service that dies without its process, and is started by `restart`.
_TOOLS = {
    "sudo": '[ "$1" = -n ] && shift\nexec "$@"\n',
    "systemctl": """
pid=$(cat {folder}/pid 2>/dev/null)
[ -n "$pid" ] && kill -0 "$pid" 2>/dev/null || pid=
case $1 in
  show)
    echo LoadState=loaded
    [ -n "$pid" ] && set -- active running || set -- failed failed
    echo "ActiveState=$1"; echo "SubState=$2"
    echo "MainPID=${{pid:-0}}"; echo "InvocationID=$pid" ;;
  restart)
    [ -z "$pid" ] || kill "$pid"
    cd {folder}
    nohup {python} -m http.server --bind 127.0.0.1 {port} >/dev/null 2>&1 </dev/null &
    echo $! >{folder}/pid ;;
esac
""",
}


@dataclass(frozen=True, kw_only=True)
class Block:
    """A piece of the page: a file with its text, or commands (no name)."""

    name: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command of the page, and what it prints there."""

    line: str
    printed: str


def blocks(page: str) -> list[Block]:
    return [Block(name=found["name"] or "", text=found["text"]) for found in _BLOCK.finditer(page)]


def commands(block: Block) -> Iterator[Command]:
    # A ticket shows what ran on the host with `$ ` before it, too, after the host's name.
    for part in re.split(r"^\$ (?=(?:responder|cd|mkdir|ssh-keygen|export|kill) )", block.text, flags=re.MULTILINE)[1:]:
        line, _, printed = part.partition("\n")
        yield Command(line=line, printed=printed)


def agrees(expected: str, printed: str) -> bool:
    """Whether what was printed is what the page shows, blanks at the ends of lines apart."""
    lines = [r"(.*\n)*?" if line.strip() == "…" else _as_pattern(line) for line in expected.splitlines()]
    text = "".join(line.rstrip() + "\n" for line in printed.splitlines() if line.strip())
    return re.fullmatch("".join(lines), text) is not None


def _as_pattern(line: str) -> str:
    return r"[^\n]*".join(re.escape(part) for part in line.rstrip().split("…")) + r"\n" if line.strip() else ""


@dataclass(kw_only=True)
class Reader:
    """Somebody who follows the page. `cwd` is where their shell is."""

    cwd: Path
    sshd: Sshd
    shop: Path
    ports: dict[str, int] = field(default_factory=lambda: {"8080": free_port(), "9180": free_port()})
    environment: dict[str, str] = field(default_factory=dict)
    server: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        bin_folder = Path(sys.executable).parent
        self.environment = {
            **os.environ,
            "PATH": f"{bin_folder}:{os.environ['PATH']}",
            "RESPONDER_SERVER": f"http://127.0.0.1:{self.ports['9180']}",
            "COLUMNS": "200",
        }
        self._give_tools()

    def follow(self, block: Block) -> list[tuple[Command, str]]:
        """What the commands of the page printed that is not what it shows."""
        if block.name:
            (self.cwd / block.name).write_text(self._here(block.text))
            return []
        done = [(command, self._until_it_agrees(command)) for command in commands(block)]
        return [(command, printed) for command, printed in done if not agrees(command.printed, printed)]

    def stop(self) -> None:
        if self.server is not None:
            self.server.send_signal(signal.SIGTERM)
            self.server.wait(PATIENCE)
        pid = self.shop / "pid"
        if pid.exists():
            os.kill(int(pid.read_text()), signal.SIGTERM)

    def _until_it_agrees(self, command: Command) -> str:
        """What only shows something is asked again for a while: the service works beside us."""
        until = monotonic() + PATIENCE
        is_a_look = re.match(r"responder (tickets|approvals|runbooks) (show|list|history)", command.line)
        while True:
            printed = self._do(command.line)
            if agrees(command.printed, printed) or not is_a_look or monotonic() >= until:
                return printed
            threading.Event().wait(0.2)

    def _do(self, line: str) -> str:
        if line.startswith("cd "):
            self.cwd /= line.removeprefix("cd ")
            return ""
        if line == "responder serve &":
            self._serve()
            return ""
        if line == "kill -HUP %1":
            assert self.server is not None
            self.server.send_signal(signal.SIGHUP)
            return ""
        if found := re.fullmatch(r"export (\w+)=\$\((.*)\)", line):
            self.environment[found[1]] = self._shell(found[2]).strip()
            return ""
        printed = self._shell(self._here(line))
        if line.startswith("ssh-keygen"):
            self._let_in(self.cwd / "keys/id_ed25519.pub")
        return self._there(printed)

    def _shell(self, line: str) -> str:
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=self.cwd,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.stdout + done.stderr

    def _serve(self) -> None:
        main = self.cwd / "responder.yml"
        main.write_text(main.read_text().replace("9180", str(self.ports["9180"])))
        with (self.cwd / "log").open("wb") as log:
            self.server = subprocess.Popen(
                ["responder", "serve"], cwd=self.cwd, env=self.environment, stdout=log, stderr=log
            )
        wait_for_port(self.ports["9180"])

    def _here(self, text: str) -> str:
        """The page's text, with what is different here."""
        text = text.replace("scan 10.0.0.11", f"scan 127.0.0.1:{self.sshd.port}")
        text = text.replace("address: 10.0.0.11", f"address: 127.0.0.1\n    port: {self.sshd.port}")
        text = text.replace("user: responder", f"user: {getpass.getuser()}")
        text = text.replace("ssh-ed25519 AAAA…", " ".join(self.sshd.host_key().split()[:2]))
        return text.replace("8080", str(self.ports["8080"]))

    def _there(self, text: str) -> str:
        """What was printed here, as it is printed where the page is."""
        text = text.replace(f"127.0.0.1:{self.ports['8080']}", "10.0.0.11:8080").replace(
            str(self.ports["8080"]), "8080"
        )
        return text.replace(f"127.0.0.1:{self.sshd.port}", "10.0.0.11:22")

    def _give_tools(self) -> None:
        tools = self.shop / "tools"
        tools.mkdir(parents=True)
        for name, text in _TOOLS.items():
            filled = text.format(
                folder=shlex.quote(str(self.shop)), python=shlex.quote(sys.executable), port=self.ports["8080"]
            )
            (tools / name).write_text(f"#!/bin/sh\n{filled}")
            (tools / name).chmod(0o755)

    def _let_in(self, public_key: Path) -> None:
        path = f"{self.shop}/tools:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        keys = self.sshd.directory / "authorized_keys"
        keys.write_text(f'environment="PATH={path}" {public_key.read_text()}')
