"""Every exception polylock raises on purpose.

::

    PolylockError
    +- UsageError                  the command line asks for something impossible
    +- ProjectError                the project file
    |  +- UnreadSettings           another tool's, without a counterpart
    |  +- UnreadSettings           settings of another tool that change the lock
    +- NetworkSettingInvalid       a variable for proxies or certificates
    +- IndexRequestError           a request to an index failed, retries included
    |  +- ProjectPageRefused       the index refused the page of a project
    |  +- ProxyFailed
    |  +- TlsFailed
    |  +- AnswerTooLong            a response above the size limit
    |  +- Offline                  the response is not in the cache
    +- ProjectNotFound             no index has the project
    +- FileCorrupt                 a file is not what it should be
    |  +- ArchiveDamaged           the unpacked copy in the cache
    |  +- LockedIncomplete         the lock file has no hash or URL for it
    |  +- HashMismatch
    |  |  +- PageInstead           the server sent a web page
    |  +- SizeMismatch
    +- SourceUnusable              a direct source cannot be fetched or read
    +- FilesInvalid                files that must not be published on an index
    +- RepackFileInvalid           the file of `variant repack` has an error
    +- WheelsRefused               wheels that cannot be rewritten
    +- RepackFileInvalid           the file of ``variant repack``
    +- WheelsRefused               wheels that cannot be written as requested
    +- NoSolution                  the requirements of a target cannot be met
    |  +- BuildsNeeded             unless projects are built
    +- LockFileInvalid             pylock.toml cannot be read
    +- LockFileOutdated            pylock.toml is not up to date
    +- ForeignLockInvalid          a lock file of another tool cannot be read
    +- ForeignHashDiffers          an index has a different file than that lock
    +- NoSuchTarget                a target, group or extra that does not exist
    +- TooComplex                  a target cannot be solved in a bounded time
    +- TargetMismatch              this machine does not fit the target
    |  +- NoTargetFits             nor any other target
    +- NothingToInstall            a locked package has no file for the target
    +- EnvironmentBroken           an environment cannot be read or written
    +- CacheUnusable               the cache cannot be read or written
    +- BuildFailed                 a source distribution cannot be built
    +- BuildForbidden              the project forbids building it
    +- ProviderFailed              a trusted provider plugin failed

An exception holds data; ``str()`` makes one sentence of it and ``hint()`` returns the
next step. ``polylock.cli`` decides layout and colour.
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
    "BuildsNeeded",
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
    "LockedIncomplete",
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
    "RepackFileInvalid",
    "SizeMismatch",
    "SourceUnusable",
    "TargetMismatch",
    "TlsFailed",
    "TooComplex",
    "UnreadSettings",
    "UsageError",
    "WheelsRefused",
]


@dataclass_transform(eq_default=False)
class PolylockError(Exception):
    """Base of all errors that the user sees without a traceback.

    A subclass declares its fields as a dataclass does. It is not a dataclass: to
    generate the methods of all subclasses would cost every command 3 ms.
    """

    exit_code: ClassVar[int] = 1
    """1: failed, 2: usage or project file, 3: out of date, 4: wrong machine."""

    usual_hint: ClassVar[str] = ""
    """The next step for the user, unless the error has ``advice`` of its own."""

    listed: ClassVar[str] = ""
    """The field whose items are shown below the message, one per line."""

    @classmethod
    def _fields(cls) -> tuple[str, ...]:
        """Return the names of the fields, those of the base class first.

        Computed when an error is created: that is rare, and there are many classes.
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
        """Set the fields by position or name; those with a default may be omitted."""
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
        """Return the next step for the user, None if there is none."""
        return getattr(self, "advice", None) or self.usual_hint or None

    def details(self) -> Sequence[str]:
        """Return further facts, one per line, shown below the message."""
        return getattr(self, self.listed) if self.listed else ()


class UsageError(PolylockError):
    """The command line asks for something impossible."""

    exit_code = 2

    problem: str
    advice: str | None = None

    def __str__(self) -> str:
        return self.problem


class NetworkSettingInvalid(PolylockError):
    """A variable for proxies or certificates has an invalid value.

    ``value`` is shown, so it is without credentials.
    """

    exit_code = 2

    variable: str
    value: str
    problem: str
    advice: str | None = None

    def __str__(self) -> str:
        return f"{self.variable}={self.value}: {self.problem}"


