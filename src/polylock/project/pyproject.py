"""Reads the project file: the inputs of a lock file, and its targets.

Nothing depends on the machine: a missing value is either a default that is the same
everywhere, or an error.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from polylock.cache.regular_files import read_regular
from polylock.errors import ProjectError
from polylock.model.direct import DirectorySource
from polylock.model.inputs import (
    IndexSource,
    Inputs,
    RootRequirement,
    TorchBackends,
)
from polylock.model.requirements import Requirement
from polylock.project.dependencies import (
    Dependencies,
    read_dependencies,
    read_requirement,
)
from polylock.project.members import (
    Members,
    is_member,
    read_members,
    with_members,
)
from polylock.project.script import (
    KEYS_OF_SCRIPT,
    InvalidBlock,
    block_of,
    is_script,
)
from polylock.project.settings import Settings, default_index_url
from polylock.project.target_values import PYTHON_ADVICE, parse_python
from polylock.project.targets import parse_targets
from polylock.project.tool_table import (
    IGNORED_SETTINGS,
    KEYS,
    OTHER_TOOLS,
    read_options,
    read_torch_index,
)
from polylock.toml_tables import (
    InvalidToml,
    Table,
    conflict_marker,
    key_path,
    parse_toml,
    suggestion,
)
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from packaging.utils import NormalizedName

    from polylock.model.target import TargetDescription

__all__ = [
    "PROJECT_FILE",
    "ProjectFile",
    "find_project",
    "load_project",
    "project_path",
    "read_document",
]

PROJECT_FILE = "pyproject.toml"
_TARGETS_KEY = "tool.polylock.targets"
_TARGETS_ADVICE = (
    "`polylock init` declares this machine as a target, "
    "`polylock targets add PRESET` another, for example linux-x86_64"
)


class ProjectFile(Value, frozen=True, kw_only=True):
    """A project file, read and checked.

    ``name`` is None without ``[project]``, ``version`` if that has none; the version
    does not affect the lock file. ``default_python`` is ``[tool.polylock] python``,
    empty if it is missing; ``descriptions`` are in the order of the file, which is
    their priority. ``members`` are those of its workspace. ``is_dynamic`` means that
    only its build backend knows its dependencies: then it is a source tree of its own.
    """

    path: Path
    name: NormalizedName | None
    version: str | None
    has_build_system: bool
    default_python: tuple[str, ...]
    inputs: Inputs
    descriptions: tuple[TargetDescription, ...]
    members: Members = Members()
    is_dynamic: bool = False


def find_project(start: Path) -> Path:
    """Return the nearest project file in ``start`` or a directory above it.

    That of a member of a workspace stands for the workspace. ``start`` is absolute.
    Raises ProjectError if there is none.
    """
    for directory in (start, *start.parents):
        path = directory / PROJECT_FILE
        if path.is_file():
            return _workspace_of(path) or path
    raise ProjectError(
        str(start),
        "",
        f"there is no {PROJECT_FILE} here or in a directory above",
        "`polylock init` writes one, --project names another",
    )


def _workspace_of(member: Path) -> Path | None:
    """Return the project file of the workspace that a project is a member of, if any.

    A file above that names no workspace, or another, is passed over.
    """
    directory = member.parent
    for above in directory.parents:
        path = above / PROJECT_FILE
        try:
            content = read_regular(path)
        except OSError:
            continue
        if b"workspace" not in content:
            continue
        try:
            document = parse_toml(content.decode("utf-8-sig"))
        except (InvalidToml, UnicodeDecodeError):
            continue
        if is_member(above, document, directory):
            return path
    return None


def project_path(settings: Settings) -> Path:
    """Return the project file in the settings, else the nearest one.

    Raises ProjectError if there is none.
    """
    if settings.project is None:
        return find_project(Path.cwd())
    path = settings.project.absolute()
    return path / PROJECT_FILE if path.is_dir() else path


def load_project(path: Path, *, settings: Settings) -> ProjectFile:
    """Return a project file; raises ProjectError for the first error in it.

    ``settings`` are used only for the URLs of the default index and of torch's.
    """
    document = Table(read_document(path), path=str(path))
    tool = document.table("tool").table("polylock")
    if "required-version" in tool:
        # Not imported for a project without the key.
        from polylock.project.required_version import (  # noqa: PLC0415 - see above
            check_required_version,
        )

        check_required_version(tool)
    if is_script(path):
        document.refuse_unknown(KEYS_OF_SCRIPT)
    tool.refuse_unknown(KEYS)
    dependencies = read_dependencies(document)
    members = _members(tool, document, settings)
    default_python = _default_python(tool)
    descriptions = _descriptions(tool, dependencies, members)
    options = read_options(
        tool,
        targets=[description.name for description in descriptions],
        default_index_url=settings.index_url or default_index_url(),
        directory=path.parent,
    )
    of_targets = tuple(_target_requirements(tool, descriptions, dependencies))
    return ProjectFile(
        path=path,
        name=dependencies.name,
        version=document.table("project").string("version"),
        has_build_system=bool(document.table("build-system").values),
        default_python=default_python,
        inputs=with_members(
            _with_own_tree(
                replace(
                    options,
                    requires_python=dependencies.requires_python,
                    requirements=(*dependencies.roots(), *of_targets),
                    extras=tuple(sorted(dependencies.by_extra)),
                    groups=tuple(sorted(dependencies.by_group)),
                    default_groups=_default_groups(tool, dependencies),
                    requires_itself=tuple(
                        (dependencies.name or "", place)
                        for place in dependencies.itself
                    ),
                    torch=_torch(tool, options, descriptions, settings, path),
                ),
                dependencies,
            ),
            members,
            tool,
            dependencies.name,
        ),
        descriptions=descriptions,
        members=members,
        is_dynamic=dependencies.is_dynamic,
    )


def _with_own_tree(inputs: Inputs, dependencies: Dependencies) -> Inputs:
    """Return inputs in which a project with dynamic dependencies requires itself.

    So its build backend is asked as that of any other source tree, and what it says is
    compared by the files that decide it.
    """
    name = dependencies.name
    if name is None or not dependencies.is_dynamic:
        return inputs
    tree = IndexSource(direct=DirectorySource(path=".", editable=True))
    own = RootRequirement(requirement=Requirement(name=name))
    return replace(
        inputs,
        requirements=(own, *inputs.requirements),
        sources=dict(sorted({**inputs.sources, name: (tree,)}.items())),
    )


def _members(tool: Table, document: Table, settings: Settings) -> Members:
    """Return the members of the workspace; raises ProjectError, UnreadSettings."""

    def check(member: Table, names: frozenset[str]) -> None:
        # What has a counterpart has it in the file of the workspace.
        values = {**member.values, "tool": {**member.table("tool").values}}
        values["tool"]["polylock"] = tool.values
        _refuse_unread(Table(values, path=member.path), settings, names)

    members = read_members(tool, document, read_document, check)
    _refuse_unread(document, settings, frozenset(each.name for each in members.found))
    return members


def _refuse_unread(
    document: Table, settings: Settings, members: frozenset[str]
) -> None:
    """Raise UnreadSettings for those of another tool that have no counterpart.

    ``members`` of the workspace are sources without an entry.
    """
    tool = document.table("tool")
    if IGNORED_SETTINGS not in tool.table("polylock") and not any(
        name in tool for name in OTHER_TOOLS
    ):
        return
    # Not needed by a project of polylock alone.
    from polylock.project.unread_settings import refuse_unread  # noqa: PLC0415

    refuse_unread(
        document,
        default_index_url=settings.index_url or default_index_url(),
        members=members,
    )


def _torch(
    tool: Table,
    options: Inputs,
    descriptions: Sequence[TargetDescription],
    settings: Settings,
    path: Path,
) -> TorchBackends | None:
    mirror = read_torch_index(tool, path.parent)
    default = options.torch_backend
    if default is None and all(each.torch_backend is None for each in descriptions):
        return None
    # Reads the data of all backends.
    from polylock.project.torch_backends import torch_backends  # noqa: PLC0415

    return torch_backends(
        default,
        descriptions,
        index_url=settings.torch_index or mirror,
        declared=options.indexes,
    )


def read_document(path: Path) -> dict[str, Any]:
    """Return the tables of a project file; raises ProjectError."""
    try:
        content = read_regular(path)
    except FileNotFoundError as error:
        raise ProjectError(
            str(path), "", "does not exist", "`polylock init` writes a project file"
        ) from error
    except IsADirectoryError as error:
        raise _is_a_directory(path) from error
    except OSError as error:
        if path.is_dir():  # Windows reports "permission denied"
            raise _is_a_directory(path) from error
        raise ProjectError(
            str(path), "", f"cannot be read: {error.strerror}"
        ) from error
    try:
        # TOML 1.0 requires UTF-8 and does not mention a byte order mark, which some
        # editors on Windows write.
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ProjectError(
            str(path), "", f"is not UTF-8 at line {line}", "save it as UTF-8"
        ) from error
    try:
        return parse_toml(block_of(text) if is_script(path) else text)
    except InvalidToml as error:
        if is_script(path):
            raise ProjectError(str(path), "", f"the block {error}") from error
        number = conflict_marker(text)
        if number is not None:
            problem = f"line {number} is a merge conflict marker of git"
            advice = "resolve the conflict here first, then run `polylock lock`"
            raise ProjectError(str(path), "", problem, advice) from error
        raise ProjectError(str(path), key_path(*error.parts), str(error)) from error
    except InvalidBlock as error:
        raise ProjectError(str(path), "", str(error)) from error


def _is_a_directory(path: Path) -> ProjectError:
    return ProjectError(
        str(path), "", "is a directory", f"name the file in it: {path / PROJECT_FILE}"
    )


def _descriptions(
    tool: Table, dependencies: Dependencies, members: Members
) -> tuple[TargetDescription, ...]:
    tables = tool.table("targets")
    if not tables.values:
        raise tool.error("no target is declared", "targets", advice=_TARGETS_ADVICE)
    return parse_targets(
        tables.values,
        path=tool.path,
        default_python=tool.values.get("python"),
        reserved=(
            *dependencies.by_group,
            *dependencies.by_extra,
            *members.groups,
        ),
        requires_python=dependencies.requires_python,
        key=_TARGETS_KEY,
    )


def _default_groups(tool: Table, dependencies: Dependencies) -> tuple[str, ...] | None:
    """Return ``default-groups``, where ``"all"`` means every group of the project."""
    if "default-groups" not in tool:
        return None
    if tool.values["default-groups"] == "all":
        return tuple(sorted(dependencies.by_group))
    if not isinstance(tool.values["default-groups"], list):
        expected = 'an array of groups or "all"'
        found = tool.values["default-groups"]
        raise tool.wrong_type(expected, "default-groups", found=found)
    names = tuple(map(canonicalize_name, tool.strings("default-groups")))
    for position, name in enumerate(names):
        if name not in dependencies.by_group:
            raise tool.error(
                f"there is no group {name} in [dependency-groups]",
                "default-groups",
                position,
                advice=suggestion(name, dependencies.by_group),
            )
    return tuple(sorted(set(names)))


def _default_python(tool: Table) -> tuple[str, ...]:
    """Return ``python``; checked even if every target has its own."""
    value = tool.values.get("python", [])
    if not isinstance(value, list):
        value = [tool.string("python")]
    elif "python" in tool and not value:
        raise tool.error("must not be an empty list", "python", advice=PYTHON_ADVICE)
    else:
        tool.strings("python")
    for text in value:
        if parse_python(text) is None:
            raise tool.error(
                f"{text!r} is not a Python", "python", advice=PYTHON_ADVICE
            )
    return tuple(value)


def _target_requirements(
    tool: Table,
    descriptions: Sequence[TargetDescription],
    dependencies: Dependencies,
) -> Iterator[RootRequirement]:
    for description in descriptions:
        written = _table_name(description.name, tool.table("targets").values)
        place = ("targets", written, "dependencies")
        found = [
            item
            for position, text in enumerate(description.dependencies)
            for item in dependencies.expand(
                read_requirement(text, tool, *place, position), tool, *place, position
            )
        ]
        for requirement in dict.fromkeys(found):
            yield RootRequirement(requirement=requirement, target=description.name)


def _table_name(target: str, tables: Collection[str]) -> str:
    """Return the name of the table of a target.

    They differ if the table lists several Pythons: h100-py312 comes from h100.
    """
    if target in tables:
        return target
    return max((name for name in tables if target.startswith(f"{name}-")), key=len)
