"""A real host for steps: an sshd of our own, reached as a run reaches it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from responder.adapters.ssh import SshHosts
from tests.firstaid.real_host import RealHost
from tests.servers.sshd import Sshd


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """Its sessions keep markers in a folder of the test's own, and look for programs in `tools` first."""
    running = Sshd(tmp_path_factory.mktemp("sshd"), key_types=("ed25519",), more="PermitUserEnvironment yes")
    (running.directory / "tools").mkdir()
    search = f"{running.directory}/tools:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    options = f'environment="RESPONDER_STATE={running.directory}/state",environment="PATH={search}"'
    keys = running.directory / "authorized_keys"
    keys.write_text(f"{options} {keys.read_text()}")
    with running:
        yield running


@pytest.fixture
async def real(sshd: Sshd) -> AsyncIterator[RealHost]:
    hosts = SshHosts()
    yield RealHost(target=sshd.target(), hosts=hosts, directory=sshd.directory)
    await hosts.close()
