"""`responder doctor` looks at the provider of sign-ins, before somebody stands at the door at night."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.calling import begun, run
from tests.servers.oidc_provider import Key, OidcProvider, answering, in_a_thread, rsa_key

Look = Callable[[], dict[str, str]]


@pytest.fixture
def provider() -> Iterator[OidcProvider]:
    with in_a_thread(OidcProvider()) as made:
        yield made


@pytest.fixture
def look(tmp_path: Path, provider: OidcProvider) -> Look:
    folder = begun(tmp_path / "ops")
    (folder / "oidc.secret").write_text("secret\n")
    (folder / "oidc.secret").chmod(0o644)
    with (folder / "responder.yml").open("a") as file:
        file.write(
            f"\nsign_in:\n  oidc: {{issuer: '{provider.issuer}', client_id: responder, "
            "client_secret_file: oidc.secret, otherwise: viewer}\n"
        )

    def looked() -> dict[str, str]:
        shown = run("doctor", "--json", "--config", str(folder / "responder.yml"))
        return {one["what"]: one["problem"] for one in json.loads(shown.stdout)}

    return looked


def test_a_good_provider_is_well_and_a_secret_that_others_can_read_is_not(look: Look, provider: OidcProvider) -> None:
    found = look()
    assert found[f"sign-in at {provider.issuer}"] == ""
    assert "oidc.secret" in found["secrets"]


def test_a_provider_with_another_name_or_without_keys_is_told(look: Look, provider: OidcProvider) -> None:
    provider.keys = [Key("first", rsa_key(), "RS256", {"use": "enc"})]
    assert "publishes no key" in look()[f"sign-in at {provider.issuer}"]
    provider.metadata["issuer"] = "https://id.example"
    assert "they must be the same to the letter" in look()[f"sign-in at {provider.issuer}"]
    provider.instead["openid-configuration"] = answering(404)
    assert "status 404" in look()[f"sign-in at {provider.issuer}"]
