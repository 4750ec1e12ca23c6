"""`responder doctor` looks at the mailbox and at the mail server, before customers do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.calling import begun, run
from tests.servers.ports import free_port
from tests.servers.scripted_imap import ScriptedImap
from tests.servers.smtpd import SmtpSink

Look = Callable[[str], dict[str, str]]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """What the doctor finds wrong with these settings of `mail:`, by what it looked at; empty if it is well."""
    folder = begun(tmp_path / "ops")
    main = (folder / "responder.yml").read_text()
    (folder / "mail-password").write_text("secret\n")

    def looked(settings: str) -> dict[str, str]:
        (folder / "responder.yml").write_text(f"{main}\nmail:\n  address: desk@example.org\n  {settings}\n")
        shown = run("doctor", "--json", "--config", str(folder / "responder.yml"))
        return {one["what"]: one["problem"] for one in json.loads(shown.stdout) if one["what"].startswith("mail")}

    return looked


def imap(port: int, more: str = "") -> str:
    return f"imap: {{host: 127.0.0.1, port: {port}, user: desk, password_file: mail-password{more}}}"


def test_a_mailbox_that_lets_us_in_is_well_and_one_that_does_not_says_so(look: Look) -> None:
    with ScriptedImap(b"Subject: a\r\n\r\n") as server:
        assert look(imap(server.port, ", security: none")) == {"mailbox desk at 127.0.0.1": ""}
        assert (list(server.moved), server.flags) == ([], {})
        server.instead["LOGIN"] = lambda _: b"TAG NO [AUTHENTICATIONFAILED] No.\r\n"
        (problem,) = look(imap(server.port, ", security: none")).values()
    assert problem == "The mailbox desk at 127.0.0.1 does not let us in: [AUTHENTICATIONFAILED] No."


def test_a_mailbox_that_does_not_begin_with_tls_is_told_with_what_to_write(look: Look) -> None:
    with ScriptedImap() as server:
        (problem,) = look(imap(server.port)).values()
    assert problem.endswith(" This port does not begin with TLS; is it one for security: starttls?")


def test_a_mailbox_and_a_mail_server_that_are_not_there_are_told(look: Look) -> None:
    port = free_port()
    found = look(imap(port) + f"\n  smtp: {{host: 127.0.0.1, port: {port}, security: none}}")
    assert set(found) == {"mailbox desk at 127.0.0.1", "mail server 127.0.0.1"}
    assert all("Connection refused" in one or "Connect call failed" in one for one in found.values())


def test_a_mail_server_is_greeted_and_gets_no_letter(look: Look, tmp_path: Path) -> None:
    with SmtpSink(tmp_path) as server:
        assert look(f"smtp: {{host: 127.0.0.1, port: {server.port}, security: none}}") == {"mail server 127.0.0.1": ""}
        assert server.envelopes == []
        (problem,) = look(f"smtp: {{host: 127.0.0.1, port: {server.port}, security: tls}}").values()
    assert problem.endswith(" This port does not begin with TLS; is it one for security: starttls?")
