"""Who or what sent a mail, and whether it may be answered: two machines must never talk to each other.

RFC 3834 (automatic answers, Auto-Submitted, the null sender), RFC 5230 (vacation: lists, bulk, daemons, a budget per
sender), RFC 2919 and 2369 (List-*), RFC 3464 (delivery reports), RFC 8098 (receipts), RFC 5965 (feedback reports).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from responder.domain.mail import Address, Mail
from responder.domain.mail_thread import OwnAddress, is_own, is_own_id
from responder.domain.reporter import contact_of

_DAEMONS = re.compile(r"mailer-?daemon|mail-daemon|maildaemon|double-bounce|microsoftexchange[0-9a-f]*")
_PERHAPS_DAEMONS = re.compile(r"postmaster|bounces?")
_NOBODY = re.compile(
    r"(?:no|not|non|dont?|do-?not|do_not)[-_.]?(?:reply|respond|answer)[\w.+-]*"
    r"|owner-.*|.*-(?:request|owner|bounces?|relay)|listserv|majordomo|root|daemon|uucp|news|cron",
)  # fmt: skip
_AUTOMATIC_SUBJECT = re.compile(
    r"(?:automatic reply|auto(?:matic)?[- ]?(?:reply|response)|out of (?:the )?office|automatische antwort"
    r"|abwesenheit(?:snotiz)?|réponse automatique|absence du bureau|respuesta automática"
    r"|自动回复|自動回覆|自动答复|自動応答)\s*(?:[:：\]】-]|$)",
    re.IGNORECASE,
)
_UNSUBSCRIBE = "list-unsubscribe"
_LIST_HEADERS = (
    "list-id", "list-post", "list-help", _UNSUBSCRIBE, "list-owner", "mailing-list", "x-mailing-list",
    "x-beenthere", "x-mailman-version",
)  # fmt: skip
_PASSED_ON_BY = re.compile(
    r"<?(?:owner-[^@\s]{1,100}|[^@\s]{1,100}-(?:owner|request|bounces?))@\S{1,200}", re.IGNORECASE
)
"""In Sender, who passes on what is sent to a list. Only beside Precedence: bulk, as lists did before RFC 2919."""
_SUPPRESSED = {"all", "autoreply"}
_LOOKED_AT = 200


class Kind(StrEnum):
    PERSON = "person"
    MACHINE = "machine"
    AUTO_REPLY = "auto_reply"
    BOUNCE = "bounce"
    LIST = "list"
    OWN = "own"


@dataclass(frozen=True, kw_only=True, slots=True)
class Nature:
    """What sent a mail, and what says so."""

    kind: Kind
    why: str
    is_sure: bool = True
    """Whether it is more than one sign that a mail of a person may bear as well."""


def nature(mail: Mail, own: OwnAddress) -> Nature:
    """What sent a mail. Where headers disagree, the first counts of: own, bounce, automatic answer, list, machine.

    Of what comes from a contact form it is asked of who filled that in.
    """
    written = _as_by_a_form(mail, own)
    for kind, says in _QUESTIONS:
        if why := says(written, own):
            return Nature(kind=kind, why=why)
    for kind, says in _SIGNS:
        if why := says(written, own):
            return Nature(kind=kind, why=f"{why}, and nothing else says so.", is_sure=False)
    return Nature(kind=Kind.PERSON, why="Nothing says that a machine wrote it.")


def in_thread(found: Nature) -> Nature:
    """What sent a mail that belongs to a ticket: there a weak sign is none, or a reporter would not be heard."""
    is_person = found.kind is Kind.MACHINE and not found.is_sure
    return Nature(kind=Kind.PERSON, why=found.why) if is_person else found


def as_written(mail: Mail, own: OwnAddress) -> Mail:
    """The mail of a person with who wrote it as its sender: of a form, a no-reply address or our own, who stands in
    Reply-To."""
    return _as_by_a_form(mail, own) if nature(mail, own).kind is Kind.PERSON else mail


def _as_by_a_form(mail: Mail, own: OwnAddress) -> Mail:
    given = mail.sender.address
    # What a machine sends as ourselves may be a page of ours that went astray: a ticket of it would begin a loop.
    is_ours = is_own(given, own) and not _is_of_a_machine(mail, own)
    if not (is_ours or given.casefold() in own.forms or _NOBODY.fullmatch(_local(given))):
        return mail
    to = (one for one in mail.reply_to if one.address and not is_own(one.address, own))
    writer = next((one for one in to if not _NOBODY.fullmatch(_local(one.address))), None)
    if writer is None or writer.address.casefold() == given.casefold():
        return mail
    return replace(mail, sender=Address(address=writer.address, name=writer.name or mail.sender.name))


def _is_ours(mail: Mail, own: OwnAddress) -> str:
    if is_own_id(mail.id, own):
        return "It bears a Message-ID of ours."
    if mail.headers.get("x-responder"):
        return "It bears our own header X-Responder."
    loops = [address.strip().lower() for address in mail.headers.get("x-loop", ())]
    if any(is_own(address, own) for address in loops):
        return "Its X-Loop names our own address."
    return "It comes from our own address." if is_own(mail.sender.address, own) else ""


def _is_a_bounce(mail: Mail, _: OwnAddress) -> str:
    if mail.bounces:
        return "It is a report of what became of a mail (RFC 3464)."
    # Whatever its language: a ticket of each would be told by mail, and come back again.
    local = _local(mail.sender.address)
    is_sure = _DAEMONS.fullmatch(local) or (mail.envelope_from == "" and _PERHAPS_DAEMONS.fullmatch(local))
    return f"It comes from {local[:40]}." if is_sure else ""


def _is_an_answer(mail: Mail, own: OwnAddress) -> str:
    if _automatic(mail) == "auto-replied":
        return "Its header Auto-Submitted says auto-replied (RFC 3834)."
    for name in ("x-autoreply", "x-autorespond", "x-autoresponder", "x-autoreply-from"):
        if mail.header(name) not in ("", "no", "false"):
            return f"It bears the header {name}."
    if mail.header("precedence") in ("auto_reply", "auto-reply"):
        return "Its Precedence is auto_reply."
    if "disposition-notification" in mail.header("content-type"):
        return "It is a receipt (RFC 8098)."
    is_borne_out = mail.in_reply_to or mail.references or _is_of_a_list(mail, own) or _is_of_a_machine(mail, own)
    if is_borne_out and _AUTOMATIC_SUBJECT.match(_bare(mail.subject)):
        return "Its subject is that of an automatic answer."
    return ""


def _is_of_a_list(mail: Mail, own: OwnAddress) -> str:
    if _is_our_list(mail, own):
        return ""
    if mail.header("precedence") == "list":
        return "Its Precedence is list."
    if mail.header("precedence") == "bulk" and _PASSED_ON_BY.search(mail.header("sender")[:_LOOKED_AT]):
        return "Its Sender passes on what is sent to a list."
    found = [name for name in _LIST_HEADERS if mail.headers.get(name)]
    # Customer databases add it to the mails of people, too.
    is_weak = found == [_UNSUBSCRIBE] and not (mail.headers.get("feedback-id") or _is_of_a_machine(mail, own))
    return f"It bears the header {found[0]}." if found and not is_weak else ""


def _is_our_list(mail: Mail, own: OwnAddress) -> bool:
    """Whether the list is our own address, as where a group of mailboxes passes on what people write to the desk."""
    posts, name = mail.header("list-post")[:_LOOKED_AT], mail.header("list-id")[:_LOOKED_AT].rpartition("<")[2]
    return any(f"<mailto:{one.lower()}>" in posts or name == f"{_dotted(one)}>" for one in own.all)


def _dotted(address: str) -> str:
    return address.lower().replace("@", ".")


def _is_of_a_machine(mail: Mail, _: OwnAddress) -> str:
    if "feedback-report" in mail.header("content-type"):
        return "It is a complaint about a mail (RFC 5965)."
    if mail.envelope_from == "":
        return "The sender of its envelope is empty."
    if (said := _automatic(mail)) not in ("", "no"):
        return f"Its header Auto-Submitted says {said[:40]} (RFC 3834)."
    if mail.header("precedence") in ("bulk", "junk"):
        return f"Its Precedence is {mail.header('precedence')}."
    local = _local(mail.sender.address)
    return f"{local[:40]} is nobody who reads mail." if _NOBODY.fullmatch(local) else ""


def _is_like_an_answer(mail: Mail, _: OwnAddress) -> str:
    return "Its subject is that of an automatic answer" if _AUTOMATIC_SUBJECT.match(_bare(mail.subject)) else ""


def _is_like_a_machine(mail: Mail, own: OwnAddress) -> str:
    local = _local(mail.sender.address)
    if _PERHAPS_DAEMONS.fullmatch(local):
        return f"It comes from {local[:40]}"
    if mail.headers.get("x-failed-recipients"):
        return "Its header X-Failed-Recipients names who got no mail"
    is_bulk = mail.headers.get(_UNSUBSCRIBE) and not _is_our_list(mail, own)
    return f"It bears the header {_UNSUBSCRIBE}" if is_bulk else ""


_QUESTIONS: tuple[tuple[Kind, Callable[[Mail, OwnAddress], str]], ...] = (
    (Kind.OWN, _is_ours),
    (Kind.BOUNCE, _is_a_bounce),
    (Kind.AUTO_REPLY, _is_an_answer),
    (Kind.LIST, _is_of_a_list),
    (Kind.MACHINE, _is_of_a_machine),
)
_SIGNS = ((Kind.AUTO_REPLY, _is_like_an_answer), (Kind.MACHINE, _is_like_a_machine))
"""What a person's mail may bear as well: none of these alone keeps a mail from being a ticket."""


