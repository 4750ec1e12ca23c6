"""Links into the console, some of them signed so that they may act after a confirmation."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from itsdangerous import BadSignature, SignatureExpired, Signer, URLSafeSerializer, URLSafeTimedSerializer

from responder.adapters.notifier import Secret
from responder.adapters.oidc_client import Attempt
from responder.domain.masking import MASK
from responder.errors import Refused

VALID_FOR = timedelta(days=3)
REPORTER_VALID_FOR = timedelta(days=400)
"""As long as a report may stay open and its reporter be known; erasing the contact ends the link before."""

CALENDAR_VALID_FOR = timedelta(days=3650)
"""Programs subscribe once. Another secret of the service ends all of them."""

_SIGNED = r"(?:ack|approve|drill|report|calendars|heartbeat)"
_TOKEN = re.compile(rf"(?i)(?:/|%2f){_SIGNED}(?:/|%2f)\.?[\w-]{{1,400}}\.[\w-]{{4,20}}\.[\w-]{{16,60}}")
"""Wherever it leads: what rewrites links in mails leaves the token as it is."""


@dataclass(frozen=True, kw_only=True)
class AckClaim:
    """What a signed acknowledge link says: who, which ticket, and in which of its episodes."""

    ticket_id: int
    episode: int
    person: str


@dataclass(frozen=True, kw_only=True)
class ApprovalClaim:
    """What a signed approval link says: who may answer which question with it."""

    approval_id: int
    person: str


@dataclass(frozen=True, kw_only=True)
class ReporterClaim:
    """What a signed link for a reporter says: whose report it shows and may be answered with it."""

    ticket_id: int


@dataclass(frozen=True, kw_only=True)
class CalendarClaim:
    """What a signed link to a calendar says: the shifts of a rota, or those of a person."""

    rota: str = ""
    person: str = ""


@dataclass(frozen=True, kw_only=True)
class DrillClaim:
    """What a signed link of a drill says: who may confirm which drill with it."""

    drill_id: int
    person: str


class Links:
    def __init__(self, base_url: str, secret: Secret) -> None:
        self._base_url = base_url
        self._signer = URLSafeTimedSerializer(secret.value, salt="acknowledge")
        self._approval_signer = URLSafeTimedSerializer(secret.value, salt="approve")
        self._drill_signer = URLSafeTimedSerializer(secret.value, salt="drill")
        self._reporter_signer = URLSafeTimedSerializer(secret.value, salt="reporter")
        self._calendar_signer = URLSafeTimedSerializer(secret.value, salt="calendar")
        self._feedback_signer = URLSafeSerializer(secret.value, salt="feedback")
        self._attempt_signer = URLSafeSerializer(secret.value, salt="sign-in")
        self._heartbeat_signer = Signer(secret.value, salt="heartbeat", digest_method=hashlib.sha256)
        self._own = re.compile(rf"(?i){re.escape(base_url)}/{_SIGNED}/[^\s<>\"']+")

    def masked(self, text: str) -> str:
        """The text without our signed links."""
        return _TOKEN.sub(MASK, self._own.sub(MASK, text))

    def console(self) -> str:
        return f"{self._base_url}/"

    def ticket(self, number: str) -> str:
        return f"{self._base_url}/tickets/{number}"

    def acknowledge(self, claim: AckClaim) -> str:
        """Opens a page that asks for confirmation; the link itself changes nothing, since scanners follow links."""
        token = self._signer.dumps([claim.ticket_id, claim.episode, claim.person])
        return f"{self._base_url}/ack/{token}"

    def approve(self, claim: ApprovalClaim) -> str:
        """Opens a page that shows what is asked; the answer is given there, not by following the link."""
        return f"{self._base_url}/approve/{self._approval_signer.dumps([claim.approval_id, claim.person])}"

    def drill(self, claim: DrillClaim) -> str:
        """Opens a page that asks for confirmation; the link itself changes nothing."""
        return f"{self._base_url}/drill/{self._drill_signer.dumps([claim.drill_id, claim.person])}"

    def report(self, claim: ReporterClaim) -> str:
        """Opens the reporter's own page; what is answered there is sent by its forms only."""
        return f"{self._base_url}/report/{self._reporter_signer.dumps([claim.ticket_id])}"

    def calendar(self, claim: CalendarClaim) -> str:
        """A feed for calendar programs, which cannot sign in; it shows shifts and changes nothing."""
        return f"{self._base_url}/calendars/{self._calendar_signer.dumps([claim.rota, claim.person])}.ics"

    def read_calendar(self, token: str) -> CalendarClaim:
        """What a token claims. Raises Refused when it is not ours or too old."""
        rota, person = _claimed(self._calendar_signer, token, 2, CALENDAR_VALID_FOR)
        return CalendarClaim(rota=str(rota), person=str(person))

    def heartbeat(self, name: str, number: int) -> str:
        """Where a cron job says that it has ended well; valid until its number or our secret changes."""
        return f"{self._base_url}/heartbeat/{name}/{self.heartbeat_key(name, number)}"

    def heartbeat_key(self, name: str, number: int) -> str:
        """What only those know who were given the address."""
        return self._heartbeat_signer.get_signature(f"{name}/{number}").decode()

    def read_acknowledge(self, token: str) -> AckClaim:
        """What a token claims. Raises Refused when it is not ours or too old."""
        ticket_id, episode, person = _claimed(self._signer, token, 3)
        return AckClaim(ticket_id=int(ticket_id), episode=int(episode), person=str(person))

    def read_approve(self, token: str) -> ApprovalClaim:
        """What a token claims. Raises Refused when it is not ours or too old."""
        approval_id, person = _claimed(self._approval_signer, token, 2)
        return ApprovalClaim(approval_id=int(approval_id), person=str(person))

    def read_drill(self, token: str) -> DrillClaim:
        """What a token claims. Raises Refused when it is not ours or too old."""
        drill_id, person = _claimed(self._drill_signer, token, 2)
        return DrillClaim(drill_id=int(drill_id), person=str(person))

    def read_report(self, token: str) -> ReporterClaim:
        """What a token claims. Raises Refused when it is not ours or too old."""
        (ticket_id,) = _claimed(self._reporter_signer, token, 1, REPORTER_VALID_FOR)
        return ReporterClaim(ticket_id=int(ticket_id))

    def feedback_stamp(self, key: str, at: int) -> str:
        """What a feedback form carries: its one-time key, and when it was made (microseconds since 1970)."""
        return str(self._feedback_signer.dumps([key, at]))

    def read_feedback_stamp(self, stamp: str) -> tuple[str, int]:
        """Key and instant of a form. Raises Refused when it is not ours."""
        try:
            key, at = self._feedback_signer.loads(stamp)
            return str(key), int(at)
        except (BadSignature, ValueError, TypeError) as error:
            raise Refused("This form was not made here, or it was changed on its way.") from error

    def sign_in_stamp(self, attempt: Attempt, onward: str, at: int) -> str:
        """What a browser keeps while somebody signs in elsewhere, where to go then, and when that began (seconds)."""
        return str(self._attempt_signer.dumps([attempt.state, attempt.nonce, attempt.verifier, onward, at]))

    def read_sign_in_stamp(self, stamp: str) -> tuple[Attempt, str, int]:
        """Attempt, way onward and instant of a stamp. Raises Refused when it is not ours."""
        try:
            state, nonce, verifier, onward, at = self._attempt_signer.loads(stamp)
            return Attempt(state=str(state), nonce=str(nonce), verifier=str(verifier)), str(onward), int(at)
        except (BadSignature, ValueError, TypeError) as error:
            raise Refused("This sign-in was not begun here, or it was changed on its way.") from error


def _claimed(signer: URLSafeTimedSerializer, token: str, parts: int, valid_for: timedelta = VALID_FOR) -> list[Any]:
    try:
        claimed = signer.loads(token, max_age=int(valid_for.total_seconds()))
    except SignatureExpired as error:
        raise Refused(f"This link is older than {valid_for.days} days and no longer acts.") from error
    except (BadSignature, ValueError, TypeError) as error:
        raise Refused("This link was not made here, or it was changed on its way.") from error
    if not isinstance(claimed, list) or len(claimed) != parts:
        raise Refused("This link was not made here, or it was changed on its way.")
    return claimed
