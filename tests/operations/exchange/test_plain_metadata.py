"""Wheels whose metadata is evaluated in a bundle, also those that lie."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING

import pytest

from fakes.odd_wheels import FILENAME, HOSTILE, INFO, REPAIRED, TAKEN, Forge
from polylock.errors import FileCorrupt
from polylock.model.folding import SelectedVariant
from polylock.operations.exchange.plain_metadata import (
    evaluate_markers,
    has_variant_marker,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

VARIANT = SelectedVariant("v", frozenset())
METADATA = (
    b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"
    b"Requires-Dist: extra-part; 'x :: y :: z' in variant_properties\n"
)
ODD: dict[str, Callable[[Forge], object]] = {
    **{kind: change for kind, (change, _) in HOSTILE.items()},
    **{kind: change for kind, (change, *_) in REPAIRED.items()},
    **TAKEN,
}


def forged() -> Forge:
    """Return a wheel with a variant marker in its metadata."""
    forge = Forge()
    forge.replace(f"{INFO}/METADATA", METADATA)
    return forge


def test_a_marker_is_found_and_evaluated(tmp_path: Path) -> None:
    """What is false for the label is left out."""
    wheel = forged().write(tmp_path)
    assert has_variant_marker(wheel)
    (change,) = evaluate_markers(wheel, VARIANT)
    assert change.now is None
    assert not has_variant_marker(wheel)


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_wheel_is_evaluated_or_refused(tmp_path: Path, kind: str) -> None:
    """As `sync` would refuse it, and without another exception."""
    forge = forged()
    ODD[kind](forge)
    wheel = forge.write(tmp_path)
    before = wheel.read_bytes()
    has_variant_marker(wheel)
    try:
        evaluate_markers(wheel, VARIANT)
    except FileCorrupt:
        assert wheel.read_bytes() == before
    else:
        with zipfile.ZipFile(wheel) as archive:
            assert archive.testzip() is None


def _changed(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return lambda content: content.replace(old, new)


def _encrypted(content: bytes) -> bytes:
    """Set the bit for encryption in every entry of the directory."""
    parts = content.split(b"PK\x01\x02")
    return b"PK\x01\x02".join(
        [parts[0], *(part[:4] + b"\x01\x00" + part[6:] for part in parts[1:])]
    )


def _packed_unknown(content: bytes) -> bytes:
    parts = content.split(b"PK\x01\x02")
    return b"PK\x01\x02".join(
        [parts[0], *(part[:6] + b"\x63\x00" + part[8:] for part in parts[1:])]
    )


def _bomb(_: bytes) -> bytes:
    """Return a wheel whose METADATA has two gibibytes of zeros."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in ("WHEEL", "RECORD"):
            archive.writestr(f"{INFO}/{name}", b"")
        archive.writestr(f"{INFO}/METADATA", bytes(65 << 20))
    return buffer.getvalue()


def _one_in_another(_: bytes) -> bytes:
    """Return a wheel of which many members are the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(f"{INFO}/METADATA", METADATA)
        archive.writestr(f"{INFO}/RECORD", b"")
        archive.writestr(f"{INFO}/WHEEL", b"")
        large = bytes(1 << 16)
        archive.writestr("demo/0", large)
        start = archive.infolist()[-1].header_offset
        for number in range(1, 100):
            info = zipfile.ZipInfo(f"demo/{number}")
            info.file_size = info.compress_size = len(large)
            info.CRC, info.header_offset = zlib.crc32(large), start
            archive.filelist.append(info)
            archive.NameToInfo[info.filename] = info
    return buffer.getvalue()


LIES: dict[str, Callable[[bytes], bytes]] = {
    "encrypted members": _encrypted,
    "members packed in an unknown way": _packed_unknown,
    "METADATA that unfolds without end": _bomb,
    "members that are one another": _one_in_another,
    "a CRC of another content": _changed(
        struct.pack("<L", zlib.crc32(METADATA)), b"\0\0\0\0"
    ),
    "another name before the content": lambda content: content.replace(
        f"{INFO}/METADATA".encode(), f"{INFO}/METADATE".encode(), 1
    ),
    "no archive": lambda _: b"<html>Sign in</html>",
}


@pytest.mark.parametrize("kind", LIES)
def test_a_wheel_that_lies_is_refused(tmp_path: Path, kind: str) -> None:
    """With its name, and before anything is written."""
    wheel = tmp_path / FILENAME
    content = LIES[kind](forged().write(tmp_path).read_bytes())
    wheel.write_bytes(content)
    assert not has_variant_marker(wheel)
    with pytest.raises(FileCorrupt, match=FILENAME):
        evaluate_markers(wheel, VARIANT)
    assert [path.name for path in tmp_path.iterdir()] == [FILENAME]
