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

from polylock.errors.base import PolylockError
from polylock.errors.index import (
    AnswerTooLong,
    ArchiveDamaged,
    FileCorrupt,
    FilesInvalid,
    HashMismatch,
    IndexRequestError,
    Offline,
    PageInstead,
    ProjectNotFound,
    SizeMismatch,
    SourceUnusable,
)
from polylock.errors.input import (
    ForeignHashDiffers,
    ForeignLockInvalid,
    LockFileInvalid,
    LockFileOutdated,
    NoSolution,
    NoSuchTarget,
    ProjectError,
    UsageError,
)
from polylock.errors.machine import (
    BuildFailed,
    BuildForbidden,
    CacheUnusable,
    EnvironmentBroken,
    NoTargetFits,
    NothingToInstall,
    ProviderFailed,
    TargetMismatch,
)

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
    "NoSolution",
    "NoSuchTarget",
    "NoTargetFits",
    "NothingToInstall",
    "Offline",
    "PageInstead",
    "PolylockError",
    "ProjectError",
    "ProjectNotFound",
    "ProviderFailed",
    "SizeMismatch",
    "SourceUnusable",
    "TargetMismatch",
    "UsageError",
]
