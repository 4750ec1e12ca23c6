"""The way to people who report: one apprise URL with a place for each reporter's own address."""

from __future__ import annotations

from responder.adapters.notifier import objection_to

CONTACT = "{contact}"
_TRIED = ("a%40example.org", "%2B4915112345678")


def objection_to_reporters(url: str) -> str:
    """Why this URL leads to no reporter, as a sentence without the URL; empty if it does."""
    if CONTACT not in url:
        return f"the address has no {CONTACT}: the place where the reporter's own address goes"
    objections = [objection_to(url.replace(CONTACT, contact)) for contact in _TRIED]
    return "" if "" in objections else objections[0]
