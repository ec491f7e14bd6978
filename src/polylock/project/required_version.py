"""Reads ``required-version``: which versions of polylock a project accepts.

It is read before all else: another polylock may know other keys, and its errors about
them would not say what is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from polylock import __version__

if TYPE_CHECKING:
    from polylock.toml_tables import Table

__all__ = ["check_required_version"]

_KEY = "required-version"


def check_required_version(tool: Table, running: str = __version__) -> None:
    """Raise ProjectError if ``[tool.polylock]`` does not accept this polylock."""
    text = tool.string(_KEY)
    if text is None:
        return
    try:
        accepted = SpecifierSet(text)
    except InvalidSpecifier as error:
        raise tool.error(
            f"{text!r} is not a version specifier",
            _KEY,
            advice=f'write: {_KEY} = ">={running}"',
        ) from error
    if accepted.contains(running, prereleases=True):
        return
    wanted = f"'polylock{accepted}'"
    raise tool.error(
        f"the project requires polylock {accepted}, and this is polylock {running}",
        _KEY,
        advice=f"`uv tool install {wanted}` or `pipx install --force {wanted}` "
        "installs one",
    )
