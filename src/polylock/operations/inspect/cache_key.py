"""``polylock cache-key``: a digest of exactly what a target would install.

The recipe, version 1, is the SHA-256 of one line for the recipe, one for the Python,
and a sorted line per package with tab-separated parts: name, version, file name or
reference, hash. Nothing else can change a key: no markers, URLs, indexes, other
targets, project version, comments or order. An archive or a commit that moves to
another host keeps its content, so its URL is not included either.
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
"""The number of hexadecimal digits of the digest in a key: 128 bits."""
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n"})
"""Escapes for separators in paths, so that different sets have different texts."""


class CacheKey(Value, frozen=True, kw_only=True):
    """The key of one target.

    ``prefix`` is common to the keys of a target, system, architecture and Python, for
    the restore keys of CI services. ``digest`` is the whole SHA-256.
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
    """Return the key of the target in the settings, or of every target.

    Reads only the lock file. Raises UsageError, LockFileInvalid, NoSuchTarget.
    """
    pylock, path = open_lock(settings)
    found = named_selections(pylock, path, settings)
    return [key_of(selection) for selection in found]


def key_of(selection: LockedSelection) -> CacheKey:
    """Return the key of a target's selection."""
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
            # A git commit identifies its content, wherever the repository is.
            reference = _within(file.type, file.subdirectory)
            value = file.commit_id.lower()
        case PackageDirectory():
            # The lock file has no hash of a directory, only its path.
            reference = _within(file.path, file.subdirectory)
            value = "editable" if file.editable else ""
        case _:
            assert_never(file)
    for part in (package.name, package.version or "", reference, value):
        yield part.translate(_ESCAPES)


def _within(reference: str, subdirectory: str | None) -> str:
    """Return a reference with a subdirectory, in the form of a direct URL."""
    return f"{reference}#subdirectory={subdirectory}" if subdirectory else reference


def _hash(hashes: Mapping[str, str]) -> str:
    """Return the SHA-256 if there is one, so that a further hash changes nothing."""
    found = strongest(hashes) or min(hashes.items(), default=("", ""))
    return found[1].lower()
