"""A report is what the outside tells us: one alert, one mail, one form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b


class Signal(StrEnum):
    """Does the trouble still show?"""

    FIRING = "firing"
    CLEARED = "cleared"
    SILENCED = "silenced"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """One fact about one trouble, as it came in; all times are aware and UTC."""

    source: str
    signal: Signal
    labels: Mapping[str, str]
    started_at: datetime
    ended_at: datetime | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)
    fingerprint: str = ""
    links: Mapping[str, str] = field(default_factory=dict)
    receipt: str = ""
    incomplete: bool = False
    identity: str = field(init=False, compare=False, repr=False, default="")

    def __post_init__(self) -> None:
        # Asked for several times on the way, so it is worked out once.
        object.__setattr__(self, "identity", identity(self.labels))

    @property
    def name(self) -> str:
        return self.labels.get("alertname", "")

    @property
    def alert(self) -> str:
        """Which alert this is among those of one trouble. The sender's fingerprint is part of it, so that two
        alerts whose labels were cut to the same are both waited for before the all-clear."""
        return f"{self.identity}:{self.fingerprint}"


def identity(labels: Mapping[str, str], only: Iterable[str] | None = None) -> str:
    """The same text for the same labels, whoever sends them.

    The sender's own fingerprint is not used for this: foreign senders leave it out, and some give one
    fingerprint to different alerts. Two alerts are one trouble exactly when their label sets are equal.
    """
    names = sorted(labels if only is None else only)
    # The byte 255 is in no UTF-8 text, so no label set can look like another one.
    parts = [part.encode("utf-8", "surrogatepass") for name in names for part in (name, labels.get(name, ""))]
    return blake2b(b"\xff".join(parts), digest_size=12).hexdigest()


def prometheus_fingerprint(labels: Mapping[str, str]) -> str:
    """The fingerprint Prometheus gives a label set: FNV-1a, 64 bit, over sorted names and values,
    each followed by the byte 255 (prometheus/common, model/signature.go)."""
    value = 0xCBF29CE484222325
    for name in sorted(labels):
        for part in (name, labels[name]):
            for byte in part.encode("utf-8", "surrogatepass") + b"\xff":
                value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"
