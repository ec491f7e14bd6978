"""``polylock init --from``: convert the settings of another tool in a project file."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from polylock.cache.regular_files import read_regular
from polylock.errors import ForeignLockInvalid, LockFileInvalid, UsageError
from polylock.foreign.conversion import (
    Conversion,
    ConversionDefaults,
    Converted,
    Listed,
)
from polylock.foreign.pdm_project import convert_pdm
from polylock.foreign.poetry_project import convert_poetry
from polylock.foreign.requirements_project import (
    convert_requirements,
    requirement_files,
)
from polylock.foreign.uv_project import convert_uv
from polylock.operations.edit.detect import machine_name
from polylock.operations.edit.other_tools import Surroundings, inspect_surroundings
from polylock.operations.edit.project_file import (
    directory_name,
    fitting_python,
    parse_document,
    parse_release,
    project_to_write,
    read_text,
)
from polylock.operations.edit.target_table import target_table
from polylock.operations.edit.targets import preset_target
from polylock.operations.files import write_atomically
from polylock.project.edit import rewrite
from polylock.project.settings import default_index_url
from polylock.project.tool_table import read_options
from polylock.toml_tables import Table
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from polylock.project.settings import Settings
    from polylock.providers.detect import DetectedMachine

__all__ = ["ConvertOutcome", "ConvertRequest", "OtherTool", "convert"]

OtherTool = Literal["uv", "poetry", "pdm", "requirements"]

_CONVERTERS = {
    "uv": convert_uv,
    "poetry": convert_poetry,
    "pdm": convert_pdm,
    "requirements": convert_requirements,
}


class ConvertRequest(Value, frozen=True, kw_only=True):
    """The tool to convert from, and the targets to write.

    ``here`` is this machine, which becomes a target if it ``is_named`` or if nothing
    else says what the targets are. ``name`` and ``python`` are as for ``init``.
    """

    tool: OtherTool
    here: DetectedMachine
    is_named: bool = False
    presets: Sequence[str] = ()
    name: str | None = None
    python: str | None = None
    dry_run: bool = False


class ConvertOutcome(Value, frozen=True, kw_only=True):
    """What was converted, what was listed, and the text before and after."""

    path: Path
    tool: OtherTool
    before: str | None
    after: str
    dry_run: bool
    targets: tuple[str, ...]
    converted: tuple[Converted, ...]
    listed: tuple[Listed, ...]
    surroundings: Surroundings

    @property
    def changed(self) -> bool:
        """Return True if the file differs, or would without ``--dry-run``."""
        return self.after != self.before

    def diff(self) -> str:
        """Return the change as a unified diff."""
        lines = difflib.unified_diff(
            (self.before or "").splitlines(keepends=True),
            self.after.splitlines(keepends=True),
            self.path.name,
            self.path.name,
        )
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``init --from --json`` (schemas/init.schema.json)."""
        return {
            "path": str(self.path),
            "created": self.before is None and not self.dry_run,
            "targets": list(self.targets),
            "from": self.tool,
            "changed": self.changed,
            "converted": [
                {"from": each.origin, "to": each.into} for each in self.converted
            ],
            "listed": [
                {"setting": each.origin, "reason": each.reason, "advice": each.advice}
                for each in self.listed
            ],
        }


