"""Source trees and git repositories made for a test."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from fakes.sdists import BACKEND

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["EDITABLE", "git", "git_repository", "source_tree"]

EDITABLE = """
def get_requires_for_build_editable(config_settings=None):
    return []

def build_editable(directory, config_settings=None, metadata_directory=None):
    import zipfile
    filename = build_wheel(directory)
    info = NAME + "-" + VERSION + ".dist-info"
    path = os.path.join(directory, filename)
    with zipfile.ZipFile(path) as archive:
        kept = {n: archive.read(n) for n in archive.namelist() if info in n}
    kept[NAME + ".pth"] = (os.path.abspath("src") + "\\n").encode()
    del kept[info + "/RECORD"]
    rows = []
    for name, content in kept.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest())
        text = digest.rstrip(b"=").decode()
        rows.append("%s,sha256=%s,%d\\n" % (name, text, len(content)))
    rows.append(info + "/RECORD,,\\n")
    kept[info + "/RECORD"] = "".join(rows).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in kept.items():
            archive.writestr(name, content)
    return filename
"""
"""Adds PEP 660 to the backend of ``fakes.sdists``: a path file that leads to src."""


def source_tree(
    directory: Path,
    name: str,
    version: str = "1.0",
    *,
    dependencies: Sequence[str] = (),
    dynamic: bool = False,
    backend: str = EDITABLE,
) -> Path:
    """Write a source tree with its own backend; return its path.

    ``dynamic`` leaves the version to the backend.
    """
    (directory / "tools").mkdir(parents=True, exist_ok=True)
    (directory / "src" / name).mkdir(parents=True, exist_ok=True)
    (directory / "src" / name / "__init__.py").write_text("built = 'here'\n", "utf-8")
    (directory / "tools" / "backend.py").write_text(
        f"NAME, VERSION = {name!r}, {version!r}\nFURTHER, IMPORTED = [], []\n"
        f"BUILT_REQUIRES = {list(dependencies)!r}\n" + BACKEND + backend,
        "utf-8",
    )
    stated = 'dynamic = ["version"]' if dynamic else f'version = "{version}"'
    (directory / "pyproject.toml").write_text(
        f'[project]\nname = "{name}"\n{stated}\ndependencies = {list(dependencies)!r}\n'
        '[build-system]\nrequires = []\nbuild-backend = "backend"\n'
        'backend-path = ["tools"]\n',
        "utf-8",
    )
    return directory


def git(directory: Path, *arguments: str) -> str:
    """Run git in a directory, with an author of its own and no configuration."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    identity = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "a"), ("EMAIL", "a@example.com"))
    }
    nothing = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", *arguments],
        cwd=directory,
        env={**kept, **identity, **nothing},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def git_repository(directory: Path, *, tag: str | None = None) -> str:
    """Commit all files of a directory, on the branch main; return the commit."""
    if not (directory / ".git").exists():
        git(directory, "init", "--quiet", "--initial-branch=main")
    git(directory, "add", "--all")
    git(directory, "commit", "--quiet", "--message", "a change")
    if tag is not None:
        git(directory, "tag", tag)
    return git(directory, "rev-parse", "HEAD")
