"""Reading what polylock adds to a lock file."""

from __future__ import annotations

import pytest

from polylock.errors import LockFileInvalid
from polylock.lockfile.decode import decode
from polylock.lockfile.records import LockedFeature, LockedInputs, Record

TOP = 'lock-version = "1.0"\ncreated-by = "t"\npackages = []\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("requirements = 1", "requirements: must be an array, not an integer"),
        ("exclude-newer = 1", "exclude-newer: must be a date-time, not an integer"),
        ("extras = {a = 1}", "extras.a: must be an array, not an integer"),
        ("sources = {a = [{}]}", "sources.a[0]: needs one of index, path, url and git"),
        ("indexes = [{}]", "indexes[0].name: is missing"),
        ("targets = [{}]", "targets[0].name: is missing"),
        (
            'targets = [{name = "a", platform = "amiga-m68k", python = "3.12"}]',
            "targets[0]: unknown platform 'amiga-m68k'",
        ),
        (
            'targets = [{name = "a", platform = "linux-x86_64", python = "three"}]',
            "targets[0]: unknown Python 'three'",
        ),
        (
            'targets = [{name = "a", platform = "linux-x86_64", python = "jy2.7"}]',
            "targets[0]: unknown Python 'jy2.7'",
        ),
        (
            (
                'targets = [{name = "a", platform = "linux-x86_64", python = "3.12", '
                'libc = "newlib"}]'
            ),
            "targets[0]: unknown libc 'newlib'",
        ),
        (
            (
                'targets = [{name = "a", platform = "macos-arm64", python = "3.12", '
                'macos = "big sur"}]'
            ),
            "targets[0]: unknown macOS version 'big sur'",
        ),
    ],
)
def test_decode_record_names_the_key_of_what_is_wrong(text: str, message: str) -> None:
    """A record with a wrong type or value is refused by key path."""
    with pytest.raises(LockFileInvalid) as caught:
        decode(f"{TOP}[tool.polylock]\n{text}", "p")

    assert str(caught.value) == f"p: tool.polylock.{message}"


def test_decode_record_passes_over_what_it_does_not_know() -> None:
    """A later polylock may record more; an empty record is one all the same."""
    pylock = decode(f"{TOP}[tool.polylock]\nlater = 1", "p")

    assert pylock.polylock == Record(inputs=LockedInputs(), targets=())


def test_decode_record_reads_a_namespace_without_features() -> None:
    """An empty list that the user gave is kept."""
    text = (
        '[[tool.polylock.targets]]\nname = "a"\nplatform = "linux-x86_64"\n'
        'python = "3.12"\nproperties = [{namespace = "amd"}]'
    )

    record = decode(TOP + text, "p").polylock

    assert record is not None
    assert record.targets[0].stated == (LockedFeature(namespace="amd"),)
