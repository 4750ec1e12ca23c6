"""Whether a mail is really from whom it says: only what our own mail server has found counts.

Authentication-Results (RFC 8601) can be written by anybody; the topmost are those of the last server, and whatever
stands below them came with the mail. DMARC (RFC 7489), SPF (RFC 7208) and DKIM (RFC 6376), aligned by RFC 7489, 3.1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from responder.domain.mail import Mail

_LONGEST = 8000
_MOST_RESULTS = 50
_RESULT = re.compile(r"([a-z][a-z0-9-]{0,30})(?:/\d{1,3})?=([a-z]{1,20})")
_PROPERTY = re.compile(r"([a-z]{1,20}\.[a-z][a-z0-9_-]{0,30})=(\S{1,320})")
_REFUTED = ("fail", "permerror")


@dataclass(frozen=True, kw_only=True, slots=True)
class TrustedPath:
    """Whose findings count: the names that our mail servers put into Authentication-Results (the authserv-id).

    `stamps` is how many of these headers the last server adds to every mail; a sender could add more.
    """

    servers: tuple[str, ...] = ()
    stamps: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Authentication:
    """What is proven of a mail's sender. Without findings it is neither authentic nor refuted."""

    why: str
    is_authentic: bool = False
    is_refuted: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownSender:
    """The person behind a mail, empty if nobody known or nobody proven, and why."""

    person: str
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Finding:
    method: str
    result: str
    properties: Mapping[str, str] = field(default_factory=dict)


def known_sender(mail: Mail, people: Mapping[str, str], trusted: TrustedPath) -> KnownSender:
    """Which person sent a mail. `people` gives the person of each mail address that is known."""
    by_address = {address.casefold(): person for address, person in people.items()}
    person = by_address.get(mail.sender.address.casefold(), "")
    if not person:
        return KnownSender(person="", why="Nobody known has the sender's address.")
    found = authentication(mail, trusted)
    return KnownSender(person=person if found.is_authentic else "", why=found.why)


def authentication(mail: Mail, trusted: TrustedPath) -> Authentication:
    """What our mail servers have found out about the sender of a mail."""
    if odd := _odd_sender(mail):
        return Authentication(why=odd)
    findings = _findings(mail, trusted)
    if not findings:
        return Authentication(why="No mail server of ours says where it came from.")
    domain = mail.sender.domain.casefold()
    if said := _by_dmarc([one for one in findings if one.method == "dmarc"], domain):
        return said
    for one in findings:
        if one.method != "dmarc" and _proves(one, domain):
            return Authentication(why=f"It is from {domain[:100]}: {one.method} passed.", is_authentic=True)
    return Authentication(why=f"Nothing proves that it is from {domain[:100]}.")


def _by_dmarc(results: Sequence[_Finding], domain: str) -> Authentication | None:
    if any(one.result in _REFUTED for one in results):
        return Authentication(why=f"It is not from {domain[:100]}: dmarc failed.", is_refuted=True)
    if len({one.result for one in results}) > 1:
        return Authentication(why="Our mail servers say different things of where it came from, so nothing is proven.")
    if any(_proves(one, domain) for one in results):
        return Authentication(why=f"It is from {domain[:100]}: dmarc passed.", is_authentic=True)
    return None


def _odd_sender(mail: Mail) -> str:
    """Programs show different ones of several senders, so that none of them is believed (RFC 7489, 6.6.1)."""
    given = mail.headers.get("from", ())
    if len(given) != 1:
        return f"It has {len(given)} headers From, so nobody is believed to be its sender."
    plain = _plain(given[0]).text
    address = mail.sender.address
    is_one = plain.count("@") == 1 and plain.count("<") == plain.count(">") <= 1
    found = plain[plain.find("<") + 1 : plain.find(">")] if "<" in plain else plain
    is_same = found.strip().casefold() == address.casefold()
    is_plain = bool(address) and address.isascii() and address.isprintable() and " " not in address
    return "" if is_one and is_same and is_plain else "Its From does not name exactly one sender."


def _findings(mail: Mail, trusted: TrustedPath) -> list[_Finding]:
    """What the topmost headers say, as long as each is of a server of ours."""
    servers = {name.casefold() for name in trusted.servers}
    found: list[_Finding] = []
    for value in mail.headers.get("authentication-results", ())[: max(trusted.stamps, 0)]:
        plain = _plain(value)
        parts = plain.text.lower().split(";")
        words = parts[0].split()
        if not words or words[0] not in servers or len(value) > _LONGEST:
            break
        said = [finding for part in parts[1 : _MOST_RESULTS + 1] if (finding := _finding(part))]
        # A quoted local part in a comment may hold a parenthesis, and so end what is the server's own.
        found += [one for one in said if not plain.quotes_in_comments or one.result in _REFUTED]
    return found


def _finding(text: str) -> _Finding | None:
    words = text.split()
    method = _RESULT.fullmatch(words[0]) if words else None
    if not method:
        return None
    named = [found for word in words[1:] if (found := _PROPERTY.fullmatch(word))]
    names = [found[1] for found in named]
    if len(set(names)) != len(names):
        return None
    return _Finding(method=method[1], result=method[2], properties={found[1]: found[2] for found in named})


def _proves(finding: _Finding, domain: str) -> bool:
    """Whether it passed, for the domain in From or one above it."""
    if finding.result != "pass" or not domain:
        return False
    named = finding.properties
    if finding.method == "dmarc":
        return named.get("header.from", domain) == domain
    if finding.method == "dkim":
        return _is_aligned(named.get("header.d") or named.get("header.i", ""), domain)
    return finding.method == "spf" and _is_aligned(named.get("smtp.mailfrom", ""), domain)


def _is_aligned(named: str, domain: str) -> bool:
    """A domain may speak for those below it. The reverse would believe whoever is given a name below a shared one."""
    given = named.rpartition("@")[2].rstrip(".")
    return "." in given and (domain == given or domain.endswith(f".{given}"))


@dataclass(frozen=True, slots=True)
class _Plain:
    text: str
    quotes_in_comments: bool


def _plain(value: str) -> _Plain:
    """A header without its comments (RFC 5322, 3.2.2), with a blank for each quoted string; one pass."""
    kept: list[str] = []
    depth, is_quoted, is_escaped, quotes_in_comments = 0, False, False, False
    for letter in value[:_LONGEST]:
        if is_escaped:
            is_escaped = False
        elif letter == "\\":
            is_escaped = True
        elif is_quoted:
            is_quoted = letter != '"'
        elif letter == '"' and depth:
            quotes_in_comments = True
        elif letter == '"':
            is_quoted = True
            kept.append(" ")
        elif letter in "()":
            depth = max(depth + (1 if letter == "(" else -1), 0)
        elif not depth:
            kept.append(letter)
    return _Plain("".join(kept), quotes_in_comments)
