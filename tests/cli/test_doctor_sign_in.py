"""`responder doctor` looks at the provider of sign-ins, before somebody stands at the door at night."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from responder.config.configuration import read
from tests.cli.calling import begun, run
from tests.servers.oidc_provider import Key, OidcProvider, answering, in_a_thread, rsa_key

DOCS = Path(__file__).parents[2] / "docs"
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
        return _doctor(folder / "responder.yml")

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


@pytest.mark.parametrize("page", ["sign-in.md", "operate.md"])
def test_a_proxy_that_nobody_has_named_is_told_until_it_is_named_as_documented(tmp_path: Path, page: str) -> None:
    config = begun(tmp_path / "ops") / "responder.yml"
    base = "base_url: http://127.0.0.1:9180"
    assert "reverse proxy" not in _doctor(config)
    config.write_text(config.read_text().replace(base, "base_url: https://responder.example.org"))
    assert "feedback: {proxies: [127.0.0.1/32]}" in _doctor(config)["reverse proxy"]
    (yaml,) = re.findall(r"^feedback: .*$", (DOCS / page).read_text(), re.MULTILINE)
    assert f"\n# {yaml.partition('   #')[0]}\n" in config.read_text()
    with config.open("a") as file:
        file.write(f"\n{yaml}\n")
    checked = run("check", "--strict", "--config", str(config))
    assert (checked.exit_code, read(config).settings.feedback.is_on) == (0, False), checked.output
    assert _doctor(config)["reverse proxy"] == ""


@pytest.mark.parametrize("base", ["http://localhost:9180", "http://[::1]:9180", "http://127.0.0.2"])
def test_a_console_for_this_machine_alone_needs_no_proxy(tmp_path: Path, base: str) -> None:
    config = begun(tmp_path / "ops") / "responder.yml"
    config.write_text(config.read_text().replace("base_url: http://127.0.0.1:9180", f"base_url: {base}"))
    assert "reverse proxy" not in _doctor(config)


def _doctor(config: Path) -> dict[str, str]:
    shown = run("doctor", "--json", "--config", str(config))
    return {one["what"]: one["problem"] for one in json.loads(shown.stdout)}
