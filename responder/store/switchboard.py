"""Small shared facts: heartbeats of sources, switches, and API tokens."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select, text, update
from sqlalchemy.engine import Connection

from responder.clock import microseconds
from responder.domain.heartbeat import Heartbeat
from responder.domain.switches import Switch
from responder.domain.topics import ACCOUNTS
from responder.store.changes import touch
from responder.store.tables import Instant, heartbeats, switches, tokens

_BEAT = text(
    "INSERT INTO heartbeats (source, name, last_at, watched_since) VALUES (:source, :name, :at, :at) "
    "ON CONFLICT (source, name) DO UPDATE SET last_at = excluded.last_at, "
    "watched_since = CASE WHEN heartbeats.watched_since > excluded.last_at "
    "THEN excluded.last_at ELSE heartbeats.watched_since END, "
    "silent_since = CASE WHEN heartbeats.silent_since > excluded.last_at "
    "THEN excluded.last_at ELSE heartbeats.silent_since END"
)
"""A beat is heard, so that neither the watch nor the silence that it ends can have begun later."""


_EXPECT = text(
    "INSERT INTO heartbeats (source, name, watched_since) VALUES (:source, :name, :at) ON CONFLICT DO NOTHING"
)

_IS_ON = switches.c.until.is_(None) | (switches.c.until > bindparam("now", type_=Instant))
_ON = select(switches).where(_IS_ON).order_by(switches.c.name)


SCOPES = ("ingest", "read", "act", "admin")
"""What a token is good for; each includes those before it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """An API token; only its digest is kept."""

    name: str
    digest: str
    scope: str
    created_at: datetime
    expires_at: datetime | None = None


class Switchboard:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # --- heartbeats ----------------------------------------------------------------------------------

    def beat(self, beats: Mapping[tuple[str, str], datetime]) -> None:
        rows = [{"source": key[0], "name": key[1], "at": microseconds(at)} for key, at in sorted(beats.items())]
        if rows:
            self._connection.execute(_BEAT, rows)

    def expect_beats(self, keys: Collection[tuple[str, str]], since: datetime) -> None:
        """Begins to watch sources that have sent nothing yet: their silence counts from now on."""
        for source, name in sorted(keys):
            self._connection.execute(_EXPECT, {"source": source, "name": name, "at": microseconds(since)})

    def listen_anew(self, since: datetime) -> None:
        """Nobody was there to hear them before: silence counts from now on, but for those that are silent already."""
        not_silent = heartbeats.c.silent_since.is_(None)
        self._connection.execute(update(heartbeats).where(not_silent).values(watched_since=since))
        touch(self._connection, "health")

    def forget_beat(self, source: str, name: str) -> None:
        here = (heartbeats.c.source == source) & (heartbeats.c.name == name)
        self._connection.execute(delete(heartbeats).where(here))
        touch(self._connection, "health")

    def heartbeats(self) -> list[Heartbeat]:
        query = select(heartbeats).order_by(heartbeats.c.source, heartbeats.c.name)
        return [Heartbeat(**row._mapping) for row in self._connection.execute(query)]

    def keep_beat(self, beat: Heartbeat) -> None:
        """Writes the times of a heartbeat anew."""
        here = (heartbeats.c.source == beat.source) & (heartbeats.c.name == beat.name)
        times = {"last_at": beat.last_at, "watched_since": beat.watched_since, "silent_since": beat.silent_since}
        self._connection.execute(update(heartbeats).where(here).values(times))
        touch(self._connection, "health")

    def mark_silent(self, source: str, name: str, since: datetime | None) -> None:
        here = (heartbeats.c.source == source) & (heartbeats.c.name == name)
        self._connection.execute(update(heartbeats).where(here).values(silent_since=since))
        touch(self._connection, "health")

    # --- switches ------------------------------------------------------------------------------------

    def switches(self, now: datetime) -> list[Switch]:
        """All switches that are on; one whose time is over is off."""
        return [Switch(**row._mapping) for row in self._connection.execute(_ON, {"now": now})]

    def turn_on(self, switch: Switch) -> None:
        """Turns a switch on, in place of what was there under its name."""
        self.turn_off(switch.name)
        self._connection.execute(
            insert(switches).values(
                name=switch.name, reason=switch.reason, actor=switch.actor, at=switch.at, until=switch.until
            )
        )

    def turn_off(self, name: str) -> bool:
        """Turns a switch off; False if there was none."""
        touch(self._connection, "switches")
        return self._connection.execute(delete(switches).where(switches.c.name == name)).rowcount == 1

    # --- tokens --------------------------------------------------------------------------------------

    def add_token(self, token: Token) -> None:
        self._connection.execute(
            insert(tokens).values(
                name=token.name,
                digest=token.digest,
                scope=token.scope,
                created_at=token.created_at,
                expires_at=token.expires_at,
            )
        )

    def token(self, digest: str) -> Token | None:
        row = self._connection.execute(select(tokens).where(tokens.c.digest == digest)).first()
        return Token(**row._mapping) if row else None

    def tokens(self) -> list[Token]:
        return [Token(**row._mapping) for row in self._connection.execute(select(tokens).order_by(tokens.c.name))]

    def remove_token(self, name: str) -> bool:
        touch(self._connection, ACCOUNTS)
        return self._connection.execute(delete(tokens).where(tokens.c.name == name)).rowcount == 1
