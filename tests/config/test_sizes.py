"""Sizes are written alike in every file: with a unit, or as a number of bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from responder.config.configuration import read
from responder.errors import ConfigError
from tests.world import MAIN, write_files

SIZES = """
intake: {max_body: %s}
ssh: {max_output: %s}
feedback: {open: true, max_file: %s, max_sum: %s}
mail:
  address: desk@example.org
  smtp: {host: mail.example.org}
  limits: {size: %s, file_size: %s}
"""


def sizes(folder: Path, written: str) -> set[int]:
    settings = read(write_files(folder, main=MAIN + SIZES.replace("%s", written))).settings
    assert settings.mail is not None
    limits, form = settings.mail.limits, settings.feedback
    sums = (settings.intake.max_body, settings.ssh.max_output, form.max_file, form.max_sum)
    return {*sums, limits.size, limits.file_size}


@pytest.mark.parametrize(
    ("written", "bytes_"), [("30MB", 30_000_000), ("1 MiB", 1024**2), ("0.05GB", 50_000_000), ("70000", 70_000)]
)
def test_a_size_has_a_unit_or_is_a_number_of_bytes(tmp_path: Path, written: str, bytes_: int) -> None:
    assert sizes(tmp_path, written) == {bytes_}


def test_what_is_no_size_says_how_one_is_written_at_each_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        sizes(tmp_path, "30megs")
    said = [one.text.partition(": ")[2] for one in caught.value.problems]
    assert said == ["'30megs' is not a size; write it like 500MiB or 2GB"] * 6


def test_a_limit_holds_for_sizes_with_a_unit_too(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        sizes(tmp_path, "1GiB")
    places = {(one.line, one.column) for one in caught.value.problems}
    assert len(places) == 3