class _ErrorAtKey(PolylockError):
    """A value of a file is wrong.

    ``key`` is the key path, ``packages[3].name``; it is empty if the whole file is
    meant.
    """

    path: str
    key: str
    problem: str
    advice: str | None = None

    def __str__(self) -> str:
        if not self.key:
            return f"{self.path}: {self.problem}"
        return f"{self.path}: {self.key}: {self.problem}"


class ProjectError(_ErrorAtKey):
    """A value in the project file is missing, unknown or wrong.

    ``key`` is the dotted key path, ``tool.polylock.targets.h100.cpu``.
    """

    exit_code = 2


class UnreadSettings(ProjectError):
    """Settings of another tool change what is locked, and polylock does not read them.

    ``keys`` are their key paths; ``tool`` is the name of the tool as ``init --from``
    takes it.
    """

    listed = "keys"

    path: str
    key: str = ""
    problem: str = ""
    keys: Sequence[str] = ()
    tool: str = ""

    def __str__(self) -> str:
        return (
            f"{self.path}: [tool.{self.tool}] says what polylock does not read and "
            "what would change the lock file:"
        )

    def hint(self) -> str | None:
        names = ", ".join(f'"{key}"' for key in self.keys[:3])
        more = ", ..." if len(self.keys) > 3 else ""
        return (
            f"`polylock init --from {self.tool}` converts it; to lock without it, "
            f"write in [tool.polylock]: ignored-settings = [{names}{more}]"
        )


class LockFileInvalid(_ErrorAtKey):
    """The lock file cannot be read."""

    usual_hint = "restore it from version control, or delete it and run `polylock lock`"


class ForeignLockInvalid(_ErrorAtKey):
    """A lock file of another tool cannot be read; ``key`` may be ``line 12``."""

    exit_code = 2
    usual_hint = "give a file as its own tool writes it, or lock without --pins-from"


class ForeignHashDiffers(PolylockError):
    """The index serves a file whose hash differs from the one in a foreign lock."""

    path: str
    name: str
    version: str
    filename: str
    wanted: str
    found: str

    def __str__(self) -> str:
        return (
            f"{self.name} {self.version}: the hash of {self.filename} on the index "
            f"differs from the one in {self.path}"
        )

    def details(self) -> Sequence[str]:
        return (f"{self.path}: {self.wanted}", f"the index: {self.found}")

    def hint(self) -> str | None:
        return (
            "a published file must not change: find out why before you trust it; "
            f"if the index builds {self.name} itself, remove {self.name} from "
            f"{self.path}"
        )


class LockFileOutdated(PolylockError):
    """The lock file is out of date; ``differences`` has one line for each."""

    exit_code = 3
    listed = "differences"
    usual_hint = "run `polylock lock`"

    path: str
    differences: Sequence[str]

    def __str__(self) -> str:
        return f"{self.path} is out of date"


class NoSuchTarget(PolylockError):
    """The requested target, group or extra does not exist."""

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
        return f"there are: {known}" if known else f"no {self.kind} exists"


class NoSolution(PolylockError):
    """The requirements of a target cannot all be met.

    ``explanation`` holds the causes, one per line, from ``polylock.explain.conflict``.
    """

    listed = "explanation"

    target: str
    explanation: Sequence[str]
    advice: str | None = None

    def __str__(self) -> str:
        return f"no solution for target {self.target}"


class BuildsNeeded(NoSolution):
    """Projects must be built to be locked, and the project does not allow it.

    ``projects`` are their names, sorted; ``allowed`` are those that this run allowed
    without success.
    """

    projects: Sequence[str] = ()
    allowed: Sequence[str] = ()

    def after(self, allowed: Sequence[str]) -> BuildsNeeded:
        """Return the error of a run that allowed the builds of projects."""
        return BuildsNeeded(
            self.target,
            self.explanation,
            projects=self.projects,
            allowed=tuple(allowed),
        )

    def hint(self) -> str:
        names = sorted({*self.projects, *self.allowed})
        options = " ".join(f"--allow-build {name}" for name in names)
        return (
            f"`polylock lock {options}` names {'it' if len(names) == 1 else 'them'} in "
            "build-package, so that the build backend may run on your machine"
        )


