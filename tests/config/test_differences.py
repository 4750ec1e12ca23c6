"""What is other in one configuration than in another: nothing where nothing is, and never a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from responder.config.differences import differences
from tests.config.test_configuration import FILES, Folder
from tests.config.test_mail import MAIL

OIDC = """\
sign_in:
  oidc:
    issuer: https://id.example.org
    client_id: responder
    client_secret_file: oidc.secret
    roles: {responder: [ops]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    made.write("mail.password", "mail-password\n")
    made.write("oidc.secret", "oidc-client-secret\n")
    made.write("responder.yml", FILES["responder.yml"].rstrip("\n") + "\n" + MAIL + OIDC)
    return made


def test_files_that_are_read_twice_say_the_same(folder: Folder) -> None:
    before = folder.read()
    assert before.mail is not None
    assert before.oidc is not None
    assert differences(before, folder.read()) == []


def test_a_changed_password_is_named_and_neither_is_told(folder: Folder) -> None:
    before = folder.read()
    folder.write("mail.password", "another-password\n")
    folder.write("oidc.secret", "another-client-secret\n")
    found = differences(before, folder.read())
    assert [(one.part, one.name, one.what) for one in found] == [
        ("secrets", "mail", "changed"),
        ("secrets", "oidc", "changed"),
    ]
    assert "password" not in repr(found)


def test_the_digest_of_every_file_is_known(folder: Folder) -> None:
    files = folder.read().files
    assert set(files) == {"responder.yml", "policy.yml", "inventory.yml", "people.yml"}
    assert {len(one) for one in files.values()} == {12}
