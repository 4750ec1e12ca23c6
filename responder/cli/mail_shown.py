"""What `responder mail explain` says of one mail, for programs and for people."""

from __future__ import annotations

from typing import Any

from responder.cli.common import out
from responder.domain.report import Report
from responder.flows.mail_explain import Explained


def as_plain(found: Explained, *, with_text: bool) -> dict[str, Any]:
    """What `--json` prints of one mail."""
    mail, claim = found.mail, found.claim
    texts = {"said": mail.said, "quoted": found.reply.quoted, "signature": found.reply.signature}
    return {
        "becomes": found.becomes.value,
        "why": found.why,
        "rule": claim.rule if claim else "",
        "is_understood": not (claim and claim.is_plain),
        "nature": {"kind": found.nature.kind.value, "why": found.nature.why},
        "answered": found.objection == "" and found.becomes == "report",
        "from": mail.sender.address,
        "name": mail.sender.name,
        "proven": {"is_authentic": found.authentication.is_authentic, "is_refuted": found.authentication.is_refuted,
                   "why": found.authentication.why, "person": found.person},
        "subject": mail.subject,
        "sent_at": mail.sent_at.isoformat() if mail.sent_at else None,
        "language": mail.language,
        "ticket_id": found.ticket_id,
        "command": found.command.verb.value if found.command else "",
        "alerts": [_alert(report) for report in claim.reports] if claim else [],
        "fields": _fields(found),
        "missing": list(found.missing),
        "bounces": [{"recipient": one.recipient, "action": one.action, "status": one.status, "about": one.about}
                    for one in mail.bounces],
        "files": [{"name": one.name, "media_type": one.media_type, "size": one.size, "left_out": one.left_out}
                  for one in mail.files],
        "oddities": list(mail.oddities),
        **(texts if with_text else {}),
    }  # fmt: skip


def _fields(found: Explained) -> list[dict[str, str]]:
    """Those that stand in the text, each with how it was found."""
    known = found.fields
    return [{"name": name, "value": known.found[name], "how": how} for name, how in known.how.items()] if known else []


def _alert(report: Report) -> dict[str, Any]:
    told = {"signal": report.signal.value, "labels": dict(report.labels), "annotations": dict(report.annotations)}
    return {**told, "started_at": report.started_at.isoformat()}


def show(found: Explained, plain: dict[str, Any], *, with_text: bool) -> None:
    """The same for people."""
    of = f" by the rule {plain['rule']}" if plain["rule"] else ""
    out.print(f"{plain['becomes']}{of}: {found.why}", markup=False)
    _line("from", f"{plain['from'] or 'nobody'}: {_trust(found)}")
    _line("subject", plain["subject"])
    _line("nature", f"{plain['nature']['kind'].replace('_', ' ')}: {plain['nature']['why']}")
    if found.command:
        whose = "a colleague" if found.command.by_colleagues else "the reporter"
        _line("command", f"{plain['command'].replace('_', ' ')}, if {whose} says so")
    for one in plain["bounces"]:
        _line("bounce", f"{one['recipient']} {one['action']} {one['status']}")
    for alert in plain["alerts"]:
        _show_alert(alert)
    for one in plain["fields"]:
        _line("field", f"{one['name']} = {' '.join(one['value'].split())} ({one['how']})")
    if plain["missing"]:
        _line("missing", ", ".join(plain["missing"]))
    for one in plain["files"]:
        _line("file", f"{one['name']} ({one['media_type']}, {one['size']} bytes) {one['left_out']}".rstrip())
    for oddity in plain["oddities"]:
        _line("odd", oddity)
    for name in ("said", "quoted", "signature") if with_text else ():
        out.print(f"\n--- {name}\n{plain[name]}", markup=False, soft_wrap=True)


def _show_alert(alert: dict[str, Any]) -> None:
    out.print(f"\n{alert['signal']}", markup=False)
    for kind in ("labels", "annotations"):
        for name, value in alert[kind].items():
            out.print(f"  {kind[:-1]}  {name} = {value}", markup=False, soft_wrap=True)


def _trust(found: Explained) -> str:
    who = f"{found.person}. " if found.person else ""
    return f"{who}{found.authentication.why}"


def _line(name: str, text: str) -> None:
    out.print(f"{name:<8} {text}", markup=False, soft_wrap=True)
