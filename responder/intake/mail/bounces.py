"""What mail servers say of mails that did not arrive: delivery reports (RFC 3464), and those that know no standard.

A mail is one if it says so itself (report-type=delivery-status), or if it comes from a mail server: with the null
sender, from a postmaster or a MAILER-DAEMON. Otherwise a person who forwards one would be taken for a server.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from responder.domain.mail import Bounce, Mail
from responder.domain.report_form import cleaned
from responder.intake.mail.addresses import addresses, ids, plain_address
from responder.intake.mail.headers import headers_in, line_of
from responder.intake.mail.limits import MailLimits
from responder.intake.mail.parts import Part

_MOST = 100
_MOST_TEXT = 20_000
_LONGEST_REASON = 500
_STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status")
_RETURNED = ("message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers")
_NO_BOUNCE = ("feedback-report", "disposition-notification")
_DAEMONS = re.compile(
    r"(?:mailer-daemon|postmaster|mail-daemon|mailerdaemon|maildaemon|microsoftexchange[0-9a-f]*|bounces?)@",
    re.IGNORECASE,
)
_SAYS_SO = re.compile(
    r"undeliver|returned mail|delivery status notification|delivery (?:has )?fail|failure notice|mail delivery|"
    r"delivery failure|could(?: no|n.)t be delivered|delayed mail|message delayed|"
    r"not reach some or all of the intended|qmail-send program|failed permanently|"
    r"退信|无法送达|無法送達|未送达|未能送达|投递失败|投遞失敗|发送失败|無法投遞|无法投递|邮件未发送成功|传递失败",
    re.IGNORECASE,
)  # fmt: skip
_DELAYED = re.compile(
    r"warning only|delayed mail|message delayed|will be retried|\(delay\)|still being retried|will keep trying|"
    r"将继续尝试|延迟",
    re.IGNORECASE,
)  # fmt: skip
_ENHANCED = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")
_SMTP = re.compile(r"(?<![\d.])([45])\d\d(?:[ -]|(?=\D))")
_ORIGINAL = re.compile(
    r"^[ \t>*-]{0,40}(?:original message|below this line is a copy|this is a copy of the message|message header|"
    r"original message headers|diagnostic information for administrators|原始邮件|原邮件|以下是)",
    re.IGNORECASE | re.MULTILINE,
)
_RECIPIENT = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}[A-Za-z0-9]", re.ASCII)
_MESSAGE_ID = re.compile(r"^[ \t>]{0,20}message-id:\s{0,40}<([^<>\s]{1,400})>", re.IGNORECASE | re.MULTILINE)


def bounces_in(tree: Part, mail: Mail, limits: MailLimits) -> tuple[Bounce, ...]:
    """What a mail reports of deliveries; empty if it is no bounce."""
    if tree.settings.get("report-type", "").lower() in _NO_BOUNCE:
        return ()
    parts = [part for part in tree.walk() if not part.is_multipart]
    statuses = [part for part in parts if part.media_type in _STATUS_TYPES]
    failed = tuple(one.address for one in addresses(tree.headers.all("x-failed-recipients"), _MOST))
    if not (_is_report(tree) or (_is_of_a_server(mail) and (statuses or failed or _says_so(mail)))):
        return ()
    about = _about(parts, mail, limits)
    found = [bounce for part in statuses for bounce in _reported(part, about, limits)]
    return tuple(found[:_MOST]) if found else _told(mail, failed, about)


def _is_report(tree: Part) -> bool:
    """Whether the whole mail is a report, not only a part of it."""
    if tree.settings.get("report-type", "").lower() == "delivery-status":
        return True
    return tree.media_type == "multipart/report" and any(part.media_type in _STATUS_TYPES for part in tree.parts)


def _is_of_a_server(mail: Mail) -> bool:
    return mail.envelope_from == "" or bool(_DAEMONS.match(mail.sender.address))


def _says_so(mail: Mail) -> bool:
    return bool(_SAYS_SO.search(mail.subject) or _SAYS_SO.search(mail.text[:_MOST_TEXT]))


# --- reports as RFC 3464 has them -----------------------------------------------------------------------------


def _reported(part: Part, about: str, limits: MailLimits) -> list[Bounce]:
    data = part.content([]).replace(b"\r\n", b"\n")[: limits.header_block].strip()
    groups = re.split(rb"\n[ \t]*\n\s*", data)[: _MOST + 2]
    found = []
    for group in groups:
        fields, _ = headers_in(group, 0, len(group), limits, [])
        known = {name: line_of(fields.first(name)) for name, _ in fields.entries}
        if "final-recipient" in known or "original-recipient" in known:
            found.append(_of_recipient(known, about))
    return found


def _of_recipient(known: Mapping[str, str], about: str) -> Bounce:
    recipient = known.get("original-recipient") or known.get("final-recipient", "")
    address = plain_address(recipient.partition(";")[2] or recipient)
    if not address:
        address = plain_address(known.get("final-recipient", "").partition(";")[2])
    action = known.get("action", "").partition("(")[0].strip().lower()[:20] or "failed"
    status = _ENHANCED.search(known.get("status", "")) or _ENHANCED.search(known.get("diagnostic-code", ""))
    return Bounce(
        recipient=address,
        status=status[1] if status else ("4.0.0" if action == "delayed" else "5.0.0"),
        action=action,
        reason=known.get("diagnostic-code", "")[:_LONGEST_REASON],
        about=about,
    )


def _about(parts: list[Part], mail: Mail, limits: MailLimits) -> str:
    """The Message-ID of the mail that came back: of the mail itself, of its pasted headers, or of what is answered."""
    for part in parts:
        if part.media_type in _RETURNED:
            data = part.content([])
            inner, _ = headers_in(data, 0, len(data), limits, [])
            found = ids(inner.all("message-id"), 1)
            if found:
                return found[0]
    pasted = _MESSAGE_ID.search(mail.text)
    return pasted[1] if pasted else next(iter((*mail.in_reply_to, *mail.references[-1:])), "")


# --- reports as plain text ------------------------------------------------------------------------------------


def _told(mail: Mail, failed: tuple[str, ...], about: str) -> tuple[Bounce, ...]:
    told = mail.text[:_MOST_TEXT]
    pasted = _ORIGINAL.search(told)
    own_words = told[: pasted.start()] if pasted else told
    is_delayed = bool(_DELAYED.search(mail.subject) or _DELAYED.search(own_words[:1000]))
    known = [status for status in _ENHANCED.findall(told) if status[0] != "2"]
    code = _SMTP.search(own_words)
    status = known[0] if known else f"{'4' if is_delayed else code[1] if code else '5'}.0.0"
    recipients = failed or _named(own_words, mail) or _named(told, mail) or ("",)
    return tuple(
        Bounce(
            recipient=recipient,
            status=status,
            action="delayed" if is_delayed else "failed",
            reason=_reason(own_words, recipient),
            about=about,
        )
        for recipient in recipients
    )


def _named(text: str, mail: Mail) -> tuple[str, ...]:
    """The address that a report names first, or all that stand as qmail writes them: <address>: at a line's start."""
    others = {mail.sender.address.casefold(), *(one.address.casefold() for one in mail.recipients)}
    listed = re.findall(r"^<([^<>\s]{3,320})>:", text, re.MULTILINE)[:_MOST]
    plain = [found[0] for found in re.finditer(_RECIPIENT, text)][:_MOST]
    known = [plain_address(one) for one in (listed or plain)]
    wanted = dict.fromkeys(one for one in known if one and one.casefold() not in others)
    return tuple(wanted) if listed else tuple(wanted)[:1]


def _reason(text: str, recipient: str) -> str:
    """What stands behind the address; the beginning of the report if nothing does."""
    _, _, after = text.partition(recipient) if recipient else ("", "", text)
    for piece in (after, text):
        reason = " ".join(cleaned(piece[: 2 * _LONGEST_REASON]).split()).lstrip("<>:;,.)（） ")
        if reason:
            return reason[:_LONGEST_REASON]
    return ""
