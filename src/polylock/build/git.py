"""Checks out source trees from git repositories, with the ``git`` command.

A repository is cached as a bare clone and fetched when something is missing. The
command never prompts, runs no hooks of the user, and uses only the transports named
here.
"""

from __future__ import annotations

import logging
import os
import re
import subprocess
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from polylock.cache.store import Bucket, Store
from polylock.errors import Offline, SourceUnusable
from polylock.network.auth import redact
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


__all__ = ["GitRepositories", "git_variables"]

logger = logging.getLogger(__name__)

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_ABBREVIATED = re.compile(r"[0-9a-f]{4,64}")
_DEFAULT = "refs/polylock/HEAD"
_REFERENCES = (
    "+refs/heads/*:refs/heads/*",
    "+refs/tags/*:refs/tags/*",
    f"+HEAD:{_DEFAULT}",
)
_TRANSPORTS = "file:git:http:https:ssh"
_REMOTE_TRANSPORTS = "git:http:https:ssh"
"""Transports of submodules: a foreign repository must not read this disk."""
_TAIL_LINES = 20
_KEPT = (
    "GIT_SSH",
    "GIT_SSL_",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_EXEC_PATH",
)


def git_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables of the command.

    Variables that point it to another repository are removed (git sets some for its
    hooks), as are those by which it could ask for a password.
    """
    kept = {
        name: value
        for name, value in variables.items()
        if name != "SSH_ASKPASS"
        and (not name.upper().startswith("GIT_") or name.upper().startswith(_KEPT))
    }
    kept["GIT_TERMINAL_PROMPT"] = "0"
    kept["GIT_ALLOW_PROTOCOL"] = _TRANSPORTS
    kept["LC_ALL"] = "C"
    kept.setdefault("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
    return kept


class GitRepositories(Value, frozen=True, kw_only=True):
    """The repositories of a cache; ``variables`` are those of this process.

    A location is a URL, or the absolute path of a repository.
    """

    store: Store
    variables: Mapping[str, str]
    offline: bool = False

    def commit(self, location: str, kind: str, revision: str | None) -> str:
        """Return the commit that a revision currently refers to.

        ``kind`` is ``tag``, ``branch``, or ``rev`` for any of these or a commit. Raises
        SourceUnusable, Offline, CacheUnusable.
        """
        repository = self._path(location)
        with self._exclusive(location):
            if revision is not None and kind == "rev" and _COMMIT.fullmatch(revision):
                self._ensure(repository, location, revision)
                return revision
            if not self.offline:
                self._fetch(repository, location, _REFERENCES)
            elif not repository.is_dir():
                raise Offline(redact(location), None, "not in the cache")
            found = self._find(repository, location, kind, revision)
        if found is None:
            what = f"{kind} {revision}" if revision else "default branch"
            raise SourceUnusable(redact(location), f"the repository has no {what}")
        return found

    @contextmanager
    def checkout(self, location: str, commit: str) -> Iterator[Path]:
        """Yield a working tree of a commit, which is removed after the block.

        It has its own ``.git``, which some backends need for the version. Raises what
        ``commit`` raises.
        """
        if not _COMMIT.fullmatch(commit):  # a lock file may say anything
            raise SourceUnusable(redact(location), f"{commit!r} is not a commit")
        repository = self._path(location)
        with self._exclusive(location):
            self._ensure(repository, location, commit)
        root = self.store.root / Bucket.BUILDS.directory
        with self.store.temporary_directory(root) as work:
            tree = work / "source"
            cloning = ("clone", "--quiet", "--no-checkout", "--shared", "--")
            self._run(location, *cloning, os.fspath(repository), os.fspath(tree))
            inside = ("-C", os.fspath(tree))
            # Relative URLs of submodules are resolved against the origin.
            self._run(location, *inside, "remote", "set-url", "origin", location)
            self._run(location, *inside, "checkout", "--quiet", "--detach", commit)
            found = self._run(location, *inside, "rev-parse", "HEAD")
            if found != commit:
                raise SourceUnusable(redact(location), f"{found} instead of {commit}")
            if (tree / ".gitmodules").is_file() and not self.offline:
                updating = ("submodule", "--quiet", "update", "--init", "--recursive")
                allowed = {"GIT_ALLOW_PROTOCOL": _REMOTE_TRANSPORTS}
                self._run(location, *inside, *updating, more=allowed)
            yield tree

    def _find(
        self, repository: Path, location: str, kind: str, revision: str | None
    ) -> str | None:
        if revision is None:
            return self._resolve(repository, _DEFAULT)
        names = {
            "tag": [f"refs/tags/{revision}"],
            "branch": [f"refs/heads/{revision}"],
            "rev": [f"refs/tags/{revision}", f"refs/heads/{revision}"],
        }[kind]
        if kind == "rev" and revision.startswith("refs/"):
            names = ["refs/polylock/asked"]
            if not self.offline:
                wanted = f"+{revision}:{names[0]}"
                self._fetch(repository, location, (wanted,))
        if kind == "rev" and _ABBREVIATED.fullmatch(revision):
            names.append(revision)
        for name in names:
            found = self._resolve(repository, name)
            if found is not None:
                return found
        return None

    def _resolve(self, repository: Path, name: str) -> str | None:
        arguments = ("rev-parse", "--quiet", "--verify", f"{name}^{{commit}}")
        done = self._call("--git-dir", os.fspath(repository), *arguments)
        return done.stdout.strip() if done.returncode == 0 else None

    def _ensure(self, repository: Path, location: str, commit: str) -> None:
        """Fetch a commit if it is missing; most servers allow that by its id."""
        if repository.is_dir() and self._resolve(repository, commit) is not None:
            return
        if self.offline:
            raise Offline(f"{redact(location)}@{commit}", None, "not in the cache")
        self._fetch(repository, location, _REFERENCES)
        if self._resolve(repository, commit) is not None:
            return
        self._fetch(repository, location, (commit,))
        if self._resolve(repository, commit) is None:
            raise SourceUnusable(redact(location), f"there is no commit {commit}")

    def _fetch(
        self, repository: Path, location: str, references: tuple[str, ...]
    ) -> None:
        logger.info("fetching %s", redact(location))
        if not repository.is_dir():
            self.store.make_directory(repository.parent)
            with self.store.temporary_directory(repository.parent) as temporary:
                made = temporary / "repository"
                self._run(location, "init", "--quiet", "--bare", os.fspath(made))
                os.rename(made, repository)  # noqa: PTH104 - must not replace anything
        options = ("fetch", "--quiet", "--force", "--no-write-fetch-head")
        inside = ("--git-dir", os.fspath(repository))
        self._run(location, *inside, *options, "--", location, *references)

    def _run(
        self, location: str, *arguments: str, more: Mapping[str, str] | None = None
    ) -> str:
        """Run git and return what it prints; raises SourceUnusable."""
        done = self._call(*arguments, more=more)
        if done.returncode != 0:
            lines = redact(done.stderr).strip().splitlines()[-_TAIL_LINES:]
            step = next(each for each in arguments if each.isalpha())
            raise SourceUnusable(
                redact(location),
                f"git {step} exited with status {done.returncode}",
                [
                    "".join(c if c.isprintable() else "?" for c in line)
                    for line in lines
                ],
                "check the URL and the revision, and that git can read it unprompted",
            )
        return done.stdout.strip()

    def _call(
        self, *arguments: str, more: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        command = ["git", "-c", f"core.hooksPath={os.devnull}", "-c", "core.askPass="]
        try:
            return subprocess.run(
                [*command, *arguments],
                env={**git_variables(self.variables), **(more or {})},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                check=False,
            )
        except OSError as error:
            problem = f"cannot be run: {error.strerror or error}"
            raise SourceUnusable("git", problem, (), "install git") from error

    def _path(self, location: str) -> Path:
        return self.store.path(Bucket.GIT, redact(location))

    def _exclusive(self, location: str) -> AbstractContextManager[None]:
        """Return a lock for the repository, shared by all processes."""
        return self.store.exclusive(f"git-{self._path(location).name}")
