"""`sign_in: oidc:` in responder.yml: what it becomes, and which mistakes are found where."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from responder.adapters.oidc_client import Client
from responder.config.oidc import OidcSetup
from responder.domain.access import Role
from tests.config.test_configuration import FILES, Folder

SIGN_IN = """\
sign_in:
  oidc:
    issuer: https://id.example/realms/ops
    client_id: responder
    client_secret_file: oidc.secret
    roles: {admin: [leads], viewer: [staff]}
    teams: {db: [dba]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    made.write("oidc.secret", "very-secret\n")
    made.write("responder.yml", FILES["responder.yml"].rstrip("\n") + "\n" + SIGN_IN)
    return made


def oidc_of(folder: Folder) -> OidcSetup:
    setup = folder.read().oidc
    assert setup is not None
    return setup


def told(folder: Folder) -> list[str]:
    """The mistakes without their place in the file, which depends on what stands above."""
    first = FILES["responder.yml"].rstrip("\n").count("\n") + 2
    found = (one.split(":", 3) for one in folder.mistakes())
    return [f"{int(line) - first + 1}:{column}:{text}" for _, line, column, text in found]


def test_the_file_says_how_the_provider_is_reached(folder: Folder) -> None:
    client = oidc_of(folder).client
    assert (client.issuer, client.client_id) == ("https://id.example/realms/ops", "responder")
    assert client.redirect_uri.endswith("/sign-in/oidc/callback")
    assert client.redirect_uri.startswith(folder.read().settings.base_url)
    assert client.client_secret is not None
    assert client.client_secret.value == "very-secret"
    assert (client.scopes, client.wanted) == (("openid", "profile", "email"), ("preferred_username", "groups"))
    assert (client.timeout, client.auth_method) == (timedelta(seconds=10), "")


def test_the_secret_is_never_shown(folder: Folder) -> None:
    read = folder.read()
    assert "very-secret" in read.secrets
    assert "very-secret" not in repr(read.oidc)


def test_without_a_secret_we_are_a_public_client(folder: Folder) -> None:
    folder.change("responder.yml", "    client_secret_file: oidc.secret\n", "")
    assert oidc_of(folder).client.client_secret is None


def test_groups_give_the_highest_role_and_teams(folder: Folder) -> None:
    groups = oidc_of(folder).rules.groups
    assert groups.role_of(frozenset({"staff", "leads"})) is Role.ADMIN
    assert groups.role_of(frozenset({"guests"})) is None
    assert groups.teams_of(frozenset({"dba"})) == ("db",)


def test_claims_that_are_demanded_are_asked_for_and_groups_only_if_they_mean_something(folder: Folder) -> None:
    folder.change("responder.yml", "    roles: {admin: [leads], viewer: [staff]}\n    teams: {db: [dba]}\n", MANY)
    assert oidc_of(folder).client.wanted == ("upn", "hd", "email_verified")


MANY = """\
    otherwise: viewer
    name_claim: upn
    demand: {hd: [example.com], email_verified: ["true"]}
"""


def test_other_ways_are_told_to_the_client(folder: Folder) -> None:
    folder.write("ca.pem", "")
    more = "    client_auth: client_secret_post\n    ca_file: ca.pem\n    scopes: [openid, groups]\n    timeout: 3s\n"
    folder.change("responder.yml", "    teams: {db: [dba]}\n", more)
    client: Client = oidc_of(folder).client
    assert (client.auth_method, client.scopes) == ("client_secret_post", ("openid", "groups"))
    assert (client.ca_file, client.timeout) == (folder.path / "ca.pem", timedelta(seconds=3))


def test_without_a_provider_there_is_none(folder: Folder) -> None:
    folder.write("responder.yml", FILES["responder.yml"])
    assert folder.read().oidc is None


ISSUER, ROLES = "issuer: https://id.example/realms/ops", "roles: {admin: [leads], viewer: [staff]}"


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        (
            ISSUER,
            "issuer: http://id.example",
            "3:5: sign_in.oidc.issuer: 'http://id.example' is no address that begins",
        ),
        (
            ISSUER,
            "issuer: id.example",
            "3:5: sign_in.oidc.issuer: 'id.example' is no address that begins",
        ),
        (ISSUER, f"{ISSUER}/.well-known/openid-configuration", "3:5: sign_in.oidc.issuer: "),
        (ISSUER, "issuer: https://u:p@id.example", "3:5: sign_in.oidc.issuer: "),
        (ISSUER, "label: x", "2:3: sign_in.oidc.issuer is missing"),
        ("client_id: responder", "client_name: x", "2:3: sign_in.oidc.client_id is missing"),
        ("oidc.secret", "other.secret", "5:5: other.secret cannot be read: No such file or directory"),
        (ROLES, "roles: {boss: [leads]}", "6:13: sign_in.oidc.roles.boss"),
        (ROLES, "roles: {admin: []}", "6:13: sign_in.oidc.roles.admin"),
        (ROLES, "label: x", "2:3: sign_in.oidc: give roles: (or otherwise:), or nobody can come in"),
        ("{db: [dba]}", "{web: [dba]}", "7:13: web is no team in the people file"),
        ("teams: {db: [dba]}", "ca_file: ca.pem", "7:5: ca.pem is no file"),
        ("teams: {db: [dba]}", "scopes: [a b]", "7:14: sign_in.oidc.scopes.0"),
        ("teams: {db: [dba]}", "client_auth: none", "7:5: sign_in.oidc.client_auth"),
        ("teams: {db: [dba]}", "demand: {hd: []}", "7:14: sign_in.oidc.demand.hd"),
        ("teams: {db: [dba]}", "timeout: 1h", "7:5: sign_in.oidc.timeout"),
    ],
)
def test_a_mistake_is_found_where_it_is(folder: Folder, old: str, new: str, mistake: str) -> None:
    folder.change("responder.yml", old, new)
    assert any(one.startswith(mistake) for one in told(folder)), told(folder)


def test_everybody_of_a_provider_where_everybody_can_have_an_account_is_a_mistake(folder: Folder) -> None:
    folder.change("responder.yml", ISSUER, "issuer: https://accounts.google.com")
    folder.change("responder.yml", ROLES, "otherwise: viewer")
    (found,) = told(folder)
    assert "everybody can have an account at https://accounts.google.com; say with demand: whom you mean" in found
    folder.change("responder.yml", "otherwise: viewer", "otherwise: viewer\n    demand: {hd: [example.com]}")
    assert oidc_of(folder).rules.demanded == {"hd": ("example.com",)}
