"""Every exception polylock raises on purpose.

::

    PolylockError
    +- UsageError                  the command line asks for something impossible
    +- ProjectError                the project file
    +- IndexRequestError           a request to an index failed for good
    |  +- AnswerTooLong            more bytes than any good answer has
    |  +- Offline                  the answer is not in the cache
    +- ProjectNotFound             no index has the project
    +- FileCorrupt                 a file is not what it should be
    |  +- ArchiveDamaged           the unpacked copy in the cache
    |  +- HashMismatch
    |  |  +- PageInstead           a web page came instead
    |  +- SizeMismatch
    +- SourceUnusable              a direct source cannot be had or read
    +- FilesInvalid                files that must not go on an index
    +- NoSolution                  the requirements of a target cannot be met
    +- LockFileInvalid             pylock.toml cannot be read
    +- LockFileOutdated            pylock.toml does not answer the project
    +- ForeignLockInvalid          a lock file of another tool cannot be read
    +- ForeignHashDiffers          an index has another file than it has locked
    +- NoSuchTarget                a target that the lock file does not have
    +- TooComplex                  more conditions than can be worked out in time
    +- TargetMismatch              this machine is not that target
    |  +- NoTargetFits             nor any other
    +- NothingToInstall            a locked package has no file for the target
    +- EnvironmentBroken           an environment cannot be read or written
    +- CacheUnusable               the cache cannot be read or written
    +- BuildFailed                 a source distribution cannot be built
    +- BuildForbidden              the project forbids to build it
    +- ProviderFailed              a trusted provider gave no usable answer

An exception holds data; ``str()`` is one sentence made from it and ``hint()``
says the next step. Layout and colour are the business of ``polylock.cli``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, dataclass_transform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polylock.model.reasons import Rejection

__all__ = [
    "AnswerTooLong",
    "ArchiveDamaged",
    "BuildFailed",
    "BuildForbidden",
    "CacheUnusable",
    "EnvironmentBroken",
    "FileCorrupt",
    "FilesInvalid",
    "ForeignHashDiffers",
    "ForeignLockInvalid",
    "HashMismatch",
    "IndexRequestError",
    "LockFileInvalid",
    "LockFileOutdated",
    "NetworkSettingInvalid",
    "NoSolution",
    "NoSuchTarget",
    "NoTargetFits",
    "NothingToInstall",
    "Offline",
    "PageInstead",
    "PolylockError",
    "ProjectError",
    "ProjectNotFound",
    "ProjectPageRefused",
    "ProviderFailed",
    "ProxyFailed",
    "SizeMismatch",
    "SourceUnusable",
    "TargetMismatch",
    "TlsFailed",
    "TooComplex",
    "UsageError",
]


@dataclass_transform(eq_default=False)
class PolylockError(Exception):
    """Base of all errors that are told to the user without a traceback.

    A subclass says its fields as a dataclass does. It is none because every command
    would wait 3 ms for twenty methods to be written that hardly one of them calls.
    """

    exit_code: ClassVar[int] = 1
    """1 could not, 2 usage or project file, 3 out of date, 4 not this machine."""

    usual_hint: ClassVar[str] = ""
    """The next step for the user where the error brings no ``advice`` of its own."""

    listed: ClassVar[str] = ""
    """Name of the field whose items are shown under the message, a line each."""

    @classmethod
    def _fields(cls) -> tuple[str, ...]:
        """Return the names of the fields, those of the base first.

        Worked out where an error is made: hardly one is, and there are many classes.
        """
        names = (
            name
            for base in reversed(cls.__mro__)
            if issubclass(base, PolylockError)
            for name, kind in base.__annotations__.items()
            if not str(kind).startswith("ClassVar")
        )
        return tuple(dict.fromkeys(names))

    def __init__(self, *values: object, **named: object) -> None:
        """Take the fields in their order, or by name; a default may be left out."""
        fields = self._fields()
        if len(values) > len(fields):
            raise TypeError(f"{type(self).__name__} has {len(fields)} fields")
        for name, value in zip(fields, values, strict=False):
            if name in named:
                raise TypeError(f"{type(self).__name__}: {name} is given twice")
            setattr(self, name, value)
        for name, value in named.items():
            if name not in fields:
                raise TypeError(f"{type(self).__name__} has no field {name}")
            setattr(self, name, value)
        missing = [name for name in fields if not hasattr(self, name)]
        if missing:
            raise TypeError(f"{type(self).__name__}: {', '.join(missing)} is missing")

    def __repr__(self) -> str:
        fields = (f"{name}={getattr(self, name)!r}" for name in self._fields())
        return f"{type(self).__name__}({', '.join(fields)})"

    def hint(self) -> str | None:
        """Return the next step for the user, or None where there is none."""
        return getattr(self, "advice", None) or self.usual_hint or None

    def details(self) -> Sequence[str]:
        """Return further lines, one fact each, shown under the message."""
        return getattr(self, self.listed) if self.listed else ()


class UsageError(PolylockError):
    """The command line asks for something that cannot be."""

    exit_code = 2

    problem: str
    advice: str | None = None

    def __str__(self) -> str:
        return self.problem


class NetworkSettingInvalid(PolylockError):
    """A variable for proxies or certificates has a value that cannot be used.

    ``value`` is shown, so it has no credentials in it.
    """

    exit_code = 2

    variable: str
    value: str
    problem: str
    advice: str | None = None

    def __str__(self) -> str:
        return f"{self.variable}={self.value}: {self.problem}"


class ProjectError(PolylockError):
    """A value in the project file is missing, unknown or wrong.

    ``key`` is the dotted key path, ``tool.polylock.targets.h100.cpu``, or the
    empty string where the file as a whole is meant.
    """

    exit_code = 2

    path: str
    key: str
    problem: str
    advice: str | None = None

    def __str__(self) -> str:
        return _at_key(self.path, self.key, self.problem)


class LockFileInvalid(PolylockError):
    """The lock file cannot be read; ``key`` is the key path, ``packages[3].name``."""

    usual_hint = "restore it from version control, or delete it and run `polylock lock`"

    path: str
    key: str
    problem: str
    advice: str | None = None

    def __str__(self) -> str:
        return _at_key(self.path, self.key, self.problem)


class ForeignLockInvalid(PolylockError):
    """A lock file of another tool cannot be read; ``key`` may be ``line 12``."""

    exit_code = 2
    usual_hint = "give a file as its own tool writes it, or lock without --pins-from"

    path: str
    key: str
    problem: str

    def __str__(self) -> str:
        return _at_key(self.path, self.key, self.problem)


class ForeignHashDiffers(PolylockError):
    """The index has other bytes under the name of a file than the pin's hash says."""

    path: str
    name: str
    version: str
    filename: str
    wanted: str
    found: str

    def __str__(self) -> str:
        return (
            f"{self.name} {self.version}: {self.filename} has another hash on the "
            f"index than in {self.path}"
        )

    def details(self) -> Sequence[str]:
        return (f"{self.path}: {self.wanted}", f"the index: {self.found}")

    def hint(self) -> str | None:
        return (
            "a published file must not change: do not trust it before you know why; "
            f"if the index builds {self.name} itself, take {self.name} out of "
            f"{self.path}"
        )


