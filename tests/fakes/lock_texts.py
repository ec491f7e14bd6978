"""Short lock files as text: packages with dependencies, for one target named box."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.project.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["lock_text", "package_text", "settings_for"]

_HEAD = """\
lock-version = "1.0"
requires-python = ">=3.11"
extras = []
dependency-groups = ["box"]
created-by = "polylock"
"""
_TARGET = """\
[[tool.polylock.targets]]
name = "box"
platform = "linux-x86_64"
libc = "glibc-2.28"
python = "3.12"
"""


def package_text(
    name: str, *dependencies: str, version: str = "1.0", more: str = ""
) -> str:
    """Return an entry with one plain wheel of 100 bytes; ``more`` is TOML."""
    references = ", ".join(f'{{ name = "{each}" }}' for each in dependencies)
    stem = name.replace("-", "_")
    url = f"https://files.example.com/{stem}-{version}-py3-none-any.whl"
    digest = stem.encode().hex().ljust(64, "0")[:64]
    return (
        f'[[packages]]\nname = "{name}"\nversion = "{version}"\n{more}'
        f"dependencies = [{references}]\n"
        f'wheels = [{{ url = "{url}", size = 100, '
        f'hashes = {{ sha256 = "{digest}" }} }}]\n'
    )


def lock_text(*packages: str, requirements: tuple[str, ...] = ()) -> str:
    """Return a lock file of these entries."""
    wanted = ", ".join(f'"{each}"' for each in requirements)
    record = f"[tool.polylock]\nrequirements = [{wanted}]\n"
    return "\n".join([_HEAD, *packages, record, _TARGET])


def settings_for(directory: Path, text: str, **changes: object) -> Settings:
    """Write a lock file; return settings that name it."""
    path = directory / "pylock.toml"
    path.write_text(text, encoding="utf-8")
    values: dict[str, object] = {"lock_file": path, **changes}
    return Settings(cache_dir=directory / "cache", **values)  # type: ignore[arg-type]  # any setting