class TooComplex(PolylockError):
    """The dependencies of a target cannot be solved in a bounded time."""

    usual_hint = "lock another version of what requires it, or remove the requirement"

    project: str
    target: str
    problem: str

    def __str__(self) -> str:
        where = f" on target {self.target}" if self.target else ""
        return f"{self.project}{where}: {self.problem}"


StatedBy = Literal["index", "lock file", "project file"]
"""The origin of the expected hash of a file."""


class IndexRequestError(PolylockError):
    """A request failed, and a retry did not or would not help.

    ``url`` is without credentials; ``status`` is None if there was no response.
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

    Some indexes do so for projects that they do not have. Only the user knows which of
    the two it is: to go on to the next index would allow dependency confusion.
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
    """The proxy, not the index, could not be reached or refused the request.

    ``proxy`` is its URL without credentials, ``variable`` the variable that sets it.
    """

    proxy: str
    variable: str

    def __str__(self) -> str:
        return f"cannot reach {self.url}: proxy {self.proxy}: {self.problem}"

    def hint(self) -> str | None:
        return (
            f"the proxy is set by {self.variable}: correct it, or name the host in "
            "NO_PROXY if it is reached without one"
        )


class TlsFailed(IndexRequestError):
    """The certificate is not trusted, or the server does not support TLS."""

    usual_hint = (
        "if a company or a proxy has its own certificate authority, name its file in "
        "SSL_CERT_FILE or its directory in SSL_CERT_DIR; a client certificate goes in "
        "SSL_CLIENT_CERT"
    )


class Offline(IndexRequestError):
    """The response is not in the cache, and --offline forbids the request."""

    usual_hint = "run once without --offline to fill the cache"

    def __str__(self) -> str:
        return f"{self.url} is not in the cache, and --offline was given"


class AnswerTooLong(IndexRequestError):
    """A response is larger than the limit; the rest was not read."""


class ProjectNotFound(PolylockError):
    """No index that may serve the project has it."""

    usual_hint = (
        "check the spelling, or add the index that has it: [[tool.polylock.index]]"
    )

    name: str
    indexes: Sequence[str]

    def __str__(self) -> str:
        where = ", ".join(self.indexes) or "any index"
        return f"project {self.name} was not found on {where}"


class FileCorrupt(PolylockError):
    """A file is not what its name or its origin says."""

    usual_hint = (
        "nothing of it was installed; report it to the publisher, or lock another "
        "version or file"
    )

    filename: str
    problem: str

    def __str__(self) -> str:
        return f"{self.filename}: {self.problem}"


class ArchiveDamaged(FileCorrupt):
    """The unpacked copy of a wheel in the cache is incomplete or was changed."""

    usual_hint = "run the command again, or `polylock cache clear` first"

    sha256: str

    def __str__(self) -> str:
        return f"the unpacked copy of {self.filename} is damaged: {self.problem}"


class LockedIncomplete(FileCorrupt):
    """The lock file lacks the hash or the URL of a file."""

    usual_hint = LockFileInvalid.usual_hint

    def __str__(self) -> str:
        return f"{self.filename}: the lock file has no {self.problem} for it"


class HashMismatch(FileCorrupt):
    """The hash of a file differs from that in the index, lock or project file."""

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
        """Return the same error with another origin of the expected hash."""
        return type(self)(self.filename, self.wanted, self.found, stated_by)

    def hint(self) -> str | None:
        match self.stated_by:
            case "index":
                return (
                    "the index describes a different file; run the command again with "
                    "--refresh, and if that does not help, do not trust the file"
                )
            case "lock file":
                return (
                    "the file has changed since it was locked; if that is expected, "
                    "run `polylock lock --upgrade-package` for it; otherwise do not "
                    "trust the source"
                )
            case "project file":
                return (
                    "the file has changed since its hash was written there; if that "
                    "is expected, correct the hash; otherwise do not trust the source"
                )


class PageInstead(HashMismatch):
    """The server sent an HTML page instead of a file, most often a login page."""

    usual_hint = (
        "open the URL in a browser: it may need credentials, or a proxy may "
        "intercept it"
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
        return f"{self.filename}: the server sent a web page (HTML) instead of the file"

    def hint(self) -> str | None:
        return self.usual_hint


class SizeMismatch(FileCorrupt):
    """A file has the wrong size; ``wanted`` and ``found`` are in bytes."""

    usual_hint = "the download was cut short or the file was replaced; try again"

    wanted: int
    found: int

    def __init__(self, filename: str, wanted: int, found: int) -> None:
        self.wanted = wanted
        self.found = found
        super().__init__(filename, f"{found} bytes instead of {wanted}")


class FilesInvalid(PolylockError):
    """A directory has files that must not be published; one line for each."""

    listed = "problems"
    usual_hint = "correct or remove the files named; no index was written"

    directory: str
    problems: Sequence[str]

    def __str__(self) -> str:
        return f"{self.directory} has files that must not be published on an index"


class RepackFileInvalid(_ErrorAtKey):
    """A value in the file of ``variant repack`` is missing, unknown or wrong."""

    exit_code = 2


class WheelsRefused(PolylockError):
    """Wheels cannot be labelled or changed as asked; one line for each reason."""

    listed = "problems"
    usual_hint = "nothing was written; correct what is named, and run the command again"

    problems: Sequence[str]
    advice: str | None = None

    def __str__(self) -> str:
        return "the wheels cannot be written as asked"


class SourceUnusable(PolylockError):
    """A direct source (a URL, a path, a git repository) cannot be fetched or read.

    ``source`` is without credentials; ``output`` has the last lines of git's output.
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
    """This machine does not fit the target; ``missing`` has one item per line."""

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
    """This machine fits no target of the lock file."""

    usual_hint = (
        "add this machine with `polylock targets add --here`, or build for another "
        "with --target and --force-target"
    )

    def __str__(self) -> str:
        return "this machine is none of the targets"


