"""``polylock cache-key``: a digest of exactly what a target would install.

The recipe, version 1: the SHA-256 of one line for the recipe, one for the Python, and
one for each package, sorted, its parts separated by tabs: name, version, file name or
reference, hash. What is not in it cannot change a key: markers, URLs, indexes, other
targets, the project's version, comments, the order of anything. An archive or a commit
that was moved to another host is what it was, so their URLs are not in it either.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, assert_never

from polylock.lockfile.pylock import (
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    last_component,
)
from polylock.model.hashes import strongest
from polylock.operations.inspect.selection import (
    LockedSelection,
    named_selections,
    open_lock,
)
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from polylock.lockfile.select import Selected
    from polylock.project.settings import Settings

__all__ = ["CacheKey", "cache_keys", "key_of"]

_RECIPE = 1
_SHOWN = 32
"""Hexadecimal digits of the digest in a key: 128 bits."""
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n"})
"""A path may hold what separates parts and lines; two sets must not read alike."""


class CacheKey(Value, frozen=True, kw_only=True):
    """The key of one target.

    ``prefix`` is what keys of the same target and Python share, for the restore keys
    of CI services; a Python is that of a system and an architecture. ``digest`` is the
    whole SHA-256.
    """

    target: str
    prefix: str
    digest: str
    packages: int

    @property
    def key(self) -> str:
        """Return the key: the prefix and the beginning of the digest."""
        return self.prefix + self.digest[:_SHOWN]

    def to_json(self) -> dict[str, str | int]:
        """Return the document of one target (schemas/cache-key.schema.json)."""
        return {
            "target": self.target,
            "key": self.key,
            "prefix": self.prefix,
            "digest": self.digest,
            "packages": self.packages,
        }


def cache_keys(settings: Settings) -> list[CacheKey]:
    """Return the key of the target asked for, or of every target.

    Reads the lock file alone. Raises UsageError, LockFileInvalid, NoSuchTarget.
    """
    pylock, path = open_lock(settings)
    found = named_selections(pylock, path, settings)
    return [key_of(selection) for selection in found]


def key_of(selection: LockedSelection) -> CacheKey:
    """Return the key of what a target installs."""
    description = selection.target.description
    python = str(description.python)
    lines = [f"polylock cache key {_RECIPE}", f"python\t{python}"]
    lines += sorted("\t".join(_parts(chosen)) for chosen in selection.selected)
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    machine = f"{description.system}-{description.architecture}"
    return CacheKey(
        target=description.name,
        prefix=f"polylock-{_RECIPE}-{description.name}-{machine}-py{python}-",
        digest=digest,
        packages=len(selection.selected),
    )


def _parts(chosen: Selected) -> Iterator[str]:
    package, file = chosen.package, chosen.file
    match file:
        case PackageWheel() | PackageSdist():
            reference, value = file.filename, _hash(file.hashes)
        case PackageArchive():
            reference = _within(last_component(file.path, file.url), file.subdirectory)
            value = _hash(file.hashes)
        case PackageVcs():
            # Commits of git name their content, wherever the repository is.
            reference = _within(file.type, file.subdirectory)
            value = file.commit_id.lower()
        case PackageDirectory():
            # Its content has no hash in the lock file: the path is all there is.
            reference = _within(file.path, file.subdirectory)
            value = "editable" if file.editable else ""
        case _:
            assert_never(file)
    for part in (package.name, package.version or "", reference, value):
        yield part.translate(_ESCAPES)


def _within(reference: str, subdirectory: str | None) -> str:
    """Return a reference to a part of a tree, in the form that direct URLs have."""
    return f"{reference}#subdirectory={subdirectory}" if subdirectory else reference


def _hash(hashes: Mapping[str, str]) -> str:
    """Return the SHA-256 where there is one, so that one more hash changes nothing."""
    found = strongest(hashes) or min(hashes.items(), default=("", ""))
    return found[1].lower()
