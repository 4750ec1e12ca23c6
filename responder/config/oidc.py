"""`sign_in: oidc:` in responder.yml, with its secret: what is needed to sign people in at a provider."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from responder.adapters.notifier import Secret
from responder.adapters.oidc_client import Client
from responder.adapters.yaml_file import Place
from responder.config.sign_in import Oidc
from responder.domain.arrivals import ClaimRules

CALLBACK = "/sign-in/oidc/callback"
"""Registered at the provider behind our base_url."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OidcSetup:
    """How people are signed in at a provider. `label` stands on the button."""

    client: Client
    rules: ClaimRules
    label: str


def read_oidc_setup(given: Oidc, base_url: str, read_secret: Callable[[Path, Place], str], folder: Path) -> OidcSetup:
    """What the file says, with the secret that another file holds."""
    path = given.client_secret_file
    needs_groups = bool(given.roles or given.teams or given.all_teams)
    client = Client(
        issuer=given.issuer,
        client_id=given.client_id,
        client_secret=Secret(read_secret(path, ("client_secret_file",))) if path else None,
        redirect_uri=f"{base_url}{CALLBACK}",
        scopes=given.scopes,
        auth_method=given.client_auth or "",
        wanted=(given.name_claim, *((given.groups_claim,) if needs_groups else ()), *given.demand),
        ca_file=folder / given.ca_file if given.ca_file else None,
        timeout=given.timeout,
    )
    rules = ClaimRules(
        groups=given, name_claim=given.name_claim, groups_claim=given.groups_claim, demanded=given.demand
    )
    return OidcSetup(client=client, rules=rules, label=given.label)


def complaints(given: Oidc, teams: Collection[str] | None, folder: Path) -> Iterator[tuple[Place, str]]:
    """What is wrong with the settings beside themselves. `teams` are those that there are; None: they are not known."""
    for team in given.teams if teams is not None else ():
        if team not in (teams or ()):
            yield ("teams", team), f"{team} is no team in the people file"
    if given.ca_file and not (folder / given.ca_file).is_file():
        yield ("ca_file",), f"{given.ca_file} is no file"
