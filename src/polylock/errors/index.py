"""What indexes and other sources give cannot be had, or is not what it should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from polylock.errors.base import PolylockError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "AnswerTooLong",
    "ArchiveDamaged",
    "FileCorrupt",
    "FilesInvalid",
    "HashMismatch",
    "IndexRequestError",
    "Offline",
    "PageInstead",
    "ProjectNotFound",
    "SizeMismatch",
    "SourceUnusable",
]

StatedBy = Literal["index", "lock file", "project file"]
"""Whose word it is that a file has a hash."""


class IndexRequestError(PolylockError):
    """A request failed and trying again did not or would not help.

    ``url`` has its credentials removed; ``status`` is None where no answer came.
    """

    usual_hint = (
        "check the index URL and the network, or use --offline with a warm cache"
    )

    url: str
    status: int | None
    problem: str

    def __str__(self) -> str:
        if self.status is None:
            return f"cannot reach {self.url}: {self.problem}"
        return f"{self.url} answered {self.status}: {self.problem}"

    def hint(self) -> str | None:
        if self.status in {401, 403}:
            return (
                "give credentials in the URL, a netrc file or POLYLOCK_INDEX_<NAME>_*, "
                "or the user name alone there and the password in the keyring"
            )
        return self.usual_hint


class Offline(IndexRequestError):
    """The answer is not in the cache and --offline forbids asking for it."""

    usual_hint = "run once without --offline to fill the cache"

    def __str__(self) -> str:
        return f"{self.url} is not in the cache, and --offline was given"


class AnswerTooLong(IndexRequestError):
    """An answer has more bytes than any good one; the rest was not read."""


class ProjectNotFound(PolylockError):
    """None of the indexes that may serve the project has it."""

    usual_hint = (
        "check the spelling, or add the index that has it: [[tool.polylock.index]]"
    )

    name: str
    indexes: Sequence[str]

    def __str__(self) -> str:
        where = ", ".join(self.indexes) or "any index"
        return f"project {self.name} was not found on {where}"


class FileCorrupt(PolylockError):
    """A file cannot be what its name or its origin says."""

    usual_hint = (
        "nothing of it was installed; tell whoever published it, or lock another "
        "version or file"
    )

    filename: str
    problem: str

    def __str__(self) -> str:
        return f"{self.filename}: {self.problem}"


class ArchiveDamaged(FileCorrupt):
    """The unpacked copy of a wheel in the cache is not complete; unpack it anew."""

    usual_hint = "run the command again, or `polylock cache clear` first"

    sha256: str

    def __str__(self) -> str:
        return f"the unpacked copy of {self.filename} is damaged: {self.problem}"


class HashMismatch(FileCorrupt):
    """A file has another hash than an index, the lock or the project file states."""

    wanted: str
    found: str
    stated_by: StatedBy

    def __init__(
        self,
        filename: str,
        wanted: str,
        found: str,
        stated_by: StatedBy = "index",
    ) -> None:
        self.wanted = wanted
        self.found = found
        self.stated_by = stated_by
        super().__init__(filename, f"hash {found} instead of {wanted}")

    def as_stated_by(self, stated_by: StatedBy) -> HashMismatch:
        """Return the same finding where the wanted hash was somebody else's word."""
        return type(self)(self.filename, self.wanted, self.found, stated_by)

    def hint(self) -> str | None:
        match self.stated_by:
            case "index":
                return (
                    "it is not the file that its index describes; run the command "
                    "again with --refresh, and if that does not help do not trust it"
                )
            case "lock file":
                return (
                    "the file has changed since it was locked; if that is expected, "
                    "run `polylock lock --upgrade-package` for it, else do not trust "
                    "the source"
                )
            case "project file":
                return (
                    "the file has changed since its hash was written there; if that "
                    "is expected, correct the hash, else do not trust the source"
                )


class PageInstead(HashMismatch):
    """A page in HTML came where a file was asked for, most often one to log in."""

    usual_hint = (
        "open the URL in a browser: it may want credentials, or a proxy may stand "
        "before it"
    )

    def __init__(
        self,
        filename: str,
        wanted: str,
        found: str,
        stated_by: StatedBy = "index",
    ) -> None:
        super().__init__(filename, wanted, found, stated_by)

    def __str__(self) -> str:
        return f"{self.filename}: what came is a web page (HTML), not the file"

    def hint(self) -> str | None:
        return self.usual_hint


class SizeMismatch(FileCorrupt):
    """A downloaded file is shorter or longer than it should be, in bytes."""

    usual_hint = "the download was cut short or the file was replaced; try again"

    wanted: int
    found: int

    def __init__(self, filename: str, wanted: int, found: int) -> None:
        self.wanted = wanted
        self.found = found
        super().__init__(filename, f"{found} bytes instead of {wanted}")


class FilesInvalid(PolylockError):
    """Files of a folder that must not go on an index; a file and its problem a line."""

    listed = "problems"
    usual_hint = "correct or remove the files named; no index was written"

    directory: str
    problems: Sequence[str]

    def __str__(self) -> str:
        return f"{self.directory} holds files that must not go on an index"


class SourceUnusable(PolylockError):
    """A direct source (a URL, a path, a git repository) cannot be had or read.

    ``source`` has no credentials; ``output`` holds the last lines of what git wrote.
    """

    listed = "output"
    usual_hint = "correct the source in the project file"

    source: str
    problem: str
    output: Sequence[str] = ()
    advice: str | None = None

    def __str__(self) -> str:
        return f"{self.source}: {self.problem}"
