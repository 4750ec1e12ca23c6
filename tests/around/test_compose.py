"""docker-compose.yml and what it mounts."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from responder.config.inventory import InventoryFile

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
MAKE_SECRETS = ROOT / "docker" / "secrets" / "make.sh"
OWNERS = ("responder", "alertmanager", "postgres", "grafana", "node1", "node2")


def load(path: Path) -> dict[str, Any]:
    loaded = YAML(typ="safe").load(path)
    assert isinstance(loaded, dict)
    return loaded


def services() -> dict[str, dict[str, Any]]:
    found = load(COMPOSE)["services"]
    assert isinstance(found, dict)
    return found


def mounts(service: dict[str, Any]) -> dict[str, str]:
    """Where in the container → what of ours, a path or a volume."""
    return {mount.split(":")[1]: mount.split(":")[0] for mount in service.get("volumes", [])}


def against_the_specification(path: Path) -> subprocess.CompletedProcess[str]:
    command = ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.needs("check-jsonschema")
def test_the_file_follows_the_compose_specification() -> None:
    result = against_the_specification(COMPOSE)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.needs("check-jsonschema")
def test_a_misspelt_key_would_be_noticed(tmp_path: Path) -> None:
    broken = tmp_path / "docker-compose.yml"
    broken.write_text(COMPOSE.read_text().replace("healthcheck:", "health_check:"))
    assert "health_check" in against_the_specification(broken).stdout


def test_services_depend_on_and_mount_what_is_there() -> None:
    named = load(COMPOSE)["volumes"]
    for service in services().values():
        assert set(service.get("depends_on", {})) <= set(services())
        assert {one for one in mounts(service).values() if not one.startswith(".")} <= set(named)


def test_every_mounted_file_is_in_the_repository() -> None:
    paths = {one for service in services().values() for one in mounts(service).values() if one.startswith(".")}
    missing = {one for one in paths if not (ROOT / one).exists()}
    # Its files have their own tests, with `responder check`.
    assert missing <= {"./docker/responder"}


def test_every_build_has_its_dockerfile() -> None:
    folders = {service["build"] for service in services().values() if "build" in service}
    assert all((ROOT / folder / "Dockerfile").is_file() for folder in folders)


def test_no_port_is_published_beyond_this_machine() -> None:
    ports = [port for service in services().values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_no_secret_is_written_in_the_file() -> None:
    for service in services().values():
        secrets = [name for name in service.get("environment", {}) if re.search("PASSWORD|SECRET|TOKEN|PGPASS", name)]
        assert all(name.endswith("FILE") for name in secrets)


def test_a_volume_of_secrets_is_mounted_only_by_its_owner_and_their_maker() -> None:
    for owner in OWNERS:
        users = {name for name, service in services().items() if f"{owner}-secrets" in mounts(service).values()}
        assert users == {"secrets", owner}


def test_prometheus_keeps_what_the_recording_rules_look_back_on() -> None:
    (kept,) = [word for word in services()["prometheus"]["command"] if "retention.time" in word]
    assert int(kept.partition("=")[2].removesuffix("d")) > 31


def test_grafana_finds_the_board_where_the_provider_looks() -> None:
    (provider,) = load(ROOT / "grafana" / "provisioning" / "dashboards" / "responder.yml")["providers"]
    assert mounts(services()["grafana"])[provider["options"]["path"]] == "./grafana/dashboards"
    (source,) = load(ROOT / "grafana" / "provisioning" / "datasources" / "prometheus.yml")["datasources"]
    assert source["url"] == "http://prometheus:9090"


@pytest.mark.needs("promtool")
def test_prometheus_accepts_its_configuration_and_the_nodes_alert() -> None:
    for command in (
        ["check", "config", "--syntax-only", str(ROOT / "docker" / "prometheus.yml")],
        ["check", "rules", str(ROOT / "docker" / "rules" / "nodes.yml")],
    ):
        result = subprocess.run(["promtool", *command], capture_output=True, text=True, check=False, timeout=30)
        assert result.returncode == 0, result.stdout + result.stderr


def made_secrets(folder: Path) -> dict[str, bytes]:
    """Runs the script for volumes in `folder`, with a chown that does nothing, since only root could."""
    for name in ("bin", *(f"secrets/{owner}" for owner in OWNERS)):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "bin" / "chown").write_text("#!/bin/sh\n")
    (folder / "bin" / "chown").chmod(0o755)
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "SECRETS": str(folder / "secrets")}
    subprocess.run(["sh", str(MAKE_SECRETS)], env=environment, check=True, capture_output=True, timeout=30)
    files = [file for file in (folder / "secrets").rglob("*") if file.is_file()]
    return {str(file.relative_to(folder / "secrets")): file.read_bytes() for file in files}


@pytest.mark.needs("ssh-keygen")
def test_secrets_are_made_once_and_kept(tmp_path: Path) -> None:
    first = made_secrets(tmp_path)
    assert all(first.values())
    assert made_secrets(tmp_path) == first


@pytest.mark.needs("ssh-keygen")
def test_two_installations_share_no_secret(tmp_path: Path) -> None:
    one, other = made_secrets(tmp_path / "one"), made_secrets(tmp_path / "other")
    assert not set(one.values()) & set(other.values())


@pytest.mark.needs("ssh-keygen")
def test_only_the_owner_can_read_a_secret(tmp_path: Path) -> None:
    made_secrets(tmp_path)
    open_to_others = {
        file.name for file in (tmp_path / "secrets").rglob("*") if file.is_file() and file.stat().st_mode & 0o077
    }
    assert open_to_others == {"authorized_keys"}


@pytest.mark.needs("ssh-keygen")
def test_both_ends_hold_the_same_token_and_the_nodes_host_keys_are_pinned(tmp_path: Path) -> None:
    made = made_secrets(tmp_path)
    assert made["alertmanager/responder-token"] == made["responder/alertmanager.token"]
    assert made["postgres/password"].decode() in made["responder/pgpass"].decode()
    inventory = InventoryFile.model_validate(load(tmp_path / "secrets" / "responder" / "inventory.yml"))
    assert [target.name for target in inventory.targets] == ["node1", "node2"]
    for target in inventory.targets:
        assert made[f"{target.name}/authorized_keys"] == made["responder/id_ed25519.pub"]
        assert made[f"{target.name}/ssh_host_ed25519_key.pub"].decode().startswith(target.host_key)
