"""The members of a workspace: further projects that one lock file is for.

``[tool.polylock.workspace]`` names their directories. A member is a source by its name,
editable, for every requirement on it. What it requires is locked as groups, so that any
installer can select it: ``api`` for a member api, ``api-test`` for its group or extra
test. A member without ``[build-system]`` is a list of requirements, as a project is.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import NormalizedName, canonicalize_name

from polylock.errors import PolylockError
from polylock.model.direct import DirectorySource
from polylock.model.inputs import IndexSource, RootRequirement
from polylock.model.requirements import Requirement
from polylock.project.dependencies import Dependencies, read_dependencies
from polylock.project.direct_sources import relative_path
from polylock.toml_tables import Table
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from polylock.model.inputs import Inputs

    Reader = Callable[[Path], Mapping[str, object]]

__all__ = ["WORKSPACE", "Members", "is_member", "read_members", "with_members"]

WORKSPACE = "workspace"
_KEYS = ("members", "exclude")
_WILD = re.compile(r"[*?\[]")


class _Member(Value, frozen=True, kw_only=True):
    """A member: its path from the project file, and what it requires."""

    name: NormalizedName
    path: str
    is_installed: bool
    dependencies: Dependencies

    def roots(self) -> Iterator[RootRequirement]:
        """Yield the requirements of the groups that stand for this member."""
        own = Requirement(self.name)
        name = self.name
        if self.is_installed:
            yield RootRequirement(requirement=own, group=name)
        else:
            for item in self.dependencies.plain:
                yield RootRequirement(requirement=item, group=name)
        for extra, items in self.dependencies.by_extra.items():
            wanted = [replace(own, extras=(extra,))] if self.is_installed else items
            for item in wanted:
                yield RootRequirement(requirement=item, group=f"{name}-{extra}")
        for group, items in self.dependencies.by_group.items():
            for item in items:
                yield RootRequirement(requirement=item, group=f"{name}-{group}")

    def requires(self, name: NormalizedName) -> bool:
        """Return True if the member itself, an extra or a group requires a project."""
        declared = self.dependencies
        lists = (
            declared.plain,
            *declared.by_extra.values(),
            *declared.by_group.values(),
        )
        return any(item.name == name for items in lists for item in items)

    @property
    def further(self) -> tuple[str, ...]:
        """Return the groups for its extras and its groups, sorted."""
        names = {*self.dependencies.by_extra, *self.dependencies.by_group}
        return tuple(f"{self.name}-{each}" for each in sorted(names))


class Members(Value, frozen=True, kw_only=True):
    """The members of a workspace, sorted by name, and what decides which there are.

    ``listed`` are the directories that patterns were looked up in; None if a pattern
    goes through directories of any depth.
    """

    found: tuple[_Member, ...] = ()
    files: tuple[Path, ...] = ()
    listed: tuple[Path, ...] | None = ()

    @property
    def groups(self) -> tuple[str, ...]:
        """Return the names of all groups that stand for members."""
        return tuple(name for each in self.found for name in (each.name, *each.further))


def read_members(
    tool: Table,
    document: Table,
    read: Reader,
    check: Callable[[Table, frozenset[str]], None],
) -> Members:
    """Return the members that ``[tool.polylock.workspace]`` names.

    ``read`` reads a project file, ``check`` refuses what a member states for another
    tool alone, given the names of all members. Raises ProjectError.
    """
    if WORKSPACE not in tool:
        return Members()
    table = tool.table(WORKSPACE)
    table.refuse_unknown(_KEYS)
    root = Path(tool.path).absolute().parent
    directories, listed = _directories(table, root)
    tables = [
        Table(read(path / "pyproject.toml"), path=str(path / "pyproject.toml"))
        for path in directories
    ]
    found: dict[str, _Member] = {}
    own = document.table("project").values.get("name")
    for path, each in zip(directories, tables, strict=True):
        member = _member(each, relative_path(path, root))
        if member.name in found or member.name == _normalized(own):
            other = found[member.name].path if member.name in found else "the root"
            raise each.error(
                f"{member.name} is also the name of {other}",
                "project",
                "name",
                advice="names of the projects of a workspace must differ",
            )
        found[member.name] = member
    names = frozenset(found)
    for each in tables:
        check(each, names)
    return Members(
        found=tuple(found[name] for name in sorted(found)),
        files=tuple(path / "pyproject.toml" for path in directories),
        listed=listed,
    )


def with_members(
    inputs: Inputs, members: Members, tool: Table, root: NormalizedName | None
) -> Inputs:
    """Return inputs with the sources and the groups of members; raises ProjectError.

    ``root`` is the name of the project itself, which members may require too.
    """
    taken: dict[str, str] = {
        **dict.fromkeys(inputs.groups, "a dependency group"),
        **dict.fromkeys(inputs.extras, "an extra"),
    }
    for name in members.groups:
        if name in taken:
            raise tool.error(
                f"{name} stands for a member, and is the name of {taken[name]} as well",
                WORKSPACE,
                "members",
                advice=f"rename {taken[name]}, or a group or extra of the member",
            )
        taken[name] = "another one of a member"
    for each in members.found:
        if each.name in inputs.sources:
            raise tool.error(
                f"{each.name} is a member of the workspace, which is its source",
                "sources",
                each.name,
                advice="remove this entry",
            )
    # A member without a build system has its source too: else an index would be asked.
    own: dict[str, tuple[IndexSource, ...]] = {
        each.name: (IndexSource(direct=DirectorySource(path=each.path, editable=True)),)
        for each in members.found
    }
    _refuse_lists(inputs, members, tool)
    if root is not None and any(each.requires(root) for each in members.found):
        own[root] = (IndexSource(direct=DirectorySource(path=".", editable=True)),)
    return replace(
        inputs,
        sources=dict(sorted({**inputs.sources, **own}.items())),
        requirements=(
            *inputs.requirements,
            *dict.fromkeys(root for each in members.found for root in each.roots()),
        ),
        groups=tuple(sorted((*inputs.groups, *members.groups))),
        members=tuple(each.name for each in members.found),
        member_groups=tuple(
            sorted(name for each in members.found for name in each.further)
        ),
    )


def _refuse_lists(inputs: Inputs, members: Members, tool: Table) -> None:
    """Raise ProjectError for a requirement on a member without a build system."""
    for each in members.found:
        if each.is_installed:
            continue
        by = [str(o.name) for o in members.found if o.requires(each.name)]
        if any(each.name == root.requirement.name for root in inputs.requirements):
            by.append("the project")
        if by:
            raise tool.error(
                f"{', '.join(by)} requires {each.name}, a member without "
                "[build-system], which is a list of requirements",
                WORKSPACE,
                "members",
                advice=f"add [build-system] to {each.path}/pyproject.toml",
            )


def is_member(root: Path, document: Mapping[str, object], directory: Path) -> bool:
    """Return True if a project file names a directory as a member of its workspace.

    ``root`` is the directory of that file. Its errors are left to those who read it.
    """
    tool = document
    for key in ("tool", "polylock", WORKSPACE):
        value = tool.get(key)
        if not isinstance(value, dict):
            return False
        tool = value
    table = Table(tool, path=str(root / "pyproject.toml"))
    try:
        return directory in _directories(table, root)[0]
    except PolylockError:  # reading the workspace reports it
        return True


def _directories(
    table: Table, root: Path
) -> tuple[list[Path], tuple[Path, ...] | None]:
    """Return the directories of members, sorted, and those that were listed."""
    listed: list[Path] | None = []
    found: dict[Path, None] = {}
    patterns = table.strings("members")
    if not patterns:
        raise table.error(
            "names no member", "members", advice='for example: members = ["packages/*"]'
        )
    excluded = {
        path
        for position, pattern in enumerate(table.strings("exclude"))
        for path in _matches(table, root, pattern, ("exclude", position))
    }
    for position, pattern in enumerate(patterns):
        matches = _matches(table, root, pattern, ("members", position))
        if "**" in pattern:
            listed = None
        elif listed is not None and _WILD.search(pattern):
            listed += _parents(root, pattern)
        is_name = not _WILD.search(pattern)
        for path in matches:
            if path in excluded or path == root:
                continue
            if (path / "pyproject.toml").is_file():
                found[path] = None
            elif is_name:
                raise table.error(
                    f"{pattern} has no pyproject.toml", "members", position
                )
    if not found:
        raise table.error(
            f"no directory with a pyproject.toml matches {', '.join(patterns)}",
            "members",
        )
    return sorted(found), None if listed is None else tuple(sorted(set(listed)))


def _matches(
    table: Table, root: Path, pattern: str, key: tuple[str, int]
) -> Sequence[Path]:
    """Return the directories that a pattern means; raises ProjectError."""
    parts = Path(pattern).parts
    if not parts or Path(pattern).is_absolute() or ".." in parts or "\\" in pattern:
        raise table.error(
            f"{pattern!r} is no path below the project file",
            *key,
            advice='for example: members = ["packages/*"]',
        )
    if not _WILD.search(pattern):
        return [root / pattern]
    return sorted(
        path
        for path in root.glob(pattern)
        if path.is_dir() and not path.name.startswith(".")
    )


def _parents(root: Path, pattern: str) -> list[Path]:
    """Return the directories whose entries decide what a pattern matches."""
    found = [root]
    listed = []
    for part in Path(pattern).parts:
        if _WILD.search(part):
            listed += found
            found = [path for each in found for path in each.glob(part)]
        else:
            found = [each / part for each in found]
    return [path for path in listed if path.is_dir()]


def _member(document: Table, path: str) -> _Member:
    tool = document.table("tool")
    if "polylock" in tool:
        raise document.error(
            "is in a member of a workspace, where polylock does not read it",
            "tool",
            "polylock",
            advice="move it to the project file of the workspace",
        )
    dependencies = read_dependencies(document)
    if dependencies.name is None:
        raise document.error(
            "is missing", "project", advice='a member has a name: name = "demo"'
        )
    is_installed = bool(document.table("build-system").values)
    items = [] if is_installed else [*dependencies.plain]
    items += [item for each in dependencies.by_group.values() for item in each]
    for item in items:
        if item.url is not None and "file:" in item.url:
            raise document.error(
                f"{item.name} is a path, which a member cannot name",
                "project",
                advice=f"name {item.name} under [tool.polylock.sources] of the "
                "workspace",
            )
    return _Member(
        name=dependencies.name,
        path=path,
        is_installed=is_installed,
        dependencies=dependencies,
    )


def _normalized(name: object) -> NormalizedName | None:
    return canonicalize_name(name) if isinstance(name, str) else None
