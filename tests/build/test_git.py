"""Repositories are fetched once and commits verified, without a prompt."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from fakes.repositories import git, git_repository
from polylock.build.git import GitRepositories, git_variables
from polylock.cache.store import Store
from polylock.errors import Offline, SourceUnusable

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def repositories(tmp_path: Path) -> GitRepositories:
    """Return the repositories of an empty cache."""
    return GitRepositories(store=Store(tmp_path / "cache"), variables=os.environ)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository with one commit, tagged v1, that holds one file."""
    made = tmp_path / "made"
    made.mkdir()
    (made / "a.txt").write_text("one", "utf-8")
    git_repository(made, tag="v1")
    return made


@pytest.mark.parametrize(
    ("kind", "revision"),
    [
        ("rev", None),
        ("rev", "main"),
        ("rev", "v1"),
        ("rev", "refs/heads/main"),
        ("tag", "v1"),
        ("branch", "main"),
    ],
)
def test_a_revision_means_a_commit(
    repositories: GitRepositories, repository: Path, kind: str, revision: str | None
) -> None:
    """By any name, by its beginning, and by itself."""
    commit = git(repository, "rev-parse", "HEAD")
    assert repositories.commit(str(repository), kind, revision) == commit
    assert repositories.commit(str(repository), "rev", commit[:8]) == commit
    assert repositories.commit(repository.as_uri(), "rev", commit) == commit


@pytest.mark.parametrize(
    ("kind", "revision"), [("tag", "main"), ("branch", "v1"), ("rev", "nothing")]
)
def test_a_revision_that_is_not_there_is_named(
    repositories: GitRepositories, repository: Path, kind: str, revision: str
) -> None:
    """A tag is no branch, and a branch no tag."""
    with pytest.raises(SourceUnusable, match=f"has no {kind} {revision}"):
        repositories.commit(str(repository), kind, revision)


def test_a_moved_tag_and_branch_are_followed(
    repositories: GitRepositories, repository: Path
) -> None:
    """A revision is resolved by the current state of the repository."""
    first = repositories.commit(str(repository), "tag", "v1")
    (repository / "a.txt").write_text("two", "utf-8")
    second = git_repository(repository)
    git(repository, "tag", "--force", "v1")
    assert first != second
    assert repositories.commit(str(repository), "tag", "v1") == second
    assert repositories.commit(str(repository), "branch", "main") == second


def test_a_checkout_is_of_the_commit_and_goes(
    repositories: GitRepositories, repository: Path
) -> None:
    """A known commit needs no repository any more, and no network."""
    commit = repositories.commit(str(repository), "rev", None)
    (repository / "a.txt").write_text("two", "utf-8")
    git_repository(repository)
    shutil.rmtree(repository)
    offline = GitRepositories(
        store=repositories.store, variables=os.environ, offline=True
    )
    with offline.checkout(str(repository), commit) as tree:
        assert (tree / "a.txt").read_text("utf-8") == "one"
        assert git(tree, "rev-parse", "HEAD") == commit
    assert not tree.exists()
    with pytest.raises(Offline), offline.checkout(str(repository), "0" * 40):
        pass


@pytest.mark.parametrize("commit", ["--upload-pack=touch x", "HEAD", "", "main"])
def test_only_a_commit_is_checked_out(
    repositories: GitRepositories, repository: Path, commit: str
) -> None:
    """Text from a lock file is never an option of the command."""
    with (
        pytest.raises(SourceUnusable, match="is not a commit"),
        repositories.checkout(str(repository), commit),
    ):
        pass


def test_passwords_stay_out_of_errors(repositories: GitRepositories) -> None:
    """Neither the message nor git's output has credentials."""
    url = "http://user:secret@127.0.0.1:9/x.git"
    with pytest.raises(SourceUnusable) as caught:
        repositories.commit(url, "rev", "main")
    assert "127.0.0.1" in str(caught.value)
    assert "secret" not in "\n".join([str(caught.value), *caught.value.details()])


def test_a_submodule_cannot_read_this_disk(
    repositories: GitRepositories, repository: Path, tmp_path: Path
) -> None:
    """A path in a foreign repository is not followed."""
    outer = tmp_path / "outer"
    outer.mkdir()
    git_repository_of_module(outer, repository)
    commit = repositories.commit(str(outer), "rev", None)
    with (
        pytest.raises(SourceUnusable, match="submodule"),
        repositories.checkout(str(outer), commit),
    ):
        pass


def git_repository_of_module(outer: Path, inner: Path) -> None:
    """Make a repository whose submodule is another one on this disk."""
    git(outer, "init", "--quiet", "--initial-branch=main")
    adding = ("submodule", "--quiet", "add", str(inner), "inner")
    git(outer, "-c", "protocol.file.allow=always", *adding)
    git_repository(outer)


def test_the_variables_ask_nobody() -> None:
    """Those of another repository go, those of a proxy or of ssh stay."""
    given = {
        "GIT_DIR": "/x",
        "GIT_ASKPASS": "ask",
        "SSH_ASKPASS": "ask",
        "GIT_SSH_COMMAND": "ssh -v",
        "HOME": "/h",
    }
    found = git_variables(given)
    assert found["GIT_TERMINAL_PROMPT"] == "0"
    assert "ext" not in found["GIT_ALLOW_PROTOCOL"].split(":")
    assert (found["GIT_SSH_COMMAND"], found["HOME"]) == ("ssh -v", "/h")
    assert not {"GIT_DIR", "GIT_ASKPASS", "SSH_ASKPASS"} & set(found)
