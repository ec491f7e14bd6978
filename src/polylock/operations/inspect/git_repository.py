"""Read files from git: in a commit, on the sides of a merge, and merged.

git calls a merge driver before it writes other merged files, so the merged project file
is computed here with git's own merge.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from polylock.errors import UsageError
from polylock.operations.files import attempt
from polylock.values import Value

__all__ = ["Commit", "Repository", "Sides"]

_HEAD = "GITHEAD_"
"""Prefix of the variables in which git-merge names the commits it merges."""
_PICKED = re.compile(r"^(?:pick|edit|reword|squash|fixup)\s+(?:-[cC]\s+)?([0-9a-f]+)")


class Sides(Value, frozen=True, kw_only=True):
    """Three versions of a file as bytes; None if there is none."""

    base: bytes | None
    ours: bytes | None
    theirs: bytes | None


class Commit(Value, frozen=True, kw_only=True):
    """The checked-out commit with its author date.

    ``changed`` is whether a given file differs from the commit.
    """

    commit: str
    date: str
    changed: bool


class Repository(Value, frozen=True, kw_only=True):
    """The working tree of ``directory``; git runs with the environment ``variables``.

    Every method raises UsageError if git is missing or fails.
    """

    directory: Path
    variables: Mapping[str, str]

    @property
    def root(self) -> Path:
        """Return the top directory of the working tree."""
        return Path(self._text("rev-parse", "--show-toplevel"))

    def configure(self, key: str, value: str) -> None:
        """Set a key of this repository's own configuration."""
        self._text("config", "--local", key, value)

    def conflict(self, path: Path) -> Sides | None:
        """Return the sides of a file in conflict, or None if it has no conflict."""
        relative = self._relative(path)
        listed = self._text("ls-files", "--unmerged", "--", f":/{relative}")
        if not listed:
            return None
        base, ours, theirs = (self._show(f":{n}:{relative}") for n in (1, 2, 3))
        return Sides(base=base, ours=ours, theirs=theirs)

    def committed(self, path: Path, revision: str) -> bytes | None:
        """Return a file in a commit, or None if the commit does not have it.

        Raises UsageError also if there is no such commit.
        """
        self._text("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
        return self._show(f"{revision}:{self._relative(path)}")

    def head(self, path: Path, content: bytes) -> Commit | None:
        """Return the checked-out commit, or None if there is none yet.

        ``content`` is compared with the file in the commit, except for line endings,
        which git may convert.
        """
        text = self._optional("show", "-s", "--no-show-signature", "--format=%H %aI")
        if text is None:
            return None
        commit, _, date = text.partition(" ")
        there = self._show(f"{commit}:{self._relative(path)}")
        changed = there is None or _lines(there) != _lines(content)
        return Commit(commit=commit, date=date, changed=changed)

    def merged(self, path: Path, beside: Path, theirs: bytes) -> bytes | None:
        """Return a file as the current merge will leave it, or None if unknown.

        ``beside`` is the file that the driver was called for, and ``theirs`` its
        content on the other side, which identifies the merged commit. A file in
        conflict is unknown.
        """
        for commit, base in self._others():
            if self._show(f"{commit}:{self._relative(beside)}") == theirs:
                relative = self._relative(path)
                sides = Sides(
                    base=self._show(f"{base}:{relative}") if base else None,
                    ours=self._show(f"HEAD:{relative}"),
                    theirs=self._show(f"{commit}:{relative}"),
                )
                return self._merge(sides)
        return None

    def _others(self) -> list[tuple[str, str | None]]:
        """Return the commits that git may be merging, each with the common ancestor."""
        merged = [name[len(_HEAD) :] for name in self.variables if _is_head(name)]
        found: list[tuple[str, str | None]] = [
            (commit, self._optional("merge-base", "HEAD", commit))
            for commit in sorted(merged)
        ]
        for name in ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REBASE_HEAD"):
            commit = self._optional("rev-parse", "--verify", "--quiet", name)
            if commit and name == "MERGE_HEAD":
                found.append((commit, self._optional("merge-base", "HEAD", commit)))
            elif commit:
                found.append((commit, f"{commit}^"))
        picked = self._picked()
        if picked is not None:
            found.append((picked, f"{picked}^"))
        return found

    def _picked(self) -> str | None:
        """Return the current commit of a rebase, which git records before the step."""
        directory = self._optional("rev-parse", "--git-path", "rebase-merge")
        if directory is None:
            return None
        try:
            lines = (self.directory / directory / "done").read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            return None
        steps = [found for line in lines.splitlines() if (found := _PICKED.match(line))]
        return steps[-1].group(1) if steps else None

    def _merge(self, sides: Sides) -> bytes | None:
        if sides.theirs in (sides.ours, sides.base):
            return sides.ours
        if sides.ours == sides.base:
            return sides.theirs
        if sides.ours is None or sides.theirs is None:
            return None
        with TemporaryDirectory() as directory:
            paths = []
            for name, content in (
                ("ours", sides.ours),
                ("base", sides.base or b""),
                ("theirs", sides.theirs),
            ):
                path = Path(directory) / name
                path.write_bytes(content)
                paths.append(str(path))
            done = self._run("merge-file", "-p", "-q", *paths)
        return done.stdout if done.returncode == 0 else None

    def _relative(self, path: Path) -> str:
        try:
            return path.resolve().relative_to(self.root.resolve()).as_posix()
        except ValueError as error:
            problem = f"{path} is not in the repository {self.root}"
            raise UsageError(problem) from error

    def _show(self, name: str) -> bytes | None:
        done = self._run("cat-file", "blob", name)
        return done.stdout if done.returncode == 0 else None

    def _optional(self, *arguments: str) -> str | None:
        done = self._run(*arguments)
        text = done.stdout.decode("utf-8", "replace").strip()
        return text if done.returncode == 0 and text else None

    def _text(self, *arguments: str) -> str:
        done = self._run(*arguments)
        if done.returncode != 0:
            reason = done.stderr.decode("utf-8", "replace").strip()
            raise UsageError(f"git {arguments[0]} failed: {reason}")
        return done.stdout.decode("utf-8", "replace").strip()

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        with attempt("run git"):
            return subprocess.run(
                ("git", *arguments),  # noqa: S607 - the user's own, as of any hook
                cwd=self.directory,
                env={**self.variables, "LC_ALL": "C"},
                capture_output=True,
                stdin=subprocess.DEVNULL,
                check=False,
            )


def _lines(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n")


def _is_head(name: str) -> bool:
    return name.startswith(_HEAD)
