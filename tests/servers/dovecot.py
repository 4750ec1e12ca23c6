"""A real dovecot on loopback ports, with its own configuration, mails and certificate, as a process of its own."""

from __future__ import annotations

import email
import email.policy
import grp
import imaplib
import os
import pwd
import re
import shutil
import smtplib
import subprocess
import tempfile
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

from tests.servers.ports import free_port, is_listening
from tests.servers.program import Program

USER, PASSWORD = "desk", "pass-word"
_CONFIG = """\
protocols = imap lmtp
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = /dev/stderr
default_internal_user = {internal}
default_internal_group = {internal_group}
default_login_user = {login}
disable_plaintext_auth = no
ssl = yes
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
mail_location = maildir:{folder}/mail/%n
recipient_delimiter = +
first_valid_uid = 1
mail_fsync = never
{capability}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
service imap-login {{
  {chroot}
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp_port}
  }}
}}
service anvil {{
  {chroot}
}}
service stats {{
  {chroot}
}}
"""


class Dovecot(Program):
    """An account for whoever gives the password; mails come in by LMTP or IMAP.

    `capability` replaces what it says that it can do, as servers without IDLE or MOVE would.
    """

    def __init__(self, *, capability: str = "") -> None:
        # Sockets have short names, and the mails' user must be able to come in: no folder of pytest is either.
        self.folder = Path(tempfile.mkdtemp(prefix="dove-"))
        self.folder.chmod(0o755)
        self.port, self.tls_port, self.lmtp_port = free_port(), free_port(), free_port()
        self.certificate = self.folder / "cert.pem"
        self._write(capability)
        super().__init__(["dovecot", "-F", "-c", self.folder / "dovecot.conf"], self.folder / "dovecot.log")

    def is_ready(self) -> bool:
        return all(map(is_listening, (self.port, self.tls_port, self.lmtp_port)))

    def stop(self) -> None:
        super().stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def stop_only(self) -> None:
        """Ends it, and leaves its files for the next start."""
        Program.stop(self)

    def restart_with_new_numbers(self) -> None:
        """The account as after a restore from a backup: the same mails with another UIDVALIDITY."""
        self.stop_only()
        for one in (self.folder / "mail" / USER).glob("dovecot.index*"):
            one.unlink()
        numbers = self.folder / "mail" / USER / "dovecot-uidlist"
        numbers.write_text(re.sub(r" V\d+ ", " V4242 ", numbers.read_text()))
        self.start()

    def deliver(self, letter: bytes) -> None:
        with self.client() as client:
            client.append("INBOX", "", "", letter)

    def hand_over(self, letter: bytes, *, sender: str, recipients: list[str]) -> None:
        """Delivers as the mail server before it does: by LMTP, with the envelope."""
        with smtplib.LMTP("127.0.0.1", self.lmtp_port) as client:
            client.sendmail(sender, recipients, letter)

    def read(self, user: str) -> list[EmailMessage]:
        """What lies in somebody's inbox, oldest first."""
        with self.client(user) as client:
            client.select("INBOX", readonly=True)
            numbers = client.search(None, "ALL")[1][0].split()
            found = [client.fetch(one.decode(), "(BODY.PEEK[])")[1][0] for one in numbers]
        bodies = [one[1] for one in found if isinstance(one, tuple)]
        return [email.message_from_bytes(one, policy=email.policy.default) for one in bodies]

    def letters(self, folder: str = "INBOX", criteria: str = "UNDELETED") -> int:
        """How many mails are in a folder; 0 if there is no such folder."""
        with self.client() as client:
            if client.select(f'"{folder}"', readonly=True)[0] != "OK":
                return 0
            return len(client.search(None, criteria)[1][0].split())

    def client(self, user: str = USER) -> imaplib.IMAP4:
        made = imaplib.IMAP4("127.0.0.1", self.port, timeout=timedelta(seconds=10).total_seconds())
        made.login(user, PASSWORD)
        return made

    def _write(self, capability: str) -> None:
        is_root = os.geteuid() == 0
        me = pwd.getpwuid(os.geteuid())
        owner = pwd.getpwnam("nobody") if is_root else me
        self._owner = owner.pw_uid, owner.pw_gid
        for name in ("mail", "home"):
            (self.folder / name).mkdir()
            os.chown(self.folder / name, *self._owner)
        self_signed(self.folder)
        (self.folder / "dovecot.conf").write_text(
            _CONFIG.format(
                folder=self.folder,
                internal="dovecot" if is_root else me.pw_name,
                internal_group="dovecot" if is_root else _group(me.pw_gid),
                login="dovenull" if is_root else me.pw_name,
                chroot="" if is_root else "chroot =",
                capability=f"imap_capability = {capability}" if capability else "",
                password=PASSWORD,
                uid=owner.pw_uid,
                gid=owner.pw_gid,
                port=self.port,
                tls_port=self.tls_port,
                lmtp_port=self.lmtp_port,
            )
        )


def _group(gid: int) -> str:
    return grp.getgrgid(gid).gr_name


def self_signed(folder: Path) -> None:
    """Writes cert.pem and key.pem for localhost."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")],
        check=True, capture_output=True,
    )  # fmt: skip