class LockFileOutdated(PolylockError):
    """The lock file does not answer the project; a difference a line."""

    exit_code = 3
    listed = "differences"
    usual_hint = "run `polylock lock`"

    path: str
    differences: Sequence[str]

    def __str__(self) -> str:
        return f"{self.path} is out of date"


class NoSuchTarget(PolylockError):
    """A target, group or extra that was asked for does not exist."""

    exit_code = 2

    kind: str
    name: str
    known: Sequence[str]
    advice: str | None = None

    def __str__(self) -> str:
        return f"no {self.kind} named {self.name}"

    def hint(self) -> str | None:
        if self.advice:
            return self.advice
        known = ", ".join(self.known)
        return f"there are: {known}" if known else f"there is no {self.kind} at all"


class NoSolution(PolylockError):
    """The requirements of a target contradict each other or the index.

    ``explanation`` holds the causes, a line each, made by
    ``polylock.explain.conflict``.
    """

    listed = "explanation"

    target: str
    explanation: Sequence[str]
    advice: str | None = None

    def __str__(self) -> str:
        return f"no solution for target {self.target}"


class TooComplex(PolylockError):
    """What metadata asks for on a target cannot be worked out in a bounded time."""

    usual_hint = "lock another version of what requires it, or leave it out"

    project: str
    target: str
    problem: str

    def __str__(self) -> str:
        where = f" on target {self.target}" if self.target else ""
        return f"{self.project}{where}: {self.problem}"


def _at_key(path: str, key: str, problem: str) -> str:
    """Return a sentence about a value of a file, or about the file as a whole."""
    return f"{path}: {key}: {problem}" if key else f"{path}: {problem}"


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


