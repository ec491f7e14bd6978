"""Reads and checks a wheel or source distribution on disk.

An index should reject bad files when they are added (PEP 825, "Implementation
requirements"), so this reader is strict where those of remote files are lenient.
"""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from polylock.cache.regular_files import file_digest
from polylock.model.core_metadata import CoreMetadata, InvalidCoreMetadata
from polylock.model.filenames import InvalidFilename, SdistFilename, WheelFilename
from polylock.values import Value, replace
from polylock.variants.variant_json import InvalidVariantMetadata, VariantMetadata
from polylock.variants.variant_schema import ABI_DEPENDENCY

__all__ = ["DistributionFile", "InvalidDistribution", "read_distribution"]

_LARGEST_MEMBER = 16 * 1024 * 1024
"""In bytes. Core metadata has some kB; more is a mistake or a zip bomb."""

_UNREADABLE = (
    OSError,
    EOFError,
    RuntimeError,  # an encrypted member; NotImplementedError for a compression
    ValueError,
    zlib.error,
    zipfile.BadZipFile,
    tarfile.TarError,
)


class InvalidDistribution(ValueError):
    """A file that must not be added to an index; the text is the reason."""


class DistributionFile(Value, frozen=True, kw_only=True):
    """A wheel or source distribution on disk, with the data for a project page.

    ``size`` is in bytes. ``metadata`` is METADATA of a wheel, unchanged; None for a
    source distribution. ``variant`` comes from ``variant.json``; None for a non-variant
    wheel.
    """

    path: Path
    name: NormalizedName
    version: Version
    size: int
    sha256: str
    requires_python: str | None
    metadata: bytes | None = None
    variant: VariantMetadata | None = None

    @property
    def filename(self) -> str:
        """Return the file's name, which an index must not change."""
        return self.path.name

    @property
    def release(self) -> str:
        """Return ``name==version``, both normalized."""
        return f"{self.name}=={self.version}"


def read_distribution(path: Path) -> DistributionFile:
    """Return a wheel or source distribution; raises InvalidDistribution."""
    try:
        if path.name.endswith(".whl"):
            return _read_wheel(path)
        return _read_sdist(path)
    except (InvalidFilename, InvalidCoreMetadata, InvalidVariantMetadata) as error:
        raise InvalidDistribution(str(error)) from error
    except InvalidDistribution:
        raise
    except _UNREADABLE as error:
        raise InvalidDistribution(f"cannot be read: {error}") from error


def _read_wheel(path: Path) -> DistributionFile:
    filename = WheelFilename.parse(path.name)
    version = _version(filename.version)
    with zipfile.ZipFile(path) as archive:
        directory = _dist_info(archive, filename.name, version)
        for required in ("WHEEL", "RECORD"):
            if f"{directory}/{required}" not in archive.NameToInfo:
                raise InvalidDistribution(f"{directory}/{required} is missing")
        metadata = _member(archive, f"{directory}/METADATA")
        if metadata is None:
            raise InvalidDistribution(f"{directory}/METADATA is missing")
        variant_json = _member(archive, f"{directory}/variant.json")
    found = _described(path, filename.name, version, metadata)
    variant = _variant(filename.variant_label, variant_json)
    return replace(found, metadata=metadata, variant=variant)


def _dist_info(archive: zipfile.ZipFile, name: NormalizedName, version: Version) -> str:
    """Return the one ``.dist-info`` directory, which must match the file name."""
    found = sorted(
        {
            member.partition("/")[0]
            for member in archive.namelist()
            if member.partition("/")[0].endswith(".dist-info")
        }
    )
    if len(found) != 1:
        listed = ", ".join(found) or "none"
        raise InvalidDistribution(f"needs one .dist-info directory, has {listed}")
    stem_name, _, stem_version = found[0].removesuffix(".dist-info").partition("-")
    if (
        canonicalize_name(stem_name) != name
        or _version(stem_version.replace("_", "+", 1)) != version
    ):
        raise InvalidDistribution(f"{found[0]} does not match the file name")
    return found[0]


def _member(archive: zipfile.ZipFile, name: str) -> bytes | None:
    information = archive.NameToInfo.get(name)
    if information is None:
        return None
    with archive.open(information) as stream:
        return _bounded(stream, name)


def _bounded(stream: IO[bytes], name: str) -> bytes:
    content = stream.read(_LARGEST_MEMBER + 1)
    if len(content) > _LARGEST_MEMBER:
        raise InvalidDistribution(f"{name} is larger than {_LARGEST_MEMBER} bytes")
    return content


def _variant(label: str | None, content: bytes | None) -> VariantMetadata | None:
    """Return ``variant.json``, checked against the label (PEP 825, "Variants")."""
    if label is None:
        if content is not None:
            raise InvalidDistribution(
                "has variant.json but no variant label in its file name"
            )
        return None
    if content is None:
        raise InvalidDistribution(f"has variant label {label} but no variant.json")
    variant = VariantMetadata.decode_wheel(content, label)
    listed = {*variant.namespace_priorities, ABI_DEPENDENCY}
    unlisted = sorted(set(variant.variants[label]) - listed)
    if unlisted:
        raise InvalidDistribution(
            f"variant.json: default-priorities.namespace must list {unlisted[0]}"
        )
    return variant


def _read_sdist(path: Path) -> DistributionFile:
    filename = SdistFilename.parse(path.name)
    version = _version(filename.version)
    content = (
        _package_information_zip(path)
        if path.name.endswith(".zip")
        else _package_information_tar(path)
    )
    if content is None:
        raise InvalidDistribution("PKG-INFO is missing")
    return _described(path, filename.name, version, content)


def _described(
    path: Path, name: NormalizedName, version: Version, metadata: bytes
) -> DistributionFile:
    """Return a file with its core metadata; raises if they do not match."""
    core = CoreMetadata.parse(metadata)
    _agree(core, name, version)
    return DistributionFile(
        path=path,
        name=name,
        version=version,
        size=path.stat().st_size,
        sha256=file_digest(path),
        requires_python=_requires_python(core),
    )


def _is_package_information(name: str) -> bool:
    path = PurePosixPath(name)
    return len(path.parts) == 2 and path.name == "PKG-INFO"


def _package_information_tar(path: Path) -> bytes | None:
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:
            if member.isfile() and _is_package_information(member.name):
                stream = archive.extractfile(member)
                return None if stream is None else _bounded(stream, member.name)
    return None


def _package_information_zip(path: Path) -> bytes | None:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if _is_package_information(name):
                return _member(archive, name)
    return None


def _version(text: str) -> Version:
    try:
        return Version(text)
    except ValueError as error:
        raise InvalidDistribution(f"{text!r} is not a version (PEP 440)") from error


def _agree(core: CoreMetadata, name: NormalizedName, version: Version) -> None:
    if canonicalize_name(core.name) != name or _version(core.version) != version:
        raise InvalidDistribution(
            f"its metadata is of {core.name} {core.version}, unlike its file name"
        )


def _requires_python(core: CoreMetadata) -> str | None:
    if core.requires_python is not None:
        try:
            SpecifierSet(core.requires_python)
        except ValueError as error:
            raise InvalidDistribution(
                f"bad Requires-Python: {core.requires_python}"
            ) from error
    return core.requires_python
