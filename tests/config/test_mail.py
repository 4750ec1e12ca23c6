"""`mail:` in responder.yml: what it becomes, and which mistakes are found where."""

from __future__ import annotations

import sys
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from responder.adapters.mail_servers import ImapAccount, MailDoor, SmtpServer
from responder.config.lint import findings
from responder.domain.mail_loop import AnswerBudget
from responder.flows.mail_desk import mails_of
from tests.config.test_configuration import FILES, Folder

MAIL = """\
mail:
  address: desk@example.org
  name: Support desk
  aliases: [help@example.org]
  imap: {host: imap.example.org, user: desk, password_file: mail.password, done_folder: Taken, idle: 5m}
  smtp: {host: smtp.example.org, user: desk, password_file: mail.password}
  listener: {listen: "127.0.0.1:2424"}
  trusted_authserv_ids: [mx.example.org]
  limits: {size: 1048576}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    made.write("mail.password", "mail-password\n")
    made.write("responder.yml", FILES["responder.yml"].rstrip("\n") + "\n" + MAIL)
    return made


def told(folder: Folder) -> list[str]:
    """The mistakes without their place in the file, which depends on what stands above."""
    first = FILES["responder.yml"].rstrip("\n").count("\n") + 2
    found = (one.split(":", 3) for one in folder.mistakes())
    return [f"{int(line) - first + 1}:{column}:{text}" for _, line, column, text in found]


def test_the_servers_get_their_passwords_and_the_ports_of_their_security(folder: Folder) -> None:
    read = folder.read()
    assert read.mail is not None
    box, server = read.mail.mailbox, read.mail.server
    assert isinstance(box, ImapAccount)
    assert isinstance(server, SmtpServer)
    assert (box.host, box.port, box.security, box.password.value) == ("imap.example.org", 993, "tls", "mail-password")
    assert (box.idle, box.largest, box.done_folder) == (timedelta(minutes=5), 1_048_576, "Taken")
    assert (server.port, server.security) == (587, "starttls")
    assert server.password == box.password
    assert "mail-password" in read.secrets
    assert "mail-password" not in repr(read.mail)
    assert {"nagios", "grafana"} <= {rule.name for rule in read.mail.rules}


def test_the_door_for_mail_servers_is_a_socket_or_a_port(folder: Folder) -> None:
    read = folder.read()
    assert read.mail is not None
    assert read.mail.settings.as_door() == MailDoor(name="example.org", host="127.0.0.1", port=2424)
    folder.change(
        "responder.yml", '"127.0.0.1:2424"', '"[fd00::1]:25", protocol: smtp, networks: ["fd00::/64"], timeout: 1m'
    )
    read = folder.read()
    assert read.mail is not None
    door = read.mail.settings.as_door()
    assert door is not None
    assert (door.protocol, door.host, door.port, door.address) == ("smtp", "fd00::1", 25, "[fd00::1]:25")
    assert (door.networks, door.timeout) == ((ip_network("fd00::/64"),), timedelta(minutes=1))
    folder.change("responder.yml", "{listen: ", '{mode: "0600", listen: /run/lmtp} #')
    read = folder.read()
    assert read.mail is not None
    door = read.mail.settings.as_door()
    assert door is not None
    assert (door.address, door.mode) == ("/run/lmtp", 0o600)


def test_a_listener_without_its_library_says_how_to_install_it(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiosmtpd", None)
    (found,) = told(folder)
    assert (
        found == "7:3: a listener needs aiosmtpd, which is not installed: pip install '.[lmtp]' in responder's folder"
    )


def test_the_desk_is_no_person_and_its_people_are_proven_by_a_trusted_server(folder: Folder) -> None:
    folder.change("people.yml", "  - name: ann\n", "  - name: ann\n    mails: [Help@example.org]\n")
    (found,) = folder.mistakes()
    assert "Help@example.org is already an address of the desk, in mail:" in found
    folder.change("people.yml", "Help@", "ann@")
    assert "mails-never-proven" not in {one.rule for one in findings(folder.read())}
    folder.change("responder.yml", "  trusted_authserv_ids: [mx.example.org]\n", "")
    (warning,) = (one for one in findings(folder.read()) if one.rule == "mails-never-proven")
    assert warning.problem.text.startswith("ann can write mails, but without trusted_authserv_ids: in mail: ")


def test_without_mail_there_is_none(folder: Folder) -> None:
    folder.write("responder.yml", FILES["responder.yml"])
    assert folder.read().mail is None


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ("address: desk@example.org", "address: desk", "2:3: mail.address: 'desk' is no mail address"),
        ("[help@example.org]", "[desk@example.org]", "4:13: desk@example.org is named twice"),
        ("mail.password, done", "none.password, done", "5:46: none.password cannot be read: No such file"),
        ("done_folder: Taken", "done_folder: inbox", "5:3: mail.imap: done_folder: is the folder itself"),
        ("idle: 5m", "idle: 5h", "5:96: mail.imap.idle: expected less than or equal to 28m, found '5h'"),
        ("idle: 5m", "poll: 1s", "5:96: mail.imap.poll: expected greater than or equal to 5s, found '1s'"),
        (
            "smtp.example.org, user: desk,",
            "smtp.example.org,",
            "6:3: mail.smtp: give user: and password_file: together",
        ),
        ("{host: smtp", "{security: none, host: smtp", "6:3: mail.smtp: security: none would send the password"),
        (
            "user: desk, password_file: mail.password}\n  l",
            "security: none}\n  l",
            "6:3: mail.smtp: security: none would send l",
        ),
        ('"127.0.0.1:2424"', "127.0.0.1:9180", "7:14: the pages are already at 127.0.0.1:9180; mails need a port"),
        ("[mx.example.org]", "mx.example.org", "8:3: mail.trusted_authserv_ids: expected a list, like [a, b], found"),
        ("  name: Support desk", "  plus: perhaps", "3:3: mail.plus: expected true or false, found 'perhaps'"),
        ('"127.0.0.1:2424"', "2424x", "7:14: mail.listener.listen: '2424x' is no place to listen"),
        ('"127.0.0.1:2424"', '"::1:2424"', "7:14: mail.listener.listen: '::1:2424' is no place to listen"),
        ('"127.0.0.1:2424"', "mx:70000", "7:14: mail.listener.listen: 'mx:70000' is no place to listen"),
        ('"127.0.0.1:2424"', "/" + "x" * 107, "7:14: mail.listener.listen: the name of a socket file has at most 107"),
        ('"127.0.0.1:2424"', "0.0.0.0:24", "7:3: mail.listener: name the networks: of the mail servers"),
        ('"127.0.0.1:2424"', "/run/lmtp, networks: [10.0.0.0/8]", "7:3: mail.listener: networks: are for a port"),
        ('"127.0.0.1:2424"', "/run/lmtp, mode: 660", "7:33: mail.listener.mode: expected"),
        ('"127.0.0.1:2424"', "mx:24, networks: [10.0.0.1/8]", "7:40: mail.listener.networks.0: expected"),
        ('"127.0.0.1:2424"', "/run/lmtp, protocol: http", "7:33: mail.listener.protocol: expected"),
        ("listener: {listen", "lmtp: {listen", "7:3: mail.lmtp is not known here"),
        ("size: 1048576", "size: 10", "9:12: mail.limits.size: expected greater than or equal to 65536, found 10"),
        ("  limits:", "  rules: [own]\n  limits:", "9:11: {folder}/own is no folder"),
        ("  name: Support desk", "  nickname: desk", "3:3: mail.nickname is not known here"),
    ],
)
def test_a_mistake_is_told_at_its_place(folder: Folder, old: str, new: str, mistake: str) -> None:
    folder.change("responder.yml", old, new)
    (found,) = told(folder)
    assert found.startswith(mistake.format(folder=folder.path))


def test_mistakes_of_rules_and_of_settings_are_told_together(folder: Folder) -> None:
    rest = "signal: {of: [a], firing: [b], cleared: []}\nlabels: [a]\n"
    folder.write("own/bad.yml", f"title: x\napplies: [{{subject: '(a+)+'}}]\n{rest}")
    folder.change("responder.yml", "  limits:", "  rules: [own]\n  aliases_of: x\n  limits:")
    assert any("aliases_of is not known here" in one for one in folder.mistakes())
    folder.change("responder.yml", "  aliases_of: x\n", "")
    assert any(one.startswith("own/bad.yml:2:12: ") and "for ever" in one for one in folder.mistakes())


def test_senders_of_monitoring_mails_are_addresses_or_whole_domains(folder: Folder) -> None:
    folder.change("responder.yml", "  limits:", "  monitoring: {senders: [Nagios@example.org, '@ops.test']}\n  limits:")
    read = folder.read()
    assert read.mail is not None
    assert read.mail.settings.monitoring.senders == ("nagios@example.org", "@ops.test")
    folder.change("responder.yml", "'@ops.test'", "ops.test")
    (found,) = told(folder)
    assert "'ops.test' is no sender; write it like monitor@example.org, or @example.org" in found


def test_a_rule_for_proven_mails_needs_a_server_that_proves_them(folder: Folder) -> None:
    rule = "title: x\napplies: [{subject: '^x'}]\nsubject: ['^x (?P<a>b|c)']\nalertname: [x]\nauthentic: true\n"
    folder.write("own/watchdog.yml", f"{rule}signal: {{of: [a], firing: [b], cleared: [c]}}\nlabels: [a]\n")
    folder.change("responder.yml", "  limits:", "  rules: [own]\n  limits:")
    read = folder.read()
    assert read.mail is not None
    assert [one.name for one in read.mail.rules if one.authentic] == ["watchdog"]
    folder.change("responder.yml", "  trusted_authserv_ids: [mx.example.org]\n", "")
    (found,) = told(folder)
    assert found.startswith("8:3: rule watchdog takes proven mails only, and without trusted_authserv_ids:")


def test_contact_forms_and_how_many_answers_go_out_are_settings(folder: Folder) -> None:
    given = FILES["responder.yml"].rstrip("\n") + "\n" + MAIL
    folder.write("responder.yml", f"{given}  contact_forms: [WWW@Shop.test]\n  answers: {{per_domain: 5}}\n")
    mails = mails_of(folder.read())
    assert mails
    assert (mails.own.forms, mails.budget) == (("www@shop.test",), AnswerBudget(per_domain=5))
    folder.write("responder.yml", f"{given}  contact_forms: [www]\n  answers: {{in_all: 0}}\n")
    assert [one.split(":", 2)[2].partition(";")[0].partition(",")[0] for one in told(folder)] == [
        " mail.contact_forms.0: 'www' is no mail address",
        " mail.answers.in_all: expected greater than or equal to 1",
    ]  # fmt: skip