def _automatic(mail: Mail) -> str:
    """The keyword of Auto-Submitted, without its parameters and comments."""
    words = mail.header("auto-submitted").replace(";", " ").replace("(", " ").split()
    return words[0] if words else ""


def _local(address: str) -> str:
    return address.rpartition("@")[0][:_LOOKED_AT].lower()


def _bare(subject: str) -> str:
    """A subject without the brackets before it."""
    return subject[:_LOOKED_AT].lstrip("[【(（ ")


# --- may it be answered -----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerBudget:
    """How many mails may be sent in a day because of mails that came in: to one address, to one domain, and in all to
    senders of whom nothing is proven."""

    per_sender: int = 10
    per_domain: int = 200
    in_all: int = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswersSent:
    """How many were sent in the last 24 hours; to a domain, those that are as well proven as the one in question."""

    to_sender: int = 0
    to_domain: int = 0
    in_all: int = 0


def may_answer(mail: Mail, nature: Nature, sent: AnswersSent, budget: AnswerBudget = AnswerBudget()) -> str:
    """Why a mail gets no answer, in a sentence; empty if it may be answered."""
    if nature.kind is not Kind.PERSON:
        return f"It gets no answer: {nature.why[0].lower()}{nature.why[1:]}"
    if not mail.sender.address:
        return "It gets no answer: it does not say who sent it."
    if not contact_of(mail.sender.address):
        return "It gets no answer: letters cannot go to its address."
    wishes = {word.strip() for word in mail.header("x-auto-response-suppress").split(",")}
    if wishes & _SUPPRESSED:
        return "It gets no answer: its sender wants none (X-Auto-Response-Suppress)."
    if sent.to_sender >= budget.per_sender:
        count = f"{sent.to_sender} were sent to this address in 24 hours"
        return f"It gets no answer: {count}, and {budget.per_sender} are allowed."
    return used_up(sent, budget)


def used_up(sent: AnswersSent, budget: AnswerBudget) -> str:
    """Why nobody there is answered any more, whoever writes; empty if they are."""
    if sent.in_all >= budget.in_all:
        return f"It gets no answer: {sent.in_all} were sent in 24 hours, and {budget.in_all} are allowed."
    if sent.to_domain >= budget.per_domain:
        count = f"{sent.to_domain} were sent to its domain in 24 hours"
        return f"It gets no answer: {count}, and {budget.per_domain} are allowed."
    return ""
