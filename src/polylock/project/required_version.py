"""Reads ``required-version``: which versions of polylock a project accepts.

It is read before all else: another polylock may know other keys, and its errors about
them would not say what is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock import __version__

if TYPE_CHECKING:
    from polylock.toml_tables import Table

__all__ = ["REQUIRED_VERSION", "check_required_version"]

REQUIRED_VERSION = "required-version"


def check_required_version(tool: Table, running: str = __version__) -> None:
    """Raise ProjectError if ``[tool.polylock]`` does not accept this polylock."""
    text = tool.string(REQUIRED_VERSION)
    if text is None:
        return
    # Not imported for a project without the key.
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415

    try:
        accepted = SpecifierSet(text)
    except InvalidSpecifier as error:
        raise tool.error(
            f"{text!r} is not a version specifier",
            REQUIRED_VERSION,
            advice=f'write: {REQUIRED_VERSION} = ">={running}"',
        ) from error
    if accepted.contains(running, prereleases=True):
        return
    wanted = f"'polylock{accepted}'"
    raise tool.error(
        f"the project requires polylock {accepted}, and this is polylock {running}",
        REQUIRED_VERSION,
        advice=f"`uv tool install {wanted}` or `pipx install --force {wanted}` "
        "installs one",
    )