def convert(settings: Settings, request: ConvertRequest) -> ConvertOutcome:
    """Convert the settings of a tool, and write them unless it is a dry run.

    What ``[tool.polylock]`` has already is kept. Raises ProjectError,
    ForeignLockInvalid, and UsageError if the project does not use the tool. After an
    error nothing is written.
    """
    path = project_to_write(settings)
    text = read_text(path) if path.exists() else None
    document = parse_document(text or "", path)
    files = _Directory(path.parent)
    _check_used(request.tool, document, files, path)
    conversion = Conversion(document, str(path))
    defaults = _defaults(request, path)
    try:
        _CONVERTERS[request.tool](conversion, files, defaults)
    except LockFileInvalid as error:
        raise ForeignLockInvalid(error.path, error.key, error.problem) from error
    tool = Table(conversion.tool, path=str(path), parts=("tool", "polylock"))
    targets = tuple(conversion.target_names)
    read_options(
        tool,
        targets=targets,
        default_index_url=defaults.index_url,
        directory=path.parent,
    )
    after = rewrite(
        text or "", conversion.document, before=f"tool.{request.tool}", path=str(path)
    )
    if after != text and not request.dry_run:
        write_atomically(path, after)
    return ConvertOutcome(
        path=path,
        tool=request.tool,
        before=text,
        after=after,
        dry_run=request.dry_run,
        targets=targets,
        converted=tuple(conversion.converted) if after != text else (),
        listed=tuple(dict.fromkeys(conversion.listed)),
        surroundings=inspect_surroundings(path.parent, conversion.document),
    )


def _defaults(request: ConvertRequest, path: Path) -> ConversionDefaults:
    release = parse_release(request.python)
    name = machine_name(request.here)
    here = target_table(request.here.describe(release, name=name))
    here.pop("python", None)
    tables: dict[str, Mapping[str, Any]] = {name: here} if request.is_named else {}
    for preset in request.presets:
        named, table = preset_target(preset)
        if named in tables:
            raise UsageError(
                f"two of the targets would be named {named}",
                "leave one out here, and add it with `polylock targets add --name`",
            )
        tables[named] = table

    def python(requires_python: str) -> str:
        return request.python or fitting_python(requires_python, path.parent)

    return ConversionDefaults(
        targets=tables,
        here=(name, here),
        python=python,
        # Not that of the settings: the file is for other machines too.
        index_url=default_index_url(),
        directory_name=request.name or directory_name(path),
    )


def _check_used(
    tool: OtherTool, document: Mapping[str, Any], files: _Directory, path: Path
) -> None:
    """Raise UsageError if nothing of the tool is in the project file or beside it."""
    if tool == "requirements":
        if not requirement_files(files):
            raise UsageError(
                f"there is no requirements file in {path.parent}",
                "its name is requirements.in, requirements.txt, requirements-dev.txt, "
                "or it is in a directory requirements",
            )
        return
    tables = document.get("tool")
    if isinstance(tables, dict) and tool in tables:
        return
    if any(files.read(name) is not None for name in (f"{tool}.lock", f"{tool}.toml")):
        return
    used = [
        other
        for other in ("uv", "poetry", "pdm")
        if isinstance(tables, dict) and other in tables
    ]
    raise UsageError(
        f"{path} has no [tool.{tool}], and there is no {tool}.lock beside it",
        f"it has [tool.{used[0]}]: `polylock init --from {used[0]}`"
        if used
        else "`polylock init` writes targets without a conversion",
    )


class _Directory:
    """The files of a project, by paths relative to its project file."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def read(self, path: str) -> str | None:
        """Return the text of a file, None if it does not exist."""
        try:
            return read_regular(self._directory / path).decode("utf-8-sig")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, UnicodeDecodeError) as error:
            problem = "is not UTF-8"
            if isinstance(error, OSError):
                problem = f"cannot be read: {error.strerror or error}"
            raise ForeignLockInvalid(
                str(self._directory / path), "", problem
            ) from error

    def matching(self, pattern: str) -> Sequence[str]:
        """Return the files that match a pattern of a path, sorted."""
        start, prefix = self._directory, ""
        while pattern.startswith("../"):
            start, prefix = start / "..", f"{prefix}../"
            pattern = pattern.removeprefix("../")
        if pattern.startswith("/"):
            return []
        found = start.glob(pattern.removeprefix("./"))
        return sorted(
            f"{prefix}{each.relative_to(start).as_posix()}"
            for each in found
            if each.is_file()
        )
