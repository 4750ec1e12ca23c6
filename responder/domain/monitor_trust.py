"""As whom a monitoring mail speaks: it may clear only what a mail of the same sender began, and as well proven.

Anybody can write anything into From. A forged problem is one ticket too many; a forged recovery would make people look
away from an outage that goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

from responder.domain.mail_trust import Authentication
from responder.domain.report import Report, Signal

_LISTED = "the senders named in the settings"


@dataclass(frozen=True, kw_only=True, slots=True)
class Voice:
    """What the mails of one sender begin and end: fingerprints, which are part of an alert's name (see Report.alert).

    With an `objection` it is no alert at all, and the sentence says why.
    """

    begins: str = ""
    ends: tuple[str, ...] = ()
    objection: str = ""
    proven: str = ""
    """What a proven mail of this sender begins."""


def voice_of(sender: str, found: Authentication, *, wants_proof: bool, listed: Sequence[str]) -> Voice:
    """As whom a mail with this From speaks. `listed` are addresses, or domains with a leading @, that speak for each
    other; `wants_proof` is whether mails without a proven sender count for nothing."""
    name = _LISTED if is_listed(sender, listed) else sender.casefold()
    proven, plain = _mark(f"proven {name}"), _mark(name)
    if found.is_refuted or (wants_proof and not found.is_authentic):
        return Voice(objection=found.why, proven=proven)
    if found.is_authentic:
        return Voice(begins=proven, ends=(proven, plain), proven=proven)
    # What a proven mail began no other can end, or proofs would be good for nothing.
    return Voice(begins=plain, ends=(plain,), proven=proven)


def spoken_by(voice: Voice, report: Report) -> tuple[Report, ...]:
    """A report of a mail as one of its sender; a recovery is one of all that the sender may have begun."""
    names = voice.ends if report.signal is Signal.CLEARED else (voice.begins,)
    return tuple(replace(report, fingerprint=name) for name in names)


def unheard(voice: Voice, report: Report, firing: Sequence[str]) -> str:
    """Why a recovery clears nothing of what fires, in a sentence; empty if it does, or if that alert does not fire."""
    alike = {alert for alert in firing if alert.startswith(f"{report.identity}:")}
    mine = {one.alert for one in spoken_by(voice, report)}
    if report.signal is not Signal.CLEARED or not alike or alike & mine:
        return ""
    if voice.objection:
        return voice.objection
    if replace(report, fingerprint=voice.proven).alert in alike:
        return "The mail that began it came from a proven sender, and nothing proves this one."
    return "It comes from another sender than what began it."


def is_listed(sender: str, listed: Sequence[str]) -> bool:
    """Whether the settings name a sender as one of those that speak for each other."""
    address = sender.casefold()
    domain = f"@{address.rpartition('@')[2]}"
    return bool(address) and any(one.casefold() in (address, domain) for one in listed)


def _mark(name: str) -> str:
    """Short, and no address: it stays with the ticket when contacts are erased."""
    return f"mail-{blake2b(name.encode('utf-8', 'surrogatepass'), digest_size=8).hexdigest()}"
