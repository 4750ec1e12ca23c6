from __future__ import annotations

from pathlib import Path

import pytest

from responder.store.database import Database
from tests.world import World


@pytest.fixture
def world(tmp_path: Path, database: Database) -> World:
    return World(tmp_path, database)
