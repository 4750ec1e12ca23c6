"""Sizes and shares as people write them."""

from __future__ import annotations

import pytest

from responder.firstaid.amounts import parse_percent, parse_size, spoken_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        (12, 12),
        ("512B", 512),
        ("1kB", 1000),
        ("1KB", 1000),
        ("1KiB", 1024),
        ("500MiB", 500 * 1024**2),
        ("1.5 GB", 1_500_000_000),
        ("2TiB", 2 * 1024**4),
    ],
)
def test_a_size_is_bytes(text: object, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "lots", "-1", "1mb", "1M", "1 000", "1e9", -1, True, 1.5, None])
def test_what_is_no_size_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        parse_size(text)


@pytest.mark.parametrize(("text", "share"), [("80%", 80.0), ("12.5 %", 12.5), ("150%", 150.0)])
def test_a_share_is_a_number(text: str, share: float) -> None:
    assert parse_percent(text) == share


@pytest.mark.parametrize("text", ["", "80", "%", "-1%", "a%", 80, None])
def test_what_is_no_share_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="is not a share"):
        parse_percent(text)


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (1536 * 1024, "1.5 MiB"), (5 * 1024**5, "5120 TiB")],
)
def test_a_size_is_spoken_in_its_largest_unit(size: int, text: str) -> None:
    assert spoken_size(size) == text
