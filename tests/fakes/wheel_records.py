"""Whether a wheel's RECORD is right, by the standard library alone."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["members", "record_problems"]


def members(path: Path) -> dict[str, bytes]:
    """Return the members of a wheel that are files, by name, in archive order."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        names = [name for name in archive.namelist() if not name.endswith("/")]
        assert len(set(names)) == len(names)
        return {name: archive.read(name) for name in names}


def record_problems(path: Path) -> list[str]:
    """Return what RECORD says wrongly, or does not say."""
    files = members(path)
    (own,) = [name for name in files if name.endswith(".dist-info/RECORD")]
    rows = list(csv.reader(io.StringIO(files[own].decode())))
    listed = {row[0]: row[1:] for row in rows}
    problems = [f"{name} is twice" for name in listed if len(rows) != len(listed)]
    problems += [f"{name} is no file" for name in listed.keys() - files.keys()]
    for name, content in files.items():
        if name == own:
            expected = ["", ""]
        else:
            algorithm = listed.get(name, ["sha256"])[0].partition("=")[0] or "sha256"
            digest = base64.urlsafe_b64encode(hashlib.new(algorithm, content).digest())
            value = digest.rstrip(b"=").decode()
            expected = [f"{algorithm}={value}", str(len(content))]
        found = listed.get(name)
        if found is None or [found[0].rstrip("="), found[1] or expected[1]] != expected:
            problems.append(f"{name}: {found} instead of {expected}")
    return problems