class NothingToInstall(PolylockError):
    """A locked package has no file that the environment can install."""

    name: str
    version: str
    target: str
    rejected: Sequence[Rejection]

    def __str__(self) -> str:
        return f"{self.name} {self.version} has no file for target {self.target}"


class EnvironmentBroken(PolylockError):
    """An environment cannot be read, created or changed."""

    usual_hint = (
        "check its permissions and free space, then run the command again: it "
        "repairs an interrupted change"
    )

    path: str
    problem: str
    advice: str | None = None

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


class CacheUnusable(PolylockError):
    """The cache directory cannot be read or written."""

    usual_hint = (
        "check its permissions and free space, or choose another directory with "
        "--cache-dir or POLYLOCK_CACHE_DIR"
    )

    path: str
    problem: str

    def __str__(self) -> str:
        return f"cache {self.path}: {self.problem}"


class BuildFailed(PolylockError):
    """A source distribution cannot be built.

    ``step`` is the failure as a clause: ``build_wheel exited with status 1``.
    ``output`` has the last lines of the build's output, or further facts.
    """

    listed = "output"
    usual_hint = (
        "the build may need a compiler or a library that is not installed; "
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
    """A source distribution must be built, and the project forbids it.

    ``policy`` is the setting that forbids it, as written: ``build = "none"``.
    """

    name: str
    version: str
    policy: str

    def __str__(self) -> str:
        return (
            f"{self.name} {self.version} is locked as a source distribution, "
            f"and {self.policy} in [tool.polylock] forbids building it"
        )

    def hint(self) -> str | None:
        return (
            f"change {self.policy.partition(' ')[0]} in [tool.polylock], or "
            f"constrain {self.name} to a version that has a wheel for the target"
        )


class ProviderFailed(PolylockError):
    """A provider plugin that the user trusts failed.

    ``step`` is the failure as a clause: ``it did not answer within 60 seconds``.
    ``output`` has the last lines of the plugin's output, or further facts.
    """

    listed = "output"
    usual_hint = (
        "write the supported values under properties of the target instead, or "
        "try another version: --trust-provider NAME==VERSION"
    )

    name: str
    step: str
    output: Sequence[str] = ()
    advice: str | None = None

    def __str__(self) -> str:
        return f"provider {self.name} failed: {self.step}"
