"""What an installation leaves in ``.dist-info`` (PEP 376, 610, 627)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import msgspec

from polylock.environment.installed import ORIGIN_FILE, Origin
from polylock.installation.record_format import RecordRow, format_rows

try:
    # hashlib would load OpenSSL: 3 ms, to hash a few lines.
    from _sha2 import sha256  # type: ignore[import-not-found] # typeshed has none
except ImportError:  # Python 3.11, or another implementation
    from hashlib import sha256

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from hashlib import _Hash as Hash

    from polylock.installation.plan import WantedDistribution

__all__ = ["INSTALLER", "has_hash", "installation_files", "record_text", "row_of"]

INSTALLER = "polylock"
"""Content of the file INSTALLER."""


def installation_files(wanted: WantedDistribution) -> dict[str, bytes]:
    """Return the files to add to ``.dist-info``, by name; RECORD is not among them.

    ``polylock.json`` says which locked file this is: it is how the next sync knows
    that there is nothing to do.
    """
    origin = Origin(
        filename=wanted.filename,
        sha256=wanted.sha256,
        variant_label=wanted.variant_label,
    )
    files = {
        "INSTALLER": f"{INSTALLER}\n".encode(),
        ORIGIN_FILE: msgspec.json.encode(origin) + b"\n",
    }
    if wanted.requested:
        files["REQUESTED"] = b""
    if wanted.direct_url is not None:
        files["direct_url.json"] = msgspec.json.encode(wanted.direct_url)
    return files


def row_of(path: str, content: bytes) -> RecordRow:
    """Return the row of a file that is written with this content."""
    return RecordRow(path, f"sha256={_encoded(sha256(content))}", str(len(content)))


def has_hash(content: bytes, hash_: str) -> bool:
    """Return whether content has a hash as RECORD states it."""
    algorithm, _, value = hash_.partition("=")
    if algorithm == "sha256":
        return value.rstrip("=") == _encoded(sha256(content))
    import hashlib  # noqa: PLC0415 - 3 ms, for wheels that state another

    return value.rstrip("=") == _encoded(hashlib.new(algorithm, content))


def _encoded(digest: Hash) -> str:
    return base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()


def record_text(
    unchanged: str,
    added: Mapping[str, bytes],
    moved: Iterable[RecordRow],
    *,
    dist_info: str,
) -> str:
    """Return RECORD.

    ``unchanged`` are the rows of the files that are installed as they are in the
    wheel; ``added`` are contents of further files of the directory ``dist_info``,
    ``moved`` the rows of files outside of site-packages. RECORD itself comes last,
    without hash.
    """
    rows = [row_of(f"{dist_info}/{name}", added[name]) for name in sorted(added)]
    rows += sorted(moved)
    rows.append(RecordRow(f"{dist_info}/RECORD"))
    return unchanged + format_rows(rows)
