"""Messages to people, through apprise: one recipient and one channel per send."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

import apprise

from responder.adapters.overheard import listen_to, overheard, verdict
from responder.errors import ChannelBusy, SendFailed, SendRefused

# Schemes that act on this machine (open windows, run scripts, write logs) are no way to reach a person.
LOCAL_SCHEMES = frozenset({"dbus", "glib", "gnome", "kde", "macosx", "qt", "syslog", "windows", "schan", "apprise"})

SHORT_SCHEMES = frozenset(
    {
        "46elks", "aprs", "atalk", "bulksms", "bulkvs", "burstsms", "clickatell", "clicksend", "d7sms", "dapnet",
        "elks", "freemobile", "httpsms", "kavenegar", "msg91", "msgbird", "nexmo", "octopush", "plivo",
        "serwersms", "seven", "sfr", "sinch", "smpp", "smpps", "smsc", "smseagle", "smseagles", "smsmanager",
        "smsmgr", "smstunnel", "sns", "threema", "twilio", "voipms", "vonage",
    }
)  # fmt: skip
"""What arrives as a text message, of which 160 characters are one."""
MOST_PROVIDERS = 64


@dataclass(frozen=True)
class Secret:
    """A value that never shows itself."""

    value: str

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__


def scheme_of(address: str) -> str:
    """The scheme of an apprise URL, in lower case."""
    found = re.match(r"\s*([a-zA-Z0-9+.-]+)://", address)
    return found.group(1).lower() if found else ""


def objection_to(address: str) -> str:
    """Why apprise cannot send to this address, as a sentence without the address; empty if it can."""
    scheme = scheme_of(address)
    if not scheme:
        return "the address has no scheme, such as ntfys:// or mailtos://"
    if scheme in LOCAL_SCHEMES:
        return f"{scheme}:// acts on this machine only and reaches nobody"
    if not _is_known(scheme):
        return f"apprise knows no channel {scheme}://"
    if apprise.Apprise.instantiate(address, suppress_exceptions=True) is None:
        return f"apprise does not understand the rest of this {scheme}:// address"
    return ""


# --- loading only what is used -----------------------------------------------------------------------
#
# apprise loads all of its 180 channels with the first address: more than half a second, and 30 MB. Here the module of
# a channel is found by what its source says of its schemes; if that finds none, apprise loads all.

_loading = Lock()
_SAYS_SCHEMES = re.compile(r"^    (?:secure_)?protocol = (\([^)]*\)|\"[^\"]+\")", re.MULTILINE)


def _is_known(scheme: str) -> bool:
    with _loading:
        manager = _channels()
        if scheme not in manager and not _load_one(manager, scheme):
            manager.unload_modules()
            manager.load_modules()
        return scheme in manager


@cache
def _channels() -> Any:
    manager = apprise.NotificationManager()  # type: ignore[no-untyped-call]
    with TemporaryDirectory() as nothing:
        # A folder without channels: from now on the manager takes itself for loaded.
        manager.load_modules(path=nothing)  # type: ignore[no-untyped-call]
    return manager


def _load_one(manager: Any, scheme: str) -> bool:
    name = _modules().get(scheme)
    if name is None:
        return False
    module = import_module(f"apprise.plugins.{name}")
    plugins: list[Any] = [value for key, value in vars(module).items() if key.startswith("Notify")]
    return any(scheme in one.schemas(one) and manager.add(one) for one in plugins if hasattr(one, "app_id"))


@cache
def _modules() -> dict[str, str]:
    """Which module of apprise says that it serves a scheme."""
    folder = Path(apprise.__file__).parent / "plugins"
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder).parts[0].removesuffix(".py")
        for schemes in _SAYS_SCHEMES.findall(path.read_text(encoding="utf-8")):
            found |= dict.fromkeys(re.findall(r"\"([a-z0-9]+)\"", schemes), name)
    return found


class Notifier:
    """Sends on threads of its own, so that a channel that hangs delays nobody else.

    Each provider (a scheme with its host) has a few threads; when all of them hang, only that provider waits. Of more
    than `most_providers` at once those of one scheme share theirs.
    """

    def __init__(
        self,
        *,
        timeout: timedelta = timedelta(seconds=30),
        threads_per_provider: int = 4,
        most_providers: int = MOST_PROVIDERS,
    ) -> None:
        self._timeout = timeout
        self._threads = threads_per_provider
        self._most = most_providers
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._in_flight: Counter[str] = Counter()

    async def send(self, address: Secret, subject: str, body: str) -> None:
        """Returns when the channel has taken the message. Raises SendFailed or SendRefused."""
        scheme, provider = scheme_of(address.value), provider_of(address.value)
        provider = self._with_threads(provider, scheme)
        if self._in_flight[provider] >= 2 * self._threads:
            raise ChannelBusy(f"{scheme} is still busy with earlier messages.")
        self._in_flight[provider] += 1
        sending = asyncio.wrap_future(self._start(provider, address, subject, body))
        try:
            await asyncio.wait_for(sending, self._timeout.total_seconds())
        except TimeoutError as error:
            raise SendFailed(f"{scheme} gave no answer within {self._timeout.total_seconds():.0f} s.") from error

    def _with_threads(self, provider: str, scheme: str) -> str:
        """Whose threads are to be used: the provider's own, or those that its scheme shares if there are too many."""
        # Where the reader is the host, as in ntfy://TOPIC, each of them would be a provider: idle ones make room.
        if provider not in self._pools and len(self._pools) >= self._most:
            idle = next((one for one in self._pools if self._in_flight[one] <= 0), None)
            if idle is None:
                provider = f"{scheme}://"
            else:
                self._pools.pop(idle).shutdown(wait=False)
                del self._in_flight[idle]
        pool = self._pools.pop(provider) if provider in self._pools else None
        # The one in use stands last, so that the longest unused makes room first.
        self._pools[provider] = pool or ThreadPoolExecutor(self._threads, f"notify-{scheme}")
        return provider

    def _start(self, provider: str, address: Secret, subject: str, body: str) -> Future[None]:
        # Counted by the thread's end, not by our patience: a send that hangs still holds its thread.
        started = self._pools[provider].submit(_send, address, subject, body)
        started.add_done_callback(lambda _: self._in_flight.subtract([provider]))
        return started

    def close(self) -> None:
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)


def provider_of(address: str) -> str:
    """Who carries the messages of an address: its scheme and host, without user and path."""
    rest = address.partition("://")[2]
    host = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    return f"{scheme_of(address)}://{host.lower()}"


def _send(address: Secret, subject: str, body: str) -> None:
    # Without a limit of its own apprise sends on this thread. With one it sends on a small pool of its own that all
    # channels share, so that a few that hang would hold up all others.
    channel = apprise.Apprise(asset=apprise.AppriseAsset(service_timeout=0))
    scheme = scheme_of(address.value)
    if not _is_known(scheme) or not channel.add(address.value):
        raise SendRefused(f"apprise does not understand the {scheme} address.")
    with overheard() as lines:
        # One recipient, one channel: the result is that of this one send, never a partial one.
        taken = bool(channel.notify(title=subject, body=body, body_format=apprise.NotifyFormat.TEXT))
    if taken:
        return
    answer, is_final = verdict(lines)
    why = f"{scheme} did not take the message{f': {answer}' if answer else ''}."
    raise SendRefused(why) if is_final else SendFailed(why)


listen_to("apprise")
