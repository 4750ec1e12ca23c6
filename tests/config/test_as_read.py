"""What tests get in place of a configuration that is read is the same as one that is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from responder.config.configuration import read
from responder.errors import ConfigError
from tests.configurations import as_read
from tests.world import MAIN, POLICY, write_files

MAIL = 'mail: {address: help@desk.test, listener: {listen: "127.0.0.1:2424"}}\n'
URLS = "reporters: {url_file: reporters-url}\ndead_man: {url_file: dead-man-url}\n"
OIDC = """
sign_in:
  oidc: {issuer: "https://id.test", client_id: us, client_secret_file: secret.key, label: Us, otherwise: viewer}
"""
FOLDERS = ("folder-one", "folder-two")


def written(folder: Path, **changed: str) -> Path:
    folder.mkdir()
    (folder / "reporters-url").write_text("json://gateway.test/send/{contact}\n")
    (folder / "dead-man-url").write_text("https://gateway.test/alive\n")
    return write_files(folder, **changed)


@pytest.mark.parametrize("more", ["", MAIL, URLS, OIDC, MAIL + URLS + OIDC])
def test_files_that_say_the_same_are_the_same_configuration_at_their_own_place(tmp_path: Path, more: str) -> None:
    first, second = (written(tmp_path / name, main=MAIN + more) for name in FOLDERS)
    assert as_read(first) == read(first) != read(second) == as_read(second)
    assert as_read(second).targets[0].key_file == tmp_path / "folder-two" / "key"


def test_nobody_shares_a_configuration_with_another(tmp_path: Path) -> None:
    paths = [written(tmp_path / name) for name in FOLDERS]
    one, other = (as_read(path) for path in paths)
    assert one.policy is not other.policy
    assert one.settings is not other.settings


def test_what_is_changed_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "folder-one")
    assert "restart it" in {rule.name for rule in as_read(path).policy.first_aid}
    (path.parent / "policy.yml").write_text(POLICY.replace("restart it", "leave it"))
    assert "leave it" in {rule.name for rule in as_read(path).policy.first_aid}
    (path.parent / "secret.key").write_text("another secret, which is long enough to sign with")
    assert as_read(path).secret == read(path).secret
    (path.parent / "people.yml").write_text("people: [")
    with pytest.raises(ConfigError):
        as_read(path)