class ProjectPageRefused(IndexRequestError):
    """An index answers 401 or 403 for the page of a project.

    Some indexes answer so for projects that they do not have. Which of the two it is
    only the user can say: to ask the next index would be dependency confusion.
    """

    index: str
    project: str

    def hint(self) -> str | None:
        return (
            f"if index {self.index} answers {self.status} for projects that it does "
            f"not have, set absent = [{self.status}] in its [[tool.polylock.index]], "
            "or explicit = true there and name it under sources for the projects that "
            "it has; otherwise give it credentials: in the URL, a netrc file or "
            f"POLYLOCK_INDEX_<NAME>_*, or the password in the keyring"
        )


class ProxyFailed(IndexRequestError):
    """The proxy, not the index, could not be reached or refused to help.

    ``proxy`` is its URL without credentials, ``variable`` what names it.
    """

    proxy: str
    variable: str

    def __str__(self) -> str:
        return f"cannot reach {self.url}: proxy {self.proxy}: {self.problem}"

    def hint(self) -> str | None:
        return (
            f"the proxy is that of {self.variable}: correct it, or name the host in "
            "NO_PROXY where it is reached without one"
        )


class TlsFailed(IndexRequestError):
    """The certificate is not trusted, or the peer speaks no TLS."""

    usual_hint = (
        "where a company or a proxy has a certificate authority of its own, name its "
        "file in SSL_CERT_FILE, or a directory in SSL_CERT_DIR; a client's own "
        "certificate in SSL_CLIENT_CERT"
    )


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


class TargetMismatch(PolylockError):
    """This machine lacks something that the target needs; an item a line."""

    exit_code = 4
    listed = "missing"
    usual_hint = (
        "choose another target with --target, or build for the other machine "
        "with --force-target"
    )

    target: str
    missing: Sequence[str]

    def __str__(self) -> str:
        return f"this machine is not target {self.target}"


class NoTargetFits(TargetMismatch):
    """This machine lacks something for each target of the lock file."""

    usual_hint = (
        "add this machine with `polylock targets add --here`, or build for another "
        "with --target and --force-target"
    )

    def __str__(self) -> str:
        return "this machine is none of the targets"


class NothingToInstall(PolylockError):
    """A locked package has no file that the environment could install."""

    name: str
    version: str
    target: str
    rejected: Sequence[Rejection]

    def __str__(self) -> str:
        return f"{self.name} {self.version} has no file for target {self.target}"


class EnvironmentBroken(PolylockError):
    """An environment cannot be read, made or changed."""

    usual_hint = (
        "check the permissions and the free space there, then run the command "
        "again: it repairs what was interrupted"
    )

    path: str
    problem: str
    advice: str | None = None

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


class CacheUnusable(PolylockError):
    """The cache directory cannot be read or written."""

    usual_hint = (
        "check the permissions and the free space there, or choose another place "
        "with --cache-dir or POLYLOCK_CACHE_DIR"
    )

    path: str
    problem: str

    def __str__(self) -> str:
        return f"cache {self.path}: {self.problem}"


class BuildFailed(PolylockError):
    """A source distribution cannot be built.

    ``step`` says what failed, as a clause: ``build_wheel exited with status 1``.
    ``output`` holds the last lines of what the build wrote, or further facts.
    """

    listed = "output"
    usual_hint = (
        "the build may need a compiler or a library that is not here; "
        "constrain the project to a version that has a wheel for the target"
    )

    name: str
    version: str
    step: str
    output: Sequence[str] = ()
    advice: str | None = None

    def __str__(self) -> str:
        return f"cannot build {self.name} {self.version}: {self.step}"


class BuildForbidden(PolylockError):
    """A source distribution would have to be built, and the project forbids it.

    ``policy`` is the setting that does, as written: ``build = "none"``.
    """

    name: str
    version: str
    policy: str

    def __str__(self) -> str:
        return (
            f"{self.name} {self.version} is locked as a source distribution, "
            f"and {self.policy} in [tool.polylock] forbids to build it"
        )

    def hint(self) -> str | None:
        return (
            f"change {self.policy.partition(' ')[0]} in [tool.polylock], or "
            f"constrain {self.name} to a version that has a wheel for the target"
        )


class ProviderFailed(PolylockError):
    """A provider that the user trusts gave no usable answer.

    ``step`` says what failed, as a clause: ``it did not answer within 60 seconds``.
    ``output`` holds the last lines of what its plugin printed, or further facts.
    """

    listed = "output"
    usual_hint = (
        "without it, state the lists under properties of the target, or try "
        "another version: --trust-provider NAME==VERSION"
    )

    name: str
    step: str
    output: Sequence[str] = ()
    advice: str | None = None

    def __str__(self) -> str:
        return f"the provider {self.name} is of no use: {self.step}"
