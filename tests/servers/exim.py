"""A real Exim with a configuration and a queue of its own, which hands what is for the desk to a listener of ours."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

EXIM = "/usr/sbin/exim4"
_USER = "Debian-exim" if os.geteuid() == 0 else getpass.getuser()
_CONFIG = """\
primary_hostname = mx.desk.test
spool_directory = {folder}/spool
log_file_path = {folder}/%slog
exim_user = {user}
exim_group = {user}
never_users =
keep_environment =
bounce_return_message = false
begin routers
desk:
  driver = manualroute
  domains = desk.test
  local_part_suffix = +*
  local_part_suffix_optional
  transport = desk
  route_list = * 127.0.0.1
  self = send
begin transports
desk:
  driver = {driver}
  rcpt_include_affixes
  {way}
begin retry
* * F,1h,1s
"""


class Exim:
    """Takes letters while it is entered; it is a program that runs for each of them, and no process beside it."""

    def __init__(self) -> None:
        # Exim's own user must be able to come in, and sockets have short names.
        self.folder = Path(tempfile.mkdtemp(prefix="exim-"))
        self.folder.chmod(0o755)
        self._config = self.folder / "exim.conf"

    def points_to(self, listener: int | Path, protocol: str) -> None:
        """Where it hands letters in: a port or a socket file."""
        if isinstance(listener, Path):
            driver, way = "lmtp", f"socket = {listener}\n  user = {_USER}"
        else:
            driver, way = "smtp", f"protocol = {protocol}\n  port = {listener}"
        self._config.write_text(_CONFIG.format(folder=self.folder, user=_USER, driver=driver, way=way))

    def __enter__(self) -> Self:
        (self.folder / "spool").mkdir()
        if os.geteuid() == 0:
            for path in (self.folder, self.folder / "spool"):
                shutil.chown(path, _USER, _USER)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def send(self, letter: bytes, *recipients: str, sender: str) -> None:
        """Takes a letter and tries once to deliver it; what is put off stays in the queue."""
        self._run("-odf", "-i", "-f", sender, "--", *recipients, given=letter)

    def try_again(self) -> None:
        """Tries all that is in the queue."""
        self._run("-qff")

    def waiting(self) -> int:
        """How many letters are in the queue."""
        return int(self._run("-bpc").split()[0])

    def log(self) -> str:
        """What became of the letters."""
        return (self.folder / "mainlog").read_text()

    def _run(self, *words: str, given: bytes = b"") -> str:
        argv = [EXIM, "-C", str(self._config), *words]
        return subprocess.run(argv, input=given, capture_output=True, check=True, timeout=60).stdout.decode()
